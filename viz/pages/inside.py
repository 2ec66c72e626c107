"""What happens inside one head? One row of it, step by step, with the model's own numbers."""

import streamlit as st

from viz.reading import telling_row
from viz.ui import (
    controls,
    facts,
    frame,
    inside,
    inside_averaging,
    inside_forms,
    inside_sizes,
    inside_spectrum,
    inside_steps,
    panel,
    runs,
    units,
)

theme = frame.theme()
notices = st.container()
experiment = controls.experiment()
config = runs.about(experiment.weights)["config"]
trace = runs.trace(experiment)
words = runs.encoding(experiment).surface
layer, head = controls.head(config["n_layers"], config["n_heads"], default=facts.headline(experiment.weights))
pinned = controls.token(words, units.each(experiment))
row = telling_row(trace.layers[layer].attention.weights[head]) if pinned is None else pinned
controls.foot(experiment)

controls.unknown_words(experiment)
match inside.view():
    case "Step by step":
        inside_steps.show(experiment, trace, layer, head, row, words, theme)
    case "Both forms":
        inside_forms.show(experiment, trace, layer, head, words, theme)
    case "Free sizes":
        inside_sizes.show(experiment, trace, layer, words, theme)
    case "Only averaging":
        inside_averaging.show(experiment, trace, layer, head, row, words, pinned is not None, theme)
    case "Spectrum":
        inside_spectrum.show(experiment, trace, layer, head, theme)

panel.lesson("inside")
with notices:
    controls.link_mishaps()
