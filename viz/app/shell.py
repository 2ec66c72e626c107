"""What stands around every page: settings, style, heading, and the step of a lesson."""

import importlib

import streamlit as st
from streamlit.navigation.page import StreamlitPage
from streamlit.runtime.scriptrunner import StopException, get_script_run_ctx

from viz.theme import css_colours
from viz.ui import present, state, visitor
from viz.ui.links import followed_page, part_pages
from viz.ui.links.old_links import of_today
from viz.ui.state import Key
from viz.ui.visitor import theme, words

LESSON_STYLE = (visitor.PAGES.parent / "ui/lesson.css").read_text(encoding="utf-8")
ALONE_STYLE = (visitor.PAGES.parent / "ui/alone.css").read_text(encoding="utf-8")


def open_frame() -> None:
    """Page settings, and the style that is known only now: the colours shown, an open lesson, a figure alone."""
    _keep_the_address_of_a_back()
    if not st.session_state.pop(Key.PLAYER, False):  # the player of words is at rest when a person comes back to it
        st.session_state.pop(Key.PLAYING, None)
    alone = present.presentation().mode
    st.set_page_config(page_title="Attention Lab", layout="wide", initial_sidebar_state="auto")
    further = (LESSON_STYLE if _in_a_lesson() else "") + (ALONE_STYLE if alone else "")
    st.html(f"<style>{css_colours(theme())}\n{further}</style>")
    st.sidebar.markdown("### Attention Lab")


def _keep_the_address_of_a_back() -> None:
    """Send the address once more in a run that Back or Forward of the browser has caused.

    The answer to what the person did just before may still be on its way then, and the browser writes its address over
    the one that Back has opened: the picture would go back and the address would not.
    """
    run = get_script_run_ctx()
    if run is not None and getattr(run, "is_history_navigation", False):
        st.query_params.update()  # with no change at all, it sends the address as this run has read it


def enter(page: str) -> None:
    """Open the page, or that of a part that was clicked; and a link of an earlier version under the names of today."""
    state.enter(page)
    followed_page.open_requested(page)
    part_pages.open_requested(page)
    address = {name: st.query_params.get_all(name) for name in st.query_params}
    today = of_today(page, address)
    if today != address:
        st.switch_page(visitor.script_of(page), query_params=today)


def heading(page: str) -> None:
    """The question the page asks and what to do, at once; and beside it what can be taken along."""
    with st.container(key="heading"):
        present.page_tools(page, part_pages.parts_of_strip(page), theme(), part_pages.request, followed_page.request)
        st.markdown(words(page)[0])


def run(page: StreamlitPage) -> None:
    """Make the page. Meanwhile long computations of other visitors pause: see viz/ui/slots.py."""
    # These know torch: too slow for the head of this file.
    slots, model_calls = (importlib.import_module(f"viz.ui.{name}") for name in ("slots", "model_calls"))
    model_calls.start()
    try:
        with slots.page(), model_calls.cluster_notice():
            page.run()
    except StopException:  # a page without a readable text ends early; it has drawn its controls
        state.remember()
        raise
    state.remember()


def _in_a_lesson() -> bool:
    return "lesson" in st.query_params or Key.LESSON_ASKED in st.session_state


def lesson(page: str) -> None:
    """The step of a lesson, if the address names one. Otherwise lessons are not even imported."""
    if _in_a_lesson():
        importlib.import_module("viz.pages.lessons.banner").show_banner(page)
