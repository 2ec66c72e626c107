"""From a part of a model of two sentences to the page that shows it, with the same source and parts removed."""

import streamlit as st

from viz.pair_tasks import place_of
from viz.ui import visitor
from viz.ui.links import part_pages
from viz.ui.state import Key, Param

POSITIONS, TRANSLATE = "Open Positions", "Open Translate"
# Kind of a part, or name of a switch → the label of the button that opens its page.
LABELS = {
    **dict.fromkeys(("embedding", "position"), POSITIONS),
    **dict.fromkeys(("attention", "cross", "head", "cross_head", "output", "unembedding"), TRANSLATE),
    **dict.fromkeys(("scale", "mask", "norm", "residual", "mlp"), TRANSLATE),
}
REMOVED = ("scale", "mask", "norm", "residual", "mlp")  # parts that the view Ablation of Translate compares


def request(kind: str, layer: int, head: int, stack: str) -> None:
    """Open the page of this part in the next run. layer, head: −1 where there is none."""
    st.session_state[Key.PAIR_PART_REQUESTED] = (kind, layer, head, stack)


def open_requested(weights: str, text: str) -> None:
    """Go to the page that was requested. A kind that no part has is ignored: it came from a browser."""
    kind, layer, head, stack = st.session_state.pop(Key.PAIR_PART_REQUESTED, ("", -1, -1, ""))
    place = place_of(weights)
    if kind not in LABELS or place is None:
        return
    if LABELS[kind] == POSITIONS:
        st.switch_page(visitor.script_of("positions"))
        return
    crosses = kind in ("cross", "cross_head", "output", "unembedding")
    which = "target → source" if crosses else "source → source" if stack == "encoder" else "target → target"
    address = {Param.TASK: place[0], Param.NETWORK: place[1], Param.SOURCE_TEXT: text}
    if kind in REMOVED:
        address[Param.PANEL] = "Ablation"
    else:
        address[Param.MAP] = which
    if layer >= 0:
        part_pages.choose_layer(layer)  # a control of this page too: Streamlit takes it along to the next
    if head >= 0:
        address |= {Param.HEAD: str(head), Param.MEAN_HEADS: "false"}
    st.switch_page(visitor.script_of("translate"), query_params={name.value: value for name, value in address.items()})
