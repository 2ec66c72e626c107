"""From a part of the model to the page that shows it, with the same sentence and the same parts removed."""

import streamlit as st

from viz.ui import controls, visitor
from viz.ui.state import Key, Param

# Kind of a part, or name of a switch → page, and the part of that page.
PAGE_OF = {
    "embedding": ("positions", {}),
    "position": ("positions", {}),
    "attention": ("heads", {}),
    "head": ("inside", {}),
    "scale": ("remove", {Param.VIEW: "Why √d_k"}),
    "mask": ("masks", {}),
    "norm": ("remove", {Param.PANEL: "Residual stream"}),
    "residual": ("remove", {Param.PANEL: "Residual stream"}),
    "mlp": ("remove", {}),
    "unembedding": ("heads", {Param.PANEL: "Next word"}),
}
LABELS = {
    "embedding": "Open Positions",
    "position": "Open Positions",
    "attention": "Open Heads",
    "head": "Open Inside a head",
    "scale": "Open Why √d_k",
    "mask": "Open Masks",
    "norm": "Open Remove a part",
    "residual": "Open Remove a part",
    "mlp": "Open Remove a part",
    "unembedding": "Open Heads",
}


def request(kind: str, layer: int, head: int) -> None:
    """Open the page of this part in the next run. layer, head: −1 where there is none."""
    st.session_state[Key.PART_REQUESTED] = (kind, layer, head)


def open_requested() -> None:
    """Go to the page that was asked for. A kind that no part has is ignored: it came from a browser."""
    kind, layer, head = st.session_state.pop(Key.PART_REQUESTED, ("", -1, -1))
    if kind not in PAGE_OF:
        return
    page, further = PAGE_OF[kind]
    address = {name.value: value for name, value in further.items()}
    if kind in ("attention", "head") and layer >= 0:
        controls.choose_layer(layer)  # a control of this page too: Streamlit takes it along to the next
    if kind == "head" and head >= 0:
        address[Param.HEAD] = str(head)
    st.switch_page(visitor.script_of(page), query_params=address)
