"""What happens inside one head? One row of it, step by step, with the model's own numbers."""

import streamlit as st

from viz.pages.inside import cost, loop_and_matmul, qk_spectrum, steps, values, views
from viz.ui import controls, figure_panel, model_calls, opening_choice, token_units, visitor

theme = visitor.theme()
notices = st.container()
acting = views.acting()
experiment = controls.experiment(acting)
config = model_calls.about(experiment.weights).model_config
trace = model_calls.trace(experiment)
words = model_calls.encoding(experiment).surface
layer, head = controls.head(config.n_layers, config.n_heads, default=opening_choice.opening_head(experiment).place)
pinned = controls.token(words, token_units.unit_of(experiment), acting)
row = opening_choice.opening_row(experiment, layer, head) if pinned is None else pinned
controls.sidebar_footer(experiment)

controls.unknown_words(experiment)
match views.view():
    case "Step by step":
        steps.show(experiment, trace, layer, head, row, words, theme)
    case "Loop or matrix":
        loop_and_matmul.show(experiment, trace, layer, head, words, theme)
    case "Size and cost":
        cost.show(experiment, trace, layer, words, theme)
    case "Average of values":
        values.show(experiment, trace, layer, head, row, words, pinned is not None, theme)
    case "QK spectrum":
        qk_spectrum.show(experiment, trace, layer, head, theme)

figure_panel.page_footer("inside")
with notices:
    controls.report_bad_link()
