"""What happens inside one head? One row of it, step by step, with the model's own numbers."""

from functools import partial

import streamlit as st

from viz.pages.inside import cost, cross_attention, loop_and_matmul, qk_spectrum, steps, values, views
from viz.ui import controls, figure_panel, model_calls, opening_choice, token_units, visitor

theme = visitor.theme()
notices = st.container()
acting = views.acting()
experiment = controls.experiment(acting, pairs=True)
if experiment.weights in model_calls.pair_models():
    cross_attention.show(experiment, theme)
    figure_panel.page_footer("inside")
    with notices:
        controls.report_bad_link()
    st.stop()
trace = model_calls.trace(experiment)
words = model_calls.encoding(experiment).surface
layer, head = opening_choice.choose_head(experiment, acting)
automatic = partial(opening_choice.opening_row, experiment, layer, head)
row, pinned = token_units.query_row(experiment, automatic, acting=acting)
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
        values.show(experiment, trace, layer, head, row, words, pinned, theme)
    case "QK spectrum":
        qk_spectrum.show(experiment, trace, layer, head, theme)

figure_panel.page_footer("inside")
with notices:
    controls.report_bad_link()
