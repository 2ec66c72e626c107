"""The leak test: another word in one place, and which outputs that moves."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st

from model.analysis.mask_leak import (
    LeakResult,
    editable,
    measure_leak,
    other_word,
    replace_word,
    replacement,
    suggested_edit,
    vocabulary_words,
)
from model.run import Experiment
from model.switches import Switches
from viz import canvas
from viz.captions.masks import read_leak
from viz.export.tables import Labelled, file_name
from viz.labels import numbered
from viz.theme import Theme
from viz.ui import controls, copy_as_python, figure_panel, model_calls, not_available, server_cache


def show(experiment: Experiment, theme: Theme) -> None:
    """Choose a word and what takes its place; every word lights up by how far the output after it has moved."""
    words = model_calls.encoding(experiment).surface
    try:
        at, by = _edit(experiment, words)
        after = replace_word(experiment, at, by)
    except ValueError as error:
        st.info(str(error))
        return
    before = model_calls.trace(experiment)
    found = measure_leak(before, model_calls.trace(after))
    drawn = canvas.mask_leak(
        words,
        found.kl,
        found.logits == 0,
        key="leaks",
        edit=canvas.Edit(at, by),
        unit=not_available.LEAKED[not_available.foretells(experiment.weights)],
        theme=theme,
        on_word=partial(choose_word, experiment, words),
    )
    figure_panel.below(
        drawn,
        sentence=read_leak(
            found.logits,
            found.kl,
            before.layers[0].attention.mask[0],
            words,
            at,
            by,
            unit="1 − cosine {}" if not_available.foretells(experiment.weights) == "nothing" else "KL {} nats",
        ),
        table=partial(_table, words, found),
        file=file_name(experiment.name, f"leak-{at}-{by}"),
        of=experiment,
        arrays=partial(_arrays, words, found),
        python=copy_as_python.python(
            f"found = measure_leak(run(experiment), run(replace_word(experiment, {at}, {by!r})))\n"
            "logits, kl = found.logits, found.kl  # (T,)",
            "from model.analysis.mask_leak import replace_word, measure_leak",
            experiment=experiment,
        ),
    )


@server_cache.cached
def _opens_with(experiment: Experiment) -> tuple[int, str]:
    return suggested_edit(experiment)


def _edit(experiment: Experiment, words: Sequence[str]) -> tuple[int, str]:
    at, instead = _opens_with(replace(experiment, switches=Switches(), mask_spec=None))
    places = editable(experiment.weights, words)
    first, last = places.start, places.stop - 1
    known = vocabulary_words(experiment.weights)
    controls.follow(edit=at, **{"with": instead})
    asked = st.session_state.get("edit")
    if asked is not None and asked not in places:
        st.session_state["edit"] = min(max(asked, first), last)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        chosen = int(
            st.number_input(
                f"Word to change, {first} to {last}", first, last, at, key="edit", bind="query-params", width=200
            )
        )
        word = st.selectbox(
            f"New word in place of “{words[chosen]}”",
            known,
            index=known.index(instead),
            key="with",
            bind="query-params",
            width=240,
        )
        st.markdown("You can also click a word below. The mask above applies.", width="content")
    if word == words[chosen]:
        raise ValueError(f"“{word}” is already there, so nothing would change. Choose another word.")
    return chosen, word


def choose_word(experiment: Experiment, words: Sequence[str], at: int) -> None:
    """Edit this word, as if it had been typed, and put one spelt almost like it in its place."""
    if at in editable(experiment.weights, words):
        st.session_state["edit"] = at
        st.session_state["with"] = replacement(experiment, at) or other_word(experiment.weights, words)


def _arrays(words: Sequence[str], found: LeakResult) -> dict[str, Labelled]:
    return {"logits": Labelled(found.logits, {"word": words}), "kl": Labelled(found.kl, {"word": words})}


def _table(words: Sequence[str], found: LeakResult) -> dict[str, object]:
    return {
        "position": np.arange(len(words)),
        "word": numbered(words),
        "largest change of a logit": found.logits,
        "KL of the next word, nats": found.kl,
    }
