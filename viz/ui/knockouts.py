"""What each head is worth: every head taken out in turn."""

from typing import Any

import numpy as np
import streamlit as st

from model.analysis import ablation
from model.run import Experiment
from model.switches import Switches
from viz import head_grid
from viz.export import Labelled
from viz.reading import read_knockouts
from viz.theme import Theme
from viz.ui import asides, controls, memory, panel, recompute, removal, slots

Array = np.ndarray[Any, Any]


@memory.cached
def knockouts(weights: str) -> dict[tuple[int, int], ablation.HeldOutScores]:
    """The same with each head taken out alone."""
    with slots.long("Removing each head in turn"):
        return ablation.ablate_each_head(weights)


def knockout_maps(weights: str) -> tuple[Array, dict[str, Array]]:
    """What each head's removal costs: more loss (L, H), and for each kind of question less accuracy (L, H)."""
    intact, each = removal.held_out(weights, Switches()), knockouts(weights)
    shape = (max(layer for layer, _ in each) + 1, max(head for _, head in each) + 1)
    loss = np.array([result.loss - intact.loss for result in each.values()]).reshape(shape)
    lost = {
        kind: np.array([share - result.accuracy[kind] for result in each.values()]).reshape(shape)
        for kind, share in intact.accuracy.items()
    }
    return loss, lost


def toggle_head(layer: int, head: int) -> None:
    """Take a head out, or put it back."""
    name, chosen = f"L{layer}H{head}", list(st.session_state.get("off", []))
    st.session_state["off"] = [other for other in chosen if other != name] if name in chosen else [*chosen, name]


def show(weights: str, theme: Theme) -> None:
    """A map of what each head's removal costs; a click on a head takes it out."""
    if not asides.may_ask_much(weights):
        return
    loss, lost = knockout_maps(weights)
    kind = controls.choice(
        "Cost of removing a head: higher loss in nats, or right answers lost",
        ["loss", *lost],
        key="cost",
        label_visibility="visible",
    )
    values = loss if kind == "loss" else lost[kind]
    layers, heads = [f"layer {i}" for i in range(len(loss))], [f"head {i}" for i in range(loss.shape[1])]
    gone = [cell for cell in np.ndindex(loss.shape) if "L{}H{}".format(*cell) in st.session_state.get("off", [])]
    with st.columns([2, 3])[0]:
        head_grid.panels(
            [head_grid.Panel("", values, "signed", marks=gone, numbers=True)],
            layers,
            heads,
            key="knockouts",
            theme=theme,
            on_pick=toggle_head,
        )
        panel.below(
            "knockouts",
            sentence=read_knockouts(values, kind) + " Click a head to remove it from B, or to put it back.",
            table=lambda: (
                {"head": [f"L{i}H{j}" for i, j in np.ndindex(loss.shape)], "loss": loss.ravel()}
                | {question: each.ravel() for question, each in lost.items()}
            ),
            file=f"{weights}-knockouts",
            of=Experiment(weights),
            arrays=lambda: {
                "loss": Labelled(loss, {"layer": range(loss.shape[0]), "head": range(loss.shape[1])}),
            },
            python=recompute.knocked_out(weights, loss.shape),
        )
