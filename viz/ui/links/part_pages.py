"""From a part of the model to the page that shows it, with the same sentence and the same parts removed.

This file must stay light: the head of every page needs it, before anything of torch is loaded.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import streamlit as st

from viz.canvas.page_tools import StripPart
from viz.ui import visitor
from viz.ui.state import Key, Param


@dataclass(frozen=True)
class PartPage:
    """A page, the label of the button that opens it, and what of the page is opened."""

    page: str
    label: str
    state: Mapping[Param, str] = field(default_factory=dict)  # of names in PER_PAGE only


POSITIONS = PartPage("positions", "Open Positions")
NORMS = PartPage("remove", "Open Remove a part", {Param.VIEW: "What breaks", Param.PANEL: "Residual stream"})
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
# The strip at the head of every page, in the order of the data flow: name → label, and the page it opens.
STRIP = {
    "tokens": ("Tokens", PartPage("machine", "Open Whole model: from the tokens to the next word")),
    "positions": ("Positions", PartPage("positions", "Open Positions: how the model knows the order of the tokens")),
    "dot_product": (
        "q·k",
        PartPage("inside", "Open Inside a head: from queries and keys to weights", {Param.VIEW: "Step by step"}),
    ),
    "scale": (
        "÷√d_k",
        PartPage("remove", "Open Why √d_k: what happens without the division", {Param.VIEW: "Why √d_k"}),
    ),
    "mask": ("Mask", PartPage("masks", "Open Masks: which tokens may attend to which")),
    "weights": ("Weights", PartPage("heads", "Open Heads: the attention weights of all heads")),
    "values": (
        "× values",
        PartPage("inside", "Open Inside a head: the output as an average of values", {Param.VIEW: "Average of values"}),
    ),
    "cross": ("Cross-attention", PartPage("translate", "Open Translate: a decoder attends to a source sentence")),
    "residual": (
        "Residual, norm",
        PartPage("remove", "Open Remove a part: the residual stream, with and without its norms", NORMS.state),
    ),
    "mlp": ("Feed-forward", PartPage("machine", "Open Whole model: the hidden units of a feed-forward network")),
    "prediction": (
        "Next word",
        PartPage("heads", "Open Heads: the prediction, layer by layer", {Param.PANEL: "Next word"}),
    ),
}
IN_A_HEAD = ("dot_product", "scale", "mask", "weights", "values")
# Page → the parts that it is about; (page, view) where a view is about others.
ABOUT: Mapping[str | tuple[str, str], tuple[str, ...]] = {
    "machine": tuple(STRIP),
    "heads": ("weights", "prediction"),
    "inside": IN_A_HEAD,
    ("inside", "Average of values"): ("values",),
    ("inside", "QK spectrum"): ("dot_product",),
    "masks": ("mask",),
    "positions": ("positions",),
    "remove": ("positions", "scale", "mask", "residual", "mlp"),
    ("remove", "Why √d_k"): ("dot_product", "scale"),
    ("remove", "Layer norm, batch norm"): ("residual",),
    "translate": ("cross",),
    "why": ("weights",),
    "training": ("positions", "scale", "mask", "weights", "residual", "mlp"),
    "your_model": ("weights",),
    "lessons": (),
}


def parts_of_strip(page: str) -> list[StripPart]:
    """The parts of a model in the order of the data flow, and which of them this page is about."""
    view = st.session_state.get(Param.VIEW, st.query_params.get(Param.VIEW, ""))
    lit = ABOUT.get((page, view), ABOUT[page])
    return [StripPart(name, label, opens.label, name in lit) for name, (label, opens) in STRIP.items()]


def request(kind: str, layer: int = -1, head: int = -1) -> None:
    """Open the page of this part, or of a part of the strip, in the next run. layer, head: −1 where there is none."""
    st.session_state[Key.PART_REQUESTED] = (kind, layer, head)


def open_requested(current: str) -> None:
    """Go to the page that was requested. A kind that no part has is ignored: it came from a browser."""
    kind, layer, head = st.session_state.pop(Key.PART_REQUESTED, ("", -1, -1))
    if kind in STRIP:
        opens = STRIP[kind][1]
    elif kind in PAGE_OF:
        opens = PAGE_OF[kind]
    else:
        return
    if opens.page == current:
        st.session_state.update({name.value: value for name, value in opens.state.items()})
        return
    if kind in ("attention", "head") and layer >= 0:  # a control of Whole model too: Streamlit takes it along
        choose_layer(layer)
    st.session_state.setdefault(Key.OF_PAGES, {}).setdefault(opens.page, {}).update(
        {name: (value, [value]) for name, value in opens.state.items()}
    )
    address = {Param.HEAD.value: str(head)} if kind == "head" and head >= 0 else {}
    st.switch_page(visitor.script_of(opens.page), query_params=address)


def choose_layer(layer: int) -> None:
    """Look into this layer, as if it had been typed: also on a page whose default is another."""
    st.session_state[Param.LAYER] = layer
    st.session_state.setdefault(Key.DEFAULTS, {})[Param.LAYER] = None
