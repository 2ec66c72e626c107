"""One row, walked step by step: every number can be opened into the sum it comes from."""

from collections.abc import Sequence
from dataclasses import dataclass
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
from viz.ui.state import Param, in_address

STEPS = 11
OPENS_AT = 3  # q · k; counted from 1, as on the screen and in the link


@dataclass(frozen=True)
class Walk:
    """One row of one head, and what it belongs to."""

    experiment: Experiment
    numbers: HeadWalkthrough
    layer: int
    head: int
    query: str  # the token whose row this is
    keys: Sequence[str]
    place: int  # of the query among the keys; −1: in another text
    lines: tuple[str, str]  # Python that computes the row, and its imports


def show(
    experiment: Experiment,
    trace: Trace[Array],
    layer: int,
    head: int,
    row: int,
    words: Sequence[str],
    theme: Theme,
) -> None:
    """A row of self-attention, walked."""
    draw(
        Walk(
            experiment,
            walk_through_row(experiment, trace, layer, head, row),
            layer,
            head,
            query=words[row],
            keys=words,
            place=row,
            lines=(
                f"row = walk_through_row(experiment, run(experiment), {layer}, {head}, {row})\n",
                "from model.analysis.head_walkthrough import walk_through_row",
            ),
        ),
        theme,
    )


def draw(walk: Walk, theme: Theme) -> None:
    """The row, walked."""
    experiment, numbers, words = walk.experiment, walk.numbers, walk.keys
    last = len(words) - 1
    if (st.session_state.get(Param.KEY) or 0) > last:
        st.session_state[Param.KEY] = None
    with in_address():
        step = st.number_input("Step", 1, STEPS, OPENS_AT, key=Param.STEP_NUMBER, bind="query-params")
        key = st.number_input("Key", 0, last, None, key=Param.KEY, bind="query-params")
    config = model_calls.about(experiment.weights).model_config
    present = experiment.switches & model_calls.trained(experiment.weights)
    scheme = config.position if present.position else "the positions are removed"
    if walk.place < 0:
        scheme = "words of two sentences have no distance"
    drawn = canvas.head_steps(
        canvas.HeadStepsView(
            arrays=_arrays(numbers),
            tokens=words,
            layer=walk.layer,
            head=walk.head,
            row=walk.place,
            query=walk.query,
            query_place=walk.numbers.row,
            divisor=numbers.divisor,
            position=scheme,
            norm=(numbers.mean, numbers.std) if config.norm == "pre" and present.norm else None,
            norm_after=config.norm == "post" and present.norm,
            has_bias=bool(numbers.bias.any()),
            is_rotated=numbers.rotated,
            has_residual=present.residual,
        ),
        key="walk",
        about=f"{experiment} {walk.layer} {walk.head} {numbers.row}",
        step=int(step) - 1,
        key_index=None if key is None else int(key),
        theme=theme,
        on_step=_rest,
    )
    figure_panel.below(
        drawn,
        sentence="",
        table=partial(row_table, numbers, words),
        file=file_name(experiment.name, f"L{walk.layer}H{walk.head}-row-{numbers.row}-steps"),
        of=experiment,
        python=copy_as_python.python(
            f"{walk.lines[0]}"
            "q_k, scaled, bias, biased = row.scores, row.scaled, row.bias, row.biased  # (S,)\n"
            "allowed, weight = row.mask, row.weights  # (S,)",
            walk.lines[1],
            experiment=experiment,
        ),
    )


def _rest(step: int, key: int) -> None:
    """The person rests at this step, from 0, and at this key."""
    st.session_state[Param.STEP_NUMBER], st.session_state[Param.KEY] = step + 1, key


# Field of HeadWalkthrough → the name by which the drawing knows it, where they differ.
DRAWN_AS = {"resid": "stream", "gamma": "gain", "beta": "shift", "head_outputs": "carried", "resid_after": "after"}


def _arrays(walkthrough: HeadWalkthrough) -> dict[str, Array]:
    arrays = {
        DRAWN_AS.get(name, name): value for name, value in vars(walkthrough).items() if isinstance(value, np.ndarray)
    }
    for name in ("q", "k", "v"):
        projection = getattr(walkthrough, f"w_{name}")
        arrays[f"w_{name}"] = projection.matrix  # (C, D)
        arrays[f"b_{name}"] = np.zeros(0) if projection.bias is None else projection.bias
    return arrays


def row_table(walkthrough: HeadWalkthrough, words: Sequence[str]) -> Table:
    """Every number of the row, one line a key."""
    return {
        "key": numbered(words),
        "q·k": walkthrough.scores,
        "scaled": walkthrough.scaled,
        "bias": walkthrough.bias,
        "biased": walkthrough.biased,
        "allowed": walkthrough.mask,
        "weight": walkthrough.weights,
    }
