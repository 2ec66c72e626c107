"""The hidden units that write most for one token, as bars; beside each the words that it raises."""

from collections.abc import Sequence

import plotly.graph_objects as go

from viz.labels import escape, truncate
from viz.theme import Theme, template
from viz.types import Array


def hidden_units(
    units: Sequence[int], lengths: Array, activations: Array, raised: Sequence[Sequence[str]], *, theme: Theme
) -> go.Figure:
    """units (N,), lengths (N,) of the vectors they write, activations (N,), raised (N, K) words."""
    names = [f"unit {unit}" for unit in units]
    words = [", ".join(escape(truncate(word)) for word in row) for row in raised]
    return go.Figure(
        data=[
            go.Bar(
                x=lengths,
                y=names,
                orientation="h",
                marker={"color": theme.weights[4]},
                text=words,
                textposition="outside",
                cliponaxis=False,
                customdata=activations,
                hovertemplate="%{y}: activation %{customdata:.2f}, writes a vector of length %{x:.2f}<extra></extra>",
            )
        ],
        layout={
            "template": template(theme),
            "height": 40 + 34 * len(names),
            "margin": {"l": 8, "r": 150, "t": 8, "b": 8},
            "xaxis": {"title": {"text": "length of what it writes"}, "rangemode": "tozero", "automargin": True},
            "yaxis": {"autorange": "reversed", "automargin": True, "type": "category"},
        },
    )
