"""The layer and the head that a page shows."""

from collections.abc import Set

import streamlit as st

from viz.ui.controls.choices import name_in_link, track_default
from viz.ui.controls.places import EVERY, Control, place
from viz.ui.state import Key, Param


def head(
    n_layers: int, n_heads: int, default: tuple[int, int], acting: Set[Control] = EVERY, tokens: object = None
) -> tuple[int, int]:
    """The (layer, head) to enlarge.

    default: the head that a page opens with. tokens: what the model reads; while it stays the same, another default
    (of another model) moves nothing.
    """
    last_tokens, opens, last_default = st.session_state.get(Key.LAST_HEAD, (None, default, default))
    if tokens is None or last_tokens != tokens or opens[0] >= n_layers or opens[1] >= n_heads:
        opens = default
    st.session_state[Key.LAST_HEAD] = (tokens, opens, default)
    track_default({Param.LAYER: opens[0], Param.HEAD: opens[1]})
    if last_default != default:
        name_in_link(Param.LAYER, Param.HEAD)
    with place(Control.HEAD, acting), st.container(horizontal=True, gap="small"):
        layer = st.number_input("Layer", 0, n_layers - 1, default[0], key=Param.LAYER, bind="query-params", width=100)
        head = st.number_input("Head", 0, n_heads - 1, default[1], key=Param.HEAD, bind="query-params", width=100)
    return int(layer), int(head)


def layer(n_layers: int, default: int) -> int:
    """The layer to look into, where no head is chosen."""
    track_default({Param.LAYER: default})
    if (st.session_state.get(Param.LAYER) or 0) >= n_layers:
        st.session_state[Param.LAYER] = n_layers - 1  # the layer of a deeper model
    with st.sidebar:
        return int(st.number_input("Layer", 0, n_layers - 1, default, key=Param.LAYER, bind="query-params", width=100))


def choose_head(layer: int, head: int) -> None:
    """Enlarge this head, as if it had been typed."""
    st.session_state[Param.LAYER], st.session_state[Param.HEAD] = layer, head
