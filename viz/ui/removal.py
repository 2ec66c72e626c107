"""What taking parts away does: its numbers, cached for all visitors, and the controls that only this page has."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from model import effects
from model.overwrite import Overwrite, renormalise
from model.run import Experiment
from model.switches import PARTS, Switches
from model.transformer import Trace
from viz.costs import costs
from viz.export import Table
from viz.labels import markdown
from viz.pairs import pairs
from viz.reading import read_effects, read_knockouts
from viz.scatter import scatter
from viz.theme import Theme
from viz.ui import controls, panel, runs

Array = np.ndarray[Any, Any]

VIEWS = ("Next word", "Stream", "Head knock-outs", "One row by hand", "Why √d_k", "Layer norm, batch norm")


@st.cache_resource(max_entries=512, show_spinner=False)
def held_out(weights: str, switches: Switches) -> effects.HeldOut:
    """Loss and accuracy on unseen sentences with these parts."""
    with runs.computing:
        return effects.held_out(weights, switches)


@st.cache_resource(max_entries=8, show_spinner="Taking out every head in turn …")
def knockouts(weights: str) -> dict[tuple[int, int], effects.HeldOut]:
    """The same with each head taken out alone."""
    with runs.computing:
        return effects.knockouts(weights)


@st.cache_resource(max_entries=128, show_spinner=False)
def blocked(experiment: Experiment, layer: int, head: int, row: int) -> Array:
    """What each look of one row is worth to the next word."""
    with runs.computing:
        return effects.blocked(experiment, layer, head, row)


def heads_off(n_layers: int, n_heads: int) -> frozenset[tuple[int, int]]:
    """The heads to take out, beside the parts."""
    names = [f"L{layer}H{head}" for layer in range(n_layers) for head in range(n_heads)]
    with st.sidebar:
        chosen = st.multiselect("Heads taken out", names, key="off", bind="query-params", placeholder="none")
    return frozenset((int(name[1 : name.index("H")]), int(name[name.index("H") + 1 :])) for name in chosen)


def toggle_head(layer: int, head: int) -> None:
    """Take a head out, or put it back."""
    name, chosen = f"L{layer}H{head}", list(st.session_state.get("off", []))
    st.session_state["off"] = [other for other in chosen if other != name] if name in chosen else [*chosen, name]


def offers() -> None:
    """Nothing is taken out yet: one click takes out one part."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="offers"):
        st.markdown("Nothing is taken out yet, so B is A. Take out", width="content")
        for part in PARTS:
            state = {part.name: "false"}
            st.button(part.label, key=f"offer_{part.name}", type="tertiary", on_click=controls.set_state, args=(state,))


def without(switches: Switches) -> str:
    """The removed parts in words: "without scaling by √d_k and head L0H1"."""
    named = [part.label[0].lower() + part.label[1:] for part in PARTS if not getattr(switches, part.name)]
    named += [f"head L{layer}H{head}" for layer, head in sorted(switches.heads_off)]
    return f"without {' and '.join(named)}" if named else "the same"


def watch(switches: Switches) -> str:
    """What to look for, part by part."""
    return " ".join(part.watch for part in PARTS if not getattr(switches, part.name))


def strip(a: tuple[Experiment, Trace[Array]], b: tuple[Experiment, Trace[Array]], words: Sequence[str]) -> None:
    """The numbers that decide: losses, entropy, how far the prediction moved, and accuracy by kind of question."""
    ids = runs.encoding(a[0]).ids
    unseen = [held_out(side[0].weights, side[0].switches) for side in (a, b)]
    moved = effects.moved(a[1], b[1])
    finite = np.isfinite(moved)
    far = int(np.argmax(np.where(finite, moved, -1)))
    columns = st.columns([3, 3, 3, 3, 6], gap="small")
    for column, name, before, after in (
        (columns[0], f"Loss, {unseen[0].sentences} unseen", unseen[0].loss, unseen[1].loss),
        (columns[1], "Loss, this text", effects.surprise(a[1], ids), effects.surprise(b[1], ids)),
        (columns[2], "Entropy of rows", effects.spread(a[1]), effects.spread(b[1])),
    ):
        column.metric(name, spelt(after), f"A {spelt(before)}", delta_color="off", delta_arrow="off")
    where = f"after “{markdown(words[far])}”" if finite.all() else "some are not numbers"
    columns[3].metric("Largest KL(A ‖ B)", spelt(moved[far]), where, delta_color="off", delta_arrow="off")
    with columns[4]:
        accuracies(unseen[0], unseen[1])
    broken = effects.first_broken(b[1])
    if broken:
        st.warning(f"B holds values that are not numbers, first in {broken}. They are drawn as they are.")


def accuracies(a: effects.HeldOut, b: effects.HeldOut) -> None:
    """Right answers by kind of question, A and B, as a small table."""
    lines = ["| right answers | A | B |", "|---|--:|--:|"]
    lines += [
        f"| {name} | {100 * share:.0f} % | {100 * b.accuracy[name]:.0f} % |" for name, share in a.accuracy.items()
    ]
    with st.container(key="accuracies"):
        st.markdown("\n".join(lines))


def spelt(value: float) -> str:
    """A number as people read it; what is no number says so."""
    if not np.isfinite(value):
        return "not a number"
    return f"{value:.2f}" if abs(value) < 1000 else f"{value:,.0f}"


def view() -> str:
    """Which further question to answer below the main figure."""
    return st.segmented_control(
        "More about this removal",
        VIEWS,
        default=VIEWS[0],
        key="view",
        required=True,
        bind="query-params",
        label_visibility="collapsed",
    )


def next_words(a: Trace[Array], b: Trace[Array], row: int, weights: str, n: int = 8) -> tuple[Array, Array, list[str]]:
    """The words that A or B finds likeliest after the token at `row`: probabilities under A and B, and the words."""
    p, q = (effects.probabilities(trace.logits[row]) for trace in (a, b))  # (V,)
    either = np.fmax(p, np.nan_to_num(q))
    best = np.argsort(-either)[:n]
    vocabulary = runs.tokenizer(weights).vocabulary
    return p[best], q[best], [vocabulary[index] for index in best]


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
        "word": [word for _ in stages for word in words],
        "A": a.ravel(),
        "B": b.ravel(),
    }


def norms(a: Trace[Array], b: Trace[Array]) -> None:
    """What every norm does to its vectors, A and B."""
    st.markdown(
        "Every norm, mean over the words: **before**, **normalised** (mean 0, variance 1), **after** scale and shift."
    )
    for name, trace in (("A", a), ("B", b)):
        st.caption(name)
        st.dataframe(norm_table(trace), hide_index=True, height="content")


def norm_table(trace: Trace[Array]) -> dict[str, list[Any]]:
    """One line a norm: mean and variance of its vectors before, normalised, and after the learnt scale and shift."""
    lines = []
    for index, layer in enumerate(trace.layers):
        lines += [(f"L{index} first", layer.resid_pre, layer.norm1), (f"L{index} second", layer.resid_mid, layer.norm2)]
    lines.append(("final", trace.layers[-1].resid_post, trace.final_norm))
    table: dict[str, list[Any]] = {"norm": [name for name, _, _ in lines]}
    for stage in ("before", "normalised", "after"):
        vectors = [{"before": x, "normalised": norm.normalised, "after": norm.out}[stage] for _, x, norm in lines]
        table[f"mean {stage}"] = [round(float(v.mean(axis=-1).mean()), 3) for v in vectors]
        table[f"variance {stage}"] = [round(float(v.var(axis=-1).mean()), 3) for v in vectors]
    return table


def knockout_section(weights: str, theme: Theme) -> None:
    """A map of what each head's removal costs; a click on a head takes it out."""
    loss, lost = knockout_maps(weights)
    kinds = ["loss", *lost]
    kind = st.segmented_control("What it costs", kinds, default="loss", key="cost", required=True, bind="query-params")
    values = loss if kind == "loss" else lost[kind]
    layers, heads = [f"layer {i}" for i in range(len(loss))], [f"head {i}" for i in range(loss.shape[1])]
    left, right = st.columns([2, 3], gap="large")
    with left:
        panel.chart(
            costs(
                values, layers, heads, theme=theme, value_name="more loss, nats" if kind == "loss" else "accuracy lost"
            ),
            key="knockouts",
            sentence=read_knockouts(loss),
            table=lambda: (
                {"head": [f"L{i}H{j}" for i, j in np.ndindex(loss.shape)], "loss": loss.ravel()}
                | {question: each.ravel() for question, each in lost.items()}
            ),
            file=f"{weights}-knockouts",
        )
    with right:
        st.markdown("Click a head to take it out of B, or to put it back.")
        for layer in range(len(layers)):
            with st.container(horizontal=True, gap="small"):
                for head in range(len(heads)):
                    out = f"L{layer}H{head}" in st.session_state.get("off", [])
                    st.button(
                        f"L{layer}H{head} {'out' if out else f'{values[layer, head]:+.2f}'}",
                        key=f"knock_{layer}_{head}",
                        type="primary" if out else "secondary",
                        on_click=toggle_head,
                        args=(layer, head),
                    )


def row_section(experiment: Experiment, layer: int, head: int, row: int, theme: Theme) -> None:
    """One row of one head of the whole model, overwritten; and what each of its looks is worth."""
    trace, words = runs.trace(experiment), runs.encoding(experiment).typed
    attention = trace.layers[layer].attention
    weights, mask = attention.weights[head, row], attention.mask[head, row]  # (S,)
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown(f"**Layer {layer}, head {head}**, the row of **{markdown(words[row])}**")
        written = overwrite(weights, mask, words, layer, head, row)
        changed = runs.trace(replace(experiment, overwrite=written))
        p, q, likely = next_words(trace, changed, row, experiment.weights, n=5)
        moved = float(effects.moved(trace, changed)[row])
        panel.chart(
            pairs(p, q, likely, theme=theme),
            key="overwritten",
            sentence=f"With its row overwritten (B) the word after **{markdown(words[row])}** moves by KL {moved:.3f}.",
            table=lambda: {"word": likely, "A": p, "B": q},
            file=f"{replace(experiment, overwrite=written).name}-{row}",
        )
    with right:
        st.markdown("**Is a look worth what it weighs?** Each look of the row blocked in turn")
        worth = blocked(experiment, layer, head, row)
        panel.chart(
            scatter(weights, worth, words, theme=theme, x_name="weight", y_name="KL of the next word, nats"),
            key="worth",
            sentence=read_effects(weights, worth, words),
            table=lambda: {"word": list(words), "weight": weights, "KL when blocked": worth},
            file=f"{experiment.name}-L{layer}H{head}-row-{row}-worth",
        )


def knockout_maps(weights: str) -> tuple[Array, dict[str, Array]]:
    """What each head's removal costs: more loss (L, H), and for each kind of question less accuracy (L, H)."""
    intact, each = held_out(weights, Switches()), knockouts(weights)
    shape = (max(layer for layer, _ in each) + 1, max(head for _, head in each) + 1)
    loss = np.array([result.loss - intact.loss for result in each.values()]).reshape(shape)
    lost = {
        kind: np.array([share - result.accuracy[kind] for result in each.values()]).reshape(shape)
        for kind, share in intact.accuracy.items()
    }
    return loss, lost


def overwrite(weights: Array, mask: Array, words: Sequence[str], layer: int, head: int, row: int) -> Overwrite | None:
    """The row of weights that the person wants instead; weights, mask (S,) of the row as it is."""
    how = st.segmented_control(
        "The row becomes",
        ["as it is", "uniform", "one word", "by hand"],
        default="uniform",
        key="row_is",
        required=True,
        bind="query-params",
    )
    allowed = [at for at, may in enumerate(mask) if may]
    chosen = np.zeros(len(weights))
    if how == "as it is" or not allowed:
        return None
    if how == "uniform":
        chosen[allowed] = 1.0
    elif how == "one word":
        at = st.selectbox("All of it to", allowed, format_func=lambda position: f"{position} {words[position]}")
        chosen[at] = 1.0
    else:
        typed: Any = st.data_editor(
            {"word": [words[at] for at in allowed], "weight": [round(float(weights[at]), 3) for at in allowed]},
            disabled=["word"],
            hide_index=True,
            key=f"by_hand_{layer}_{head}_{row}",
        )
        chosen[allowed] = [max(float(weight or 0), 0.0) for weight in typed["weight"]]
    return Overwrite(layer, head, row, renormalise(chosen.tolist()))
