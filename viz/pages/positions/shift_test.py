"""Shift test: the whole sentence moved by k positions, and what becomes of the scores under each scheme."""

from functools import partial

import numpy as np
import streamlit as st

from model.analysis.position_shift import largest_change, largest_score_changes
from model.run import encode_text
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
    largest_of_all = [
        largest_change(change) or 0.0 for by_shift in changes_by_scheme.values() for change in by_shift.values()
    ]
    limit = max([*largest_of_all, ROUNDING])
    words = encode_text(models.model(kind, "none")[1], text).tokens
    maps = {
        step: [_panel(name, change, limit) for name, change in by_scheme.items()] for step, by_scheme in changes.items()
    }
    with figure:
        drawn = canvas.maps(
            maps[steps],
            canvas.Axes(words),
            key="shift",
            theme=visitor.theme(),
            steps=Steps("Shift by k positions", steps, maps, _choose_k),
        )
    largest = {name: largest_change(change) for name, change in changes[steps].items()}
    config = models.model(kind, "learned")[0].config
    figure_panel.below(
        drawn,
        sentence=describe_shift(largest, steps, {models.NAMES["learned"]: config.context}),
        table=partial(_table, kind, text, steps, largest),
        file=file_name(f"shift-{kind}", f"by-{steps}"),
        of=models.weights(kind),
        arrays=partial(_arrays, changes[steps], words),
        python=copy_as_python.python(
            f'models = [load(f"order-{kind}-{{name}}") for name in {tuple(models.NAMES)}]\n'
            f"encoded = [(model, tokenizer.encode({text!r}).ids) for model, tokenizer in models]\n"
            f"shifts = [largest_score_changes(model, ids, [{steps}])[{steps}] for model, ids in encoded]\n"
            "changes = np.stack(shifts)  # (schemes, T, S)",
            "from model.checkpoint import load\nfrom model.analysis.position_shift import largest_score_changes",
        ),
    )


def _choose_k(step: int) -> None:
    if step in MOVES:
        st.session_state[Param.SHIFT_BY] = step


def _panel(name: str, change: Array, limit: float) -> Panel:
    """change (T, T); NaN where nothing is drawn, which is everywhere if the sentence has left a learned table."""
    largest = largest_change(change)
    title = f"{name}  {'ends' if largest is None else format_number(largest)}"
    return Panel(title, change, "size", mask=np.isfinite(change), limit=limit)


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
def _changes(kind: str, scheme: str, text: str, double: bool = False) -> dict[int, Array]:
    """k → the largest change of each score in any head of any layer: see `largest_score_changes`."""
    transformer, tokenizer = models.model(kind, scheme)
    with model_calls.compute_slots:
        return largest_score_changes(transformer, encode_text(tokenizer, text).ids, MOVES, double)


def _arrays(changes: dict[str, Array], words: tuple[str, ...]) -> dict[str, NamedArray]:
    axes = {"scheme": list(changes), "query": words, "key": words}
    return {"changes": NamedArray(np.stack(list(changes.values())), axes)}


def _table(kind: str, text: str, steps: int, largest: dict[str, float | None]) -> Table:
    exact = [_changes(kind, scheme, text, double=True)[steps] for scheme in models.NAMES]
    return {
        "scheme": list(largest),
        "largest change of a score, float32": list(largest.values()),
        "in float64": [largest_change(change) for change in exact],
    }
