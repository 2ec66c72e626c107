"""The maps of all heads, the sentence above them, and two runs beside each other."""

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from viz.canvas.components import Drawn, component
from viz.labels import truncate
from viz.pack import MOST_PIXELS, encode_difference, encode_weights, pack
from viz.theme import Theme
from viz.types import Array


def sentence(
    weights: Array,
    tokens: Sequence[str],
    *,
    key: str,
    mask: Array,
    row: int,
    pinned: bool,
    unknown: Sequence[int],
    theme: Theme,
    on_pin: Callable[[int | None], None],
    looked: Sequence[str] | None = None,
) -> Drawn:
    """The words twice, with lines from the word that looks (above) to the words it looks at (below).

    weights, mask (T, S) of one head; row: the word to show when none is hovered; unknown: positions to mark; looked:
    the S words below, where they are others. on_pin is called with the position of a clicked word, or with None when it
    is let go.
    """
    header = {
        "key": key,
        **_words(tokens),
        "looked": None if looked is None else _words(looked),
        "unknown": list(unknown),
        "row": row,
        "pinned": pinned,
        "theme": vars(theme),
    }
    data = pack(header, weights=weights.astype(np.float32), mask=mask.astype(np.uint8))
    return component("sentence")(key=key, data=data, on_pin_change=lambda: on_pin(st.session_state[key]["pin"]["row"]))


def _words(tokens: Sequence[str]) -> dict[str, list[str]]:
    return {"tokens": [truncate(token) for token in tokens], "full": [truncate(token, 200) for token in tokens]}


def grid(
    weights: Array,
    tokens: Sequence[str],
    *,
    key: str,
    mask: Array,
    jobs: Sequence[Sequence[Sequence[str]]],
    selected: tuple[int, int],
    row: int,
    pinned: bool,
    theme: Theme,
    on_head: Callable[[int, int], None],
    on_pin: Callable[[int | None], None],
    looked: Sequence[str] | None = None,
) -> Drawn:
    """Every head of every layer.

    weights, mask (L, H, T, S), or the uint8 cells that `encode_weights` made of them; jobs[l][h]: what that head does,
    best first; row: the row to light when none is hovered; looked: the S words of the columns, where they are others.
    on_head is called with a clicked (layer, head).
    """
    header = {
        "key": key,
        "tokens": [truncate(token) for token in tokens],
        "looked": None if looked is None else [truncate(token) for token in looked],
        "jobs": jobs,
        "selected": selected,
        "row": row,
        "pinned": pinned,
        "pooled": max(len(tokens), len(looked or ())) > MOST_PIXELS,
        "theme": vars(theme),
    }
    cells = weights if weights.dtype == np.uint8 else encode_weights(weights, mask)
    data = pack(header, cells=cells)
    return component("head_grid")(
        key=key,
        data=data,
        on_head_change=lambda: on_head(*st.session_state[key]["head"]),
        on_pin_change=lambda: on_pin(st.session_state[key]["pin"]["row"]),
    )


def compare(
    a: Array,
    b: Array,
    tokens: Sequence[str],
    *,
    key: str,
    masks: tuple[Array, Array],
    titles: tuple[str, str, str],
    moved: Array,
    measure: tuple[str, str],
    selected: tuple[int, int],
    row: int,
    pinned: bool,
    theme: Theme,
    on_head: Callable[[int, int], None],
    on_pin: Callable[[int | None], None],
) -> Drawn:
    """Two runs of one text beside each other, and their difference: one head large, every head small.

    a, b and both masks (L, H, T, S); titles of A, B and A − B; moved (T,): how far each prediction moved, as `measure`
    says in two lines.
    """
    either = masks[0] | masks[1]
    layer, head = selected
    one_a, one_b = a[layer, head], b[layer, head]
    sides = ((one_a, masks[0]), (one_b, masks[1]), (one_a - one_b, either))
    large = np.stack(
        [np.where(mask[layer, head], np.where(np.isfinite(values), values, np.inf), np.nan) for values, mask in sides]
    )
    header = {
        "key": key,
        "tokens": [truncate(token) for token in tokens],
        "titles": titles,
        "measure": measure,
        "selected": selected,
        "row": row,
        "pinned": pinned,
        "theme": vars(theme),
    }
    data = pack(
        header,
        a=encode_weights(a, masks[0]),
        b=encode_weights(b, masks[1]),
        difference=encode_difference(a - b, either),
        large=large.astype(np.float32),
        moved=moved.astype(np.float32),
    )
    return component("compare")(
        key=key,
        data=data,
        on_head_change=lambda: on_head(*st.session_state[key]["head"]),
        on_pin_change=lambda: on_pin(st.session_state[key]["pin"]["row"]),
    )
