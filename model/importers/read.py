"""From an offer to a model that runs: each tensor is read, turned our way, looked through, and put in its place."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from model.checkpoint import CheckpointError
from model.importers.family import Piece
from model.importers.look import Offer, look, pieces, today
from model.importers.words import read_tokenizer
from model.tokenizer import Tokenizer
from model.transformer import Transformer


@dataclass(frozen=True)
class Imported:
    """A model from a folder, ready to run, and its tokenizer."""

    transformer: Transformer
    tokenizer: Tokenizer


def read(offer: Offer, progress: Callable[[float], None] = lambda share: None) -> Imported:
    """Load what was offered.

    progress: is told the share that is done, 0 to 1, after every tensor; what it raises ends the reading, and nothing
    of what was read stays.

    Raises:
        CheckpointError: a file has changed since it was looked at, cannot be read, or holds values that are no numbers.
    """
    config = offer.config
    if config is None:
        raise CheckpointError(offer.why_maps_only)
    if look(offer.folder.path).folder.stamp != offer.folder.stamp:
        raise CheckpointError(f"The files in {offer.folder.path.name} have changed since they were looked at.")
    tokenizer = read_tokenizer(offer.folder, config.vocab_size)
    claims = {today(name): (name, claim) for name, claim in offer.folder.claims.items()}
    needed = pieces(offer.folder, config, {name: claim for name, (_, claim) in claims.items()})
    whole, done = sum(prod(piece.shape) for one in needed.values() for piece in one.needed), 0
    weights: dict[str, Tensor] = {}
    with ExitStack() as opened:
        files: dict[Any, Any] = {}

        def fetch(piece: Piece) -> Tensor:
            nonlocal done
            name, claim = claims[piece.name]
            try:
                if claim.file not in files:
                    files[claim.file] = opened.enter_context(safe_open(claim.file, "pt"))
                # A copy: the file may be changed or removed while the model lives.
                tensor = files[claim.file].get_tensor(name).to(torch.float32, copy=True)
            except (SafetensorError, OSError) as error:
                raise CheckpointError(f"{claim.file.name} cannot be read: {error}.") from error
            if not tensor.isfinite().all():
                raise CheckpointError(f"{name} in {claim.file.name} holds values that are not numbers.")
            taken = piece.take(tensor) if piece.take else tensor
            done += prod(piece.shape)
            progress(done / whole)
            return taken + fetch(piece.plus) if piece.plus else taken

        for ours, piece in needed.items():
            weights[ours] = fetch(piece).contiguous()
    with torch.device("meta"):  # no numbers are drawn for parameters that are replaced at once
        transformer = Transformer(config)
    if config.tied_unembedding:
        weights["unembedding.weight"] = weights["embedding.weight"]
    transformer.load_state_dict(weights, assign=True)
    if config.tied_unembedding and transformer.unembedding is not None:
        transformer.unembedding.weight = transformer.embedding.weight
    return Imported(transformer.eval().requires_grad_(False), tokenizer)
