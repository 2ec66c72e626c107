"""A quantity against a distance or a length: one line for each network, on logarithmic axes."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from viz.theme import Theme, template
from viz.types import Array

BEFORE = ", untrained"
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "solid", "dash", "dot")  # lines differ not by colour alone


def log_lines(
    positions: Sequence[int], values_of: Mapping[str, Array], *, theme: Theme, along: str, quantity: str
) -> go.Figure:
    """values_of: name of a network → (seeds, K) values at the K positions. along, quantity: titles of the axes.

    A network whose name ends with BEFORE has a thin, light line in the pattern of the network before it.
    The line is the median of the seeds. A value of exactly 0 has no place on a logarithmic axis: its line ends.
    """
    lines = []
    number = -1
    for name, values in values_of.items():
        untrained = name.endswith(BEFORE)
        number += not untrained
        if values.shape[1] != len(positions):
            raise ValueError(f"{len(positions)} positions do not fit the {values.shape[1]} values of “{name}”")
        median = np.median(values, axis=0)
        shown = np.where(median > 0, median, np.nan)
        recurrent = any(word in name for word in ("RNN", "GRU", "LSTM"))
        colour = theme.ink if recurrent or "convolution" in name else theme.accent
        lines.append(
            go.Scatter(
                x=list(positions),
                y=shown,
                mode="lines+markers",
                name=name,
                line={"color": colour, "width": 1 if untrained else 2, "dash": DASHES[number % len(DASHES)]},
                opacity=0.5 if untrained else 1,
                marker={"size": 6, "symbol": number % 8},
                hovertemplate=f"{name}, %{{x}}: %{{y:.2g}}<extra></extra>",
            )
        )
    return go.Figure(
        data=lines,
        layout={
            "template": template(theme),
            "height": 440,
            "margin": {"l": 64, "r": 24, "t": 16, "b": 24},
            "showlegend": True,
            "legend": {"orientation": "h", "x": 0, "y": -0.16, "yanchor": "top"},
            "xaxis": {
                "type": "log",
                "tickvals": list(positions),
                "title": {"text": along},
                "showline": True,
                "linecolor": theme.rule,
            },
            "yaxis": {
                "type": "log",
                "title": {"text": quantity},
                "exponentformat": "power",
                "automargin": True,
                "nticks": 6,
                "showline": True,
                "linecolor": theme.rule,
            },
        },
    )
