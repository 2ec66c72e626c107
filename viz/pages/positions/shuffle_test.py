"""The sentence in another order, as a section of a page: what the same weights make of it without positions or mask."""

from functools import partial

import numpy as np
import streamlit as st

from model.analysis.word_shuffle import SWITCH_CASES, ShuffleResult, shuffle_all
from model.run import Experiment
from viz import canvas
from viz.captions.positions import ROUNDING, read_shuffle, spelt
from viz.export.tables import Labelled, Table, file_name
from viz.labels import numbered
from viz.ui import copy_as_python, figure_panel, model_calls, server_cache, slots, visitor

SWAPPED = (2, 5)  # places changed when the page opens


@st.fragment
def show(experiment: Experiment) -> None:
    """The words to drag, and how far every word's vector moves in each case."""
    tokens = model_calls.encoding(experiment).surface
    figure = st.container()
    order = _order(len(tokens))
    found = {_named(name, case): case for name, case in _shuffle(experiment, tuple(order)).items()}
    with figure:
        drawn = canvas.shuffle(
            tokens,
            order,
            [(name, _told(case)) for name, case in found.items()],
            np.stack([case.change for case in found.values()]),
            key="shuffled",
            rounding=ROUNDING,
            theme=visitor.theme(),
            on_order=_choose,
        )
    moved = sum(place != token for place, token in enumerate(order))
    figure_panel.below(
        drawn,
        sentence=read_shuffle({name: case.largest for name, case in found.items()}, moved),
        table=partial(_table, found, tokens, order),
        file=file_name(experiment.name, "shuffled"),
        of=experiment,
        arrays=partial(_arrays, found, tokens),
        python=copy_as_python.python(
            f"found = shuffle_all(experiment, {order})\n"
            "change = np.stack([case.change for case in found.values()])  # (cases, T)",
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
    with st.container(key="address"):  # unseen: it ties the order to the address of the page
        asked = st.text_input("Order", "", key="order", bind="query-params", max_chars=2000)
    places = [int(part) for part in (asked or "").split(".") if part.isascii() and part.isdecimal() and len(part) < 5]
    if sorted(places) == list(range(1, n)):
        return [0, *places]
    if asked:
        st.info("The order in this link does not fit the sentence, so two of its words were swapped instead.")
    order = list(range(n))
    a, b = SWAPPED if n > max(SWAPPED) else (1, n - 1)
    order[a], order[b] = order[b], order[a]
    return order


def _choose(order: list[int]) -> None:
    if order and order[0] == 0:
        st.session_state["order"] = ".".join(str(token) for token in order[1:])


@server_cache.cached
def _shuffle(experiment: Experiment, order: tuple[int, ...]) -> dict[str, ShuffleResult]:
    with slots.place("Running both orders", model_calls.operations(experiment, 8)):
        return shuffle_all(experiment, order)


def _named(name: str, case: ShuffleResult) -> str:
    """A case by name; a model that was trained without a part does not have it here either."""
    asked = SWITCH_CASES[name]
    lacks = [part for part in ("position", "mask") if getattr(asked, part) and not getattr(case.present, part)]
    return f"{name} (it has no {' and no '.join(lacks)})" if lacks else name


def _told(case: ShuffleResult) -> str:
    largest = f"largest change {spelt(case.largest)}"
    return f"the same vectors, {largest}" if case.largest < ROUNDING else largest


def _arrays(found: dict[str, ShuffleResult], tokens: tuple[str, ...]) -> dict[str, Labelled]:
    change = np.stack([case.change for case in found.values()])
    return {"change": Labelled(change, {"case": list(found), "word": tokens})}


def _table(found: dict[str, ShuffleResult], tokens: tuple[str, ...], order: list[int]) -> Table:
    return {
        "word": numbered(tokens),
        "its place": list(range(len(tokens))),
        "its new place": [order.index(token) for token in range(len(tokens))],
        **{f"change: {name.lower()}": found[name].change.tolist() for name in SWITCH_CASES},
    }
