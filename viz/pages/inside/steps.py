"""One row, walked step by step: every number can be opened into the sum it comes from."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import streamlit as st

from model.analysis.head_walkthrough import HeadWalkthrough, walk_through_row
from model.run import Experiment
from model.transformer import Trace
from viz import canvas
from viz.export.tables import Table, file_name
from viz.labels import numbered
from viz.theme import Theme
from viz.types import Array
from viz.ui import copy_as_python, figure_panel, model_calls

STEPS = 11
OPENS_AT = 2  # q · k


def show(
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
        looked = st.number_input("Key", 0, last, None, key="looked", bind="query-params")
    made = walk_through_row(experiment, trace, layer, head, row)
    config = model_calls.about(experiment.weights).model_config
    present = experiment.switches & model_calls.trained(experiment.weights)
    scheme = config.position if present.position else "the positions are removed"
    drawn = canvas.walk(
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
        norm=(made.mean, made.std) if config.norm == "pre" and present.norm else None,
        norm_after=config.norm == "post" and present.norm,
        biased=bool(made.bias.any()),
        turned=made.rotated,
        residual=present.residual,
        theme=theme,
        on_step=_rest,
    )
    figure_panel.below(
        drawn,
        sentence="",
        table=partial(row_table, made, words),
        file=file_name(experiment.name, f"L{layer}H{head}-row-{row}-steps"),
        of=experiment,
        python=copy_as_python.python(
            f"made = walk_through_row(experiment, run(experiment), {layer}, {head}, {row})\n"
            "q_k, scaled, bias, biased = made.scores, made.scaled, made.bias, made.biased  # (S,)\n"
            "may_look, weight = made.mask, made.weights  # (S,)",
            "from model.analysis.head_walkthrough import walk_through_row",
            experiment=experiment,
        ),
    )


def _rest(step: int, looked: int) -> None:
    st.session_state["step"], st.session_state["looked"] = step, looked


# Field of HeadWalkthrough → the name by which the drawing knows it, where they differ.
DRAWN_AS = {"resid": "stream", "gamma": "gain", "beta": "shift", "head_outputs": "carried", "resid_after": "after"}


def _arrays(made: HeadWalkthrough) -> dict[str, Array]:
    arrays = {DRAWN_AS.get(name, name): value for name, value in vars(made).items() if isinstance(value, np.ndarray)}
    for name in ("q", "k", "v"):
        projection = getattr(made, f"w_{name}")
        arrays[f"w_{name}"] = projection.matrix  # (C, D)
        arrays[f"b_{name}"] = np.zeros(0) if projection.bias is None else projection.bias
    return arrays


def row_table(made: HeadWalkthrough, words: Sequence[str]) -> Table:
    """Every number of the row, one line a key."""
    return {
        "looked at": numbered(words),
        "q·k": made.scores,
        "scaled": made.scaled,
        "bias": made.bias,
        "biased": made.biased,
        "may look": made.mask,
        "weight": made.weights,
    }
