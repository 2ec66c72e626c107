"""The old name of viz.export.attention_arrays, which copied lines of earlier versions import."""

from viz.export.attention_arrays import maps, read

__all__ = ["maps", "read"]
