"""Models trained without a part, beside the model that has them all."""

from collections.abc import Callable
from functools import partial

import numpy as np
import streamlit as st

from model import checkpoint
from model.switches import PARTS, Switches
from model.training.language_model import CURVE_SENTENCES
from viz.captions.heads import describe_learning_curves, describe_trained_without
from viz.figures.learning_curves import curves
from viz.theme import Theme
from viz.ui import ablation, controls, copy_as_python, figure_panel, model_calls
from viz.ui.learning_curves import curve_arrays, curve_table, show_samples
from viz.ui.progress import Missing
from viz.ui.state import Key, Param

HEADLINE = "verb in the relative clause"  # the question that no shortcut answers


def show(base: str, theme: Theme) -> Missing | None:
    """Learning curves at equal steps, the spread of the seeds, and what the models write.

    Returns what is not computed yet: the learning curves are on the cards, the rest is not.
    """
    parts = [part for part in PARTS if f"{base}-without-{part.name}" in checkpoint.names()]
    if not parts:
        st.info(f"There are no models trained without a part for “{base}”.")
        return None
    labels = {part.name: part.label for part in parts}
    removed = [part.name for part in parts if not st.session_state.get(Param(part.name), True)]
    first = removed[0] if removed else parts[0].name
    part = controls.choice(
        "Trained without",
        list(labels),
        key=Key.NEVER,
        default=first,
        format_func=labels.get,
        label_visibility="visible",
        bind=None,
    )
    ablated = f"{base}-without-{part}"
    cards = {
        "with every part": model_calls.about(base).language,
        "trained without it": model_calls.about(ablated).language,
    }
    whole, never = [np.array([seed.loss for seed in card.seeds]) for card in cards.values()]
    without = Switches().without(part)
    writers = {"with every part": base, f"trained without: {labels[part]}": ablated}
    place = st.container(key="reading_twin")
    work: list[tuple[str, Callable[[], object]]] = []
    if not ablation.held_out.has(base, without):
        work.append(
            (f"Measuring the model with this part removed: {labels[part]}", partial(ablation.held_out, base, without))
        )
    else:
        now = ablation.held_out(base, without)
        place.markdown(
            describe_trained_without(whole, never, now.loss, now.sentences, labels[part], ahead=part == "mask")
        )
    steps = [point.step for point in cards["with every part"].curve]
    questions = list(cards["with every part"].probes)
    weights = {"with_every_part": base, "trained_without_it": ablated}
    notice = f"trained without {copy_as_python.parts(without)}"
    subject = figure_panel.Subject((base, ablated), notice=notice)
    left, middle, right = st.columns(3, gap="large")
    with left:
        loss = {name: card.learning_curves() for name, card in cards.items()}
        figure_panel.chart(
            curves(steps, loss, theme=theme, value_name=f"loss on {CURVE_SENTENCES} new sentences, nats"),
            key="loss_curves",
            sentence=describe_learning_curves(loss, "loss"),
            table=partial(curve_table, steps, loss),
            file=f"{ablated}-loss",
            of=subject,
            arrays=partial(curve_arrays, steps, loss),
            python=copy_as_python.curves(weights),
        )
    with middle:
        question = st.selectbox("Question", questions, index=questions.index(HEADLINE) if HEADLINE in questions else 0)
        right_answers = {name: card.learning_curves(question) for name, card in cards.items()}
        figure_panel.chart(
            curves(steps, right_answers, theme=theme, value_name=f"right answers: {question}", share=True),
            key="answer_curves",
            sentence=describe_learning_curves(right_answers, "share of right answers"),
            table=partial(curve_table, steps, right_answers),
            file=f"{ablated}-answers",
            of=subject,
            arrays=partial(curve_arrays, steps, right_answers),
            python=copy_as_python.curves(weights, question),
        )
    with right:
        st.markdown(
            "**What they generate**, sampled word by word. The number is the loss of the full model on this text, in "
            "nats per word."
        )
        work += show_samples(writers, base)
    return Missing(place, work)
