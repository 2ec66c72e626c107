"""The ways to look into one head."""

from viz.ui import controls
from viz.ui.state import Param

VIEWS = ("Step by step", "Loop or matrix", "Size and cost", "Average of values", "QK spectrum")


def view() -> str:
    """Which way to look."""
    return controls.choice("View", VIEWS, key=Param.VIEW)
