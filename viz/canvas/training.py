"""Training: two models that learn side by side, drawn from a stream of events."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import streamlit as st

from viz.canvas.components import Drawn, component
from viz.pack import pack
from viz.theme import Theme


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
