"""How a drawing is mounted on the page: its script, its style, its data."""

import threading
from collections.abc import Callable
from functools import cache
from typing import Any

import streamlit as st

from viz.styles import style_of


@cache
def component(name: str) -> Callable[..., Any]:
    """The component of that name, with its script and its style."""
    # At the first use, not at the import: Streamlit finds the files only while it runs.
    drawn = st.components.v2.component(f"attention-lab.{name}", js=f"{name}.js", css=f"{style_of(name)}.css")

    def mount(*, key: str, data: bytes, **callbacks: Any) -> Any:
        vars(_mounted)[key] = (name, data)
        return drawn(key=key, data=data, **callbacks)

    return mount


_mounted = threading.local()  # of each visitor's run of the script: key → name and data


def mounted(key: str) -> tuple[str, bytes] | None:
    """Name and data of the component that this run has drawn under that key, once: then they are forgotten."""
    return vars(_mounted).pop(key, None)
