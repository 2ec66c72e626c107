"""What stands on the screen, as the answers to the questions of lessons need it."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from model.run import Experiment
from model.switches import PARTS, Switches
from model.transformer import Trace
from viz.pages.masks import compute as masks_compute
from viz.pages.training import compute as training_compute
from viz.types import Array
from viz.ui import controls, model_calls, opening_choice
from viz.ui.state import Param, value

Answer = float | str


class NotYet(ValueError):
    """There is no answer yet. The message is one sentence about what the reader has to do first."""


@dataclass(frozen=True)
class OnScreen:
    """What stands on the screen: the experiment, and the head that is enlarged."""

    experiment: Experiment
    layer: int
    head: int
    training: tuple[str, int] = ("", 0)  # name and step of this visit's training

    @property
    def trace(self) -> Trace[Array]:
        return model_calls.trace(self.experiment)

    @property
    def words(self) -> Sequence[str]:
        return model_calls.encoding(self.experiment).surface

    def row(self, row: int, layer: int | None, head: int | None) -> Array:
        """One row of weights (S,)."""
        weights: Array = self.trace.layers[self.layer if layer is None else layer].attention.weights
        values: Array = weights[self.head if head is None else head, row]
        return values


def on_screen() -> OnScreen:
    """The state of the controls, as the page reads it."""
    state = st.session_state
    switches = Switches().without(*(part.name for part in PARTS if not state.get(Param(part.name), True)))
    experiment = Experiment(
        weights=value(Param.WEIGHTS),
        text=state.get(Param.TEXT) or controls.EXAMPLE,
        switches=switches,
        mask_spec=masks_compute.mask_of(value(Param.MASK_KIND), state.get(Param.MASK_SIZE), state.get(Param.MASK_ROWS)),
    )
    layer, head = opening_choice.opening_head(experiment).place
    return OnScreen(
        experiment,
        int(state.get(Param.LAYER, layer)),
        int(state.get(Param.HEAD, head)),
        training_compute.visitor_state(),
    )
