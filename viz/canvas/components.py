"""How a drawing is mounted on the page: its script, its style, its data."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import streamlit as st

from viz.styles import script_of, style_of


@dataclass(frozen=True)
class Drawn:
    """A drawing that is on the page: the key that names it there, its component, and the bytes that were sent."""

    key: str
    component: str
    data: bytes


@cache
def component(name: str) -> Callable[..., Drawn]:
    """The component of that name, with its script and its style."""
    # At the first use, not at the import: Streamlit finds the files only while it runs.
    mount = st.components.v2.component(f"attention-lab.{name}", js=f"{script_of(name)}.js", css=f"{style_of(name)}.css")

    def draw(*, key: str, data: bytes, **callbacks: Any) -> Drawn:
        mount(key=key, data=data, **callbacks)
        return Drawn(key, name, data)

    return draw
