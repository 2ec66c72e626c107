"""Which figure of the enlarged head is shown, and which one below it."""

from collections.abc import Sequence

import streamlit as st

from viz.ui.controls.choices import choice
from viz.ui.state import Param

STAGES = ("scores", "scaled", "biased", "masked", "weights")  # fields of AttentionTrace, in the order they happen


def stage(layer: int, head: int, does: Sequence[str], merged: bool = False) -> str:
    """Which stage of the enlarged head to show, under its name. Returns the stage's field in AttentionTrace.

    merged: pieces were put together to words. A score belongs to two pieces, so then there are weights only.
    """
    named = f" :gray[{does[0]}]" if does else ""
    st.markdown(f"**Layer {layer}, head {head}**{named}", help=" · ".join(does) if len(does) > 1 else None)
    if merged:
        st.caption(
            "Weights are shown word by word. Scores belong to single tokens: choose a row for each token to see them."
        )
        return "weights"
    return choice(
        "Stage",
        STAGES,
        key=Param.STAGE,
        default="weights",
        width="stretch",
        help="scores: q·k. scaled: divided by √d_k. biased: plus the position bias. masked: forbidden scores become "
        "−∞. weights: the softmax of each row.",
    )


def choose_panel(predicts_words: bool) -> str:
    """Which further figure to show below the fold; a model that predicts no words begins with a panel that it has."""
    kinds = ("Next word", "Generate", "Head statistics", "Rollout")
    return choice("More about this sentence", kinds, key=Param.PANEL, default=kinds[0 if predicts_words else 2])
