"""What each head is worth: every head ablated in turn."""

from functools import partial

import numpy as np
import streamlit as st

from model.run import Experiment
from model.switches import Switches
from viz import canvas
from viz.captions.heads import describe_head_ablation
from viz.export.tables import NamedArray
from viz.pages.remove.compute import head_ablation, head_ablation_maps
from viz.theme import Theme
from viz.ui import ablation, controls, copy_as_python, figure_panel, not_available
from viz.ui.progress import Missing
from viz.ui.state import Param


def show(weights: str, theme: Theme) -> Missing | None:
    """A map of what each head's removal costs; a click on a head takes it out. Returns what is not computed yet."""
    if missing := not_available.requires_lab_model(weights):
        st.info(missing)
        return None
    kind = controls.choice(
        "Cost of removing a head: higher loss in nats, or right answers lost",
        ["loss", *ablation.held_out(weights, Switches()).accuracy],
        key=Param.METRIC,
        label_visibility="visible",
    )
    if not head_ablation.has(weights):
        return Missing(st.container(), [("Removing each head in turn", partial(head_ablation, weights))])
    loss, lost = head_ablation_maps(weights)
    values = loss if kind == "loss" else lost[kind]
    layers, heads = [f"layer {i}" for i in range(len(loss))], [f"head {i}" for i in range(loss.shape[1])]
    gone = [
        cell for cell in np.ndindex(loss.shape) if "L{}H{}".format(*cell) in st.session_state.get(Param.HEADS_OFF, [])
    ]
    with st.columns([2, 3])[0]:
        drawn = canvas.maps(
            [canvas.Panel("", values, "signed", marks=gone, numbers=True)],
            canvas.Axes(layers, heads),
            key="knockouts",
            theme=theme,
            on_pick=ablation.toggle_head,
        )
        figure_panel.below(
            drawn,
            sentence=describe_head_ablation(values, kind) + " Click a head to remove it from B, or to put it back.",
            table=lambda: {
                "head": [f"L{i}H{j}" for i, j in np.ndindex(loss.shape)],
                "loss": loss.ravel(),
                **{question: each.ravel() for question, each in lost.items()},
            },
            file=f"{weights}-knockouts",
            of=Experiment(weights),
            arrays=lambda: {
                "loss": NamedArray(loss, {"layer": range(loss.shape[0]), "head": range(loss.shape[1])}),
            },
            python=copy_as_python.head_ablation(weights),
        )
    return None
