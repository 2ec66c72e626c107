"""Guess first: paint what you expect on an empty panel, then see it and your score."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from model.run import Experiment
from viz import canvas
from viz.canvas import Panel
from viz.captions.counting import counted
from viz.captions.masks import describe_guess
from viz.export.tables import file_name
from viz.labels import numbered
from viz.pages.masks import class_question
from viz.pages.masks.controls import with_cells
from viz.theme import Theme
from viz.types import Array
from viz.ui import figure_panel
from viz.ui.state import Key


@dataclass(frozen=True)
class GuessedHead:
    """A row of one head: what a class can be asked about."""

    layer: int
    head: int
    row: int


def show(
    what: str, mask: Array, weights: Array, words: Sequence[str], of: Experiment, theme: Theme, about: GuessedHead
) -> None:
    """mask, weights (T, S) of one head. what: "mask", or "strongest", the strongest cell of each row."""
    guess, revealed = _state(what, mask, weights)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.markdown(
            "Paint the cells that are **allowed**: click or drag; click again to clear a cell."
            if what == "mask"
            else "In each row, click the word that you think it **attends to most**. Hatched cells are masked.",
            width="content",
        )
        st.button("Reveal", key=Key.REVEAL, on_click=_reveal, disabled=revealed)
        st.button("Start again", key=Key.RESTART, type="tertiary", on_click=_restart)
        head = f"layer {about.layer}, head {about.head}"
        question = (
            class_question.about_mask(mask, words, about.row, revealed=revealed)
            if what == "mask"
            else class_question.about_strongest(mask, weights, words, about.row, head, revealed=revealed)
        )
        if question:
            canvas.class_question(question, key="class_question", theme=theme, on_reveal=_reveal)
    if what == "mask":
        maps, sentence = _about_mask(guess, mask, revealed)
    else:
        maps, sentence = _about_strongest(guess, mask, weights, revealed)
    paint = canvas.Paint(0, partial(_painted, guess, mask, what))
    drawn = canvas.maps(maps, canvas.Axes(words), key="guessing", theme=theme, paint=None if revealed else paint)
    figure_panel.below(
        drawn,
        sentence=sentence,
        table=partial(_table, guess, mask, weights, words, revealed),
        file=file_name(of.name, f"guess-{what}"),
        of=figure_panel.Subject(of, notice="a guess"),
    )


def _state(what: str, mask: Array, weights: Array) -> tuple[Array, bool]:
    """The cells painted so far, and whether the answer is shown. Another question starts anew."""
    question = (what, mask.tobytes(), weights.tobytes() if what == "strongest" else b"")
    if st.session_state.get(Key.GUESS_QUESTION) != question:
        st.session_state[Key.GUESS_QUESTION] = question
        _restart()
    cells = st.session_state.get(Key.GUESS_CELLS)
    guess = np.zeros(mask.shape, dtype=bool) if cells is None else cells
    return guess, bool(st.session_state.get(Key.GUESS_SHOWN))


def _restart() -> None:
    st.session_state[Key.GUESS_CELLS] = None
    st.session_state[Key.GUESS_SHOWN] = False


def _reveal() -> None:
    st.session_state[Key.GUESS_SHOWN] = True


def _painted(guess: Array, mask: Array, what: str, cells: Sequence[tuple[int, int, bool]]) -> None:
    if what == "mask":
        st.session_state[Key.GUESS_CELLS] = with_cells(guess, cells)
        return
    after = guess.copy()
    for row, column, chosen in cells:
        if 0 <= row < len(mask) and 0 <= column < mask.shape[1] and mask[row, column]:
            after[row] = False  # one cell a row: the last one counts
            after[row, column] = chosen
    st.session_state[Key.GUESS_CELLS] = after


def _about_mask(guess: Array, mask: Array, revealed: bool) -> tuple[list[Panel], str]:
    wrong = [(int(row), int(column)) for row, column in np.argwhere(guess != mask)]
    if not revealed:
        return [Panel("your guess", guess.astype(float), "mask")], f"{counted(int(guess.sum()), 'cell')} painted."
    maps = [
        Panel("your guess, wrong cells framed", guess.astype(float), "mask", marks=wrong),
        Panel("the mask", mask.astype(float), "mask"),
    ]
    blind = f"An empty panel would get {100 * float((~mask).mean()):.0f} % right."
    return maps, describe_guess(mask.size - len(wrong), mask.size, "cells", blind)


def _about_strongest(guess: Array, mask: Array, weights: Array, revealed: bool) -> tuple[list[Panel], str]:
    rows = np.flatnonzero(mask.sum(axis=-1) > 1)  # where there is something to choose
    mine = Panel("your guess", guess.astype(float), "weight", mask=mask)
    if not revealed:
        return [mine], f"{int(guess[rows].any(axis=-1).sum())} of {len(rows)} rows answered."
    strongest = np.where(mask, np.nan_to_num(weights), -1.0).argmax(axis=-1)  # (T,)
    right = int(guess[rows, strongest[rows]].sum())
    marks = [(int(row), int(strongest[row])) for row in rows]
    maps = [mine, Panel("the weights, strongest framed", weights, "weight", mask=mask, marks=marks)]
    blind = (
        f"A random guess among the allowed cells would get {float((1 / mask[rows].sum(axis=-1)).sum()):.1f} right on "
        "average."
    )
    return maps, describe_guess(right, len(rows), "rows", blind) if len(
        rows
    ) else "No row has more than one allowed cell, so there is nothing to guess."


def _table(guess: Array, mask: Array, weights: Array, words: Sequence[str], revealed: bool) -> dict[str, Any]:
    rows, columns = np.indices(mask.shape).reshape(2, -1)
    names = numbered(words)
    table: dict[str, Any] = {
        "query": [names[row] for row in rows],
        "key": [names[column] for column in columns],
        "guessed": guess.ravel(),
    }
    return table | ({"allowed": mask.ravel(), "weight": weights.ravel()} if revealed else {})
