"""What happens to a sentence inside a Transformer? The whole model, from the tokens to the next word."""

from dataclasses import replace
from functools import partial

import streamlit as st

from viz.pages.machine import compute, feed_forward, pair_model, whole_model
from viz.ui import ablation, controls, figure_panel, model_calls, opening_choice, token_units, visitor
from viz.ui.state import Param

theme = visitor.theme()
notices = st.container()
experiment = controls.experiment(pairs=True)
if experiment.weights in model_calls.pair_models():
    pair_model.show(experiment, theme)
else:
    config = model_calls.about(experiment.weights).model_config
    off = ablation.heads_off(config.n_layers, config.n_heads)
    experiment = replace(experiment, switches=replace(experiment.switches, heads_off=off))
    full = opening_choice.full_model(experiment)
    trace = model_calls.trace(experiment)
    words = model_calls.encoding(experiment).surface
    # The full model decides which token is followed, so that a switch never changes it.
    row, pinned = token_units.query_row(experiment, partial(compute.mixed_row, full))
    layer = controls.layer(config.n_layers, config.n_layers - 1)
    controls.sidebar_footer(experiment)

    controls.unknown_words(experiment)
    detail = controls.choice("Below each part", ("words", "shapes", "numbers"), key=Param.DETAIL)
    whole_model.show(
        whole_model.Pass(experiment, trace, model_calls.trace(full), compute.flow(experiment), config, words),
        row,
        pinned,
        detail,
        theme,
    )
    st.markdown(f"#### The feed-forward network of layer {layer}")
    if (experiment.switches & config.trained).mlp:
        feed_forward.show(experiment, layer, row, words[row], theme)
    else:
        st.info("This model has no feed-forward networks now, so there are no hidden units to show.")

figure_panel.page_footer("machine")
with notices:
    controls.report_bad_link()
