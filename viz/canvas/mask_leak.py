"""A sentence whose words light up by how far the output after each of them has moved."""

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from viz.canvas.components import Drawn, component
from viz.labels import truncate
from viz.pack import pack
from viz.theme import Theme
from viz.types import Array


def leaks(
    words: Sequence[str],
    moved: Array,
    *,
    key: str,
    exactly: Array,
    edited: int,
    by: str,
    unit: str,
    theme: Theme,
    on_word: Callable[[int], None],
) -> Drawn:
    """moved (T,): how far the output after each word moved; exactly (T,): True where it did not change at all.

    edited: the word that `by` has taken the place of. on_word is called with the position of a clicked word.
    """
    header = {
        "key": key,
        "words": [truncate(word) for word in words],
        "edited": edited,
        "by": truncate(by),
        "unit": unit,
        "theme": vars(theme),
    }
    data = pack(header, moved=moved.astype(np.float32), exactly=exactly.astype(np.uint8))
    return component("mask_leak")(
        key=key, data=data, on_word_change=lambda: on_word(int(st.session_state[key]["word"]["at"]))
    )
