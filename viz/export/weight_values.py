"""Whether numbers can be attention weights: between 0 and 1. If not: what they probably are, and what to do."""

import numpy as np

from viz.captions.counting import counted, verb
from viz.export.npz import ArraysError
from viz.types import Array

TOLERANCE = 0.01  # a row's sum, and a weight's ends: half precision rounds
DROPPED = 2.0  # dropout with probability p multiplies what is left by 1 / (1 − p); nobody trains with p above one half
SCALES = {100: "percent", 255: "bytes from 0 to 255, like a picture"}
ROUNDED = 0.05  # of a sum: whole percents do not add up to 100


def check_values(weights: Array, present: Array, bytes_: bool) -> None:
    """Refuse what cannot be weights.

    weights (L, H, T, S), 0 where there is no cell; present: the same shape, False: no cell; bytes_: they came as uint8.

    Raises:
        ArraysError: they lie outside 0 … 1; the message says what they look like and what to do.
    """
    low, high = float(weights.min()), float(weights.max())
    if not np.isfinite((low, high)).all():
        raise ArraysError(_SOFTMAX.format("infinite values, like scores behind a mask"))
    if low >= -TOLERANCE and high <= 1 + TOLERANCE:
        return
    range_text = f"values from {low:.3g} to {high:.3g}"
    if low >= 0:
        row = float(np.median(weights.sum(axis=-1, dtype=np.float64)[present.any(axis=-1)]))
        whole = next((whole for whole in SCALES if high <= whole and abs(row / whole - 1) <= ROUNDED), None)
        if whole is None and bytes_:
            whole = 255
        if whole is not None:
            raise ArraysError(f'"attention" holds {range_text}: {SCALES[whole]}. Divide by {whole} first.')
        if high <= DROPPED + TOLERANCE and row <= DROPPED + TOLERANCE:
            raise ArraysError(
                f'"attention" holds {range_text}; weights lie between 0 and 1. Dropout makes them larger while a model '
                "is in training: call model.eval(), then compute them again."
            )
    raise ArraysError(_SOFTMAX.format(f"{range_text}, like scores before the softmax"))


_SOFTMAX = '"attention" holds {}; weights lie between 0 and 1. Take the softmax of each row first.'


def warnings_of(weights: Array, present: Array) -> tuple[str, ...]:
    """What is said of rows whose sum is not 1: they are shown as they are. weights, present as in `check_values`."""
    sums = weights.sum(axis=-1, dtype=np.float64)[present.any(axis=-1)]  # a row without a cell has nothing to sum
    off = sums[np.abs(sums - 1) > TOLERANCE]
    if not off.size:
        return ()
    which = "No row sums" if off.size == sums.size else f"{off.size:,} of {counted(sums.size, 'row')} "
    which += "" if off.size == sums.size else verb(off.size, "does not sum", "do not sum")
    alike = off.max() - off.min() < 0.005
    sizes = f"the sum is {off.min():.2f}" if alike else f"the sums are {off.min():.2f} to {off.max():.2f}"
    note = f"{which} to 1: {sizes}. The weights are shown unchanged."
    if off.min() < 1 < off.max():  # a mask or a cut only takes away
        note += " Sums below and above 1 come from dropout: call model.eval() before you compute them."
    return (note,)
