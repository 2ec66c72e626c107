"""Ways around n²: what they cost, how far they are from exact attention, and attention tile by tile."""

import streamlit as st

from model.run import Experiment
from viz.pages.why import approximation, costs
from viz.theme import Theme
from viz.ui import controls, model_calls

WAYS = costs.Comparison(
    key="escape_costs",
    kinds=("attention", "fused", "window", "linformer", "linear"),
    fields=("n", "d", "window", "n_heads", "rank", "from_n"),
    columns=("operations", "time", "memory", "time_exponent", "memory_exponent"),
    pair=("linear", "attention"),
    noun="linear attention",
    short="linear cheaper",
    file="sub-quadratic-costs",
)


def show(experiment: Experiment, theme: Theme) -> None:
    """The costs; below, the approximation error and the tiles of one head."""
    costs.show(WAYS, theme)
    config = model_calls.about(experiment.weights).model_config
    layer, head = controls.head(config.n_layers, config.n_heads, (0, 0), frozenset({controls.Control.HEAD}))
    st.markdown("#### How far from exact attention, on a trained model’s own q, k and v")
    approximation.show_errors(experiment, layer, head, theme)
    st.markdown("#### Exact attention without the whole map: tile by tile")
    approximation.show_tiles(experiment, layer, head, theme)
