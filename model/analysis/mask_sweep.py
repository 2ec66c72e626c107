"""One text under many masks at once: a batch of the same text, each with a mask of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from model.mask import Looks
from model.run import Array, Experiment, encode, model


@dataclass(frozen=True)
class Sweep:
    """One head under K masks."""

    scores: Array  # (K, T, T)  scaled, with the position bias
    mask: Array  # (K, T, T)  True: may attend
    masked: Array  # (K, T, T)  −inf where the mask forbids
    weights: Array  # (K, T, T)


def sweep(experiment: Experiment, looks: Sequence[Looks], layer: int, head: int) -> Sweep:
    """The experiment under each of these masks instead of its own.

    Raises:
        TextError: a text that cannot be run.
    """
    transformer, _ = model(experiment.weights)
    device = next(transformer.parameters()).device
    ids = encode(experiment).ids
    masks = torch.stack([one.over(len(ids)) for one in looks])[:, None].to(device)  # (K, 1, T, T)
    batch = torch.tensor([ids], device=device).expand(len(looks), -1)  # (K, T)
    with torch.inference_mode():
        attention = transformer(batch, switches=experiment.switches, looks=masks).layers[layer].attention
    stages = (attention.biased, attention.mask, attention.masked, attention.weights)
    return Sweep(*(_array(stage[:, head]) for stage in stages))


def _array(tensor: Tensor) -> Array:
    array = tensor.to("cpu", torch.float32 if tensor.is_floating_point() else tensor.dtype).numpy()
    array.setflags(write=False)
    return array
