"""The learning rate against the step: equation 3 of Vaswani et al. 2017 beside other schedules."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import streamlit as st

from model.training.live.settings import DECAYS, PAPER, LiveSettings
from viz import canvas
from viz.captions.training_views import describe_schedules
from viz.export.tables import NamedArray, Table
from viz.pages.training.controls import SETTINGS, STEPS, Chosen, spelled
from viz.types import Array
from viz.ui import copy_as_python, figure_panel, visitor
from viz.ui.state import Param


def show(chosen: Chosen) -> None:
    """The schedules with the warm-up, width and number of steps of A; a slider changes them for A too."""
    a = chosen.a
    sliders = (
        canvas.Slider(Param.TRAIN_WARMUP, "warm-up steps", SETTINGS["warmup"].values),
        canvas.Slider(Param.TRAIN_WIDTH, "width", SETTINGS["width"].values),
        canvas.Slider(Param.TRAIN_STEPS, "steps", STEPS),
    )
    used: dict[str, list[str]] = {}
    for name, settings in (("A", a), ("B", chosen.b)):
        used.setdefault(settings.decay, []).append(name)
    drawn = canvas.rate_schedules(
        sliders,
        {Param.TRAIN_WARMUP: a.warmup, Param.TRAIN_WIDTH: a.width, Param.TRAIN_STEPS: a.steps},
        lr=a.lr,
        decays=[decay for decay in DECAYS if decay != PAPER],
        used={decay: " and ".join(names) for decay, names in used.items()},
        key="rate_schedules",
        theme=visitor.theme(),
        on_state=choose,
    )
    figure_panel.below(
        drawn,
        sentence=describe_schedules(a.warmup, a.width, a.steps, a.lr, a.decay),
        table=partial(_table, a),
        file=f"learning-rate-{a.warmup}-{a.width}",
        of=figure_panel.Subject(title="Schedules of the learning rate"),
        arrays=partial(_arrays, a),
        python=copy_as_python.python(
            f"settings = {copy_as_python.code_of(a)}\n"
            "schedules = [settings.changed('decay', decay).schedule for decay in DECAYS]\n"
            "rates = np.array([[schedule.rate(step) for step in range(settings.steps)] for schedule in schedules])",
            "import numpy as np\n\nfrom model.training.live.settings import DECAYS, LiveSettings",
        ),
    )


def choose(**state: int) -> None:
    """Keep what a slider says for model A. Another value came from no slider, and is ignored."""
    for field, param in (("warmup", Param.TRAIN_WARMUP), ("width", Param.TRAIN_WIDTH)):
        if state.get(param) in SETTINGS[field].values:
            st.session_state[param] = spelled(state[param])
    if state.get(Param.TRAIN_STEPS) in STEPS:
        st.session_state[Param.TRAIN_STEPS] = state[Param.TRAIN_STEPS]


def rates(settings: LiveSettings) -> Mapping[str, Sequence[float]]:
    """Decay → the rate of every step."""
    schedules = {decay: settings.changed("decay", decay).schedule for decay in DECAYS}
    return {decay: [schedule.rate(step) for step in range(settings.steps)] for decay, schedule in schedules.items()}


def _table(settings: LiveSettings) -> Table:
    columns = {f"learning rate: {decay}": values for decay, values in rates(settings).items()}
    return {"step": range(1, settings.steps + 1), **columns}


def _arrays(settings: LiveSettings) -> dict[str, NamedArray]:
    values: Array = np.array(list(rates(settings).values()))
    return {"rates": NamedArray(values, {"decay": DECAYS, "step": range(1, settings.steps + 1)})}
