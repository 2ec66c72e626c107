"""The pictures. `viz/*.py` turn arrays and words into figures; `viz/ui` and `viz/pages` put them on a screen."""

from viz.export.notebook import attention_figure

__all__ = ["attention_figure"]
