"""What the figures of “Inside a head” say, as sentences from their numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from viz.counting import counted, verb
from viz.labels import markdown
from viz.places import ROUNDING, spelt

Array = np.ndarray[Any, Any]


def read_forms(single: tuple[float, float], double: tuple[float, float]) -> str:
    """The largest difference of a weight and of a number of the output, in float32 and in float64."""
    same = max(double) < ROUNDING  # in single precision large scores leave larger differences
    return (
        f"{'The same numbers up to rounding' if same else '**Not the same numbers**'}: a weight differs by at most "
        f"**{spelt(single[0])}** in single precision and **{spelt(double[0])}** in double; a number of the output by "
        f"{spelt(single[1])} and {spelt(double[1])}."
    )


def spread_row(weights: Array) -> int:
    """The row of weights (T, S) that looks most widely: the one whose mean says most about averaging."""
    return int(np.argmax(-(weights * np.log(np.maximum(weights, 1e-12))).sum(axis=-1)))


def read_averaging(weights: Array, mask: Array, tokens: Sequence[str], row: int, share: float) -> str:
    """weights, mask (T, S) of one head: why the output of a row is inside the hull of what it may look at."""
    word, looked, total = f"**{markdown(tokens[row])}**", weights[row][mask[row]], float(weights[row].sum())
    if not mask[row].any():
        return f"{word} may look at nothing: its output is zero, a mean of no values."
    if not np.isfinite(looked).all():
        return f"{word}: this row holds values that are not numbers."
    plane = f"This plane shows {100 * share:.0f} % of the spread of the values."
    values = counted(len(looked), "value")
    if looked.min() < 0 or abs(total - 1) > ROUNDING:
        return (
            f"{word} adds up {values} with weights from {looked.min():.4f} that sum to {total:.4f}: no mean, so its "
            f"output need not stay inside the outline. {plane}"
        )
    if len(looked) == 1:
        return f"{word} may look at one value only, with weight {total:.4f}: its output is that value. {plane}"
    return (
        f"{word} averages {values}: the smallest weight of them is {spelt(float(looked.min()))}, never below 0, and "
        f"they sum to {total:.4f}. So its output stays inside the outline. {plane}"
    )


def read_spectrum(rank: int, d_k: int, d_model: int, kept: float, cliff: float) -> str:
    """kept: the smallest singular value that counts; cliff: the largest that is only rounding, 0 where none is."""
    if not rank:
        return f"All {d_model} singular values are rounding: the scores of this head compare nothing."
    gone = f" The next is {spelt(cliff)}: rounding." if cliff else ""
    smallest = "the smallest of them" if rank > 1 else "it is"
    return (
        f"Of {counted(d_model, 'singular value')} **{rank}** {verb(rank, 'is', 'are')} not rounding, {smallest} "
        f"{spelt(kept)}; at most d_k = {d_k} can be.{gone} The product q·k of this head depends on the stream through "
        f"{counted(rank, 'direction')} of {d_model}."
    )


def read_sizes(n_heads: int, parameters: int, operations: int, weights: int, apart: float) -> str:
    """What the sizes cost, and how far the run is from PyTorch's own operator."""
    if not apart < 10 * ROUNDING:  # outputs without layer norm are large, and so is their rounding
        same = f"PyTorch's own operator gives **another** output, {spelt(apart)} apart."
    else:
        how = f"to within {spelt(apart)}" if apart else "to the last bit"
        same = f"PyTorch's own operator gives the same output, {how}."
    return (
        f"{counted(n_heads, 'head')}: {counted(parameters, 'parameter')} and {counted(operations, 'operation')}, "
        f"for **{weights:,}** attention {verb(weights, 'weight', 'weights')}. {same}"
    )
