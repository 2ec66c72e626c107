"""What runs where."""

import streamlit as st

from model import checkpoint
from model.run import Experiment
from model.switches import PARTS
from viz.captions.counting import counted
from viz.ui import model_calls


def sidebar_footer(experiment: Experiment) -> None:
    """What runs where, and which part these weights never had."""
    config = model_calls.about(experiment.weights).model_config
    never = [
        part.label[0].lower() + part.label[1:]
        for part in PARTS
        if part.name in model_calls.trained(experiment.weights).removed
    ]
    base, step = checkpoint.split_step(experiment.weights)
    notes = [f". The weights are those of {base} after {counted(step, 'training step')}"] if step is not None else []
    notes += [f". This model was trained without {' and '.join(never)}"] if never else []
    note = "".join([*notes, "."] if notes else [])
    stacks = "2 stacks of " if experiment.weights in model_calls.pair_models() else ""
    st.sidebar.caption(
        f"{stacks}{config.n_layers} layers × {config.n_heads} heads, running on {model_calls.device()}{note}"
    )
