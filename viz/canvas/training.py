"""Training: two models that learn side by side, drawn from a stream of events."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import streamlit as st

from viz.canvas.components import Drawn, component
from viz.canvas.posts import Slider, sliders_header, sliding, take
from viz.labels import truncate
from viz.pack import encode_weights, pack
from viz.theme import Theme
from viz.types import Array


@dataclass(frozen=True)
class Level:
    """A known value that a curve is held against, and its name."""

    value: float
    name: str


@dataclass(frozen=True)
class TrainedSide:
    """What does not change of one of the two models while it learns."""

    what: str  # in what it differs
    layers: int
    heads: int
    parts: tuple[str, ...]  # L + 2 names: of the parts whose gradient is measured
    note: str  # why it has ended early; "": it has not


@dataclass(frozen=True)
class TrainingView:
    """A training as it is when the page is made; further frames come from its stream."""

    run: str  # the name of its stream
    a: TrainedSide
    b: TrainedSide
    tokens: Sequence[str]  # T: the first held-out sequence
    targets: Sequence[str]  # T; "": no target here
    vocabulary: Sequence[str]
    steps: int  # of the whole training
    frames: Sequence[Mapping[str, Any]]  # what has been measured so far, as the stream sends it
    kept: Sequence[int]  # the steps that one can go back to
    rests: bool
    ended: bool
    note: str  # why it pauses
    loss_levels: Sequence[Level]
    accuracy_levels: Sequence[Level]
    role: float  # the weight on the answer from which on a head has its role


def training(
    view: TrainingView, *, key: str, theme: Theme, on_command: Callable[[str, int], None], on_rest: Callable[[], None]
) -> Drawn:
    """Curves of both models, gradient and residual stream by layer, and the attention maps of one example.

    on_command is called with "play", "pause" or "rewind", and a number: the steps to train, 0 for all that are left,
    or the step to go back to. on_rest is called when the stream says that the training rests.
    """
    header = {"key": key, "theme": vars(theme), **asdict(view)}

    def commanded() -> None:
        name, number = st.session_state[key]["command"]
        on_command(str(name), int(number))

    return component("training")(key=key, data=pack(header), on_command_change=commanded, on_rest_change=on_rest)


@dataclass(frozen=True)
class HeadRole:
    """A head that took up a role between two saved steps."""

    relation: str
    layer: int
    head: int
    before: int
    after: int


@dataclass(frozen=True)
class SavedTraining:
    """A training at N steps, and the attention of its heads on T tokens."""

    steps: Sequence[int]  # N
    loss: Sequence[float]  # N, nats
    rate: Sequence[float]  # N
    scores: Mapping[str, Array]  # relation → (N, L, H) in 0 … 1; NaN: not measured
    roles: Sequence[HeadRole]
    tokens: Sequence[str]  # T
    weights: Array  # (N, L, H, T, T)
    mask: Array  # (T, T) True: may attend


@dataclass(frozen=True)
class LiveTraining:
    """A training that can go on while it is wound back: its stream brings further steps."""

    run: str  # the name of the stream
    side: str  # "a" or "b"
    rests: bool
    ended: bool
    least: float  # mean weight on the right keys from which a head has a role
    on_command: Callable[[str, int], None]  # called with "play" or "pause", and 0
    on_rest: Callable[[], None]  # called when the stream says that the training rests


def training_history(
    training: SavedTraining,
    *,
    name: str,
    step: int,
    key: str,
    theme: Theme,
    on_step: Callable[[int], None],
    live: LiveTraining | None = None,
) -> Drawn:
    """Loss, learning rate, scores and attention maps at one step, which a slider in the browser chooses.

    name: of the step in the address; step: the one that is shown first. on_step is called with the step at which the
    slider rests. live: how a training goes on; None: it is over.
    """
    layers, heads = training.weights.shape[1:3]
    sliders, state = (Slider(name, "step", tuple(training.steps)),), {name: step}
    header = {
        **sliders_header(sliders, state, key, theme),
        "steps": list(training.steps),
        "loss": [float(value) if np.isfinite(value) else None for value in training.loss],
        "rate": [float(value) for value in training.rate],
        "relations": list(training.scores),
        "layers": layers,
        "heads": heads,
        "roles": [asdict(role) for role in training.roles],
        "tokens": [truncate(token) for token in training.tokens],
        "live": live and {field: getattr(live, field) for field in ("run", "side", "rests", "ended", "least")},
    }

    def commanded() -> None:
        if live:
            live.on_command(str(st.session_state[key]["command"]), 0)

    n = len(training.steps)
    scores = np.stack([score.reshape(n, -1) for score in training.scores.values()], axis=1)  # (N, R, L · H)
    flat = training.weights.reshape(n, layers * heads, *training.mask.shape)
    codes = encode_weights(flat, np.broadcast_to(training.mask, flat.shape))
    return component("training_history")(
        key=key,
        data=pack(header, scores=scores.astype(np.float32), weights=codes),
        on_state_change=lambda: on_step(int(take(key, "state")[name])),
        on_command_change=commanded,
        on_rest_change=live.on_rest if live else lambda: None,
    )


@dataclass(frozen=True)
class Curve:
    """One line of a panel. y: NaN where there is no value; a muted one steps back, an accented one comes forward."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    accent: bool = False
    muted: bool = False
    dashed: bool = False
    dots: bool = True


@dataclass(frozen=True)
class CurvePanel:
    """A title, the name of the x axis, and the lines; log, log_x: whether the y and the x axis are logarithmic."""

    title: str
    x_name: str
    curves: Sequence[Curve]
    log: bool = True
    log_x: bool = False


def line_panels(panels: Sequence[CurvePanel], *, key: str, theme: Theme) -> Drawn:
    """Panels of curves, all with the same height."""
    header = {
        "key": key,
        "panels": [
            {
                "title": panel.title,
                "x": {"name": panel.x_name, "log": panel.log_x, "limits": _ends(panel.curves)},
                "y": {"name": "", "log": panel.log, "limits": None},
                "series": [
                    asdict(curve) | {"x": list(curve.x), "y": [_sent(value) for value in curve.y]}
                    for curve in panel.curves
                ],
            }
            for panel in panels
        ],
        "theme": vars(theme),
    }
    return component("line_panels")(key=key, data=pack(header))


def _ends(curves: Sequence[Curve]) -> tuple[float, float]:
    places = [place for curve in curves for place in curve.x]
    return min(places), max(places)


def _sent(value: float) -> float | None:
    return float(value) if abs(value) < float("inf") else None  # JSON has no other numbers


def rate_schedules(
    sliders: Sequence[Slider],
    state: Mapping[str, int],
    *,
    lr: float,
    decays: Sequence[str],
    used: Mapping[str, str],
    key: str,
    theme: Theme,
    on_state: Callable[..., None],
) -> Drawn:
    """The learning rate against the step, computed in the browser.

    sliders: warm-up, width and steps, in this order; lr: the largest rate of the `decays`; used: decay → who uses it.
    on_state is called with the values of the sliders when one has come to rest.
    """
    header = {"lr": lr, "decays": list(decays), "used": list(used), "users": list(used.values())}
    return sliding("rate_schedules", sliders, state, key=key, theme=theme, on_state=on_state, more=header)
