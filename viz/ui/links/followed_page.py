"""The page that the lecturer of a class shows, opened on a student's page.

This file must stay light: the head of every page needs it, before anything of torch is loaded.
"""

from urllib.parse import parse_qsl

import streamlit as st

from viz.ui import present, state, visitor
from viz.ui.state import Key

OWN = (present.CLASS, "present", "figure")  # of the lecturer's link alone
MAX_PARAMETERS = 100
HOME = "heads"
WITHOUT_CONTROLS = "lessons"  # the page of lessons
KEPT = (Key.LESSONS_SEEN, Key.LINKS_OPENED, Key.CLASS_MOVE)


def request(page: str, query: str, move: int) -> None:
    """Open the page in this state in the next run. page: the last part of a path. All of it came from a browser.

    move: the number under which the browser will learn that its request was taken.
    """
    st.session_state[Key.CLASS_PAGE] = (page, query)
    st.session_state[Key.CLASS_MOVE] = move


def open_requested(current: str) -> None:
    """Go to the page that was requested, with nothing left of what was set before. An unknown page is ignored."""
    requested = st.session_state.get(Key.CLASS_PAGE)
    if requested is None:
        return
    path, query = requested
    page = HOME if path in ("", "home") else path.replace("-", "_")
    parameters = read_parameters(query)
    if page not in visitor.page_names() or parameters is None:
        del st.session_state[Key.CLASS_PAGE]
        return
    if current != WITHOUT_CONTROLS:  # the controls of this page hold its part of the address
        st.switch_page(visitor.script_of(WITHOUT_CONTROLS), query_params={})  # None would fail
    state.clear(keep=KEPT)
    st.switch_page(visitor.script_of(page), query_params=parameters)


def read_parameters(query: str) -> list[tuple[str, str]] | None:
    """The parameters of the lecturer's link that a student's page takes. None: there are too many."""
    try:
        parameters = parse_qsl(query, keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
    except ValueError:
        return None
    return [(name, value) for name, value in parameters if name not in OWN]
