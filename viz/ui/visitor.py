"""What a page knows of its visitor and of itself: the theme that the browser shows, and the prose of the page.

This file must stay light: the command line imports it and needs no torch.
"""

from functools import cache
from pathlib import Path

import streamlit as st

from viz.theme import PROJECTED, THEMES, Theme
from viz.ui import present
from viz.ui.state import Key

PAGES = Path(__file__).parents[1] / "pages"  # one folder a page: page.py, its prose page.md, and its own parts


@cache
def page_names() -> tuple[str, ...]:
    """The names of all pages: the folders of PAGES that hold a script."""
    return tuple(sorted(script.parent.name for script in PAGES.glob("*/page.py")))


def script_of(page: str) -> str:
    """Where Streamlit finds the script of a page, from viz/app/contents.py."""
    return f"../pages/{page}/page.py"


@cache
def words(page: str, file: str = "page") -> tuple[str, str]:
    """The prose of a page: what stands above the figure (title and one sentence), and what stands below."""
    above, _, below = (PAGES / page / f"{file}.md").read_text(encoding="utf-8").partition("\n---\n")
    return above.strip(), below.strip()


def theme() -> Theme:
    """The theme this visitor's browser shows, paper until it has said; on a projector with more contrast."""
    shown = st.context.theme.type or st.session_state.get(Key.THEME, "light")
    return (PROJECTED if present.presentation().mode == "present" else THEMES)[shown]
