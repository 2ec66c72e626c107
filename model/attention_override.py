"""Put other weights in the place of one row of one head, and see whether the prediction cares.

Attention weights show where a head looks. Whether the look decides anything is another question: this answers it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class AttentionOverride:
    """Weights that a person chose for one row. Everything after it, in this layer and above, follows from them."""

    layer: int
    head: int
    row: int
    weights: Sequence[float] | Sequence[Sequence[float]] | Tensor  # (S,), or (B, S): for each sequence its own


def renormalise(weights: Sequence[float]) -> tuple[float, ...]:
    """Non-negative weights (S,) scaled to sum to 1; all zeros stay zeros: such a row looks at nothing.

    Raises:
        ValueError: a weight is negative or not a number.
    """
    if not all(0 <= weight < float("inf") for weight in weights):
        raise ValueError("A weight is a number from 0 upwards.")
    total = sum(weights)
    return tuple(weight / total if total else 0.0 for weight in weights)
