"""The numbers that compare A and B: losses, entropy, change of the prediction, and accuracy by kind of question."""

from collections.abc import Sequence
from html import escape

import numpy as np
import streamlit as st

from model.analysis import ablation, prediction_change
from model.registry import is_external
from model.run import Experiment, get_model
from model.transformer import Trace
from viz.captions.positions import format_number
from viz.labels import truncate
from viz.types import Array
from viz.ui import model_calls
from viz.ui.ablation import held_out

ROUNDING = 1e-9  # a smaller change is none


def metrics_bar(a: tuple[Experiment, Trace[Array]], b: tuple[Experiment, Trace[Array]], words: Sequence[str]) -> None:
    """The numbers that decide: losses, entropy, how far the prediction moved, and accuracy by kind of question.

    One piece of HTML: a dozen elements would each travel by themselves at every flip.
    """
    ids = model_calls.encoding(a[0]).ids
    # Many sentences at every flip: only models of the lab are small enough.
    is_small = not any(is_external(side[0].weights) for side in (a, b))
    unseen = [held_out(side[0].weights, side[0].switches) for side in (a, b)] if is_small else []
    predicts = get_model(a[0].weights)[0].config.predicts
    moved = prediction_change.prediction_change(a[1], b[1])
    finite = np.isfinite(moved)
    far = int(np.argmax(np.where(finite, moved, -1)))
    each = "token" if model_calls.about(a[0].weights).splits_words else "word"
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
    near = "after" if predicts == "next" else "at"
    where = (
        f"{near} “{truncate(words[far], 14)}”"
        if moved[far] > ROUNDING
        else f"no {'vector changes' if predicts == 'nothing' else 'prediction changes'}"
    )
    if not finite.all():
        where = "some are not numbers"
    farthest = ("largest KL(A ‖ B)", moved[far], where, kl)
    numbers = []
    if is_small:
        (all_a, all_b) = unseen
        numbers.append(
            _number(
                f"B: loss, {all_a.sentences} {'sentences' if all_a.accuracy else 'passages'}",
                all_b.loss,
                f"A {format_metric(all_a.loss)}",
                loss,
            )
        )
    if predicts == "next" and len(ids) > 1:
        losses = [prediction_change.text_loss(side[1], ids) for side in (a, b)]
        numbers.append(_number("B: loss, this text", losses[1], f"A {format_metric(losses[0])}", loss))
    numbers.append(
        _number(
            "B: attention entropy",
            prediction_change.mean_entropy(b[1]),
            f"A {format_metric(prediction_change.mean_entropy(a[1]))}",
            rows,
        )
    )
    numbers.append(_number(*(("largest change", moved[far], where, turn) if predicts == "nothing" else farthest)))
    sees = predicts == "next" and not (b[0].switches & model_calls.trained(b[0].weights)).mask
    note = (
        "<p>Without the mask B can read the word that it should predict, so its accuracy and its loss are not "
        "meaningful.</p>"
    )
    answers = f"<div>{_right_answers(*unseen) if is_small else ''}{note if sees else ''}</div>"
    st.html(f'<div class="strip"><div class="numbers">{"".join(numbers)}</div>{answers}</div>')
    broken = prediction_change.first_nonfinite(b[1])
    if broken:
        st.warning(f"B holds values that are not numbers, first in {broken}. They are shown as they are.")


def _number(name: str, value: float, beside: str, hint: str) -> str:
    return (
        f'<div class="number" title="{escape(hint)}"><div class="name">{escape(name)}</div>'
        f'<div class="value">{format_metric(value)}</div><div class="beside">{escape(beside)}</div></div>'
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


def format_metric(value: float) -> str:
    """A number as people read it; what is no number says so."""
    if not np.isfinite(value):
        return "not a number"
    if ROUNDING < abs(value) < 0.005:  # two decimals would be those of 0
        return format_number(value)
    return f"{value:.2f}" if abs(value) < 1000 else f"{value:,.0f}"
