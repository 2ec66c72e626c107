"""What the figures of “Inside a head” say, as sentences from their numbers."""

from collections.abc import Sequence

import numpy as np

from viz.captions.counting import counted, decimals, verb
from viz.captions.positions import ROUNDING, format_number
from viz.labels import bold
from viz.types import Array


def describe_loop_and_matmul(single: tuple[float, float], double: tuple[float, float]) -> str:
    """The largest difference of a weight and of a number of the output, in float32 and in float64."""
    same = max(double) < ROUNDING  # in single precision large scores leave larger differences
    title = "Both forms give the same numbers up to rounding." if same else "**The two forms give different numbers.**"
    if not np.isfinite([*single, *double]).all():
        return f"{title} Some of them are not numbers."
    return (
        f"{title} The weights differ by at most **{format_number(single[0])}** in single precision and "
        f"**{format_number(double[0])}** in double precision. The outputs differ by at most {format_number(single[1])} "
        f"and {format_number(double[1])}."
    )


def spread_row(weights: Array) -> int:
    """The row of weights (T, S) that is spread most widely: its mean shows averaging best."""
    return int(np.argmax(-(weights * np.log(np.maximum(weights, 1e-12))).sum(axis=-1)))


def describe_averaging(weights: Array, mask: Array, tokens: Sequence[str], row: int, share: float) -> str:
    """weights, mask (T, S) of one head: why the output of a row is inside the hull of what it may look at."""
    word, weights_of_row, total = bold(tokens[row]), weights[row][mask[row]], float(weights[row].sum())
    if not mask[row].any():
        return f"{word} may attend to nothing. There are no values to average, so its output is zero."
    if not np.isfinite(weights_of_row).all():
        return f"{word}: this row holds values that are not numbers."
    plane = f"This plane shows {100 * share:.0f} % of the spread of the values."
    values, least = counted(len(weights_of_row), "value"), float(weights_of_row.min())
    if least < 0 or abs(total - 1) > ROUNDING:
        return (
            f"{word} adds up {values}. Its weights sum to {decimals(total, 4)} and the smallest is "
            f"{decimals(least, 4)}, so this is not an average. Its output need not stay inside the outline. {plane}"
        )
    if len(weights_of_row) == 1:
        return f"{word} may attend to one value only, with weight {total:.4f}. Its output is that value. {plane}"
    return (
        f"{word} averages {values}. The smallest weight is {format_number(least)}, never below 0, and the weights sum "
        f"to {total:.4f}. So its output stays inside the outline. {plane}"
    )


def describe_qk_spectrum(rank: int, d_k: int, d_model: int, kept: float, cliff: float) -> str:
    """kept: the smallest singular value that counts; cliff: the largest that is only rounding, 0 where none is."""
    if not rank:
        return f"All {d_model} singular values are rounding errors, so this head compares nothing."
    smallest = f"The smallest of these is {format_number(kept)}." if rank > 1 else f"It is {format_number(kept)}."
    gone = f" The next singular value is {format_number(cliff)}, which is rounding." if cliff else ""
    return (
        f"The product q·k of this head depends on **{rank}** of {counted(d_model, 'direction')} of the residual "
        f"stream: {rank} of the singular values {verb(rank, 'is', 'are')} larger than rounding errors. "
        f"{smallest}{gone} The rank can be at most d_k = {d_k}."
    )


def describe_widths(d_model: int, d_source: int, d_k: int) -> str:
    """d_model: width of the vectors that queries are made of; d_source: of those of keys and values."""
    if d_model == d_source:
        return f"Queries, keys and values are made of vectors of the same width, {d_model}."
    return (
        f"Queries are made of vectors of width **{d_model}**, keys and values of vectors of width **{d_source}**. "
        f"W_Q and W_K both project to d_k = {d_k}, so every query can be compared with every key."
    )


def describe_cost(n_heads: int, parameters: int, operations: int, weights: int, apart: float) -> str:
    """What the sizes cost, and how far the run is from PyTorch's own operator."""
    if not apart < 10 * ROUNDING:  # outputs without layer norm are large, and so is their rounding
        size = (
            f"It differs by up to {format_number(apart)}." if np.isfinite(apart) else "Some numbers cannot be compared."
        )
        same = f"PyTorch's own operator gives **another** output. {size}"
    else:
        how = f"to within {format_number(apart)}" if apart else "to the last bit"
        same = f"PyTorch's own operator gives the same output, {how}."
    return (
        f"{counted(n_heads, 'head')} {verb(n_heads, 'needs', 'need')} {counted(parameters, 'parameter')} and "
        f"{counted(operations, 'operation')} for **{weights:,}** attention {verb(weights, 'weight', 'weights')}. {same}"
    )
