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
from viz.captions.masks import describe_leak
from viz.export.tables import NamedArray, Table, file_name
from viz.labels import numbered
from viz.theme import Theme
from viz.ui import controls, copy_as_python, figure_panel, model_calls, not_available, server_cache
from viz.ui.state import Param


def show(experiment: Experiment, theme: Theme) -> None:
    """Choose a word and what takes its place; every word lights up by how far the output after it has moved."""
    words = model_calls.encoding(experiment).surface
    try:
        position, by = _edit(experiment, words)
        after = replace_word(experiment, position, by)
    except ValueError as error:
        st.info(str(error))
        return
    before = model_calls.trace(experiment)
    leak = measure_leak(before, model_calls.trace(after))
    drawn = canvas.mask_leak(
        words,
        leak.kl,
        leak.logits == 0,
        key="leaks",
        edit=canvas.Edit(position, by),
        unit=not_available.LEAK_UNIT[not_available.prediction_kind(experiment.weights)],
        theme=theme,
        on_word=partial(choose_word, experiment, words),
    )
    figure_panel.below(
        drawn,
        sentence=describe_leak(
            leak.logits,
            leak.kl,
            before.layers[0].attention.mask[0],
            words,
            position,
            by,
            unit="1 − cosine {}" if not_available.prediction_kind(experiment.weights) == "nothing" else "KL {} nats",
        ),
        table=partial(_table, words, leak),
        file=file_name(experiment.name, f"leak-{position}-{by}"),
        of=experiment,
        arrays=partial(_arrays, words, leak),
        python=copy_as_python.python(
            f"leak = measure_leak(run(experiment), run(replace_word(experiment, {position}, {by!r})))\n"
            "logits, kl = leak.logits, leak.kl  # (T,)",
            "from model.analysis.mask_leak import replace_word, measure_leak",
            experiment=experiment,
        ),
    )


@server_cache.cached
def _opens_with(experiment: Experiment) -> tuple[int, str]:
    return suggested_edit(experiment)


def _edit(experiment: Experiment, words: Sequence[str]) -> tuple[int, str]:
    position, instead = _opens_with(replace(experiment, switches=Switches(), mask_spec=None))
    places = editable(experiment.weights, words)
    first, last = places.start, places.stop - 1
    known = vocabulary_words(experiment.weights)
    controls.track_default({Param.EDIT_POSITION: position, Param.REPLACEMENT: instead})
    edited = st.session_state.get(Param.EDIT_POSITION)
    if edited is not None and edited not in places:
        st.session_state[Param.EDIT_POSITION] = min(max(edited, first), last)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        chosen = int(
            st.number_input(
                f"Word to change, {first} to {last}",
                first,
                last,
                position,
                key=Param.EDIT_POSITION,
                bind="query-params",
                width=200,
            )
        )
        word = st.selectbox(
            f"New word in place of “{words[chosen]}”",
            known,
            index=known.index(instead),
            key=Param.REPLACEMENT,
            bind="query-params",
            width=240,
        )
        st.markdown("You can also click a word below. The mask above applies.", width="content")
    if word == words[chosen]:
        raise ValueError(f"“{word}” is already there, so nothing would change. Choose another word.")
    return chosen, word


def choose_word(experiment: Experiment, words: Sequence[str], position: int) -> None:
    """Edit this word, as if it had been typed, and put one spelt almost like it in its place."""
    if position in editable(experiment.weights, words):
        st.session_state[Param.EDIT_POSITION] = position
        st.session_state[Param.REPLACEMENT] = replacement(experiment, position) or other_word(experiment.weights, words)


def _arrays(words: Sequence[str], leak: LeakResult) -> dict[str, NamedArray]:
    return {"logits": NamedArray(leak.logits, {"word": words}), "kl": NamedArray(leak.kl, {"word": words})}


def _table(words: Sequence[str], leak: LeakResult) -> Table:
    return {
        "position": np.arange(len(words)),
        "word": numbered(words),
        "largest change of a logit": leak.logits,
        "KL of the next word, nats": leak.kl,
    }
