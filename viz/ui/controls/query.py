"""The query word that a person pins."""

from collections.abc import Sequence, Set

import streamlit as st

from viz.ui.controls.places import EVERY, Control, place
from viz.ui.state import Key, Param


def token(tokens: Sequence[str], each: str = "word", acting: Set[Control] = EVERY) -> int | None:
    """The position of the pinned word, or None: then the figure picks the most telling one. each: what a token is."""
    last = len(tokens) - 1
    if st.session_state.pop(Key.TO_THE_END, False):
        st.session_state[Param.QUERY] = last
    if (st.session_state.get(Param.QUERY) or 0) > last:
        st.session_state[Param.QUERY] = None
    with place(Control.QUERY, acting):
        position = st.number_input(
            f"Query {each}, 0 to {last}",
            0,
            last,
            None,
            key=Param.QUERY,
            bind="query-params",
            placeholder="automatic",
        )
    return None if position is None else int(position)


def pin_token(row: int | None) -> None:
    """Pin a word, or let it go, as if it had been typed."""
    st.session_state[Param.QUERY] = row
