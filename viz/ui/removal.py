"""What taking parts away does: its numbers, cached for all visitors, and the controls that only this page has."""

from collections.abc import Sequence
from dataclasses import replace
from html import escape
from typing import Any

import numpy as np
import streamlit as st

from model import checkpoint, probability
from model.analysis import ablation, prediction_change
from model.registry import is_external
from model.run import Experiment, get_model
from model.switches import PARTS, Switches
from model.transformer import Trace
from viz.labels import shorten
from viz.ui import controls, memory, runs

Array = np.ndarray[Any, Any]

VIEWS = ("What breaks", "Trained without", "Why √d_k", "Layer norm, batch norm")
HOW = ("removed now", "trained without")
THEN = ("Next word", "Stream", "Head knock-outs", "One row by hand")


@memory.cached
def held_out(weights: str, switches: Switches) -> ablation.HeldOutScores:
    """Loss and accuracy on fresh sentences with these parts."""
    with runs.computing:
        return ablation.evaluate_held_out(weights, switches)


def heads_off(n_layers: int, n_heads: int) -> frozenset[tuple[int, int]]:
    """The heads to take out, beside the parts."""
    names = [f"L{layer}H{head}" for layer in range(n_layers) for head in range(n_heads)]
    with st.sidebar:
        chosen = st.multiselect("Heads ablated", names, key="off", bind="query-params", placeholder="none")
    return frozenset((int(name[1 : name.index("H")]), int(name[name.index("H") + 1 :])) for name in chosen)


def side_b(removed: Experiment) -> Experiment:
    """What B is: the same weights with the parts removed now, or weights that never had the part."""
    if not has_twins(removed.weights):
        return removed
    with st.sidebar:
        how = controls.choice(
            "Ablation method",
            HOW,
            key="how",
            label_visibility="visible",
            width="stretch",
            help=(
                "Removed now: B has A's weights, and the part is left out. Trained without: B has other weights, which "
                "were trained without the part."
            ),
        )
        if how == "removed now":
            return removed
        twin = twin_of(removed)
        if twin is None:
            st.caption(
                "Models trained without a part exist for one part at a time, and for no single head. So the part is "
                "removed now in B."
            )
            return removed
        st.caption("B was trained separately, so its heads do not correspond to A's heads.")
    return replace(removed, weights=twin, switches=Switches())


def has_twins(weights: str) -> bool:
    """Whether models were trained without a part, to stand beside these weights."""
    return any(f"{weights}-without-{part.name}" in checkpoint.names() for part in PARTS)


def twin_of(removed: Experiment) -> str | None:
    """The name of the weights that were trained without the one part removed here, if there are such."""
    parts = removed.switches.removed
    name = f"{removed.weights}-without-{parts[0]}" if len(parts) == 1 and not removed.switches.heads_off else ""
    return name if name in checkpoint.names() else None


def offers(weights: str, switches: Switches) -> None:
    """What to look for, part by part; while nothing is taken out, one click takes out one part. One line either way."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="offers"):
        if switches == Switches():
            there = runs.has(weights)
            labels = {part.name: part.label for part in PARTS if getattr(there, part.name)}
            st.markdown("Nothing is removed yet, so A and B are the same. Remove:", width="content")
            st.pills(
                "Remove",
                labels,
                format_func=labels.__getitem__,
                key="offer",
                label_visibility="collapsed",
                on_change=_take,
            )
        else:
            watched = [f"**{part.label}:** {part.hint}" for part in PARTS if part.name in switches.removed]
            st.markdown(" ".join(["What to watch.", *(watched or ["Which rows still attend to their word."])]))


def _take() -> None:
    controls.set_state({st.session_state["offer"]: "false"})
    st.session_state["offer"] = None


def without(removed: Switches, b: Experiment) -> str:
    """What B is, in words: "without scaling by √d_k and head L0H1", "trained without layer norm"."""
    return f"trained {_named(removed)}" if b.switches != removed else _named(removed)


def _named(switches: Switches) -> str:
    named = [part.label[0].lower() + part.label[1:] for part in PARTS if not getattr(switches, part.name)]
    heads = switches.ablated_heads
    named += [f"{'head' if len(heads) == 1 else 'heads'} {', '.join(heads)}"] if heads else []
    return f"without {' and '.join(named)}" if named else "the same"


def strip(a: tuple[Experiment, Trace[Array]], b: tuple[Experiment, Trace[Array]], words: Sequence[str]) -> None:
    """The numbers that decide: losses, entropy, how far the prediction moved, and accuracy by kind of question.

    One piece of HTML: a dozen elements would each travel by themselves at every flip.
    """
    ids = runs.encoding(a[0]).ids
    asked = not is_external(a[0].weights)  # many sentences, at every flip: only models of the lab are so small
    unseen = [held_out(side[0].weights, side[0].switches) for side in (a, b)] if asked else []
    says = get_model(a[0].weights)[0].config.predicts
    moved = prediction_change.prediction_change(a[1], b[1])
    finite = np.isfinite(moved)
    far = int(np.argmax(np.where(finite, moved, -1)))
    each = "token" if runs.about(a[0].weights).get("tokenizer") else "word"
    loss = f"The mean of −ln p(next {each}), in nats per {each}. 0 means certain and right."
    rows = (
        f"How spread out the rows of attention are, in nats; 0 means all on one {each}. Mean over all heads and "
        f"{each}s of this text."
    )
    kl = "How far B's next-word probabilities are from A's, in nats: 0 is no change."
    turn = (
        "1 − cosine between B's final vector and A's, for the word that changes most: 0 is no change, 2 is the "
        "opposite direction."
    )
    near = "after" if says == "next" else "at"
    where = (
        f"{near} “{shorten(words[far], 14)}”"
        if moved[far] > 1e-9
        else f"no {'vector changes' if says == 'nothing' else 'prediction changes'}"
    )
    if not finite.all():
        where = "some are not numbers"
    farthest = ("largest KL(A ‖ B)", moved[far], where, kl)
    numbers = []
    if asked:
        (all_a, all_b) = unseen
        numbers.append(
            _number(
                f"B: loss, {all_a.sentences} {'sentences' if all_a.accuracy else 'passages'}",
                all_b.loss,
                f"A {spelt(all_a.loss)}",
                loss,
            )
        )
    if says == "next" and len(ids) > 1:
        one = [prediction_change.text_loss(side[1], ids) for side in (a, b)]
        numbers.append(_number("B: loss, this text", one[1], f"A {spelt(one[0])}", loss))
    numbers.append(
        _number(
            "B: attention entropy",
            prediction_change.mean_entropy(b[1]),
            f"A {spelt(prediction_change.mean_entropy(a[1]))}",
            rows,
        )
    )
    numbers.append(_number(*(("largest change", moved[far], where, turn) if says == "nothing" else farthest)))
    sees = says == "next" and not (b[0].switches & runs.trained(b[0].weights)).mask
    note = (
        "<p>Without the mask B can read the word that it should predict, so its accuracy and its loss are not "
        "meaningful.</p>"
    )
    answers = f"<div>{_right_answers(*unseen) if asked else ''}{note if sees else ''}</div>"
    st.html(f'<div class="strip"><div class="numbers">{"".join(numbers)}</div>{answers}</div>')
    broken = prediction_change.first_nonfinite(b[1])
    if broken:
        st.warning(f"B holds values that are not numbers, first in {broken}. They are shown as they are.")


def _number(name: str, value: float, beside: str, told: str) -> str:
    return (
        f'<div class="number" title="{escape(told)}"><div class="name">{escape(name)}</div>'
        f'<div class="value">{spelt(value)}</div><div class="beside">{escape(beside)}</div></div>'
    )


def _right_answers(a: ablation.HeldOutScores, b: ablation.HeldOutScores) -> str:
    """Right answers by kind of question, and of how many: A and B."""
    if not a.accuracy:
        return (
            f"<p>Prose has no labelled answers, so only the loss over {a.sentences} passages of our own is shown.</p>"
        )
    lines = [
        f'<tr><td title="{escape(name)}">{escape(name)}</td>'
        f"<td>{100 * share:.0f} %</td><td>{100 * b.accuracy[name]:.0f} %</td>"
        f"<td>{a.n[name]}</td></tr>"
        for name, share in a.accuracy.items()
    ]
    half = (len(lines) + 1) // 2
    head = "<tr><th>{}</th><th>A</th><th>B</th><th>of</th></tr>"
    tables = [
        f"<table>{head.format(title)}{''.join(part)}</table>"
        for title, part in (("right answers", lines[:half]), ("and", lines[half:]))
    ]
    return f'<div class="answers">{"".join(tables)}</div>'


def spelt(value: float) -> str:
    """A number as people read it; what is no number says so."""
    if not np.isfinite(value):
        return "not a number"
    return f"{value:.2f}" if abs(value) < 1000 else f"{value:,.0f}"


def view(weights: str) -> str:
    """Which question the page answers."""
    return controls.choice("Question", [name for name in VIEWS if name != VIEWS[1] or has_twins(weights)], key="view")


def then(says_words: bool) -> str:
    """Which further figure stands below the comparison; a model that says no words begins with its stream."""
    return controls.choice("More about this removal", THEN, key="then", default=THEN[0 if says_words else 1])


def next_words(a: Trace[Array], b: Trace[Array], row: int, weights: str, n: int = 8) -> tuple[Array, Array, list[str]]:
    """The words that A or B finds likeliest after the token at `row`: probabilities under A and B, and the words."""
    p, q = (probability.probabilities(trace.logits[row]) for trace in (a, b))  # (V,)
    either = np.fmax(p, np.nan_to_num(q))
    best = np.argsort(-either)[:n]
    vocabulary = runs.tokenizer(weights).vocabulary
    return p[best], q[best], [vocabulary[index] for index in best]
