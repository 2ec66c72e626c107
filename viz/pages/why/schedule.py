"""What can be computed at the same moment: the schedule of recurrence, of attention, and of generating."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import streamlit as st

from model.cost.complexity import LAYER_TYPES, Sizes
from model.cost.schedule import schedule
from viz import canvas
from viz.captions.counting import counted
from viz.captions.why import describe_schedule, describe_training_speed
from viz.export.tables import NamedArray, Table
from viz.figures.log_lines import log_lines
from viz.pages.why import compute, views
from viz.theme import Theme
from viz.types import Array
from viz.ui import copy_as_python, figure_panel
from viz.ui.state import Param

NAMES = {  # kind of a schedule → its name on the screen
    "recurrent": "recurrent network",
    "parallel": "self-attention on a given text",
    "decoding": "self-attention while generating",
}


def show(words: Sequence[str], theme: Theme) -> None:
    """The grid of layers and tokens; a clock runs through its steps."""
    n_layers = views.layers("Layers", default=4)
    _clock(words, n_layers, theme)
    if st.toggle("Measure the speed of training on this machine", key=Param.MEASURE_SPEED, bind="query-params"):
        _training_speed(theme)


@st.fragment
def _clock(words: Sequence[str], n_layers: int, theme: Theme) -> None:
    n = len(words)
    plans = {name: schedule(kind, n, n_layers) for kind, name in NAMES.items()}  # (L, T) each
    steps = {name: int(plan.max()) + 1 for name, plan in plans.items()}
    sliders = (canvas.Slider(Param.CLOCK, "steps done", tuple(range(max(steps.values()) + 1))),)
    figure = st.container()
    state = views.addressed(sliders, (n_layers,))
    with figure:
        drawn = canvas.layer_grid(
            [
                canvas.LayerGrid(name, plan[None] + 1, _labels(plan, max(steps.values())))
                for name, plan in plans.items()
            ],
            words,
            sliders,
            state,
            kind="schedule",
            key="schedules",
            theme=theme,
            on_state=partial(views.choose, sliders),
        )
    clock = state[Param.CLOCK]
    done = {name: int((plan < clock).sum()) for name, plan in plans.items()}
    figure_panel.below(
        drawn,
        sentence=describe_schedule(clock, done, n * n_layers, steps),
        table=partial(_table, plans),
        file=f"schedule-{n_layers}-layers",
        of=None,
        arrays=partial(_arrays, words, plans),
        python=copy_as_python.python(
            f"recurrent, parallel, decoding = [schedule(kind, {n}, {n_layers}) for kind in KINDS]  # (L, T) each",
            "from model.cost.schedule import KINDS, schedule",
        ),
    )


def _training_speed(theme: Theme) -> None:
    """Tokens per second, forward and backward, against the length."""
    lengths = compute.SPEED_LENGTHS
    results = {(each.kind, each.n): each for each in compute.training_speed()}
    seconds = {
        LAYER_TYPES[kind].label: np.array([results[kind, n].seconds or np.nan for n in lengths], dtype=float)
        for kind in compute.SPEED_KINDS
    }
    speeds = {label: lengths / of_kind for label, of_kind in seconds.items()}
    figure_panel.chart(
        log_lines(
            lengths,
            {label: of_kind[None] for label, of_kind in speeds.items()},
            theme=theme,
            along="length, tokens",
            quantity="tokens per second",
        ),
        key="training_speed",
        sentence=describe_training_speed(lengths, speeds),
        table=lambda: {
            "length": list(lengths),
            **{f"tokens per second: {label}": of_kind for label, of_kind in speeds.items()},
        },
        file="training-speed",
        of=None,
        arrays=lambda: {
            "seconds": NamedArray(np.stack(list(seconds.values())), {"network": list(seconds), "length": list(lengths)})
        },
        python=copy_as_python.python(
            f"kinds, lengths = {compute.SPEED_KINDS}, {lengths}\n"
            f"measurements = list(measure(kinds, lengths, backward=True, seconds={compute.SPEED_SECONDS}))",
            "from model.cost.measure import measure",
        ),
    )
    st.caption(
        f"One layer of width {Sizes().d}, forward and backward, in one thread. Recurrent layers are PyTorch's. "
        "Attention starts from q, k and v, as in Table 1 of Vaswani et al. 2017."
    )


def _labels(plan: Array, longest: int) -> list[str]:
    """What is written beside a schedule at each moment."""
    needed = int(plan.max()) + 1
    return [
        f"done after {counted(needed, 'step')}"
        if clock >= needed
        else f"{int((plan < clock).sum())} of {plan.size} cells"
        for clock in range(longest + 1)
    ]


def _table(plans: dict[str, Array]) -> Table:
    """One line for each step: how many cells are computed in it."""
    longest = max(int(plan.max()) + 1 for plan in plans.values())
    return {
        "step": list(range(1, longest + 1)),
        **{f"cells: {name}": np.bincount(plan.ravel(), minlength=longest) for name, plan in plans.items()},
    }


def _arrays(words: Sequence[str], plans: dict[str, Array]) -> dict[str, NamedArray]:
    return {
        kind: NamedArray(plans[name].astype(float), {"layer": range(len(plans[name])), "position": range(len(words))})
        for kind, name in NAMES.items()
    }
