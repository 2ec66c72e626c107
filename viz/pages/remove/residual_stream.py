"""The stream of vectors through every sublayer, A and B."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from model.analysis.attention_metrics import stream_sizes
from model.run import Experiment, get_transformer
from model.transformer import Trace
from viz.captions.heads import describe_residual_stream
from viz.export.tables import NamedArray, Table, file_name
from viz.figures.residual_stream import stream
from viz.labels import numbered
from viz.pages.remove import norm_table
from viz.theme import Theme
from viz.types import Array
from viz.ui import copy_as_python, figure_panel, token_units


def stage_names(n_layers: int) -> list[str]:
    """The names of the stages that `stream_sizes` measures."""
    return ["embedding", *(f"L{index} {part}" for index in range(n_layers) for part in ("attention", "feed-forward"))]


def stream_table(stages: Sequence[str], words: Sequence[str], a: Array, b: Array) -> Table:
    """A number of every vector after every stage, A and B, as a long table."""
    return {
        "stage": [stage for stage in stages for _ in words],
        "word": numbered(words) * len(stages),
        "A": a.ravel(),
        "B": b.ravel(),
    }


def _arrays(stages: Sequence[str], words: Sequence[str], a: Array, b: Array) -> dict[str, NamedArray]:
    axes = {"stage": stages, "word": words}
    return {"A": NamedArray(a, axes), "B": NamedArray(b, axes)}


def show(
    of: tuple[Experiment, Experiment], a: Trace[Array], b: Trace[Array], words: Sequence[str], theme: Theme
) -> None:
    """Length, standard deviation and mean of every vector after every sublayer, and what the norms make of them.

    of: the experiments that A and B are the traces of.
    """
    if any(layer.norm1.present for layer in a.layers) and get_transformer(of[0].weights)[0].config.norm == "post":
        without = "" if any(layer.norm1.present for layer in b.layers) else " B has none, so its vectors are the sums."
        st.caption(f"{of[0].weights} has a norm after every sublayer. The vectors are shown after the norm.{without}")
    stages, sizes_a, sizes_b = stage_names(len(a.layers)), stream_sizes(a), stream_sizes(b)
    for column, name in zip(st.columns(3), sizes_a, strict=True):
        with column:
            figure_panel.chart(
                stream(sizes_a[name], sizes_b[name], stages, words, theme=theme, title=f"{name} of each vector"),
                key=f"stream_{name.split()[0]}",
                sentence=describe_residual_stream(
                    sizes_a[name], sizes_b[name], name, stages, token_units.unit_of(of[0])
                ),
                table=partial(stream_table, stages, words, sizes_a[name], sizes_b[name]),
                file=file_name(of[1].name, f"stream-{name}"),
                of=figure_panel.Subject(of[1], notice=copy_as_python.notice_of_b(of[1], of[0])),
                arrays=partial(_arrays, stages, words, sizes_a[name], sizes_b[name]),
                python=copy_as_python.streams(*of, name),
            )
    norm_table.show(of, a, b)
