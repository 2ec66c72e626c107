"""Shift test: the whole sentence moved by k positions, and what becomes of the scores under each scheme."""

from functools import partial

import numpy as np
import streamlit as st

from model.analysis.position_shift import score_changes
from model.tasks.first_digit import WORDS
from model.training import first_digit
from viz import canvas
from viz.canvas import Panel, Steps
from viz.captions.positions import ROUNDING, describe_shift, format_number
from viz.export.tables import NamedArray, Table, file_name
from viz.pages.positions import controls as positions_controls
from viz.pages.positions import models
from viz.pages.positions.compute import QUESTION
from viz.types import Array
from viz.ui import copy_as_python, figure_panel, model_calls, server_cache, visitor
from viz.ui.state import Param, in_address

MOVES = (0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32, 64)


@st.fragment
def show() -> None:
    """The whole sentence moved by k, and what becomes of the scores: every k is sent at once, the browser slides."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key="scheme_controls"):
        kind = positions_controls.kind()
        typed = st.text_input(
            "Sentence, of a–h, digits and ?", QUESTION, key=Param.QUESTION, bind="query-params", max_chars=60, width=260
        )
    text, complaint = _readable(typed or "")
    if complaint:
        st.info(complaint)
    figure = st.container()
    with in_address():
        steps = st.selectbox("k", MOVES, MOVES.index(5), key=Param.SHIFT_BY, bind="query-params")
    changes_by_scheme = {models.NAMES[scheme]: _changes(kind, scheme, text) for scheme in models.NAMES}
    changes = {step: {name: by_shift[step] for name, by_shift in changes_by_scheme.items()} for step in MOVES}
    everywhere = [
        float(np.nanmax(change))
        for by_shift in changes_by_scheme.values()
        for change in by_shift.values()
        if change is not None
    ]
    limit = max([*everywhere, ROUNDING])
    words = models.model(kind, "none")[1].encode(text).tokens
    maps = {
        step: [_panel(name, change, len(words), limit) for name, change in by_scheme.items()]
        for step, by_scheme in changes.items()
    }
    with figure:
        drawn = canvas.maps(
            maps[steps],
            canvas.Axes(words),
            key="shift",
            theme=visitor.theme(),
            steps=Steps("Shift by k positions", steps, maps, _choose_k),
        )
    largest = {name: None if change is None else float(np.nanmax(change)) for name, change in changes[steps].items()}
    config = models.model(kind, "learned")[0].config
    figure_panel.below(
        drawn,
        sentence=describe_shift(largest, steps, {models.NAMES["learned"]: config.context}),
        table=partial(_table, kind, text, steps, largest),
        file=file_name(f"shift-{kind}", f"by-{steps}"),
        of=models.weights(kind),
        arrays=partial(_arrays, changes[steps], words),
        python=copy_as_python.python(
            "def change(name):\n"
            f'    transformer, tokenizer = load(f"order-{kind}-{{name}}")\n'
            f"    ids = tokenizer.encode({text!r}).ids\n"
            f"    found = score_changes(transformer, ids, {MOVES})[{steps}]  # (L, H, T, S)\n"
            "    ended = np.full((len(ids), len(ids)), np.nan)  # a learned table has no such place\n"
            "    return ended if found is None else np.abs(found).max(axis=(0, 1))\n"
            "\n"
            "\n"
            f"changes = np.stack([change(name) for name in {tuple(models.NAMES)}])  # (schemes, T, S)",
            "from model.checkpoint import load\nfrom model.analysis.position_shift import score_changes",
        ),
    )


def _choose_k(step: int) -> None:
    if step in MOVES:
        st.session_state[Param.SHIFT_BY] = step


def _panel(name: str, change: Array | None, words: int, limit: float) -> Panel:
    """change (T, T); None where a learned table has ended: nothing is drawn."""
    values = np.full((words, words), np.nan) if change is None else change
    largest = "ends" if change is None else format_number(float(np.nanmax(change)))
    return Panel(f"{name}  {largest}", values, "size", mask=np.isfinite(values), limit=limit)


def _readable(text: str) -> tuple[str, str]:
    """The sentence to run, and what was wrong with the one that was typed."""
    signs = text.split()
    longest = first_digit.OrderRecipe.longest
    strange = [sign for sign in signs if sign not in WORDS]
    if not signs:
        return QUESTION, f"The sentence is empty, so “{QUESTION}” is shown."
    if strange:
        return (
            QUESTION,
            f"These models know only a–h, the digits and “?”, separated by spaces, so “{QUESTION}” is shown.",
        )
    if len(signs) > longest + 1:
        return (
            QUESTION,
            f"These models were trained on {longest} symbols and “?”, not {len(signs)}, so “{QUESTION}” is shown.",
        )
    return " ".join(signs), ""


@server_cache.cached
def _changes(kind: str, scheme: str, text: str, double: bool = False) -> dict[int, Array | None]:
    """k → the largest change of each score in any head of any layer: (T, T), NaN where no head may look."""
    transformer, tokenizer = models.model(kind, scheme)
    with model_calls.compute_slots:
        changes = score_changes(transformer, tokenizer.encode(text).ids, MOVES, double)
    # The mask is the same in every head.
    return {step: None if change is None else np.abs(change).max(axis=(0, 1)) for step, change in changes.items()}


def _arrays(changes: dict[str, Array | None], words: tuple[str, ...]) -> dict[str, NamedArray]:
    ended = np.full((len(words), len(words)), np.nan)
    stacked = np.stack([ended if change is None else change for change in changes.values()])
    return {"changes": NamedArray(stacked, {"scheme": list(changes), "query": words, "key": words})}


def _table(kind: str, text: str, steps: int, largest: dict[str, float | None]) -> Table:
    exact = [_changes(kind, scheme, text, double=True)[steps] for scheme in models.NAMES]
    return {
        "scheme": list(largest),
        "largest change of a score, float32": list(largest.values()),
        "in float64": [None if change is None else float(np.nanmax(change)) for change in exact],
    }
