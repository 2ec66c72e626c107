"""Which groups of controls the open view shows, and where a control stands."""

from collections.abc import Set
from enum import StrEnum

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


class Control(StrEnum):
    """A group of controls in the sidebar. A view shows those that do something in it."""

    MODEL = "model"
    TEXT = "text"
    COMPONENTS = "components"
    HEAD = "head"  # its layer and its number
    QUERY = "query"


EVERY: frozenset[Control] = frozenset(Control)


def place(control: Control, acting: Set[Control], name: str = "") -> DeltaGenerator:
    """The sidebar; for a control that does nothing in the open view a hidden place, so that its value stays.

    name: tells several controls of one group apart.
    """
    return st.sidebar if control in acting else st.sidebar.container(key=f"unseen_{control}{name}")
