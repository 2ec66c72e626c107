"""How much of a signal arrives over a distance: one line for each network, on logarithmic axes."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from viz.theme import Theme, template
from viz.types import Array

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "solid", "dash", "dot")  # lines differ not by colour alone


def gradient_by_distance(distances: Sequence[int], norms: Mapping[str, Array], *, theme: Theme) -> go.Figure:
    """norms: name of a network → (seeds, K) gradient norms at the K distances.

    The line is the median of the seeds. A norm of exactly 0 has no place on a logarithmic axis: its line ends.
    """
    lines = []
    for number, (name, values) in enumerate(norms.items()):
        if values.shape[1] != len(distances):
            raise ValueError(f"{len(distances)} distances do not fit the {values.shape[1]} values of “{name}”")
        median = np.median(values, axis=0)
        shown = np.where(median > 0, median, np.nan)
        attends = "attention" in name.lower() or "transformer" in name.lower()
        colour = theme.accent if attends else theme.ink
        lines.append(
            go.Scatter(
                x=list(distances),
                y=shown,
                mode="lines+markers",
                name=name,
                line={"color": colour, "width": 2, "dash": DASHES[number % len(DASHES)]},
                marker={"size": 6, "symbol": number % 8},
                hovertemplate=f"{name}, distance %{{x}}: %{{y:.2g}}<extra></extra>",
            )
        )
    return go.Figure(
        data=lines,
        layout={
            "template": template(theme),
            "height": 380,
            "margin": {"l": 64, "r": 24, "t": 16, "b": 48},
            "showlegend": True,
            "legend": {"orientation": "v", "x": 1.02, "y": 1},
            "xaxis": {
                "type": "log",
                "tickvals": list(distances),
                "title": {"text": "distance, positions"},
                "showline": True,
                "linecolor": theme.rule,
            },
            "yaxis": {
                "type": "log",
                "title": {"text": "gradient norm"},
                "exponentformat": "power",
                "automargin": True,
                "nticks": 6,
                "showline": True,
                "linecolor": theme.rule,
            },
        },
    )
