"""Stacks of layers as grids: a row for each layer, a column for each token. What is lit depends on sliders."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from viz.canvas.components import Drawn
from viz.canvas.posts import Slider, sliding
from viz.labels import truncate
from viz.theme import Theme
from viz.types import Array


@dataclass(frozen=True)
class LayerGrid:
    """One network: its name, its cells for every choice of the sliders, and a label for every choice.

    cells (F, L + 1, T) whole numbers below 65,536, row 0 is the input. In a "path" they are the order of the nodes,
    from 1; in a "region" 1 for a cell that is reached; in a "schedule" the step of each cell plus 1, with F = 1. 0: an
    empty cell.
    """

    title: str
    cells: Array
    labels: Sequence[str]  # F; of a schedule one for each step


def layer_grid(
    grids: Sequence[LayerGrid],
    tokens: Sequence[str],
    sliders: Sequence[Slider],
    state: Mapping[str, int],
    *,
    kind: str,
    key: str,
    theme: Theme,
    on_state: Callable[..., None],
) -> Drawn:
    """kind: "path", "region" or "schedule". The choice with the number ((s₁ · n₂) + s₂) … of the sliders' stops is lit.

    on_state is called with the values of the sliders when one has come to rest.
    """
    header = {
        "kind": kind,
        "tokens": [truncate(token) for token in tokens],
        "grids": [{"title": grid.title, "labels": list(grid.labels)} for grid in grids],
    }
    cells = {f"cells{number}": grid.cells.astype(np.float32) for number, grid in enumerate(grids)}
    return sliding("layer_grid", sliders, state, key=key, theme=theme, on_state=on_state, more=header, arrays=cells)
