"""Accuracy within the lengths that the models were trained on, and beyond."""

from collections.abc import Iterable
from contextlib import nullcontext
from functools import partial

import numpy as np
import streamlit as st

from model.analysis.rope_frequency import slow_each_frequency
from model.analysis.sinusoid import wavelengths
from model.checkpoint import load_card
from model.evaluation import first_digit
from model.training.first_digit import OrderRecipe
from viz import canvas
from viz.captions.positions import describe_length_generalisation, describe_rope_period
from viz.export.tables import NamedArray, Table
from viz.pages.positions import models, one_question
from viz.pages.positions.compute import SEED, N
from viz.types import Array
from viz.ui import copy_as_python, figure_panel, server_cache, slots, visitor
from viz.ui.progress import Missing

SLOWER = 4  # times as slowly a pair of RoPE is turned to see whether it is to blame


@st.fragment
def show() -> Missing:
    """Accuracy within the trained lengths and beyond, and one question for all models. Returns the tests to make."""
    lengths, longest = OrderRecipe.lengths, OrderRecipe.longest
    todo = [model for model in models.MODELS if not _tested.has(*model)]
    seeds = np.array([_seeds(*model) for model in models.MODELS])  # (M, R, L)
    accuracies = np.array([_card(*model) if todo else _tested(*model) for model in models.MODELS])  # (M, L)
    shape = (len(models.KINDS), len(models.NAMES), len(lengths))
    drawn = canvas.accuracy_by_length(
        list(models.NAMES.values()),
        lengths,
        accuracies.reshape(shape),
        (seeds.min(axis=1).reshape(shape), seeds.max(axis=1).reshape(shape)),
        key="lengths",
        longest=longest,
        kinds=models.KINDS,
        theme=visitor.theme(),
    )
    place = st.container()
    source = (
        "These numbers are from the model cards until you test the models"
        if todo
        else f"{N} new questions per point, tested here"
    )
    with figure_panel.deferred_file("lengths") if todo else nullcontext():
        figure_panel.below(
            drawn,
            sentence=describe_length_generalisation(
                list(models.NAMES.values()), lengths, accuracies.reshape(shape), longest, source
            ),
            table=partial(_table, accuracies),
            file="accuracy-by-length",
            of=tuple(name for kind in models.KINDS for name in models.weights(kind)),
            arrays=partial(_arrays, accuracies.reshape(shape)),
            python=_recompute(tested=not todo),
        )
    missing = [
        (f"Testing the {kind} with {models.NAMES[scheme]} on {N} questions of each length", partial(_tested, *model))
        for model in todo
        for kind, scheme in [model]
    ]
    if not todo and _slowed.has(_worst_length()):
        _why_rope(_worst_length())
    elif not todo:
        missing = [("Slowing down each pair of RoPE in turn", partial(_slowed, _worst_length()))]
    one_question.show()
    return Missing(place, missing)


def _worst_length() -> int:
    """The length at which the encoder with RoPE answers worst."""
    shares = dict(zip(OrderRecipe.lengths, _tested("encoder", "rope"), strict=True))
    return min(shares, key=lambda length: shares[length])


def _why_rope(length: int) -> None:
    """A line where RoPE is worse than guessing: which of its pairs comes round."""
    shares = dict(zip(OrderRecipe.lengths, _tested("encoder", "rope"), strict=True))
    wavelengths_of_pairs = wavelengths(models.model("encoder", "rope")[0].config.key_width)
    without = _slowed(length)
    pair = without.index(max(without))
    with st.container(key="reading_round"):
        st.markdown(
            describe_rope_period(shares[length], length, float(wavelengths_of_pairs[pair]), pair, SLOWER, without)
        )


@server_cache.cached
def _slowed(length: int) -> list[float]:
    """The encoder with RoPE at this length, each pair slowed in turn."""
    with slots.long("Slowing down each pair of RoPE in turn"):
        return slow_each_frequency(*models.model("encoder", "rope"), length, SLOWER, N, SEED)


@server_cache.cached
def _tested(kind: str, scheme: str) -> list[float]:
    """The accuracies (L,) on fresh questions, measured once for all visitors."""
    with slots.long(f"Testing the {kind} with {models.NAMES[scheme]}"):
        return first_digit.accuracy_by_length(*models.model(kind, scheme), OrderRecipe.lengths, N, SEED)


@server_cache.cached
def _card(kind: str, scheme: str) -> list[float]:
    """The accuracies (L,) of the shipped seed on its card."""
    accuracies = load_card(f"order-{kind}-{scheme}").first_digit.accuracy
    return _numbers(accuracies[length] for length in OrderRecipe.lengths)


@server_cache.cached
def _seeds(kind: str, scheme: str) -> list[list[float]]:
    """The accuracies (R, L) of every seed on the card."""
    lengths = OrderRecipe.lengths
    return [
        _numbers(seed.accuracy[length] for length in lengths)
        for seed in load_card(f"order-{kind}-{scheme}").first_digit.seeds
    ]


def _numbers(shares: Iterable[float | None]) -> list[float]:
    return [np.nan if share is None else share for share in shares]


def _arrays(accuracies: Array) -> dict[str, NamedArray]:
    axes = {"kind": models.KINDS, "scheme": list(models.NAMES), "length": OrderRecipe.lengths}
    return {"accuracy": NamedArray(accuracies, axes)}


def _recompute(tested: bool) -> str:
    """From fresh questions if the page has tested the models, otherwise from the cards."""
    kinds, names, lengths = models.KINDS, tuple(models.NAMES), OrderRecipe.lengths
    every_model = f'[[load{"" if tested else "_card"}(f"order-{{kind}}-{{name}}") for name in names] for kind in kinds]'
    definitions = f"kinds, names = {kinds}, {names}\nlengths = {lengths}\n"
    if tested:
        return copy_as_python.python(
            f"{definitions}models = {every_model}\n"
            f"shares = [[accuracy_by_length(*model, lengths, {N}, {SEED}) for model in row] for row in models]\n"
            "accuracy = np.array(shares)  # (kinds, schemes, lengths)",
            "from model.checkpoint import load\nfrom model.evaluation.first_digit import accuracy_by_length",
        )
    return copy_as_python.python(
        f"{definitions}cards = {every_model}\n"
        "shares = [[[card.first_digit.accuracy[n] for n in lengths] for card in row] for row in cards]\n"
        "accuracy = np.array(shares, dtype=float)  # (kinds, schemes, lengths); NaN: no such position",
        "from model.checkpoint import load_card",
    )


def _table(accuracies: Array) -> Table:
    return {
        "model": [kind for kind, _ in models.MODELS],
        "scheme": [models.NAMES[scheme] for _, scheme in models.MODELS],
        **{f"length {length}": accuracies[:, index].tolist() for index, length in enumerate(OrderRecipe.lengths)},
    }
