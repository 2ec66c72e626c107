"""The spectrum of W_Q W_Kᵀ: how many directions of the stream a head can compare."""

import numpy as np
import streamlit as st

from model.analysis import qk_circuit
from model.run import Experiment
from model.transformer import Trace
from viz.captions.inside import describe_qk_spectrum
from viz.export.tables import file_name
from viz.figures.singular_values import spectrum
from viz.theme import Theme
from viz.types import Array
from viz.ui import copy_as_python, figure_panel, model_calls, server_cache


def show(experiment: Experiment, trace: Trace[Array], layer: int, head: int, theme: Theme) -> None:
    """The spectrum of W_Q W_Kᵀ."""
    values = _singular(experiment.weights, layer, head)
    rank = qk_circuit.numerical_rank(values)
    d_k = trace.layers[layer].attention.q.shape[-1]
    with st.columns([3, 2])[0]:
        figure_panel.chart(
            spectrum(values, rank, d_k, theme=theme),
            key="spectrum",
            sentence=describe_qk_spectrum(
                rank, d_k, len(values), values[rank - 1], values[rank] if rank < len(values) else 0.0
            ),
            table=lambda: {"number": np.arange(1, len(values) + 1), "singular value": values},
            file=file_name(experiment.weights, f"L{layer}H{head}-spectrum"),
            of=Experiment(experiment.weights),
            python=copy_as_python.python(
                f"singular_value = singular_values({experiment.weights!r}, {layer}, {head})",
                "from model.analysis.qk_circuit import singular_values",
            ),
        )


@server_cache.cached
def _singular(weights: str, layer: int, head: int) -> Array:
    with model_calls.compute_slots:
        return qk_circuit.singular_values(weights, layer, head)
