"""A model trained without the causal mask, beside the entropy of the language."""

from functools import partial

import streamlit as st

from model import checkpoint
from model.switches import Switches
from model.training.recipes import CURVE_SENTENCES
from viz.captions.heads import thin_seeds
from viz.captions.masks import read_cheating
from viz.figures.learning_curves import curves
from viz.pages.masks.compute import language
from viz.theme import Theme
from viz.ui import ablation, copy_as_python, figure_panel, model_calls
from viz.ui.learning_curves import curve_arrays, curve_of, curve_table, written


def show(weights: str, theme: Theme) -> None:
    """Losses against the entropy, their learning curves, and what the two models write."""
    base = weights.split("-without-")[0]
    twin = f"{base}-without-mask"
    if twin not in checkpoint.names() or model_calls.task(base).name != "grammar":
        base, twin = "grammar", "grammar-without-mask"
    many, same = language()
    whole, never = (ablation.held_out(name, Switches()) for name in (base, twin))
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
        told = (
            f"The mean of −ln p over every word, in nats, on the same {same.sentences} new sentences. The small number "
            "is the difference from the entropy of the language."
        )
        column.metric(name, value, note.replace("-", "−"), delta_color="off", delta_arrow="off", help=told)
    cards = {"with the mask": model_calls.about(base), "trained without it": model_calls.about(twin)}
    steps = [point["step"] for point in cards["with the mask"]["curve"]]
    loss = {name: curve_of(card, "loss") for name, card in cards.items()}
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
            sentence=read_cheating(same.nats, whole.loss, never.loss, same.sentences) + thin_seeds(loss),
            table=partial(curve_table, steps, loss),
            file=f"{twin}-against-entropy",
            of=(base, twin),
            says="trained without the causal mask",
            arrays=partial(curve_arrays, steps, loss),
            python=copy_as_python.curves({"with_the_mask": base, "trained_without_it": twin}),
        )
    with right:
        st.markdown(
            "**What they generate**, sampled word by word from “the”. The number is the loss of the masked model on "
            "this text, in nats per word. During generation there is no next word to copy, so reading ahead does not "
            "help."
        )
        for name, model in (("With the mask", base), ("Trained without the mask", twin)):
            text, surprise = written(model, base)
            st.markdown(f"{name}, {surprise:.2f}")
            st.code(text, language=None, wrap_lines=True)
