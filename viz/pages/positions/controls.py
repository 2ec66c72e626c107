"""Encoder or decoder."""

from viz.pages.positions.models import KINDS
from viz.ui import controls
from viz.ui.state import Param


def kind() -> str:
    """Encoder or decoder."""
    return controls.choice("Kind", KINDS, key=Param.MODEL_KIND, label_visibility="visible")
