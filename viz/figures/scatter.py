"""Weight against effect: does the word with the largest weight also have the largest effect?"""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from viz.labels import axis_labels
from viz.theme import Theme, template
from viz.types import Array


def scatter(x: Array, y: Array, words: Sequence[str], *, theme: Theme, x_name: str, y_name: str) -> go.Figure:
    """x, y (N,), one labelled point for each word; the x axis runs from 0 to 1, the y axis from 0."""
    if not x.shape == y.shape == (len(words),):
        raise ValueError(f"{len(words)} words do not fit points of {x.shape} and {y.shape}")
    finite = y[np.isfinite(y)]
    top = float(finite.max()) if finite.size and finite.max() > 0 else 1.0
    has_label = (x > 0.05) | (y > 0.2 * top)  # a label for each point would be a blot at the corner
    return go.Figure(
        data=go.Scatter(
            x=x,
            y=y,
            mode="markers+text",
            marker={"color": theme.accent, "size": 9},
            text=[label if tell else "" for label, tell in zip(axis_labels(words), has_label, strict=True)],
            textposition="top center",
            customdata=[[label] for label in axis_labels(words)],
            hovertemplate=f"%{{customdata[0]}}<br>{x_name} %{{x:.3f}}<br>{y_name} %{{y:.4f}}<extra></extra>",
            cliponaxis=False,
        ),
        layout={
            "template": template(theme),
            "height": 320,
            "margin": {"l": 8, "r": 24, "t": 24, "b": 48},
            "xaxis": {"title": {"text": x_name}, "range": [-0.03, 1.03], "showline": True, "linecolor": theme.rule},
            "yaxis": {
                "title": {"text": y_name},
                "range": [-0.03 * top, 1.12 * top],
                "showline": True,
                "linecolor": theme.rule,
                "automargin": True,
            },
        },
    )
