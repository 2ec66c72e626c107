"""What each head is worth: a small map, layers down and heads across, of what its removal costs."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from viz.theme import Theme, template

Array = np.ndarray[Any, Any]


def costs(values: Array, layers: Sequence[str], heads: Sequence[str], *, theme: Theme, value_name: str) -> go.Figure:
    """values (L, H) on the diverging scale about 0, each with its number on it."""
    if values.shape != (len(layers), len(heads)):
        raise ValueError(f"{len(layers)} layers and {len(heads)} heads do not fit values of {values.shape}")
    limit = float(np.abs(np.nan_to_num(values)).max()) or 1.0
    dark = np.abs(values) > 0.55 * limit
    return go.Figure(
        data=[
            go.Heatmap(
                z=values.astype(np.float32),
                colorscale=theme.signed_scale,
                zmin=-limit,
                zmax=limit,
                xgap=2,
                ygap=2,
                showscale=False,
                hovertemplate=f"%{{y}}, %{{x}}<br>{value_name} %{{z:.4f}}<extra></extra>",
            ),
            go.Scatter(
                mode="text",
                x=[head for _, head in np.ndindex(values.shape)],
                y=[layer for layer, _ in np.ndindex(values.shape)],
                text=[f"{value:+.2f}" for value in values.ravel()],
                textfont={"color": [theme.paper if deep else theme.ink for deep in dark.ravel()], "size": 13},
                hoverinfo="skip",
            ),
        ],
        layout={
            "template": template(theme),
            "height": 56 * len(layers) + 40,
            "margin": {"l": 8, "r": 8, "t": 28, "b": 8},
            "xaxis": {"side": "top", "tickmode": "array", "tickvals": list(range(len(heads))), "ticktext": list(heads)},
            "yaxis": {
                "tickmode": "array",
                "tickvals": list(range(len(layers))),
                "ticktext": list(layers),
                "autorange": "reversed",
                "automargin": True,
                "ticklabelstandoff": 6,
            },
        },
    )
