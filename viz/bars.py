"""Probabilities as bars with their words on them: what the model expects next."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from viz.labels import axis_labels
from viz.theme import Theme, template

Array = np.ndarray[Any, Any]


def bars(values: Array, words: Sequence[str], *, theme: Theme, value_name: str = "probability") -> go.Figure:
    """values (N,) between 0 and 1, one bar each, in the order given, on a scale fixed at 0 … 1."""
    if values.shape != (len(words),):
        raise ValueError(f"{len(words)} words do not fit values of {values.shape}")
    return go.Figure(
        data=go.Bar(
            x=values.astype(np.float32),
            y=list(range(len(words))),
            orientation="h",
            marker={"color": theme.weights[4]},
            text=[f"{value:.3f}" for value in values],
            textposition="outside",
            textfont={"color": theme.muted, "size": 12},
            cliponaxis=False,
            hovertemplate=f"%{{y}}<br>{value_name} %{{x:.4f}}<extra></extra>",
        ),
        layout={
            "template": template(theme),
            "bargap": 0.35,
            "height": 24 * len(words) + 24,
            "margin": {"l": 8, "r": 48, "t": 4, "b": 4},
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
