"""The stream of vectors through every sublayer, A and B."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import streamlit as st

from model.run import Experiment, get_model
from model.transformer import Trace
from viz.captions.heads import read_stream
from viz.export.tables import Labelled, Table, file_name
from viz.figures.residual_stream import stream
from viz.labels import numbered
from viz.pages.remove import norm_table
from viz.theme import Theme
from viz.types import Array
from viz.ui import copy_as_python, figure_panel, token_units


def stream_numbers(trace: Trace[Array]) -> tuple[list[str], dict[str, Array]]:
    """The stream through every sublayer: N stages, and length, deviation and mean of each vector, (N, T)."""
    stages = ["embedding"]
    vectors = [trace.layers[0].resid_pre]
    for index, layer in enumerate(trace.layers):
        stages += [f"L{index} attention", f"L{index} feed-forward"]
        vectors += [layer.resid_mid, layer.resid_post]
    stack = np.stack(vectors).astype(np.float64)  # (N, T, C)
    return stages, {
        "length": np.linalg.norm(stack, axis=-1),
        "standard deviation": stack.std(axis=-1),
        "mean": stack.mean(axis=-1),
    }


def stream_table(stages: Sequence[str], words: Sequence[str], a: Array, b: Array) -> Table:
    """A number of every vector after every stage, A and B, as a long table."""
    return {
        "stage": [stage for stage in stages for _ in words],
        "word": numbered(words) * len(stages),
        "A": a.ravel(),
        "B": b.ravel(),
    }


def _arrays(stages: Sequence[str], words: Sequence[str], a: Array, b: Array) -> dict[str, Labelled]:
    axes = {"stage": stages, "word": words}
    return {"A": Labelled(a, axes), "B": Labelled(b, axes)}


def show(
    of: tuple[Experiment, Experiment], a: Trace[Array], b: Trace[Array], words: Sequence[str], theme: Theme
) -> None:
    """Length, standard deviation and mean of every vector after every sublayer, and what the norms make of them.

    of: the experiments that A and B are the traces of.
    """
    if any(layer.norm1.present for layer in a.layers) and get_model(of[0].weights)[0].config.norm == "post":
        without = "" if any(layer.norm1.present for layer in b.layers) else " B has none, so its vectors are the sums."
        st.caption(f"{of[0].weights} has a norm after every sublayer. The vectors are shown after the norm.{without}")
    stages, sizes_a = stream_numbers(a)
    _, sizes_b = stream_numbers(b)
    for column, name in zip(st.columns(3), sizes_a, strict=True):
        with column:
            figure_panel.chart(
                stream(sizes_a[name], sizes_b[name], stages, words, theme=theme, title=f"{name} of each vector"),
                key=f"stream_{name.split()[0]}",
                sentence=read_stream(sizes_a[name], sizes_b[name], name, stages, token_units.each(of[0])),
                table=partial(stream_table, stages, words, sizes_a[name], sizes_b[name]),
                file=file_name(of[1].name, f"stream-{name}"),
                of=figure_panel.Subject(of[1], notice=copy_as_python.side_b(of[1])),
                arrays=partial(_arrays, stages, words, sizes_a[name], sizes_b[name]),
                python=copy_as_python.streams(*of, name),
            )
    norm_table.show(of, a, b)
