"""Two runs of one text beside each other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from viz.canvas.components import Drawn, component
from viz.canvas.focus import SelectedHead, TokenFocus
from viz.labels import truncate
from viz.pack import encode_difference, encode_weights, pack
from viz.theme import Theme
from viz.types import Array


@dataclass(frozen=True)
class ComparedRun:
    """One of the two runs: its title, and the attention of all its heads."""

    title: str
    weights: Array  # (L, H, T, S)
    mask: Array  # (L, H, T, S)


@dataclass(frozen=True)
class PredictionChange:
    """How far the prediction after each word differs between the runs, and the name of that measure in two lines."""

    values: Array  # (T,)
    measure: tuple[str, str]


def compare(
    a: ComparedRun,
    b: ComparedRun,
    tokens: Sequence[str],
    *,
    key: str,
    change: PredictionChange,
    selected: SelectedHead,
    focus: TokenFocus,
    theme: Theme,
) -> Drawn:
    """Two runs of one text beside each other, and their difference A − B: one head large, every head small."""
    either = a.mask | b.mask
    head = selected.index
    sides = ((a.weights[head], a.mask), (b.weights[head], b.mask), (a.weights[head] - b.weights[head], either))
    large = np.stack(
        [np.where(mask[head], np.where(np.isfinite(cells), cells, np.inf), np.nan) for cells, mask in sides]
    )
    header = {
        "key": key,
        "tokens": [truncate(token) for token in tokens],
        "titles": (a.title, b.title, "A − B"),
        "measure": change.measure,
        "selected": head,
        **focus.header,
        "theme": vars(theme),
    }
    data = pack(
        header,
        a=encode_weights(a.weights, a.mask),
        b=encode_weights(b.weights, b.mask),
        difference=encode_difference(a.weights - b.weights, either),
        large=large.astype(np.float32),
        change=change.values.astype(np.float32),
    )
    return component("compare")(key=key, data=data, **selected.callbacks(key), **focus.callbacks(key))
