"""The ways to look into one head."""

from viz.ui import controls

VIEWS = ("Step by step", "Both forms", "Free sizes", "Only averaging", "Spectrum")


def view() -> str:
    """Which way to look."""
    return controls.choice("View", VIEWS, key="aspect")
