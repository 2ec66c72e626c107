"""Singular values of one matrix, on a logarithmic scale: where they fall off the cliff, its rank ends."""

import numpy as np
import plotly.graph_objects as go

from viz.theme import Theme, template
from viz.types import Array


def spectrum(values: Array, rank: int, most: int, *, theme: Theme) -> go.Figure:
    """values (C,) in falling order; rank: how many are more than rounding; most: what the rank can be at most."""
    x = np.arange(1, len(values) + 1)
    shown = np.maximum(values, np.finfo(np.float64).tiny)
    return go.Figure(
        data=[
            go.Scatter(
                x=x,
                y=shown,
                mode="markers",
                marker={"color": np.where(x <= rank, theme.weights[4], theme.muted).tolist(), "size": 8},
                hovertemplate="value %{x}: %{y:.2e}<extra></extra>",
            )
        ],
        layout={
            "template": template(theme),
            "height": 330,
            "margin": {"l": 8, "r": 16, "t": 24, "b": 8},
            "xaxis": {"title": {"text": "singular value"}, "range": [0, len(values) + 1], "automargin": True},
            "yaxis": {
                "type": "log",
                "title": {"text": "size"},
                "exponentformat": "power",
                "dtick": 4,
                "automargin": True,
            },
            "shapes": [
                {
                    "type": "line",
                    "x0": most + 0.5,
                    "x1": most + 0.5,
                    "y0": 0,
                    "y1": 1,
                    "yref": "paper",
                    "line": {"color": theme.accent, "width": 1},
                }
            ],
            "annotations": [
                {
                    "x": most + 0.5,
                    "y": 1,
                    "yref": "paper",
                    "yanchor": "bottom",
                    "text": f"d<sub>k</sub> = {most}",
                    "showarrow": False,
                    "font": {"color": theme.accent, "size": 13},
                }
            ],
        },
    )
