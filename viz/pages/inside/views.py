"""The ways to look into one head."""

from viz.ui import controls
from viz.ui.state import Param

VIEWS = ("Step by step", "Loop or matrix", "Size and cost", "Average of values", "QK spectrum")
FOLLOW_A_TOKEN = ("Step by step", "Average of values")


def acting() -> frozenset[controls.Control]:
    """The controls of the sidebar that do something in the open view."""
    follows = controls.opened(Param.VIEW, VIEWS) in FOLLOW_A_TOKEN
    return controls.EVERY if follows else controls.EVERY - {controls.Control.QUERY}


def view() -> str:
    """Which way to look."""
    return controls.choice("View", VIEWS, key=Param.VIEW)
