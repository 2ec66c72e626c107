"""The sections of “Inside a head”: each takes the trace and shows one way to look into one head of it."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from model import bilinear, forms, plane
from model.run import Experiment
from model.sizes import Sizes, TriedOut, try_head, try_out
from model.transformer import Trace
from model.walk import Walk, walk
from viz import head_grid
from viz.export import Labelled, Table, file_name
from viz.head_grid import Panel
from viz.inside import read_averaging, read_forms, read_sizes, read_spectrum, spread_row
from viz.spectrum import spectrum
from viz.theme import Theme
from viz.ui import controls, facts, panel, recompute, runs

Array = np.ndarray[Any, Any]

VIEWS = ("Step by step", "Both forms", "Free sizes", "Only averaging", "Spectrum")
STEPS = 11
OPENS_AT = 2  # q · k
SOURCES = ("random", "this layer")
LARGEST = {"queries": 24, "keys": 24, "n_heads": 16, "d_k": 128, "d_v": 128}
OPENS_WITH = {"queries": 6, "keys": 9, "n_heads": 4, "d_k": 16, "d_v": 8}
LABELS = {"queries": "Queries T", "keys": "Keys S", "n_heads": "Heads h", "d_k": "d_k", "d_v": "d_v"}
SHARED = (1, 2, 4, 8, 16)


def view() -> str:
    """Which way to look."""
    return controls.choice("View", VIEWS, key="aspect")


def steps(
    experiment: Experiment,
    trace: Trace[Array],
    layer: int,
    head: int,
    row: int,
    words: Sequence[str],
    theme: Theme,
) -> None:
    """The row, walked."""
    last = len(words) - 1
    if (st.session_state.get("looked") or 0) > last:
        st.session_state["looked"] = None
    with st.container(key="address"):  # unseen: it ties the step to the address of the page
        step = st.number_input("Step", 0, STEPS - 1, OPENS_AT, key="step", bind="query-params")
        looked = st.number_input("Looked at", 0, last, None, key="looked", bind="query-params")
    made = walk(experiment, trace, layer, head, row)
    config = runs.about(experiment.weights)["config"]
    present = experiment.switches & runs.trained(experiment.weights)
    scheme = config["position"] if present.position else "the positions are taken out"
    head_grid.walk(
        _arrays(made),
        words,
        key="walk",
        about=f"{experiment} {layer} {head} {row}",
        row=row,
        step=int(step),
        looked=None if looked is None else int(looked),
        divisor=made.divisor,
        position=scheme,
        head=head,
        layer=layer,
        norm=(made.mean, made.std) if config["norm"] == "pre" and present.norm else None,
        biased=bool(made.bias.any()),
        turned=made.turned,
        residual=present.residual,
        theme=theme,
        on_step=_rest,
    )
    panel.below(
        "walk",
        sentence="",
        table=partial(row_table, made, words),
        file=file_name(experiment.name, f"L{layer}H{head}-row-{row}-steps"),
        of=experiment,
        python=recompute.python(
            f"made = walk(experiment, run(experiment), {layer}, {head}, {row})\n"
            "q_k, scaled, bias, biased = made.scores, made.scaled, made.bias, made.biased  # (S,)\n"
            "may_look, weight = made.mask, made.weights  # (S,)",
            "from model.walk import walk",
            experiment=experiment,
        ),
    )


def _rest(step: int, looked: int) -> None:
    st.session_state["step"], st.session_state["looked"] = step, looked


def _arrays(made: Walk) -> dict[str, Array]:
    arrays = {name: value for name, value in vars(made).items() if isinstance(value, np.ndarray)}
    for name in ("q", "k", "v"):
        projection = getattr(made, f"to_{name}")
        arrays[f"w_{name}"] = projection.matrix  # (C, D)
        arrays[f"b_{name}"] = np.zeros(0) if projection.bias is None else projection.bias
    return arrays


def row_table(made: Walk, words: Sequence[str]) -> Table:
    """Every number of the row, one line a key."""
    return {
        "looked at": [f"{at} {word}" for at, word in enumerate(words)],
        "q·k": made.scores,
        "scaled": made.scaled,
        "bias": made.bias,
        "biased": made.biased,
        "may look": made.mask,
        "weight": made.weights,
    }


def both_forms(
    experiment: Experiment, trace: Trace[Array], layer: int, head: int, words: Sequence[str], theme: Theme
) -> None:
    """The loop over words beside the three products."""
    attention = trace.layers[layer].attention
    present = experiment.switches & runs.trained(experiment.weights)
    single, double = _forms(experiment, layer, head)
    mask = attention.mask[head]
    reach = single.weights_apart or 1e-12
    head_grid.panels(
        [
            Panel("word by word", single.rows, mask=mask),
            Panel("three products", single.whole, mask=mask),
            Panel("difference, float32", single.rows - single.whole, "signed", mask=mask, limit=reach),
            Panel("difference, float64", double.rows - double.whole, "signed", mask=mask, limit=reach),
        ],
        words,
        words,
        key="forms",
        theme=theme,
    )
    panel.below(
        "forms",
        sentence=read_forms((single.weights_apart, single.z_apart), (double.weights_apart, double.z_apart)),
        table=partial(facts.map_table, single.rows - single.whole, words),
        file=file_name(experiment.name, f"L{layer}H{head}-forms"),
        of=experiment,
        arrays=partial(facts.maps, words, word_by_word=single.rows, three_products=single.whole),
        python=recompute.python(
            f"attention = run(experiment).layers[{layer}].attention\n"
            f"bias = attention.biased[{head}] - attention.scaled[{head}]  # (T, S)\n"
            f'q, k, v, mask = (getattr(attention, name)[{head}] for name in ("q", "k", "v", "mask"))\n'
            f"single, double = compare(q, k, v, mask, bias, scale={present.scale})\n"
            "word_by_word, three_products = single.rows, single.whole  # (T, S)",
            "from model.forms import compare",
            experiment=experiment,
        ),
    )
    divisor = r"\sqrt{d_k}" if present.scale else "1"
    row, whole = st.columns(2, gap="large")
    row.markdown(
        rf"**Word by word.** For every word $t$: $s_{{tj}} = q_t \cdot k_j / {divisor} + b_{{tj}}$ for the $j$ it may "
        rf"look at, $a_{{tj}} = e^{{s_{{tj}}}} / \sum_i e^{{s_{{ti}}}}$, $z_t = \sum_j a_{{tj}} v_j$."
    )
    whole.markdown(rf"**Three products.** $Z = \mathrm{{softmax}}(Q K^\top / {divisor} + B)\, V$, all words at once.")


@st.cache_resource(max_entries=64, show_spinner=False)
def _forms(experiment: Experiment, layer: int, head: int) -> tuple[forms.Forms, forms.Forms]:
    attention = runs.trace(experiment).layers[layer].attention
    scale = (experiment.switches & runs.trained(experiment.weights)).scale
    bias = attention.biased[head] - attention.scaled[head]  # (T, S)
    with runs.computing:
        return forms.compare(attention.q[head], attention.k[head], attention.v[head], attention.mask[head], bias, scale)


def free_sizes(experiment: Experiment, trace: Trace[Array], layer: int, words: Sequence[str], theme: Theme) -> None:
    """Widths, heads and lengths of one's own, and what they cost."""
    attention = trace.layers[layer].attention
    fixed = {"n_heads": attention.q.shape[0], "d_k": attention.q.shape[-1], "d_v": attention.v.shape[-1]}
    chosen: dict[str, int] = {}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        trained = controls.choice("Weights", SOURCES, key="source", label_visibility="visible", width=180) == SOURCES[1]
        for name, most in LARGEST.items():
            if trained and name in fixed:
                told = "As the weights were trained."
                st.number_input(
                    LABELS[name], value=fixed[name], key=f"{name}_trained", disabled=True, help=told, width=112
                )
                chosen[name] = fixed[name]
            else:
                opens = OPENS_WITH[name]
                bound = st.number_input(LABELS[name], 1, most, opens, key=name, bind="query-params", width=112)
                chosen[name] = int(bound)
    if trained:
        chosen |= {name: min(chosen[name], len(words)) for name in ("queries", "keys")}
    sizes = Sizes(**chosen, d_model=trace.embed.shape[-1])
    if trained:
        looking, looked = list(words[: sizes.queries]), list(words[: sizes.keys])
        tried = _this_layer(experiment, layer, sizes.queries, sizes.keys)
        masks = attention.mask[:, : sizes.queries, : sizes.keys]  # (H, T, S)
    else:
        looking, looked = ([f"{name}{at}" for at in range(n)] for name, n in (("q", sizes.queries), ("k", sizes.keys)))
        tried = _random(sizes)
        masks = np.ones_like(tried.weights, dtype=bool)
    head_grid.panels(
        [Panel(f"head {at}", weights, mask=masks[at]) for at, weights in enumerate(tried.weights)],
        looking,
        looked,
        key="sizes",
        theme=theme,
    )
    panel.below(
        "sizes",
        sentence=read_sizes(sizes.n_heads, sizes.parameters, sizes.operations, sizes.weights, tried.apart),
        table=partial(_shape_table, sizes),
        file=file_name(experiment.name if trained else "random", "sizes"),
        of=experiment if trained else None,
        says=None if trained else "random weights, untrained",
        arrays=partial(_size_arrays, tried.weights, looking, looked),
        python=_recompute_sizes(experiment, sizes, layer) if trained else recompute.drawn(sizes),
    )
    left, right = st.columns(2, gap="large")
    shapes, heads = left.container(key="small_shapes"), right.container(key="small_heads")
    lines = [f"| {stage} | {' × '.join(map(str, shape))} |" for stage, shape in sizes.shapes.items()]
    shapes.markdown("\n".join(["| stage | shape |", "|---|---|", *lines]))
    width = sizes.n_heads * sizes.d_k
    split = [sizes.shared_by(n) for n in SHARED if n <= min(width, sizes.n_heads * sizes.d_v)]
    lines = [
        f"| {one.n_heads} | {one.d_k} | {one.d_v} | {one.parameters:,} | {one.operations:,} | {one.weights:,} |"
        for one in split
    ]
    heads.markdown(
        "\n".join(["| heads | d_k | d_v | parameters | operations | weights |", "|--:|--:|--:|--:|--:|--:|", *lines])
    )
    even = all(width % one.n_heads == 0 and sizes.n_heads * sizes.d_v % one.n_heads == 0 for one in split)
    heads.caption(
        "The same width shared by more heads: parameters and operations stay, the maps multiply."
        + ("" if even else " Where the heads do not divide the width, the rest is dropped.")
    )


@st.cache_resource(max_entries=64, show_spinner=False)
def _random(sizes: Sizes) -> TriedOut:
    with runs.computing:
        return try_out(sizes)


@st.cache_resource(max_entries=64, show_spinner=False)
def _this_layer(experiment: Experiment, layer: int, queries: int, keys: int) -> TriedOut:
    attention = runs.trace(experiment).layers[layer].attention
    scale = (experiment.switches & runs.trained(experiment.weights)).scale
    bias = (attention.biased - attention.scaled)[:, :queries, :keys]
    with runs.computing:
        return try_head(
            attention.q[:, :queries],
            attention.k[:, :keys],
            attention.v[:, :keys],
            attention.mask[:, :queries, :keys],
            bias,
            scale,
        )


def _size_arrays(weights: Array, looking: Sequence[str], looked: Sequence[str]) -> dict[str, Labelled]:
    axes = {"head": range(len(weights)), "looks": looking, "looked_at": looked}
    return {"weights": Labelled(weights, axes)}


def _recompute_sizes(experiment: Experiment, sizes: Sizes, layer: int) -> str:
    T, S = sizes.queries, sizes.keys
    scale = (experiment.switches & runs.trained(experiment.weights)).scale
    return recompute.python(
        f"attention = run(experiment).layers[{layer}].attention\n"
        f"q, k, v = attention.q[:, :{T}], attention.k[:, :{S}], attention.v[:, :{S}]  # (H, T or S, D)\n"
        f"mask = attention.mask[:, :{T}, :{S}]\n"
        f"bias = (attention.biased - attention.scaled)[:, :{T}, :{S}]\n"
        f"weights = try_head(q, k, v, mask, bias, {scale}).weights  # (H, T, S)",
        "from model.sizes import try_head",
        experiment=experiment,
    )


def _shape_table(sizes: Sizes) -> Table:
    return {
        "stage": list(sizes.shapes),
        "shape": [" × ".join(map(str, shape)) for shape in sizes.shapes.values()],
        **{name: [value] * len(sizes.shapes) for name, value in asdict(sizes).items()},
    }


def only_averaging(
    experiment: Experiment,
    trace: Trace[Array],
    layer: int,
    head: int,
    row: int,
    words: Sequence[str],
    pinned: bool,
    theme: Theme,
) -> None:
    """Values of the head as points, and the output of every row inside their hull."""
    attention = trace.layers[layer].attention
    row = row if pinned else spread_row(attention.weights[head])
    laid = plane.lay(attention.v[head], attention.z[head])
    head_grid.averaging(
        laid.values,
        laid.means,
        attention.weights[head],
        words,
        key="averaging",
        mask=attention.mask[head],
        row=row,
        pinned=pinned,
        theme=theme,
        on_pin=controls.choose_token,
    )
    panel.below(
        "averaging",
        sentence=read_averaging(attention.weights[head], attention.mask[head], words, row, laid.share),
        table=partial(_point_table, laid, attention.weights[head, row], words),
        file=file_name(experiment.name, f"L{layer}H{head}-averaging"),
        of=experiment,
        arrays=partial(_plane_arrays, laid, attention.weights[head], words),
        python=recompute.python(
            f"attention = run(experiment).layers[{layer}].attention\n"
            f"laid = lay(attention.v[{head}], attention.z[{head}])\n"
            f"values, outputs, weights = laid.values, laid.means, attention.weights[{head}]",
            "from model.plane import lay",
            experiment=experiment,
        ),
    )


def _plane_arrays(laid: plane.Plane, weights: Array, words: Sequence[str]) -> dict[str, Labelled]:
    points = {"direction": ("first", "second")}
    return {
        "values": Labelled(laid.values, {"looked_at": words, **points}),
        "outputs": Labelled(laid.means, {"looks": words, **points}),
        "weights": Labelled(weights, {"looks": words, "looked_at": words}),
    }


def _point_table(laid: plane.Plane, weights: Array, words: Sequence[str]) -> Table:
    return {
        "word": [f"{at} {word}" for at, word in enumerate(words)],
        "value, first direction": laid.values[:, 0],
        "value, second direction": laid.values[:, 1],
        "weight": weights,
        "output, first direction": laid.means[:, 0],
        "output, second direction": laid.means[:, 1],
    }


def rank(experiment: Experiment, trace: Trace[Array], layer: int, head: int, theme: Theme) -> None:
    """The spectrum of W_Q W_Kᵀ."""
    values = _singular(experiment.weights, layer, head)
    found = bilinear.numerical_rank(values)
    d_k = trace.layers[layer].attention.q.shape[-1]
    with st.columns([3, 2])[0]:
        panel.chart(
            spectrum(values, found, d_k, theme=theme),
            key="spectrum",
            sentence=read_spectrum(
                found, d_k, len(values), values[found - 1], values[found] if found < len(values) else 0.0
            ),
            table=lambda: {"number": np.arange(1, len(values) + 1), "singular value": values},
            file=file_name(experiment.weights, f"L{layer}H{head}-spectrum"),
            of=Experiment(experiment.weights),
            python=recompute.python(
                f"singular_value = singular_values({experiment.weights!r}, {layer}, {head})",
                "from model.bilinear import singular_values",
            ),
        )


@st.cache_resource(max_entries=256, show_spinner=False)
def _singular(weights: str, layer: int, head: int) -> Array:
    with runs.computing:
        return bilinear.singular_values(weights, layer, head)
