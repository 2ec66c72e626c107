"""Layer norm and batch norm: replace one sentence of a batch, and see which vectors change."""

from functools import partial

import numpy as np
import streamlit as st

from model.analysis.norm_comparison import NormComparison
from model.run import Experiment
from viz.captions.batch_norm import describe_norm_axes, describe_norm_change
from viz.export.tables import NamedArray, Table, file_name
from viz.figures.batch_norm import change_map, tensor_box
from viz.labels import markdown, numbered
from viz.pages.remove import epsilon
from viz.pages.remove.compute import SIZE, norm_comparison_of
from viz.types import Array
from viz.ui import copy_as_python, figure_panel, not_available, visitor
from viz.ui.state import Param

OPENS_AT = 3  # the sentence that is replaced
POSITION = 3  # the word of the first sentence whose vector is outlined


def show(weights: str) -> None:
    """The whole section, on what enters the first norm of these weights."""
    if missing := not_available.requires_lab_model(weights):
        st.info(missing)
        return
    _maps(weights)
    _axes(weights)
    epsilon.show(weights)
    st.markdown(visitor.words("remove", "norms")[0])


@st.fragment
def _maps(weights: str) -> None:
    theme = visitor.theme()
    number = st.segmented_control(
        "Replace sentence",
        range(1, SIZE + 1),
        default=OPENS_AT,
        key=Param.REPLACED,
        required=True,
        bind="query-params",
    )
    number = number or OPENS_AT  # an address that says nothing after the "=" chooses nothing
    shown = norm_comparison_of(weights, number - 1)
    was, now = (" ".join(map(markdown, words[1:])) for words in (shown.tokens[shown.replaced], shown.replacement))
    st.markdown(
        f":gray[Sentence {number} was “{was}”. It is replaced by “{now}”. The other five sentences are unchanged.]"
    )
    limit = max(float(np.nanmax(moved)) for moved in shown.change.values()) or 1.0
    columns = st.columns(2, gap="large")
    for column, (name, moved) in zip(columns, shown.change.items(), strict=True):
        with column:
            st.markdown(f"**{name.capitalize()}**")
            figure_panel.chart(
                change_map(moved, shown.tokens, shown.replacement, shown.replaced, limit=limit, theme=theme),
                key=f"moved_{name.split()[0]}",
                sentence=describe_norm_change(name, moved, shown.tokens),
                table=partial(_change_table, shown, moved),
                file=file_name(weights, f"{name}-sentence-{number}-replaced"),
                of=Experiment(weights),
                arrays=partial(_change_arrays, moved),
                python=_recompute(weights, number - 1, f"change = comparison.change[{name!r}]  # (B, T)"),
            )


def _axes(weights: str) -> None:
    theme, shown = visitor.theme(), norm_comparison_of(weights, 0)
    st.markdown("**What each norm averages over**")
    channel = int(np.argmax(np.abs(shown.resid[shown.is_token].mean(axis=0))))
    columns = st.columns(2, gap="large")
    for column, (name, over) in zip(columns, (("layer", "channels"), ("batch", "batch")), strict=True):
        with column:
            figure_panel.chart(
                tensor_box(
                    shown.resid,
                    shown.is_token,
                    over=over,
                    position=POSITION,
                    channel=channel,
                    word=shown.tokens[0][POSITION],
                    theme=theme,
                ),
                key=f"over_{name}",
                sentence=describe_norm_axes(
                    shown.resid, shown.is_token, over, POSITION, channel, shown.tokens[0][POSITION]
                ),
                table=partial(_averaged, shown, over, channel),
                file=file_name(weights, f"{name}-norm-averages-over"),
                of=Experiment(weights),
                arrays=partial(_stream_arrays, shown.resid),
                python=_recompute(weights, 0, "stream = comparison.resid  # (B, T, C)"),
            )


def _change_table(shown: NormComparison, moved: Array) -> Table:
    cells = [(b, t) for b, t in zip(*np.nonzero(np.isfinite(moved)), strict=True)]
    return {
        "sentence": [b + 1 for b, _ in cells],
        "position": [t for _, t in cells],
        "word": [numbered(shown.tokens[b])[t] for b, t in cells],
        "change": [float(moved[b, t]) for b, t in cells],
    }


def _change_arrays(moved: Array) -> dict[str, NamedArray]:
    B, T = moved.shape
    return {"change": NamedArray(moved, {"sentence": range(1, B + 1), "position": range(T)})}


def _stream_arrays(stream: Array) -> dict[str, NamedArray]:
    B, T, C = stream.shape
    axes = {"sentence": range(1, B + 1), "position": range(T), "channel": range(C)}
    return {"stream": NamedArray(stream, axes)}


def _recompute(weights: str, replaced: int, last: str) -> str:
    return copy_as_python.python(
        f"comparison = compare_in_batch({weights!r}, {replaced}, size={SIZE})\n{last}",
        "from model.analysis.norm_comparison import compare_in_batch",
    )


def _averaged(shown: NormComparison, over: str, channel: int) -> Table:
    """The numbers inside the outline."""
    if over == "channels":
        vector = shown.resid[0, POSITION]
        return {"channel": range(len(vector)), f"“{shown.tokens[0][POSITION]}” in sentence 1": vector}
    cells = list(zip(*np.nonzero(shown.is_token), strict=True))
    return {
        "sentence": [b + 1 for b, _ in cells],
        "position": [t for _, t in cells],
        "word": [numbered(shown.tokens[b])[t] for b, t in cells],
        f"channel {channel}": [float(shown.resid[b, t, channel]) for b, t in cells],
    }
