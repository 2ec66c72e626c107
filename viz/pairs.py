"""The same words under two runs: A above, B below, one pair of bars a word."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from viz.labels import axis_labels
from viz.theme import Theme, template

Array = np.ndarray[Any, Any]


def pairs(a: Array, b: Array, words: Sequence[str], *, theme: Theme, value_name: str = "probability") -> go.Figure:
    """a, b (N,) between 0 and 1, drawn as bars for each of N words on a scale fixed at 0 … 1."""
    if not a.shape == b.shape == (len(words),):
        raise ValueError(f"{len(words)} words do not fit bars of {a.shape} and {b.shape}")
    sides = (("A", a, theme.weights[4]), ("B", b, theme.accent))
    return go.Figure(
        data=[
            go.Bar(
                x=np.nan_to_num(values).astype(np.float32),
                y=list(range(len(words))),
                orientation="h",
                marker={"color": colour},
                text=[f"{name} {value:.3f}" for value in values],
                textposition="outside",
                textfont={"color": theme.muted, "size": 11},
                cliponaxis=False,
                hovertemplate=f"{name}, %{{y}}<br>{value_name} %{{x:.4f}}<extra></extra>",
            )
            for name, values, colour in sides
        ],
        layout={
            "template": template(theme),
            "barmode": "group",
            "bargap": 0.3,
            "height": 40 * len(words) + 16,
            "margin": {"l": 8, "r": 64, "t": 4, "b": 4},
            "xaxis": {"range": [0, 1], "visible": False},
            "yaxis": {
                "tickmode": "array",
                "tickvals": list(range(len(words))),
                "ticktext": axis_labels(words),
                "autorange": "reversed",
                "automargin": True,
                "ticklabelstandoff": 6,
            },
        },
    )
