"""What the figures of “Inside a head” say, as sentences from their numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from viz.labels import markdown
from viz.places import spelt

Array = np.ndarray[Any, Any]


def read_forms(single: tuple[float, float], double: tuple[float, float]) -> str:
    """The largest difference of a weight and of a number of the output, in float32 and in float64."""
    return (
        f"The same numbers up to rounding: a weight differs by at most **{spelt(single[0])}** in single precision and "
        f"**{spelt(double[0])}** in double; a number of the output by {spelt(single[1])} and {spelt(double[1])}."
    )


def spread_row(weights: Array) -> int:
    """The row of weights (T, S) that looks most widely: the one whose mean says most about averaging."""
    return int(np.argmax(-(weights * np.log(np.maximum(weights, 1e-12))).sum(axis=-1)))


def read_averaging(weights: Array, mask: Array, tokens: Sequence[str], row: int, share: float) -> str:
    """weights, mask (T, S) of one head: why the output of a row is inside the hull of what it may look at."""
    seen, least, total = int(mask[row].sum()), float(weights[row].min()), float(weights[row].sum())
    if not seen:
        return f"**{markdown(tokens[row])}** may look at nothing: its output is zero, a mean of no values."
    return (
        f"**{markdown(tokens[row])}** averages {seen} {'value' if seen == 1 else 'values'}: the smallest weight is "
        f"{least:.4f}, never below 0, and they sum to {total:.4f}. So its output stays inside the outline. "
        f"This plane shows {100 * share:.0f} % of the spread of the values."
    )


def read_spectrum(rank: int, d_k: int, d_model: int, kept: float, cliff: float) -> str:
    """kept: the smallest singular value that counts; cliff: the largest that is only rounding, 0 where none is."""
    gone = f" The next is {spelt(cliff)}: rounding." if cliff else ""
    return (
        f"Of {d_model} singular values **{rank}** are not rounding, the smallest of them {spelt(kept)}; at most "
        f"d_k = {d_k} can be.{gone} What pairs this head likes is told by {d_k} directions out of {d_model}."
    )


def read_sizes(n_heads: int, parameters: int, operations: int, weights: int, apart: float) -> str:
    """What the sizes cost, and how far the run is from PyTorch's own operator."""
    return (
        f"{n_heads} {'head' if n_heads == 1 else 'heads'}: {parameters:,} parameters and {operations:,} operations, "
        f"for **{weights:,}** attention weights. PyTorch's own operator gives the same output"
        + (f", to within {spelt(apart)}." if apart else ", to the last bit.")
    )
