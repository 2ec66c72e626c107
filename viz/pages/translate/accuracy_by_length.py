"""Accuracy by length: from the cards at once, and measured again for every network at a click."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from model.evaluation import fresh_accuracy as fresh
from model.tasks.copying import LONGEST, TRAINED
from viz.captions.counting import counted
from viz.captions.translate import describe_accuracy_by_length
from viz.export.tables import NamedArray, Table
from viz.figures.accuracy_by_length import quality
from viz.pages.translate import compute
from viz.pages.translate.compute import ALONE, ATTENTION, PIECES, TRANSFORMER
from viz.theme import Theme
from viz.types import Array
from viz.ui import copy_as_python, figure_panel, model_calls, server_cache, slots
from viz.ui.progress import Missing
from viz.ui.state import Key

LENGTHS = tuple(range(1, LONGEST + 1))
CLASSES = tuple(f"{low} to {high}" for low, high in fresh.CLASSES)


@server_cache.cached
def _copies_right(weights: str, length: int) -> float:
    """Share of fresh copies of that length that these weights get right, measured once for all visitors."""
    with slots.long(f"Testing copies of {length} symbols"):
        return fresh.copy_accuracy(weights, length)


@server_cache.cached
def _translations_right(weights: str, words: tuple[int, int]) -> float:
    """Share of fresh sentences of so many words that these weights translate rightly."""
    with slots.long("Testing translations of {} to {} words".format(*words)):
        return fresh.translation_accuracy(weights, words)


def show(theme: Theme) -> Missing | None:
    """Copies by length, and translations by the length of their source. Returns the tests that have to be made."""
    left, right = st.columns(2, gap="large")
    with left:
        _copies(theme)
    with right:
        return _translations(theme)


def _ask(weights: Mapping[str, str], lengths: tuple[Any, ...], ask: server_cache.Cached[[str, Any], float]) -> None:
    """Measure every network at every length, one after the other. What was measured before is not measured again."""
    todo = [(name, length) for name in weights for length in lengths if not ask.has(weights[name], length)]
    bar = st.progress(0.0) if todo else st.empty()
    for done, (name, length) in enumerate(todo):
        length_text = length if isinstance(length, int) else f"{length[0]} to {length[1]}"
        bar.progress(done / len(todo), f"Testing the {name} at length {length_text}")
        ask(weights[name], length)
    bar.empty()


def _networks(task: str) -> dict[str, str]:
    """The networks of a task, the one in the colour of the accent first."""
    available = compute.available_tasks().get(task, {})
    return {name: available[name] for name in (TRANSFORMER, ATTENTION, ALONE, PIECES) if name in available}


def _copies(theme: Theme) -> None:
    st.markdown(f"**Copying symbols**; trained on 1 to {TRAINED} symbols")
    weights = _networks("Copy")
    if not weights:
        st.caption("The weights of the copying networks are not installed.")
        return
    place = st.container()
    again = st.empty()
    if again.button(f"Test again: {fresh.COPIES} new texts of each length", key=Key.AGAIN_COPIES):
        _ask(weights, LENGTHS, _copies_right)
    live = all(_copies_right.has(model, length) for model in weights.values() for length in LENGTHS)
    if live:
        again.empty()
    seeds = {name: _seeds(model) for name, model in weights.items()}
    shares = {
        name: np.array([_copies_right(model, length) for length in LENGTHS]) if live else _card(model)
        for name, model in weights.items()
    }
    with place:
        n = (
            f"{fresh.COPIES} new texts per point, tested here"
            if live
            else f"{_of_each(weights)} texts per point, from the model cards"
        )
        figure_panel.chart(
            quality(LENGTHS, shares, theme=theme, seeds=seeds, trained=TRAINED, x_name="symbols to copy"),
            key="copies",
            sentence=describe_accuracy_by_length(
                shares,
                LENGTHS,
                TRAINED,
                f"{n}; a thin line is one of {counted(_how_many(seeds), 'seed')}",
                "Copied without a mistake",
            ),
            table=partial(_table, "length", LENGTHS, shares),
            file="copies-by-length",
            of=tuple(weights.values()),
            arrays=lambda: {"accuracy": _labelled(shares, "length", LENGTHS)},
            python=_python(weights, LENGTHS, "copy_accuracy") if live else _from_cards(weights),
        )


def _translations(theme: Theme) -> Missing | None:
    st.markdown("**Translation**, by the number of source words")
    weights = _networks("Translation")
    if not weights:
        st.caption("The weights of the translating networks are not installed.")
        return None
    whole = {name: model_calls.about(model).seq2seq.exact for name, model in weights.items()}
    examined = model_calls.about(next(iter(weights.values()))).seq2seq.examined
    accuracies = ", ".join(f"{name} {100 * share:.1f} %" for name, share in whole.items())
    source = f"From the model cards, on {examined:,} held-out sentences of all lengths: {accuracies}."
    missing = [
        (
            f"Testing the {name} on sentences of {words[0]} to {words[1]} words",
            partial(_translations_right, model, words),
        )
        for name, model in weights.items()
        for words in fresh.CLASSES
        if not _translations_right.has(model, words)
    ]
    if missing:
        st.caption(source)
        return Missing(st.container(), missing)
    shares = {
        name: np.array([_translations_right(model, words) for words in fresh.CLASSES])
        for name, model in weights.items()
    }
    n = f"{fresh.SENTENCES} new sentences per point, tested here"
    figure_panel.chart(
        quality(CLASSES, shares, theme=theme, seeds={}, trained=None, x_name="words of the source"),
        key="translations",
        sentence=describe_accuracy_by_length(
            shares,
            [high for _, high in fresh.CLASSES],
            None,
            n,
            "Correct word for word",
            [f"{length_class} words" for length_class in CLASSES],
        ),
        table=partial(_table, "words", CLASSES, shares),
        file="translations-by-length",
        of=tuple(weights.values()),
        arrays=lambda: {"accuracy": _labelled(shares, "words", CLASSES)},
        python=_python(weights, fresh.CLASSES, "translation_accuracy"),
    )
    st.caption(source)
    return None


@server_cache.cached
def _card(weights: str) -> Array:
    accuracies = model_calls.about(weights).seq2seq.lengths
    return np.array([accuracies[length] for length in LENGTHS])


@server_cache.cached
def _seeds(weights: str) -> Array:
    """(R, N), of every seed on the card."""
    return np.array([[seed.lengths[length] for length in LENGTHS] for seed in model_calls.about(weights).seq2seq.seeds])


def _of_each(weights: Mapping[str, str]) -> int:
    return model_calls.about(next(iter(weights.values()))).seq2seq.pairs_per_length


def _how_many(seeds: Mapping[str, Array]) -> int:
    return max(len(each) for each in seeds.values())


def _labelled(shares: Mapping[str, Array], axis: str, lengths: tuple[Any, ...]) -> NamedArray:
    return NamedArray(np.stack(list(shares.values())), {"network": list(shares), axis: list(lengths)})


def _table(axis: str, lengths: tuple[Any, ...], shares: Mapping[str, Array]) -> Table:
    return {axis: list(lengths), **shares}


def _python(weights: Mapping[str, str], lengths: tuple[Any, ...], ask: str) -> str:
    names = tuple(weights.values())
    return copy_as_python.python(
        f"shares = [[{ask}(name, length) for length in {lengths}] for name in {names}]\n"
        "accuracy = np.array(shares)  # (networks, lengths)",
        f"from model.evaluation.fresh_accuracy import {ask}",
    )


def _from_cards(weights: Mapping[str, str]) -> str:
    names = tuple(weights.values())
    return copy_as_python.python(
        f"lengths = [load_card(name).seq2seq.lengths for name in {names}]  # words → share right\n"
        "accuracy = np.array([list(shares.values()) for shares in lengths])  # (networks, lengths)",
        "from model.checkpoint import load_card",
    )
