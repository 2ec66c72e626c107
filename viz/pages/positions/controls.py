"""Encoder or decoder."""

from viz.pages.positions.models import KINDS
from viz.ui import controls


def kind() -> str:
    """Encoder or decoder."""
    return controls.choice("Kind", KINDS, key="model_kind", label_visibility="visible")
