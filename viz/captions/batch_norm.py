"""The sentences under the figures of layer norm and batch norm."""

from collections.abc import Sequence

import numpy as np

from viz.captions.counting import counted, decimals, percent, power_of_ten, two_digits, verb
from viz.labels import markdown
from viz.types import Array


def describe_norm_change(name: str, moved: Array, words: Sequence[Sequence[str]]) -> str:
    """moved (B, T), NaN where nothing is compared: how many outputs of the other sentences moved, and how far."""
    compared = np.isfinite(moved)
    n, touched = int(compared.sum()), int((moved[compared] != 0).sum())
    if not touched:
        none = f"none of the {n} words in the other sentences changes" if n > 1 else "no other word changes"
        return f"With **{name}**, {none}. The change is exactly **0**."
    b, t = map(int, np.unravel_index(int(np.nanargmax(moved)), moved.shape))
    most, where = f"{moved[b, t]:.2f}", f"for “{markdown(words[b][t])}” in sentence {b + 1}"
    if n == 1:
        return (
            f"With **{name}**, the only word in the other sentences changes. The change is **{most}** of a standard "
            f"deviation, {where}."
        )
    others = f"{f'all {n}' if touched == n else f'{touched} of the {n}'} words in the other sentences"
    return (
        f"With **{name}**, {others} {verb(touched, 'changes', 'change')}. The average change is "
        f"**{np.nanmean(moved):.2f}** of a standard deviation. The largest is {most}, {where}."
    )


def describe_norm_axes(stream: Array, real: Array, over: str, position: int, channel: int, word: str) -> str:
    """What the outlined numbers are, how many, and the mean and standard deviation that the norm takes of them."""
    if over == "channels":
        inside, which = stream[0, position], f"the vector of “{markdown(word)}” in sentence 1"
        rest = "No other word enters."
    else:
        inside, which = stream[real][:, channel], f"channel {channel} of every word of every sentence"
        rest = "Padding is left out."
    return (
        f"{'Layer' if over == 'channels' else 'Batch'} norm averages over {which}. "
        f"{verb(inside.size, 'This is', 'These are')} {counted(inside.size, 'number')} with mean "
        f"**{decimals(float(inside.mean()))}** and standard deviation **{decimals(float(inside.std()))}**. {rest}"
    )


def describe_epsilon(eps: float, below: float, share: float, variance: Array, difference: Array) -> str:
    """Where ε inside the root and ε outside differ: below the variance `below`, by more than `share` of the length.

    variance, difference (N,): of the vectors of the model, and how far the two outputs of each are apart.
    """
    small, n = int((variance < below).sum()), len(variance)
    place = int(np.argmin(variance))
    matters = f"{'All' if small == n else f'{small} of the'} {n}" if small else f"None of the {n}"
    return (
        f"With ε = {power_of_ten(eps, 1)}, a layer norm with ε inside the root makes a vector more than "
        f"{percent(share)} shorter than one with ε outside if the variance of the vector is below "
        f"**{two_digits(below)}**. {matters} vectors that enter the first norm in these sentences "
        f"{verb(small or 1, 'is', 'are')} below. The smallest variance among them is "
        f"{two_digits(float(variance[place]))}; there the outputs differ by "
        f"{two_digits(float(difference[place]))} of a standard deviation. For the curves, the vector of that variance "
        "is scaled around its mean."
    )
