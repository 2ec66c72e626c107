"""One row of one head, overwritten; and the effect of each of its weights."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from model.analysis import attribution, prediction_change
from model.attention import AttentionOverride, renormalise
from model.run import Experiment
from viz import canvas
from viz.captions.heads import describe_attribution, describe_override
from viz.export.tables import Table
from viz.figures.scatter import scatter
from viz.labels import bold, numbered
from viz.pages.remove import compute
from viz.theme import Theme
from viz.types import Array
from viz.ui import controls, copy_as_python, figure_panel, model_calls, not_available, server_cache, slots
from viz.ui.state import Key, Param, key_of


@server_cache.cached
def ablation_effect(experiment: Experiment, layer: int, head: int, row: int) -> Array:
    """What each look of one row is worth to the next word."""
    with slots.place("Blocking one weight after another", attribution.cost_of_key_ablation(experiment)):
        return attribution.key_ablation_effect(experiment, layer, head, row)


@server_cache.cached
def gradient_effect(experiment: Experiment, layer: int, head: int, row: int) -> Array:
    """What a gradient says each look is worth."""
    with slots.place("Computing a gradient", model_calls.operations(experiment, 4)):
        return attribution.gradient_times_weight(experiment, layer, head, row)


def rank_correlations(weights: Array, worth: Array, slopes: Array) -> tuple[float, float] | None:
    """The rank correlations of the weights, and of |gradient × weight|, with `worth`; None: nothing to order."""
    seen = weights > 0
    if seen.sum() < 3 or not np.isfinite(worth[seen]).all() or not np.isfinite(slopes[seen]).all():
        return None
    return (
        attribution.rank_correlation(weights[seen], worth[seen]),
        attribution.rank_correlation(np.abs(slopes[seen]), worth[seen]),
    )


def override_controls(
    weights: Array, mask: Array, words: Sequence[str], layer: int, head: int, row: int
) -> AttentionOverride | None:
    """The row of weights that the person wants instead; weights, mask (S,) of the row as it is."""
    ways = ("as it is", "uniform", "one word", "by hand")
    how = controls.choice("The row becomes", ways, key=Param.OVERRIDE, default="uniform", label_visibility="visible")
    allowed = [index for index, may in enumerate(mask) if may]
    chosen = np.zeros(len(weights))
    if how == "as it is" or not allowed:
        return None
    if how == "uniform":
        chosen[allowed] = 1.0
    elif how == "one word":
        chosen_index = st.selectbox(
            "All attention on", allowed, format_func=lambda position: f"{position} {words[position]}"
        )
        chosen[chosen_index] = 1.0
    else:
        row_weights: Table = {
            "word": [words[index] for index in allowed],
            "weight": [round(float(weights[index]), 3) for index in allowed],
        }
        typed: Any = st.data_editor(
            row_weights,
            column_config=figure_panel.number_columns(row_weights),
            disabled=["word"],
            hide_index=True,
            key=key_of(Key.BY_HAND, layer, head, row),
        )
        chosen[allowed] = [max(float(weight or 0), 0.0) for weight in typed["weight"]]
    return AttentionOverride(layer, head, row, renormalise(chosen.tolist()))


def show(experiment: Experiment, layer: int, head: int, row: int, theme: Theme) -> None:
    """One row of one head of the full model, overwritten; and the effect of each of its weights."""
    if missing := not_available.requires_lm_head(experiment.weights):
        st.info(missing)
        return
    trace, words = model_calls.trace(experiment), model_calls.encoding(experiment).surface
    attention = trace.layers[layer].attention
    weights, mask = attention.weights[head, row], attention.mask[head, row]  # (S,)
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown(f"**Layer {layer}, head {head}**, the row of {bold(words[row])}")
        written = override_controls(weights, mask, words, layer, head, row)
        other = replace(experiment, override=written)
        changed = model_calls.trace(other)
        p, q, likely = compute.next_words(trace, changed, row, experiment.weights, n=5)
        moved = float(prediction_change.prediction_change(trace, changed)[row])
        drawn = canvas.probability_bars({"A": p, "B": q}, likely, key="overwritten", theme=theme)
        figure_panel.below(
            drawn,
            sentence=describe_override(
                words[row], moved, written is not None, not_available.prediction_kind(experiment.weights)
            ),
            table=lambda: {"word": likely, "A": p, "B": q},
            file=f"{other.name}-{row}",
            of=figure_panel.Subject(other, notice=f"B: {copy_as_python.ablation_notice(other)}" if written else ""),
            python=copy_as_python.next_token_pairs(experiment, other, row, n=5),
        )
    with right:
        st.markdown("**Does a large weight matter?** Each weight of the row is blocked in turn")
        worth, slopes = ablation_effect(experiment, layer, head, row), gradient_effect(experiment, layer, head, row)
        figure_panel.chart(
            scatter(weights, worth, words, theme=theme, x_name="weight", y_name="KL of the next word, nats"),
            key="worth",
            sentence=describe_attribution(
                weights,
                worth,
                words,
                rank_correlations(weights, worth, slopes),
                not_available.prediction_kind(experiment.weights),
            ),
            table=lambda: {
                "word": numbered(words),
                "weight": weights,
                "KL when blocked": worth,
                "gradient × weight": slopes,
            },
            file=f"{experiment.name}-L{layer}H{head}-row-{row}-worth",
            of=experiment,
            python=copy_as_python.attribution(experiment, layer, head, row),
        )
