"""The sentence in another order, as a section of a page: what the same weights make of it without positions or mask."""

from functools import partial

import numpy as np
import streamlit as st

from model.analysis.word_shuffle import SWITCH_CASES, ShuffleResult, shuffle_all
from model.run import Experiment
from viz import canvas
from viz.captions.positions import ROUNDING, describe_shuffle, format_number
from viz.export.tables import NamedArray, Table, file_name
from viz.labels import numbered
from viz.ui import copy_as_python, figure_panel, model_calls, server_cache, slots, visitor
from viz.ui.state import Param, in_address

SWAPPED = (2, 5)  # places changed when the page opens


@st.fragment
def show(experiment: Experiment) -> None:
    """The words to drag, and how far every word's vector moves in each case."""
    tokens = model_calls.encoding(experiment).surface
    figure = st.container()
    order = _order(len(tokens))
    cases = {_named(name, case): case for name, case in _shuffle(experiment, tuple(order)).items()}
    with figure:
        drawn = canvas.word_shuffle(
            tokens,
            order,
            [(name, _case_note(case)) for name, case in cases.items()],
            np.stack([case.change for case in cases.values()]),
            key="shuffled",
            rounding=ROUNDING,
            theme=visitor.theme(),
            on_order=_choose,
        )
    moved = sum(place != token for place, token in enumerate(order))
    figure_panel.below(
        drawn,
        sentence=describe_shuffle({name: case.largest for name, case in cases.items()}, moved),
        table=partial(_table, cases, tokens, order),
        file=file_name(experiment.name, "shuffled"),
        of=experiment,
        arrays=partial(_arrays, cases, tokens),
        python=copy_as_python.python(
            f"cases = shuffle_all(experiment, {order})\n"
            "change = np.stack([case.change for case in cases.values()])  # (cases, T)",
            "from model.analysis.word_shuffle import shuffle_all",
            experiment=experiment,
        ),
    )
    st.caption(
        "A bar is the change of a word’s final vector, as a share of the length of this vector. The "
        "model predicts from this vector. The vectors are put back into the original order first. All "
        "four rows use the same trained weights, "
        f"{experiment.weights}, with these parts present or removed now."
    )


def _order(n: int) -> list[int]:
    """Which token stands at each place, from the address; there is one even when the address has nothing that fits."""
    with in_address():
        typed = st.text_input("Order", "", key=Param.WORD_ORDER, bind="query-params", max_chars=2000)
    places = [int(part) for part in (typed or "").split(".") if part.isascii() and part.isdecimal() and len(part) < 5]
    if sorted(places) == list(range(1, n)):
        return [0, *places]
    if typed:
        st.info("The order in this link does not fit the sentence, so two of its words were swapped instead.")
    order = list(range(n))
    a, b = SWAPPED if n > max(SWAPPED) else (1, n - 1)
    order[a], order[b] = order[b], order[a]
    return order


def _choose(order: list[int]) -> None:
    if order and order[0] == 0:
        st.session_state[Param.WORD_ORDER] = ".".join(str(token) for token in order[1:])


@server_cache.cached
def _shuffle(experiment: Experiment, order: tuple[int, ...]) -> dict[str, ShuffleResult]:
    with slots.place("Running both orders", model_calls.operations(experiment, 8)):
        return shuffle_all(experiment, order)


def _named(name: str, case: ShuffleResult) -> str:
    """A case by name; a model that was trained without a part does not have it here either."""
    switches = SWITCH_CASES[name]
    lacks = [part for part in ("position", "mask") if getattr(switches, part) and not getattr(case.active, part)]
    return f"{name} (it has no {' and no '.join(lacks)})" if lacks else name


def _case_note(case: ShuffleResult) -> str:
    largest = f"largest change {format_number(case.largest)}"
    return f"the same vectors, {largest}" if case.largest < ROUNDING else largest


def _arrays(cases: dict[str, ShuffleResult], tokens: tuple[str, ...]) -> dict[str, NamedArray]:
    change = np.stack([case.change for case in cases.values()])
    return {"change": NamedArray(change, {"case": list(cases), "word": tokens})}


def _table(cases: dict[str, ShuffleResult], tokens: tuple[str, ...], order: list[int]) -> Table:
    return {
        "word": numbered(tokens),
        "position": list(range(len(tokens))),
        "new position": [order.index(token) for token in range(len(tokens))],
        **{f"change: {name.lower()}": cases[name].change.tolist() for name in SWITCH_CASES},
    }
