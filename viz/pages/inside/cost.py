"""Size and cost: widths, heads and lengths of one's own, and what they cost."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial

import numpy as np
import streamlit as st

from model.analysis.attention_cost import AttentionCost, OperatorCheck, run_layer, run_random
from model.run import Experiment
from model.transformer import Trace
from viz import canvas
from viz.canvas import Panel
from viz.captions.inside import describe_cost, describe_widths
from viz.export.tables import NamedArray, Table, file_name
from viz.theme import Theme
from viz.types import Array
from viz.ui import controls, copy_as_python, figure_panel, model_calls, server_cache
from viz.ui.state import Key, Param, key_of

SOURCES = ("random", "this layer")
SIZES = {  # field of AttentionCost → its label, its largest value and its first
    "queries": ("Queries T", 24, 6),
    "keys": ("Keys S", 24, 9),
    "n_heads": ("Heads h", 16, 4),
    "d_k": ("d_k", 128, 16),
    "d_v": ("d_v", 128, 8),
    "d_model": ("d_model", 256, 64),
    "d_source": ("d_source", 256, 48),
}
HELP = {
    "d_model": "The width of the vectors that queries are made of, and of the output.",
    "d_source": "The width of the vectors that keys and values are made of. In cross-attention: of the encoder.",
}
WIDE = 96  # pixels of an input: all stand in one row of a desk
SHARED = (1, 2, 4, 8, 16)


def show(experiment: Experiment, trace: Trace[Array], layer: int, words: Sequence[str], theme: Theme) -> None:
    """Widths, heads and lengths of one's own, and what they cost."""
    attention = trace.layers[layer].attention
    width = trace.embed.shape[-1]
    fixed = {"n_heads": attention.q.shape[0], "d_k": attention.q.shape[-1], "d_v": attention.v.shape[-1]}
    fixed |= {"d_model": width, "d_source": width}
    chosen: dict[str, int] = {}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        trained = (
            controls.choice("Weights", SOURCES, key=Param.SIZES_FROM, label_visibility="visible", width=180)
            == SOURCES[1]
        )
        for name, (label, most, opens) in SIZES.items():
            if trained and name in fixed:
                hint = "The size that the weights were trained with."
                st.number_input(
                    label,
                    value=fixed[name],
                    key=key_of(Key.TRAINED_SIZE, name),
                    disabled=True,
                    help=hint,
                    width=WIDE,
                )
                chosen[name] = fixed[name]
            else:
                bound = st.number_input(
                    label, 1, most, opens, key=Param(name), bind="query-params", width=WIDE, help=HELP.get(name)
                )
                chosen[name] = int(bound)
    if trained:
        chosen |= {name: min(chosen[name], len(words)) for name in ("queries", "keys")}
    sizes = AttentionCost(**chosen)
    if trained:
        query_tokens, key_tokens = list(words[: sizes.queries]), list(words[: sizes.keys])
        tried = _this_layer(experiment, layer, sizes.queries, sizes.keys)
        masks = attention.mask[:, : sizes.queries, : sizes.keys]  # (H, T, S)
    else:
        query_tokens, key_tokens = (
            [f"{name}{index}" for index in range(n)] for name, n in (("q", sizes.queries), ("k", sizes.keys))
        )
        tried = _random(sizes)
        masks = np.ones_like(tried.weights, dtype=bool)
    drawn = canvas.maps(
        [Panel(f"head {head}", weights, mask=masks[head]) for head, weights in enumerate(tried.weights)],
        canvas.Axes(query_tokens, key_tokens),
        key="sizes",
        theme=theme,
    )
    figure_panel.below(
        drawn,
        sentence=" ".join(
            (
                describe_widths(sizes.d_model, sizes.d_source, sizes.d_k),
                describe_cost(sizes.n_heads, sizes.parameters, sizes.operations, sizes.weights, tried.difference),
            )
        ),
        table=partial(_shape_table, sizes),
        file=file_name(experiment.name if trained else "random", "sizes"),
        of=experiment if trained else figure_panel.Subject(notice="random weights, untrained"),
        arrays=partial(_size_arrays, tried.weights, query_tokens, key_tokens),
        python=_recompute_sizes(experiment, sizes, layer) if trained else copy_as_python.random_heads(sizes),
    )
    left, right = st.columns(2, gap="large")
    shapes, heads = left.container(key="small_shapes"), right.container(key="small_heads")
    lines = [f"| {stage} | {' × '.join(map(str, shape))} |" for stage, shape in sizes.shapes.items()]
    shapes.markdown("\n".join(["| stage | shape |", "|---|---|", *lines]))
    width = sizes.n_heads * sizes.d_k
    split = [sizes.shared_by(n) for n in SHARED if n <= min(width, sizes.n_heads * sizes.d_v)]
    lines = [
        f"| {cost.n_heads} | {cost.d_k} | {cost.d_v} | {cost.parameters:,} | {cost.operations:,} | {cost.weights:,} |"
        for cost in split
    ]
    heads.markdown(
        "\n".join(["| heads | d_k | d_v | parameters | operations | weights |", "|--:|--:|--:|--:|--:|--:|", *lines])
    )
    even = all(width % cost.n_heads == 0 and sizes.n_heads * sizes.d_v % cost.n_heads == 0 for cost in split)
    heads.caption(
        "If more heads share the same width, parameters and operations stay the same, and there are more maps."
        + ("" if even else " If the number of heads does not divide the width, the remainder is dropped.")
    )


@server_cache.cached
def _random(sizes: AttentionCost) -> OperatorCheck:
    with model_calls.compute_slots:
        return run_random(sizes)


@server_cache.cached
def _this_layer(experiment: Experiment, layer: int, queries: int, keys: int) -> OperatorCheck:
    attention = model_calls.trace(experiment).layers[layer].attention
    scale = (experiment.switches & model_calls.trained(experiment.weights)).scale
    with model_calls.compute_slots:
        return run_layer(attention, queries, keys, scale)


def _size_arrays(weights: Array, query_tokens: Sequence[str], key_tokens: Sequence[str]) -> dict[str, NamedArray]:
    axes = {"head": range(len(weights)), "query": query_tokens, "key": key_tokens}
    return {"weights": NamedArray(weights, axes)}


def _recompute_sizes(experiment: Experiment, sizes: AttentionCost, layer: int) -> str:
    T, S = sizes.queries, sizes.keys
    scale = (experiment.switches & model_calls.trained(experiment.weights)).scale
    return copy_as_python.python(
        f"attention = run(experiment).layers[{layer}].attention\n"
        f"weights = run_layer(attention, {T}, {S}, scale={scale}).weights  # (H, T, S)",
        "from model.analysis.attention_cost import run_layer",
        experiment=experiment,
    )


def _shape_table(sizes: AttentionCost) -> Table:
    return {
        "stage": list(sizes.shapes),
        "shape": [" × ".join(map(str, shape)) for shape in sizes.shapes.values()],
        **{name: [value] * len(sizes.shapes) for name, value in asdict(sizes).items()},
    }
