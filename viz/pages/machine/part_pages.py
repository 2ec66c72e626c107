"""From a part of the model to the page that shows it, with the same sentence and the same parts removed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import streamlit as st

from viz.ui import controls, visitor
from viz.ui.state import Key, Param


@dataclass(frozen=True)
class PartPage:
    """A page, the label of the button that opens it, and what of the page is opened."""

    page: str
    label: str
    state: Mapping[Param, str] = field(default_factory=dict)


POSITIONS = PartPage("positions", "Open Positions")
NORMS = PartPage("remove", "Open Remove a part", {Param.PANEL: "Residual stream"})
# Kind of a part, or name of a switch → its page.
PAGE_OF = {
    "embedding": POSITIONS,
    "position": POSITIONS,
    "attention": PartPage("heads", "Open Heads"),
    "head": PartPage("inside", "Open Inside a head"),
    "scale": PartPage("remove", "Open Why √d_k", {Param.VIEW: "Why √d_k"}),
    "mask": PartPage("masks", "Open Masks"),
    "norm": NORMS,
    "residual": NORMS,
    "mlp": PartPage("remove", "Open Remove a part"),
    "unembedding": PartPage("heads", "Open Heads", {Param.PANEL: "Next word"}),
}


def request(kind: str, layer: int, head: int) -> None:
    """Open the page of this part in the next run. layer, head: −1 where there is none."""
    st.session_state[Key.PART_REQUESTED] = (kind, layer, head)


def open_requested() -> None:
    """Go to the page that was requested. A kind that no part has is ignored: it came from a browser."""
    kind, layer, head = st.session_state.pop(Key.PART_REQUESTED, ("", -1, -1))
    if kind not in PAGE_OF:
        return
    address = {name.value: value for name, value in PAGE_OF[kind].state.items()}
    if kind in ("attention", "head") and layer >= 0:
        controls.choose_layer(layer)  # a control of this page too: Streamlit takes it along to the next
    if kind == "head" and head >= 0:
        address[Param.HEAD] = str(head)
    st.switch_page(visitor.script_of(PAGE_OF[kind].page), query_params=address)
