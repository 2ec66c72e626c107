"""One text under many masks: a batch that repeats the text, with a different mask for each copy."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from model.mask import MaskSpec
from model.run import Array, Experiment, encode, get_transformer


@dataclass(frozen=True)
class MaskSweep:
    """One head under K masks."""

    scores: Array  # (K, T, T)  scaled, with the position bias
    mask: Array  # (K, T, T)  True: may attend
    masked: Array  # (K, T, T)  −inf where the mask forbids
    weights: Array  # (K, T, T)


def sweep_masks(experiment: Experiment, masks: Sequence[MaskSpec], layer: int, head: int) -> MaskSweep:
    """The experiment under each of these masks instead of its own.

    Raises:
        InputTextError: the text cannot be run.
    """
    transformer, _ = get_transformer(experiment.weights)
    device = next(transformer.parameters()).device
    ids = encode(experiment).ids
    stacked = torch.stack([spec.build(len(ids)) for spec in masks])[:, None].to(device)  # (K, 1, T, T)
    batch = torch.tensor([ids], device=device).expand(len(masks), -1)  # (K, T)
    with torch.inference_mode():
        attention = transformer(batch, switches=experiment.switches, mask=stacked).layers[layer].attention
    stages = (attention.biased, attention.mask, attention.masked, attention.weights)
    return MaskSweep(*(_array(stage[:, head]) for stage in stages))


def _array(tensor: Tensor) -> Array:
    array = tensor.to("cpu", torch.float32 if tensor.is_floating_point() else tensor.dtype).numpy()
    array.setflags(write=False)
    return array
