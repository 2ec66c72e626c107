"""Load an inspected model: each tensor is read, transposed if needed, checked, and assigned."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache, partial
from math import prod
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from model.checkpoint import CheckpointError
from model.compute.shapes_only import shapes_only
from model.importers.inspect import FAMILIES, ModelInfo, inspect_folder, tensor_sources
from model.importers.safetensors_header import TensorHeader
from model.importers.tensor_names import canonical_tensors
from model.importers.tokenizers.load import read_tokenizer
from model.tokenizer import Tokenizer
from model.transformer import Transformer


@dataclass(frozen=True)
class Imported:
    """A model from a folder, ready to run, and its tokenizer."""

    transformer: Transformer
    tokenizer: Tokenizer


def read(offer: ModelInfo, progress: Callable[[float], None] = lambda share: None) -> Imported:
    """Load the model that was inspected.

    progress: called with the share that is done, 0 to 1, after every tensor. If it raises, loading stops.

    Raises:
        CheckpointError: a file has changed since the inspection, cannot be read, or has values that are not finite.
    """
    if offer.config is None:
        raise CheckpointError(offer.maps_only_reason)
    fresh = inspect_folder(offer.folder.path)
    if fresh.folder.stamp != offer.folder.stamp or fresh.config is None:
        raise CheckpointError(f"The files in {offer.folder.path.name} have changed since they were read.")
    folder, config = fresh.folder, fresh.config  # a ModelInfo from another process has no headers
    tokenizer = read_tokenizer(folder, config.vocab_size, reads_marks=True)
    claims = canonical_tensors(folder, FAMILIES[folder.config["model_type"]])
    needed = tensor_sources(folder, config, {name: claim for name, (_, claim) in claims.items()})
    whole, done = sum(prod(tensor.shape) for _, tensor in claims.values()), 0
    weights: dict[str, Tensor] = {}
    with ExitStack() as opened:
        # The queries, keys and values of GPT-2 are parts of one tensor, which is read once.
        numbers = lru_cache(maxsize=2)(partial(_numbers, opened, {}, claims))
        for ours, piece in needed.items():
            tensor = numbers(piece.name)
            weights[ours] = (piece.take(tensor) if piece.take else tensor).contiguous()
            done += weights[ours].numel()
            progress(min(1.0, done / whole))
    progress(1.0)
    with shapes_only():  # the parameters are replaced at once
        transformer = Transformer(config)
    if config.tied_unembedding:
        weights["unembedding.weight"] = weights["embedding.weight"]
    transformer.load_state_dict(weights, assign=True)
    if transformer.unembedding is not None and torch.equal(
        transformer.unembedding.weight, transformer.embedding.weight
    ):  # tied, or stored twice, but kept once
        transformer.unembedding.weight = transformer.embedding.weight
    return Imported(transformer.eval().requires_grad_(False), tokenizer)


def _numbers(
    opened: ExitStack, files: dict[Path, Any], claims: Mapping[str, tuple[str, TensorHeader]], name: str
) -> Tensor:
    """One tensor of the files in float32, checked for values that are not finite."""
    spelt, claim = claims[name]
    try:
        if claim.file not in files:
            files[claim.file] = opened.enter_context(safe_open(claim.file, "pt"))
        # A copy, because the file can be changed or removed while the model is in use.
        tensor: Tensor = files[claim.file].get_tensor(spelt).to(torch.float32, copy=True)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{claim.file.name} cannot be read: {error}.") from error
    if not tensor.isfinite().all():
        raise CheckpointError(f"{spelt} in {claim.file.name} holds values that are not numbers.")
    return tensor
