"""What every page stands in: its title and one sentence at once, then, behind them, the slow imports.

This file must stay light: it runs before torch is there.
"""

import importlib
import sys
from pathlib import Path

import streamlit as st

from viz.theme import THEMES, Theme

PAGES = Path(__file__).parents[1] / "pages"
STYLE = Path(__file__).with_name("style.css")


def open_frame() -> None:
    """Page settings and the few rules of style that the theme cannot say."""
    st.set_page_config(page_title="Attention Lab", layout="wide", initial_sidebar_state="auto")
    colours = f"--accent: {theme().accent}; --paper: {theme().paper};"
    st.html(f"<style>:root {{ {colours} }}\n{STYLE.read_text(encoding='utf-8')}</style>")
    st.sidebar.markdown("### Attention Lab")


def words(page: str) -> tuple[str, str]:
    """The prose of a page: what stands above the figure (title and one sentence), and what stands below."""
    above, _, below = (PAGES / f"{page}.md").read_text(encoding="utf-8").partition("\n---\n")
    return above.strip(), below.strip()


def heading(page: str) -> None:
    """The question the page asks and what to do, at once."""
    with st.container(key="heading"):
        st.markdown(words(page)[0])


def warm_up() -> None:
    """Import torch and the pages' own modules behind a skeleton: slow once for the server, free ever after."""
    place = st.empty()  # there at every run: else all that follows would move up by one, and be built anew
    if "viz.ui.runs" not in sys.modules:
        with place, st.skeleton(height=560):
            importlib.import_module("viz.ui.runs")


def theme() -> Theme:
    """The theme this visitor's browser shows; paper until it has said."""
    return THEMES[st.context.theme.type or "light"]
