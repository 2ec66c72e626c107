"""The table of norms, A and B: what enters each norm of a model, and what it makes of it."""

from typing import Any

import streamlit as st

from model.config import ModelConfig
from model.norm import NormTrace
from model.run import Experiment, get_transformer
from model.switches import Switches
from model.transformer import Trace
from viz.types import Array
from viz.ui.figure_panel import number_columns

STAGES = {"before": "input", "normalised": "normalised", "after": "out"}  # column → field of NormTrace
MAKES = {"layer": "mean 0 and variance 1", "rms": "a mean square of 1"}  # kind of norm → what it normalises to


def show(of: tuple[Experiment, Experiment], a: Trace[Array], b: Trace[Array]) -> None:
    """One table for A and one for B; of a side without norms, a sentence that says so."""
    st.markdown(
        "Every norm, averaged over the words: **before** the norm, **normalised**, and **after** scale and shift."
    )
    for side, experiment, trace in (("A", of[0], a), ("B", of[1], b)):
        config = get_transformer(experiment.weights)[0].config
        st.caption(describe(side, config, experiment.switches & config.trained))
        table = norm_table(trace, final_name(config))
        if table["norm"]:
            st.dataframe(table, hide_index=True, height="content", column_config=number_columns(table))


def describe(side: str, config: ModelConfig, present: Switches) -> str:
    """Where the norms of one side stand and what enters them, as one sentence.

    present: the parts that are there in this run.
    """
    if config.norm == "none" or not present.norm:
        return f"{side} has no layer norm, so no vector is normalised."
    makes = MAKES[config.norm_kind]
    if config.norm == "pre":
        return f"{side}: each norm comes before its sublayer. It normalises the residual stream to {makes}."
    enters = (
        "the sum of the residual stream and the sublayer output" if present.residual else "the sublayer output alone"
    )
    return f"{side}: each norm comes after its sublayer. It normalises {enters} to {makes}."


def final_name(config: ModelConfig) -> str:
    """What the norm after the last layer is called: BERT's word head has one behind a dense layer of its own."""
    return "word head" if config.read_out == "transformed" else "final"


def norm_table(trace: Trace[Array], final: str = "final") -> dict[str, list[Any]]:
    """One line for each norm that is there: mean and variance over C of what enters it, of what it normalises to, and
    of what leaves it, each as a mean over the words. No line where nothing is normalised.

    final: the name of the norm after the last layer.
    """
    norms: list[tuple[str, NormTrace[Array]]] = [("embedding", trace.embedding_norm)]
    for index, layer in enumerate(trace.layers):
        norms += [(f"L{index} first", layer.norm1), (f"L{index} second", layer.norm2)]
    present = [(name, norm) for name, norm in [*norms, (final, trace.final_norm)] if norm.present]
    table: dict[str, list[Any]] = {"norm": [name for name, _ in present]}
    for stage, field in STAGES.items():
        vectors = [getattr(norm, field) for _, norm in present]  # (T, C) each
        table[f"mean {stage}"] = [round(float(vector.mean(axis=-1).mean()), 3) for vector in vectors]
        table[f"variance {stage}"] = [round(float(vector.var(axis=-1).mean()), 3) for vector in vectors]
    return table
