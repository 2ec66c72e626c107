"""Large maps beside each other: one head enlarged, the stages of a head, a mask to paint on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from viz.canvas.components import Drawn, component
from viz.canvas.posts import heard, take
from viz.labels import truncate
from viz.pack import pack
from viz.theme import Theme
from viz.types import Array

KINDS = ("weight", "signed", "size", "mask")


@dataclass(frozen=True)
class Panel:
    """One map of T words that look by S words looked at.

    kind: "weight", on the scale 0 … 1; "signed", symmetric about 0 up to `limit`, or to the largest value there is;
    "size": never negative, from 0 to that limit; "mask": True may look. Cells outside `mask` are hatched.
    marks: cells (row, column) with a frame; numbers: each cell bears its value.
    """

    title: str
    values: Array  # (T, S)
    kind: str = "weight"
    mask: Array | None = None  # (T, S) True: may look
    limit: float | None = None
    marks: Sequence[tuple[int, int]] = ()
    numbers: bool = False

    def sent(self) -> Array:
        """The values as they travel, (T, S) float32: NaN where not allowed, infinity where allowed and no number."""
        values = np.where(np.isfinite(self.values), self.values, np.inf)
        return (values if self.mask is None else np.where(self.mask, values, np.nan)).astype(np.float32)

    def reach(self) -> float:
        """The value at the ends of a signed scale."""
        if self.limit is not None:
            return self.limit
        sent = self.sent()
        return float(np.abs(sent[np.isfinite(sent)]).max(initial=0.0)) or 1.0


@dataclass(frozen=True)
class Steps:
    """The same maps for every value of one number: a slider in the browser picks one of them without a round trip."""

    name: str  # what the number is
    at: int  # the value shown first
    maps: Mapping[int, Sequence[Panel]]  # value → its maps, all of one shape


def panels(
    maps: Sequence[Panel],
    looking: Sequence[str],
    looked: Sequence[str],
    *,
    key: str,
    theme: Theme,
    row: int | None = None,
    pinned: bool = False,
    on_pin: Callable[[int | None], None] | None = None,
    paint: int | None = None,
    on_paint: Callable[[list[tuple[int, int, bool]]], None] | None = None,
    on_pick: Callable[[int, int], None] | None = None,
    steps: Steps | None = None,
    on_step: Callable[[int], None] | None = None,
) -> Drawn:
    """Maps of the same words. `looking` names the rows, `looked` the columns; `row` is lit when none is hovered.

    on_pin is called with the row of a clicked cell, or None when it is let go; on_paint with the cells (row, column,
    allowed) that a stroke over the map number `paint` has changed; on_pick with the row and column of a click. steps:
    the maps to slide through, `maps` among them; on_step is called with the value at which the slider was let go.

    Raises:
        ValueError: a map is not T by S, or its kind is unknown.
    """
    shape = (len(looking), len(looked))
    for one in maps:
        if one.values.shape != shape or (one.mask is not None and one.mask.shape != shape):
            raise ValueError(f"{shape[0]} words that look at {shape[1]} need {shape} values, not {one.values.shape}")
        if one.kind not in KINDS:
            raise ValueError(f'kind must be one of {", ".join(KINDS)}, not "{one.kind}"')
    described = [
        {
            "title": one.title,
            "kind": one.kind,
            "limit": one.reach(),
            "marks": [list(cell) for cell in one.marks],
            "numbers": one.numbers,
        }
        for one in maps
    ]
    frames = [maps] if steps is None else list(steps.maps.values())
    header = {
        "key": key,
        "looking": [truncate(word) for word in looking],
        "looked": [truncate(word) for word in looked],
        "panels": described,
        "titles": [[one.title for one in frame] for frame in frames],
        "row": row,
        "pinned": pinned,
        "pins": on_pin is not None,
        "picks": on_pick is not None,
        "paint": paint,
        "step": None if steps is None else {"name": steps.name, "at": steps.at, "values": list(steps.maps)},
        "heard": None if steps is None else heard(key),
        "theme": vars(theme),
    }
    callbacks: dict[str, Any] = {}
    if on_pin is not None:
        callbacks["on_pin_change"] = lambda: on_pin(st.session_state[key]["pin"]["row"])
    if on_pick is not None:
        callbacks["on_pick_change"] = lambda: on_pick(*map(int, st.session_state[key]["pick"]))
    if on_paint is not None:
        callbacks["on_paint_change"] = lambda: on_paint(
            [(r, c, bool(to)) for r, c, to in st.session_state[key]["paint"]]
        )
    if on_step is not None:
        callbacks["on_step_change"] = lambda: on_step(int(take(key, "step")))
    values = np.stack([[one.sent() for one in frame] for frame in frames])  # (steps, N, T, S)
    return component("maps")(key=key, data=pack(header, values=values if steps else values[0]), **callbacks)
