"""Large maps beside each other: one head enlarged, the stages of a head, a mask to paint on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from viz.canvas.components import Drawn, component
from viz.canvas.focus import Axes, TokenFocus
from viz.canvas.posts import acknowledged, take
from viz.labels import truncate
from viz.pack import pack
from viz.theme import Theme
from viz.types import Array

KINDS = ("weight", "signed", "size", "mask")


@dataclass(frozen=True)
class Panel:
    """One map of T queries by S keys.

    kind: "weight", on the scale 0 … 1; "signed", symmetric about 0 up to `limit`, or to the largest value there is;
    "size": never negative, from 0 to that limit; "mask": True may attend. Cells outside `mask` are hatched.
    marks: cells (row, column) with a frame; numbers: each cell shows its value.
    """

    title: str
    values: Array  # (T, S)
    kind: str = "weight"
    mask: Array | None = None  # (T, S) True: may attend
    limit: float | None = None
    marks: Sequence[tuple[int, int]] = ()
    numbers: bool = False

    def payload(self) -> Array:
        """The values as they travel, (T, S) float32: NaN where masked, infinity where allowed and no number."""
        values = np.where(np.isfinite(self.values), self.values, np.inf)
        return (values if self.mask is None else np.where(self.mask, values, np.nan)).astype(np.float32)

    def scale_end(self) -> float:
        """The value at the ends of a signed scale."""
        if self.limit is not None:
            return self.limit
        values = self.payload()
        return float(np.abs(values[np.isfinite(values)]).max(initial=0.0)) or 1.0


@dataclass(frozen=True)
class Steps:
    """The same maps for every value of one number: a slider in the browser picks one of them without a round trip.

    on_step is called with the value at which the slider was released.
    """

    name: str  # of the number
    value: int  # shown first
    maps: Mapping[int, Sequence[Panel]]  # value → its maps, all of one shape
    on_step: Callable[[int], None]


@dataclass(frozen=True)
class Paint:
    """A map to paint on. on_paint is called with the cells (row, column, allowed) that a stroke has changed."""

    panel: int  # its number among the maps
    on_paint: Callable[[list[tuple[int, int, bool]]], None]


def maps(
    panels: Sequence[Panel],
    axes: Axes,
    *,
    key: str,
    theme: Theme,
    focus: TokenFocus | None = None,
    paint: Paint | None = None,
    on_pick: Callable[[int, int], None] | None = None,
    steps: Steps | None = None,
) -> Drawn:
    """Maps of the same words.

    on_pick is called with the row and column of a click; steps: the maps to slide through, `panels` among them.

    Raises:
        ValueError: a map is not T by S, or its kind is unknown.
    """
    focus = focus or TokenFocus()
    for panel in panels:
        _check(panel, axes.shape)
    frames = [panels] if steps is None else list(steps.maps.values())
    header = {
        "key": key,
        "query_tokens": [truncate(token) for token in axes.query_tokens],
        "key_tokens": [truncate(token) for token in axes.columns],
        "panels": [_described(panel) for panel in panels],
        "titles": [[panel.title for panel in frame] for frame in frames],
        **focus.header,
        "pins": focus.on_pin is not None,
        "picks": on_pick is not None,
        "paint": None if paint is None else paint.panel,
        "step": None if steps is None else {"name": steps.name, "value": steps.value, "values": list(steps.maps)},
        "acknowledged": None if steps is None else acknowledged(key),
        "theme": vars(theme),
    }
    callbacks: dict[str, Callable[[], None]] = focus.callbacks(key)
    if on_pick is not None:
        callbacks["on_pick_change"] = lambda: on_pick(*map(int, st.session_state[key]["pick"]))
    if paint is not None:
        callbacks["on_paint_change"] = lambda: paint.on_paint(
            [(row, column, bool(allowed)) for row, column, allowed in st.session_state[key]["paint"]]
        )
    if steps is not None:
        callbacks["on_step_change"] = lambda: steps.on_step(int(take(key, "step")))
    values = np.stack([[panel.payload() for panel in frame] for frame in frames])  # (steps, N, T, S)
    return component("maps")(key=key, data=pack(header, values=values if steps else values[0]), **callbacks)


def _check(panel: Panel, shape: tuple[int, int]) -> None:
    if panel.values.shape != shape or (panel.mask is not None and panel.mask.shape != shape):
        raise ValueError(f"{shape[0]} queries and {shape[1]} keys need {shape} values, not {panel.values.shape}")
    if panel.kind not in KINDS:
        raise ValueError(f'kind must be one of {", ".join(KINDS)}, not "{panel.kind}"')


def _described(panel: Panel) -> dict[str, Any]:
    return {
        "title": panel.title,
        "kind": panel.kind,
        "limit": panel.scale_end(),
        "marks": [list(cell) for cell in panel.marks],
        "numbers": panel.numbers,
    }
