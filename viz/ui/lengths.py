"""Too long: accuracy within the lengths the models were trained on, and beyond."""

from collections.abc import Iterable
from contextlib import nullcontext
from functools import partial

import numpy as np
import streamlit as st

from model.analysis.rope_frequency import slow_each_frequency
from model.analysis.sinusoid import wavelengths
from model.checkpoint import read_card
from model.compute.progress import steps
from model.evaluation import first_digit
from model.run import Array
from model.training.first_digit import OrderRecipe
from viz import head_grid
from viz.export import Labelled, Table
from viz.places import read_lengths, read_round
from viz.ui import frame, memory, one_question, panel, recompute, schemes, slots

SLOWER = 4  # times as slowly a pair of RoPE is turned to see whether it is to blame
N, SEED = 200, 7  # fresh questions a point, drawn with a seed that no training used


@st.fragment
def show() -> None:
    """Accuracy within the trained lengths and beyond, and one question for all models."""
    lengths, longest = OrderRecipe.lengths, OrderRecipe.longest
    todo = [model for model in schemes.MODELS if not _asked.has(*model)]
    seeds = np.array([_seeds(*model) for model in schemes.MODELS])  # (M, R, L)
    told = np.array([_card(*model) if todo else _asked(*model) for model in schemes.MODELS])  # (M, L)
    shape = (len(schemes.KINDS), len(schemes.NAMES), len(lengths))
    head_grid.lengths(
        list(schemes.NAMES.values()),
        lengths,
        told.reshape(shape),
        seeds.min(axis=1).reshape(shape),
        seeds.max(axis=1).reshape(shape),
        key="lengths",
        longest=longest,
        kinds=schemes.KINDS,
        theme=frame.theme(),
    )
    progress = st.empty()
    source = (
        "These numbers are from the model cards until you test the models"
        if todo
        else f"{N} new questions per point, tested here"
    )
    with panel.postponed("lengths") if todo else nullcontext():
        panel.below(
            "lengths",
            sentence=read_lengths(list(schemes.NAMES.values()), lengths, told.reshape(shape), longest, source),
            table=partial(_table, told),
            file="accuracy-by-length",
            of=tuple(name for kind in schemes.KINDS for name in schemes.weights(kind)),
            arrays=partial(_arrays, told.reshape(shape)),
            python=_recompute(asked=not todo),
        )
    if not todo:
        _why_rope(dict(zip(lengths, _asked("encoder", "rope"), strict=True)))
    one_question.show()
    for done, (kind, scheme) in enumerate(todo):
        progress.progress(
            done / len(todo), f"Testing the {kind} with {schemes.NAMES[scheme]} on {N} questions of each length"
        )
        _asked(kind, scheme)
    if todo:
        st.rerun()


def _why_rope(shares: dict[int, float]) -> None:
    """A line where RoPE is worse than guessing: which of its pairs comes round."""
    length = min(shares, key=lambda one: shares[one])
    turns = wavelengths(schemes.model("encoder", "rope")[0].config.key_width)
    without = _slowed(length)
    pair = without.index(max(without))
    with st.container(key="reading_round"):
        st.markdown(read_round(shares[length], length, float(turns[pair]), pair, SLOWER, without))


@memory.cached
def _slowed(length: int) -> list[float]:
    """The encoder with RoPE at this length, each pair slowed in turn."""
    with slots.long("Slowing down each pair of RoPE in turn"):
        return slow_each_frequency(*schemes.model("encoder", "rope"), length, SLOWER, N, SEED)


@memory.cached
def _asked(kind: str, scheme: str) -> list[float]:
    """The accuracies (L,) on fresh questions, asked once for all visitors."""
    with slots.long(f"Testing the {kind} with {schemes.NAMES[scheme]}"):
        return _numbers(
            first_digit.accuracy(*schemes.model(kind, scheme), length, N, SEED) for length in steps(OrderRecipe.lengths)
        )


@memory.cached
def _card(kind: str, scheme: str) -> list[float]:
    """The accuracies (L,) of the shipped seed on its card."""
    told = read_card(f"order-{kind}-{scheme}")["accuracy"]
    return _numbers(told[str(length)] for length in OrderRecipe.lengths)


@memory.cached
def _seeds(kind: str, scheme: str) -> list[list[float]]:
    """The accuracies (R, L) of every seed on the card."""
    lengths = OrderRecipe.lengths
    return [
        _numbers(seed["accuracy"][str(length)] for length in lengths)
        for seed in read_card(f"order-{kind}-{scheme}")["seeds"]
    ]


def _numbers(shares: Iterable[float | None]) -> list[float]:
    return [np.nan if share is None else share for share in shares]


def _arrays(told: Array) -> dict[str, Labelled]:
    axes = {"kind": schemes.KINDS, "scheme": list(schemes.NAMES), "signs": OrderRecipe.lengths}
    return {"right_answers": Labelled(told, axes)}


def _recompute(asked: bool) -> str:
    """From fresh questions, as the page has asked them; until then from the cards."""
    lengths = OrderRecipe.lengths
    every = (
        f"[[[share(kind, name, n) for n in {lengths}] for name in {tuple(schemes.NAMES)}] for kind in {schemes.KINDS}]"
    )
    body = (
        f'    return accuracy(*load(f"order-{{kind}}-{{name}}"), n, {N}, {SEED})  # None: the table has ended'
        if asked
        else '    return read_card(f"order-{kind}-{name}")["accuracy"][str(n)]  # None: the table has ended'
    )
    return recompute.python(
        f"def share(kind, name, n):\n{body}\n\n\n"
        f"right_answers = np.array({every}, dtype=float)  # (kinds, schemes, lengths)",
        "from model.checkpoint import load\nfrom model.order import accuracy"
        if asked
        else "from model.checkpoint import read_card",
    )


def _table(told: Array) -> Table:
    return {
        "model": [kind for kind, _ in schemes.MODELS],
        "scheme": [schemes.NAMES[scheme] for _, scheme in schemes.MODELS],
        **{f"{length} signs": told[:, at].tolist() for at, length in enumerate(OrderRecipe.lengths)},
    }
