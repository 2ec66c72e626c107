"""Models that never had a part, beside the one that has them all."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from model import checkpoint
from model.analysis import prediction_change
from model.generation.generate import generate
from model.run import Experiment, encode, run
from model.switches import PARTS, Switches
from model.training.recipes import CURVE_SENTENCES
from viz.curves import curves
from viz.export import Labelled, Table
from viz.reading import read_curves, read_twin
from viz.theme import Theme
from viz.ui import controls, memory, panel, recompute, removal, runs

Array = np.ndarray[Any, Any]


HEADLINE = "verb in the relative clause"  # the question that no shortcut answers


def curve_of(card: dict[str, Any], what: str) -> Array:
    """The learning curves of the R seeds that kept theirs, (R, N): the loss, or the accuracy at one question."""
    curves = [seed["curve"] for seed in card["seeds"] if "curve" in seed] or [card["curve"]]
    return np.array(
        [[point["loss"] if what == "loss" else point["accuracy"][what] for point in curve] for curve in curves]
    )


def curve_table(steps: Sequence[int], seeds: dict[str, Array]) -> Table:
    """Learning curves as a table: one line a step, one column a model and seed."""
    columns = {f"{name}, seed {i}": run for name, runs_ in seeds.items() for i, run in enumerate(runs_)}
    return {"step": list(steps), **columns}


def curve_arrays(steps: Sequence[int], seeds: dict[str, Array]) -> dict[str, Labelled]:
    """Learning curves (R, N) by model."""
    return {
        word: Labelled(values, {f"seed_{word}": range(len(values)), "step": list(steps)})
        for word, values in ((name.replace(" ", "_"), values) for name, values in seeds.items())
    }


@memory.cached
def written(weights: str, judge: str, opening: str = "the", words: int = 40) -> tuple[str, float]:
    """A text that these weights write after `opening`, and the loss of `judge` on the words they added."""
    with runs.computing:
        said = generate(Experiment(weights=weights, text=opening), tokens=words, method="sample", seed=1)
        experiment = Experiment(weights=judge, text=said.text)
        return said.text, prediction_change.text_loss(run(experiment), encode(experiment).ids)


def show(base: str, theme: Theme) -> None:
    """Learning curves at equal steps, the spread of the seeds, and what the models write."""
    parts = [part for part in PARTS if f"{base}-without-{part.name}" in checkpoint.names()]
    if not parts:
        st.info(f"There are no models trained without a part for “{base}”.")
        return
    labels = {part.name: part.label for part in parts}
    removed = [part.name for part in parts if not st.session_state.get(part.name, True)]
    first = removed[0] if removed else parts[0].name
    part = controls.choice(
        "Trained without",
        list(labels),
        key="never",
        default=first,
        format_func=labels.get,
        label_visibility="visible",
        bind=None,
    )
    twin = f"{base}-without-{part}"
    cards = {"with every part": runs.about(base), "never had it": runs.about(twin)}
    whole, never = [np.array([seed["loss"] for seed in card["seeds"]]) for card in cards.values()]
    now = removal.held_out(base, Switches().without(part))
    with st.container(key="reading_twin"):
        st.markdown(read_twin(whole, never, now.loss, now.sentences, labels[part], ahead=part == "mask"))
    steps = [point["step"] for point in cards["with every part"]["curve"]]
    questions = list(cards["with every part"]["exam"]["accuracy"])
    weights = {"with_every_part": base, "never_had_it": twin}
    says = f"trained without {recompute.parts(Switches().without(part))}"
    left, middle, right = st.columns(3, gap="large")
    with left:
        loss = {name: curve_of(card, "loss") for name, card in cards.items()}
        panel.chart(
            curves(steps, loss, theme=theme, value_name=f"loss on {CURVE_SENTENCES} new sentences, nats"),
            key="loss_curves",
            sentence=read_curves(loss, "loss"),
            table=partial(curve_table, steps, loss),
            file=f"{twin}-loss",
            of=(base, twin),
            says=says,
            arrays=partial(curve_arrays, steps, loss),
            python=recompute.curves(weights),
        )
    with middle:
        question = st.selectbox("Question", questions, index=questions.index(HEADLINE) if HEADLINE in questions else 0)
        right_answers = {name: curve_of(card, question) for name, card in cards.items()}
        panel.chart(
            curves(steps, right_answers, theme=theme, value_name=f"right answers: {question}", share=True),
            key="answer_curves",
            sentence=read_curves(right_answers, "share of right answers"),
            table=partial(curve_table, steps, right_answers),
            file=f"{twin}-answers",
            of=(base, twin),
            says=says,
            arrays=partial(curve_arrays, steps, right_answers),
            python=recompute.curves(weights, question),
        )
    with right:
        st.markdown(
            "**What they generate**, sampled word by word. The number is the loss of the full model on this text, in "
            "nats per word."
        )
        for name, writer in (("with every part", base), (f"trained without: {labels[part]}", twin)):
            text, surprise = written(writer, base)
            st.markdown(f"{name}, {surprise:.2f}")
            st.code(text, language=None, wrap_lines=True)
