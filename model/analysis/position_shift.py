"""The shift test: how much the scores change if the whole sentence moves by k positions."""

import copy
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from model.position import Position
from model.run import Array
from model.transformer import Transformer


class ShiftedPosition(Position):
    """A position scheme with all positions moved by `steps`. No other part of a model uses positions."""

    def __init__(self, scheme: Position, steps: int) -> None:
        nn.Module.__init__(self)
        self.scheme, self.steps = scheme, steps

    def add(self, x: Tensor, positions: Tensor) -> Tensor:
        return self.scheme.add(x, positions + self.steps)

    def rotate(self, x: Tensor, positions: Tensor) -> Tensor:
        return self.scheme.rotate(x, positions + self.steps)

    def bias(self, layer: int, query_positions: Tensor, key_positions: Tensor) -> Tensor | None:
        return self.scheme.bias(layer, query_positions + self.steps, key_positions + self.steps)

    def vectors(self, layer: int, query_positions: Tensor, key_positions: Tensor) -> tuple[Tensor, Tensor] | None:
        return self.scheme.vectors(layer, query_positions + self.steps, key_positions + self.steps)


def scores(transformer: Transformer, ids: Tensor) -> Tensor:
    """The scaled and biased scores (L, H, T, T) of ids (1, T), with NaN where attention is not allowed."""
    with torch.inference_mode():
        layers = transformer(ids).layers
    biased = torch.stack([layer.attention.biased[0] for layer in layers])
    allowed = torch.stack([layer.attention.mask[0] for layer in layers])
    return biased.masked_fill(~allowed, torch.nan)


def score_changes(
    transformer: Transformer, ids: Sequence[int], steps: Sequence[int], double: bool = False
) -> dict[int, Array | None]:
    """The change of every score if the sentence moves, for each of `steps`: (L, H, T, T), NaN where not allowed.

    double: compute in float64. The change is None if the moved sentence leaves a learned position table.
    """
    model = copy.deepcopy(transformer).double() if double else copy.deepcopy(transformer)
    scheme = model.position
    sentence = torch.tensor([list(ids)], device=next(model.parameters()).device)  # (1, T)
    unshifted = scores(model, sentence)
    changes: dict[int, Array | None] = {}
    for step in steps:
        model.position = ShiftedPosition(scheme, step)
        try:
            changes[step] = (scores(model, sentence) - unshifted).cpu().numpy()
        except ValueError:
            changes[step] = None
    return changes


def largest_score_changes(
    transformer: Transformer, ids: Sequence[int], steps: Sequence[int], double: bool = False
) -> dict[int, Array]:
    """The largest change of each score in any head of any layer, for each of `steps`: (T, T), not negative.

    NaN where attention is not allowed; NaN everywhere if the moved sentence leaves a learned position table. double: as
    in `score_changes`.
    """
    left_table = np.full((len(ids), len(ids)), np.nan)
    return {  # the mask is the same in every head, so a cell is NaN in all of them or in none
        step: left_table if change is None else np.abs(change).max(axis=(0, 1))
        for step, change in score_changes(transformer, ids, steps, double).items()
    }


def largest_change(changes: Array) -> float | None:
    """The largest of the changes (T, T) of one shift; None if the moved sentence left the position table."""
    return None if np.isnan(changes).all() else float(np.nanmax(changes))
