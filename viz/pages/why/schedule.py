"""What can be computed at the same moment: the schedule of recurrence, of attention, and of generating."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import streamlit as st

from model.cost.complexity import LAYER_TYPES
from model.cost.measure import SECONDS
from model.cost.schedule import schedule
from viz import canvas
from viz.captions.counting import counted
from viz.captions.why import describe_schedule, describe_training_speed
from viz.export.tables import NamedArray, Table
from viz.pages.why import costs, views
from viz.theme import Theme
from viz.types import Array
from viz.ui import copy_as_python, figure_panel
from viz.ui.state import Param

NAMES = {  # kind of a schedule → its name on the screen
    "recurrent": "recurrent network",
    "parallel": "self-attention on a given text",
    "decoding": "self-attention while generating",
}

SPEED = costs.Comparison(
    key="training_speed",
    kinds=("rnn", "gru", "attention", "fused"),
    fields=("n", "d", "n_heads", "from_n"),
    columns=("operations", "sequential", "tokens", "time", "time_exponent"),
    pair=("rnn", "attention"),
    noun="the tanh RNN",
    short="tanh RNN faster",
    file="training-speed",
    lengths=(64, 128, 256, 512, 1024),
    backward=True,
)


def show(words: Sequence[str], theme: Theme) -> None:
    """The grid of layers and tokens; a clock runs through its steps."""
    n_layers = views.layers("Layers", default=4)
    _clock(words, n_layers, theme)
    if st.toggle("Speed of training on this machine", key=Param.MEASURE_SPEED, bind="query-params"):
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


@st.fragment
def _training_speed(theme: Theme) -> None:
    """Tokens per second, forward and backward, against the length."""
    shown = costs.draw(SPEED, theme)
    timed = {(result.kind, result.n): result.seconds or np.nan for result in shown.results}
    seconds = {
        LAYER_TYPES[kind].label: np.array([timed.get((kind, n), np.nan) for n in SPEED.lengths]) for kind in SPEED.kinds
    }
    speeds = {label: SPEED.lengths / of_kind for label, of_kind in seconds.items()}
    figure_panel.below(
        shown.drawn,
        sentence=describe_training_speed(SPEED.lengths, speeds, bool(shown.results)),
        table=lambda: {
            "length": list(SPEED.lengths),
            **{f"tokens per second: {label}": of_kind for label, of_kind in speeds.items()},
        },
        file=f"{SPEED.file}-d{shown.sizes.d}",
        of=figure_panel.Subject(title=shown.title),
        arrays=lambda: {
            "seconds": NamedArray(
                np.stack(list(seconds.values())), {"network": list(seconds), "length": list(SPEED.lengths)}
            )
        },
        python=copy_as_python.python(
            f"kinds, lengths, sizes = {SPEED.kinds}, {SPEED.lengths}, {copy_as_python.code_of(shown.sizes)}\n"
            f"measurements = list(measure(kinds, lengths, sizes, backward=True))  # takes up to {SECONDS:.0f} s",
            "from model.cost.complexity import Sizes\nfrom model.cost.measure import measure",
        ),
    )
    st.caption(
        "One layer, forward and backward, in one thread. Recurrent layers are PyTorch's. Attention starts from q, k "
        "and v, as in Table 1 of Vaswani et al. 2017."
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
