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
    text = [
        [f"{escape(shorten(w, 12))}<br>{p:.2f}" for w, p in zip(words[i], probabilities[i], strict=True)]
        for i in range(n_layers)
    ]
    figure = go.Figure(
        go.Heatmap(
            z=probabilities.astype(np.float32),
            colorscale=theme.weight_scale,
            zmin=0.0,
            zmax=1.0,
            xgap=2,
            ygap=2,
            showscale=False,
            hovertemplate="layer %{y}, choice %{x}: %{z:.4f}<extra></extra>",
        )
    )
    for layer in range(n_layers):
        for choice in range(n):
            ink = theme.paper if probabilities[layer, choice] > theme.text_turns else theme.ink
            figure.add_annotation(
                {"x": choice, "y": layer, "text": text[layer][choice], "font": {"color": ink, "size": 12}},
                showarrow=False,
            )
    figure.update_layout(
        template=template(theme),
        height=44 * n_layers + 32,
        margin={"l": 8, "r": 8, "t": 24, "b": 4},
        xaxis={
            "side": "top",
            "tickmode": "array",
            "tickvals": list(range(n)),
            "ticktext": ["first choice", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"][:n],
        },
        yaxis={
            "tickmode": "array",
            "tickvals": list(range(n_layers)),
            "ticktext": [f"layer {layer}" for layer in range(n_layers)],
            "autorange": "reversed",
            "automargin": True,
            "ticklabelstandoff": 6,
        },
    )
    return figure
