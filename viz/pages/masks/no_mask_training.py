"""A model trained without the causal mask, beside the entropy of the language."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial

import streamlit as st

from model import checkpoint
from model.analysis.ablation import HeldOutScores
from model.model_card import LanguageCard
from model.switches import Switches
from model.tasks.grammar.entropy import Entropy
from model.training.language_model import CURVE_SENTENCES
from viz.captions.heads import describe_learning_curves, thin_seeds
from viz.captions.masks import describe_no_mask_training
from viz.figures.learning_curves import curves
from viz.pages.masks.compute import language
from viz.theme import Theme
from viz.ui import ablation, copy_as_python, figure_panel, model_calls
from viz.ui.learning_curves import curve_arrays, curve_table, show_samples
from viz.ui.progress import Missing

NO_MASK = Switches(mask=False)


@dataclass(frozen=True)
class Losses:
    """The entropy of the language, over many sentences and over those of the losses; and three losses."""

    many: Entropy
    same: Entropy
    whole: HeldOutScores  # of the model with its mask
    never: HeldOutScores  # of the model trained without it
    now: HeldOutScores  # of the model without its mask


def show(weights: str, theme: Theme) -> Missing:
    """Losses against the entropy, their learning curves, and what the two models write.

    Returns what is not computed yet. Until then the losses and the curves are those of the model cards.
    """
    base = model_calls.final_weights(weights).split("-without-")[0]
    unmasked = f"{base}-without-mask"
    if unmasked not in checkpoint.names() or model_calls.task(base).name != "grammar":
        base, unmasked = "grammar", "grammar-without-mask"
    cards = {
        "with the mask": model_calls.about(base).language,
        "trained without it": model_calls.about(unmasked).language,
    }
    work = _unmeasured(base, unmasked)
    losses = None if work else _losses(base, unmasked)
    _numbers(base, list(cards.values()), losses)
    place = st.container()
    steps = [point.step for point in cards["with the mask"].curve]
    loss = {name: card.learning_curves() for name, card in cards.items()}
    left, right = st.columns(2, gap="large")
    with left, nullcontext() if losses else figure_panel.deferred_file("cheating"):
        figure_panel.chart(
            curves(
                steps,
                loss,
                theme=theme,
                value_name=f"loss on {CURVE_SENTENCES} new sentences, nats per word",
                level=losses.many.nats if losses else None,
                level_name="entropy of the language",
            ),
            key="cheating",
            sentence=_sentence(losses) + thin_seeds(loss) if losses else describe_learning_curves(loss, "loss"),
            table=partial(curve_table, steps, loss),
            file=f"{unmasked}-against-entropy",
            of=figure_panel.Subject((base, unmasked), notice="trained without the causal mask"),
            arrays=partial(curve_arrays, steps, loss),
            python=copy_as_python.curves({"with_the_mask": base, "trained_without_it": unmasked}),
        )
    with right:
        st.markdown(
            "**What they generate**, sampled word by word from “the”. The number is the loss of the masked model on "
            "this text, in nats per word. During generation there is no next word to copy, so reading ahead does not "
            "help."
        )
        work += show_samples({"With the mask": base, "Trained without the mask": unmasked}, base)
    return Missing(place, work)


def _unmeasured(base: str, unmasked: str) -> list[tuple[str, Callable[[], object]]]:
    """The losses that are not measured yet, and how they are measured."""
    work: list[tuple[str, Callable[[], object]]] = []
    if not language.has():
        work.append(("Generating sentences for the entropy of the language", language))
    for name, switches, how in (
        (base, Switches(), "with the mask"),
        (unmasked, Switches(), "trained without the mask"),
        (base, NO_MASK, "with the mask removed now"),
    ):
        if not ablation.held_out.has(name, switches):
            work.append((f"Measuring the model {how} on new sentences", partial(ablation.held_out, name, switches)))
    return work


def _losses(base: str, unmasked: str) -> Losses:
    whole, never = (ablation.held_out(name, Switches()) for name in (base, unmasked))
    return Losses(*language(), whole, never, ablation.held_out(base, NO_MASK))


def _numbers(base: str, cards: list[LanguageCard], losses: Losses | None) -> None:
    """Four numbers in a row. Until they are measured here: what the cards say."""
    names = ("Entropy of the language", f"{base}, masked", "Trained without the mask", "Mask removed now")
    if losses:
        entropy, many = losses.same.nats, losses.many
        measured = [score.loss for score in (losses.whole, losses.never, losses.now)]
        values = [f"{loss:.2f}" for loss in (entropy, *measured)]
        notes = [f"{many.nats:.2f} ± {many.error:.2f} over {many.sentences:,}"]
        notes += [f"{loss - entropy:+.2f}" for loss in measured]
        hint = (
            f"The mean of −ln p over every word, in nats, on the same {losses.same.sentences} new sentences. The small "
            "number is the difference from the entropy of the language."
        )
    else:
        values = ["…", *(_shipped_loss(card) for card in cards), "…"]
        notes = ["", *["from the model card"] * 2, ""]
        hint = "The mean of −ln p over every word, in nats, on the sentences of the model card."
    for column, name, value, note in zip(st.columns(4, gap="small"), names, values, notes, strict=True):
        column.metric(name, value, note.replace("-", "−"), delta_color="off", delta_arrow="off", help=hint)


def _shipped_loss(card: LanguageCard) -> str:
    """The loss of the shipped weights on their card: at the end of its curve."""
    return f"{card.curve[-1].loss:.2f}" if card.curve else "…"


def _sentence(losses: Losses) -> str:
    entropy, whole, never = losses.same.nats, losses.whole.loss, losses.never.loss
    return describe_no_mask_training(entropy, whole, never, losses.same.sentences)
