"""A sentence whose words light up by how far the output after each of them has changed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from viz.canvas.components import Drawn, component
from viz.labels import truncate
from viz.pack import pack
from viz.theme import Theme
from viz.types import Array


@dataclass(frozen=True)
class Edit:
    """The one word that was replaced, and its replacement."""

    position: int
    token: str


def mask_leak(
    tokens: Sequence[str],
    change: Array,
    unchanged: Array,
    *,
    key: str,
    edit: Edit,
    unit: str,
    theme: Theme,
    on_word: Callable[[int], None],
) -> Drawn:
    """change (T,): how far the output after each word changed; unchanged (T,): True where it is exactly the same.

    on_word is called with the position of a clicked word.
    """
    header = {
        "key": key,
        "words": [truncate(token) for token in tokens],
        "edited": edit.position,
        "replacement": truncate(edit.token),
        "unit": unit,
        "theme": vars(theme),
    }
    data = pack(header, change=change.astype(np.float32), unchanged=unchanged.astype(np.uint8))
    return component("mask_leak")(
        key=key, data=data, on_word_change=lambda: on_word(int(st.session_state[key]["word"]["position"]))
    )
