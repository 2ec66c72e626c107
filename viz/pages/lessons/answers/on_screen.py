"""What stands on the screen, as the answers to the questions of lessons need it."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from model.mask import MASKS, MaskSpec, mask_from_hex
from model.run import Experiment
from model.switches import PARTS, Switches
from model.transformer import Trace
from viz.pages.masks import controls as masks
from viz.types import Array
from viz.ui import controls, head_facts, model_calls

Answer = float | str


@dataclass(frozen=True)
class Here:
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


def here() -> Here:
    """The state of the controls, as the page reads it."""
    state = st.session_state
    weights = state.get("weights", "grammar")
    kind = state.get("mask_kind", masks.OWN)
    rule = masks.KINDS.get(kind)
    looks = MaskSpec(rule, int(state.get("mask_size") or MASKS[rule].default)) if rule else None
    if kind == masks.CUSTOM:
        looks = mask_from_hex(state.get("mask_rows") or "") or looks
    switches = Switches().without(*(part.name for part in PARTS if not state.get(part.name, True)))
    layer, head = head_facts.headline(weights)
    return Here(
        Experiment(weights=weights, text=state.get("text") or controls.EXAMPLE, switches=switches, mask_spec=looks),
        int(state.get("layer", layer)),
        int(state.get("head", head)),
    )
