"""One row of cross-attention, step by step: a query from the decoder, keys and values from the encoder."""

from dataclasses import replace

import numpy as np
import streamlit as st

from model.analysis.head_walkthrough import walk_through_cross_row
from model.run import Experiment, InputTextError, encode_pair
from viz.pages.inside import steps
from viz.theme import Theme
from viz.types import Array
from viz.ui import controls, model_calls, opening_choice, slots


def show(experiment: Experiment, theme: Theme) -> None:
    """The controls of a model of two sentences, and one row of its cross-attention. The target is what it writes."""
    config = model_calls.about(experiment.weights).model_config
    try:
        full = opening_choice.full_model(experiment)
        experiment = replace(experiment, target=model_calls.translation(full))
        trace = model_calls.pair_trace(experiment)
        whole = model_calls.pair_trace(replace(full, target=experiment.target))
    except (InputTextError, slots.TooMuch) as error:
        st.info(str(error))
        controls.report_bad_link(whole=False)
        st.stop()
    source, target = encode_pair(experiment)
    weights = np.stack([layer.cross.weights for layer in whole.decoder.layers])  # (L, H, T, S)
    layer, head = controls.head(config.n_layers, config.n_heads, sharpest_head(weights), tokens=experiment.text)
    pinned = controls.token(target.surface, f"{model_calls.pair_task(experiment.weights).unit} of the target")
    row = sharpest_row(weights[layer, head]) if pinned is None else pinned
    controls.sidebar_footer(experiment)
    st.markdown(
        "The **decoder** asks, the **encoder** answers: the query is made of a word of the target, the keys and values "
        "of the words of the source. Choose a model of one text for the other views."
    )
    steps.draw(
        steps.Walk(
            experiment,
            walk_through_cross_row(experiment, trace, layer, head, row),
            layer,
            head,
            query=target.surface[row],
            keys=source.surface,
            place=-1,
            lines=(
                f"row = walk_through_cross_row(experiment, run_pair(experiment), {layer}, {head}, {row})\n",
                "from model.analysis.head_walkthrough import walk_through_cross_row\nfrom model.run import run_pair",
            ),
        ),
        theme,
    )


def sharpest_head(weights: Array) -> tuple[int, int]:
    """The (layer, head) whose rows have the largest weights on average. weights (L, H, T, S)."""
    layer, head = np.unravel_index(weights.max(axis=-1).mean(axis=-1).argmax(), weights.shape[:2])
    return int(layer), int(head)


def sharpest_row(weights: Array) -> int:
    """The row with the largest weight; not the first, which no word was written for. weights (T, S)."""
    return 1 + int(weights[1:].max(axis=-1).argmax()) if len(weights) > 1 else 0
