"""What stands on the screen, as the answers to the questions of lessons need it."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from model.mask import MASKS, MaskSpec, mask_from_hex
from model.run import Experiment
from model.switches import PARTS, Switches
from model.transformer import Trace
from viz.types import Array
from viz.ui import controls, head_facts, model_calls

Answer = float | str


@dataclass(frozen=True)
class OnScreen:
    """What stands on the screen: the experiment, and the head that is enlarged."""

    experiment: Experiment
    layer: int
    head: int

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
    weights = state.get("weights", "grammar")
    kind = state.get("looks", "own")
    mask_spec = MaskSpec(kind, int(state.get("size") or MASKS[kind].default)) if kind in MASKS else None
    if kind == "drawn":
        mask_spec = mask_from_hex(state.get("drawn") or "") or mask_spec
    switches = Switches().without(*(part.name for part in PARTS if not state.get(part.name, True)))
    layer, head = head_facts.default_head(weights)
    return OnScreen(
        Experiment(weights=weights, text=state.get("text") or controls.EXAMPLE, switches=switches, mask_spec=mask_spec),
        int(state.get("layer", layer)),
        int(state.get("head", head)),
    )
