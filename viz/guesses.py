"""What each layer would already say: one row a layer, its likeliest words from left to right."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from viz.labels import escape, shorten
from viz.theme import Theme, template

Array = np.ndarray[Any, Any]


def guesses(probabilities: Array, words: Sequence[Sequence[str]], *, theme: Theme) -> go.Figure:
    """probabilities (L, N) of the N likeliest `words` of each of L layers. The last layer is the model's output."""
    n_layers, n = probabilities.shape
    if len(words) != n_layers or any(len(row) != n for row in words):
        raise ValueError(f"words must be {n_layers} rows of {n}")
    cells = [(layer, choice) for layer in range(n_layers) for choice in range(n)]
    order = ["first choice", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"]
    return go.Figure(
        data=[
            go.Heatmap(
                z=probabilities.astype(np.float32),
                colorscale=theme.weight_scale,
                zmin=0.0,
                zmax=1.0,
                xgap=2,
                ygap=2,
                showscale=False,
                hovertemplate="layer %{y}, choice %{x}: %{z:.4f}<extra></extra>",
            ),
            go.Scatter(
                mode="text",
                x=[choice for _, choice in cells],
                y=[layer for layer, _ in cells],
                text=[f"{escape(shorten(words[i][j], 12))}<br>{probabilities[i, j]:.2f}" for i, j in cells],
                textfont={
                    "color": [theme.paper if probabilities[cell] > theme.text_turns else theme.ink for cell in cells],
                    "size": 12,
                },
                hoverinfo="skip",
            ),
        ],
        layout={
            "template": template(theme),
            "height": 44 * n_layers + 32,
            "margin": {"l": 8, "r": 8, "t": 24, "b": 4},
            "xaxis": {
                "side": "top",
                "tickmode": "array",
                "tickvals": list(range(n)),
                "ticktext": order[:n],
                "range": [-0.5, n - 0.5],
            },
            "yaxis": {
                "tickmode": "array",
                "tickvals": list(range(n_layers)),
                "ticktext": [f"layer {layer}" for layer in range(n_layers)],
                "range": [n_layers - 0.5, -0.5],
                "automargin": True,
                "ticklabelstandoff": 6,
            },
        },
    )
