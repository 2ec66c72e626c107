"""The loss along its gradient, with layer norm, with batch norm, and without norm."""

from functools import partial

import numpy as np

from model.training.live.smoothness import RATES, Smoothness
from viz import canvas
from viz.captions.training_views import describe_smoothness
from viz.export.tables import NamedArray, Table
from viz.pages.training import compute
from viz.pages.training.controls import Chosen
from viz.ui import copy_as_python, figure_panel, visitor


def show(chosen: Chosen) -> None:
    """How far the loss and the gradient change along the gradient, at some steps of a training."""
    a = chosen.a
    measured = compute.along_gradient(a)
    styles = dict(zip(measured, ({}, {"accent": True}, {"dashed": True}), strict=True))
    pairs = measured.items()
    ranges = [canvas.Curve(name, of.steps, of.loss_range.tolist(), **styles[name]) for name, of in pairs]
    changes = [canvas.Curve(name, of.steps, of.gradient_change.tolist(), **styles[name]) for name, of in pairs]
    drawn = canvas.line_panels(
        [
            canvas.CurvePanel("Range of the loss along the gradient, nats", "training step", ranges),
            canvas.CurvePanel("Change of the gradient per distance", "training step", changes),
        ],
        key="smoothness",
        theme=visitor.theme(),
    )
    figure_panel.below(
        drawn,
        sentence=describe_smoothness({name: (of.loss_range, of.gradient_change) for name, of in measured.items()}),
        table=partial(_table, measured),
        file=f"loss-along-gradient-{a.task}",
        of=figure_panel.Subject(title="The loss along its gradient"),
        arrays=partial(_arrays, measured),
        python=copy_as_python.python(
            f"measured = smoothness({copy_as_python.code_of(a)})\n"
            "losses = np.stack([of.losses for of in measured.values()])  # (norm, step, rate)\n"
            "gradient_change = np.stack([of.gradient_change for of in measured.values()])  # (norm, step)",
            "import numpy as np\n\n"
            "from model.training.live.settings import LiveSettings\n"
            "from model.training.live.smoothness import smoothness",
        ),
    )


def _table(measured: dict[str, Smoothness]) -> Table:
    """One line for each probed step."""
    ranges = {f"range of the loss: {name}": of.loss_range for name, of in measured.items()}
    changes = {f"change of the gradient: {name}": of.gradient_change for name, of in measured.items()}
    return {"step": next(iter(measured.values())).steps, **ranges, **changes}


def _arrays(measured: dict[str, Smoothness]) -> dict[str, NamedArray]:
    axes = {"norm": list(measured), "step": next(iter(measured.values())).steps}
    return {
        "losses": NamedArray(np.stack([of.losses for of in measured.values()]), {**axes, "rate": RATES}),
        "gradient_change": NamedArray(np.stack([of.gradient_change for of in measured.values()]), axes),
    }
