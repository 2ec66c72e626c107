"""A model trained without the causal mask, beside the entropy of the language."""

from functools import partial

import streamlit as st

from model import checkpoint
from model.switches import Switches
from model.training.language_model import CURVE_SENTENCES
from viz.captions.heads import thin_seeds
from viz.captions.masks import describe_no_mask_training
from viz.figures.learning_curves import curves
from viz.pages.masks.compute import language
from viz.theme import Theme
from viz.ui import ablation, copy_as_python, figure_panel, model_calls
from viz.ui.learning_curves import curve_arrays, curve_table, sample_text


def show(weights: str, theme: Theme) -> None:
    """Losses against the entropy, their learning curves, and what the two models write."""
    base = weights.split("-without-")[0]
    unmasked = f"{base}-without-mask"
    if unmasked not in checkpoint.names() or model_calls.task(base).name != "grammar":
        base, unmasked = "grammar", "grammar-without-mask"
    many, same = language()
    whole, never = (ablation.held_out(name, Switches()) for name in (base, unmasked))
    now = ablation.held_out(base, Switches(mask=False))
    columns = st.columns(4, gap="small")
    for column, name, value, note in (
        (
            columns[0],
            "Entropy of the language",
            f"{same.nats:.2f}",
            f"{many.nats:.2f} ± {many.error:.2f} over {many.sentences:,}",
        ),
        (columns[1], f"{base}, masked", f"{whole.loss:.2f}", f"{whole.loss - same.nats:+.2f}"),
        (columns[2], "Trained without the mask", f"{never.loss:.2f}", f"{never.loss - same.nats:+.2f}"),
        (columns[3], "Mask removed now", f"{now.loss:.2f}", f"{now.loss - same.nats:+.2f}"),
    ):
        hint = (
            f"The mean of −ln p over every word, in nats, on the same {same.sentences} new sentences. The small number "
            "is the difference from the entropy of the language."
        )
        column.metric(name, value, note.replace("-", "−"), delta_color="off", delta_arrow="off", help=hint)
    cards = {
        "with the mask": model_calls.about(base).language,
        "trained without it": model_calls.about(unmasked).language,
    }
    steps = [point.step for point in cards["with the mask"].curve]
    loss = {name: card.learning_curves() for name, card in cards.items()}
    left, right = st.columns(2, gap="large")
    with left:
        figure_panel.chart(
            curves(
                steps,
                loss,
                theme=theme,
                value_name=f"loss on {CURVE_SENTENCES} new sentences, nats per word",
                level=many.nats,
                level_name="entropy of the language",
            ),
            key="cheating",
            sentence=describe_no_mask_training(same.nats, whole.loss, never.loss, same.sentences) + thin_seeds(loss),
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
        for name, model in (("With the mask", base), ("Trained without the mask", unmasked)):
            text, surprise = sample_text(model, base)
            st.markdown(f"{name}, {surprise:.2f}")
            st.code(text, language=None, wrap_lines=True)
