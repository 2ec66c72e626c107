"""Ablation on more than one page: held-out scores, what to watch for, and the ablated parts in words."""

from collections.abc import Set
from dataclasses import replace
from typing import Any

import streamlit as st

from model.analysis import ablation
from model.run import Experiment
from model.switches import HEAD_FIELDS, PARTS, Switches
from viz.ui import controls, model_calls, server_cache
from viz.ui.state import Key, Param


@server_cache.cached
def held_out(weights: str, switches: Switches) -> ablation.HeldOutScores:
    """Loss and accuracy on fresh sentences with these parts."""
    with model_calls.compute_slots:
        return ablation.evaluate_held_out(weights, switches)


def heads_off(
    n_layers: int, n_heads: int, acting: Set[controls.Control] = controls.EVERY
) -> frozenset[tuple[int, int]]:
    """The heads to take out, beside the parts."""
    names = [f"L{layer}H{head}" for layer in range(n_layers) for head in range(n_heads)]
    with controls.place(controls.Control.COMPONENTS, acting, "_heads"):
        chosen = st.multiselect("Heads ablated", names, key=Param.HEADS_OFF, bind="query-params", placeholder="none")
    return frozenset((int(name[1 : name.index("H")]), int(name[name.index("H") + 1 :])) for name in chosen)


def pair_heads_off(weights: str, switches: Switches) -> Switches:
    """These switches with the heads of an encoder–decoder to take out, in all its attentions."""
    config = model_calls.about(weights).model_config
    names = {
        f"{letter}{layer}H{head}": (field, (layer, head))
        for field, letter in HEAD_FIELDS.items()
        for layer in range(config.n_layers)
        for head in range(config.n_heads)
    }
    chosen = st.multiselect(
        "Heads ablated",
        list(names),
        key=Param.HEADS_OFF,
        bind="query-params",
        placeholder="none",
        help="L: decoder self-attention. X: cross-attention. E: encoder self-attention.",
    )
    off: dict[str, Any] = {
        field: frozenset(names[name][1] for name in chosen if names[name][0] == field) for field in HEAD_FIELDS
    }
    return replace(switches, **off)


def toggle_head(layer: int, head: int, letter: str = "L") -> None:
    """Take a head out, or put it back. letter: the attention that it is of, as in HEAD_FIELDS."""
    name, chosen = f"{letter}{layer}H{head}", list(st.session_state.get(Param.HEADS_OFF, []))
    st.session_state[Param.HEADS_OFF] = (
        [other for other in chosen if other != name] if name in chosen else [*chosen, name]
    )


def toggle_layer(layer: int, n_heads: int, letter: str = "L") -> None:
    """Take out all heads of an attention of a layer, or put them back where all are out. letter: as in toggle_head."""
    names = [f"{letter}{layer}H{head}" for head in range(n_heads)]
    chosen = list(st.session_state.get(Param.HEADS_OFF, []))
    others = [name for name in chosen if name not in names]
    st.session_state[Param.HEADS_OFF] = others if set(names) <= set(chosen) else [*others, *names]


def toggle_part(name: str) -> None:
    """Take out a part of the model, or put it back."""
    st.session_state[Param(name)] = not st.session_state[Param(name)]


def ablation_hints(weights: str, switches: Switches) -> None:
    """What to look for, part by part; while nothing is taken out, one click takes out one part. One line either way."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="offers"):
        if switches == Switches():
            removable = model_calls.removable_parts(weights)
            labels = {part.name: part.label for part in PARTS if getattr(removable, part.name)}
            st.markdown("Nothing is removed yet, so A and B are the same. Remove:", width="content")
            st.pills(
                "Remove",
                labels,
                format_func=labels.__getitem__,
                key=Key.OFFER,
                label_visibility="collapsed",
                on_change=_take,
            )
        else:
            watched = [f"**{part.label}:** {part.hint}" for part in PARTS if part.name in switches.removed]
            st.markdown(" ".join(["What to watch.", *(watched or ["Which rows still attend to their word."])]))


def _take() -> None:
    controls.set_state({st.session_state[Key.OFFER]: "false"})
    st.session_state[Key.OFFER] = None


def ablation_label(removed: Switches, b: Experiment, weights: str = "") -> str:
    """What B is, in words: "without scaling by √d_k and head L0H1", "trained without layer norm".

    weights: the name of B's weights, where they are others than A's: "with the weights of grammar@000300".
    """
    if weights:
        parts = "" if removed == Switches() else f" and {_named(removed)}"
        return f"with the weights of {weights}{parts}"
    return f"trained {_named(removed)}" if b.switches != removed else _named(removed)


def _named(switches: Switches) -> str:
    named = [part.label[0].lower() + part.label[1:] for part in PARTS if not getattr(switches, part.name)]
    heads = switches.ablated_heads
    named += [f"{'head' if len(heads) == 1 else 'heads'} {', '.join(heads)}"] if heads else []
    return f"without {' and '.join(named)}" if named else "the same"
