"""Figures of why scores are divided by √d_k: their histogram, and two quantities against d_k."""

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from viz.theme import Theme, template
from viz.types import Array


def score_histogram(edges: Array, raw: Array, scaled: Array, *, d_k: int, theme: Theme) -> go.Figure:
    """Two histograms (N,) on the same `edges` (N + 1,), q·k and q·k / √d_k, with N(0, d_k) as a thin line.

    Each line carries its name where it stands out from the others.
    """
    if not raw.shape == scaled.shape == (len(edges) - 1,):
        raise ValueError(f"{len(edges) - 1} bins do not fit histograms of {raw.shape} and {scaled.shape}")
    middles = (edges[:-1] + edges[1:]) / 2
    law = np.exp(-(middles**2) / (2 * d_k)) / math.sqrt(2 * math.pi * d_k)
    spread = math.sqrt(float((raw * middles**2).sum() / raw.sum())) if raw.any() else 1.0
    seen = np.flatnonzero(np.maximum(raw, law) > 0.004 * max(raw.max(), law.max()))
    limit = float(np.abs(middles[seen]).max()) if seen.size else float(edges[-1])
    top = float(max(raw.max(), law.max())) * 1.6  # the scaled scores are a needle: it may leave the figure
    return go.Figure(
        data=[
            _steps(middles, scaled, theme.muted, "q·k / √d_k"),
            _steps(middles, raw, theme.accent, "q·k", fill="tozeroy"),
            go.Scatter(
                x=middles,
                y=law,
                line={"color": theme.ink, "width": 1.25, "dash": "dot"},
                hovertemplate="N(0, d_k) %{x:.1f}: %{y:.4f}<extra></extra>",
            ),
        ],
        layout={
            "template": template(theme),
            "height": 248,
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
            "xaxis": {
                "range": [-limit, limit],
                "title": {"text": "score", "standoff": 4},
                "automargin": True,
                "tickfont": {"color": theme.muted, "size": 12},
                "nticks": 9,
            },
            "yaxis": {"range": [0, top], "visible": False},
            "annotations": [
                _label(f"q·k / √{d_k}", theme.muted, x=0.5 * spread / math.sqrt(d_k), y=0.92 * top),
                _label(f"N(0, {d_k})", theme.ink, x=0.9 * math.sqrt(d_k), y=0.8 * float(law.max())),
                _label("q·k", theme.accent, x=spread, y=float(np.interp(spread, middles, raw)) + 0.07 * top),
            ],
        },
    )


def _steps(x: Array, y: Array, colour: str, name: str, **more: object) -> go.Scatter:
    return go.Scatter(
        x=x,
        y=y,
        mode="lines",
        line={"color": colour, "width": 1.75, "shape": "hvh"},
        hovertemplate=f"{name} %{{x:.1f}}: %{{y:.4f}}<extra></extra>",
        **more,
    )


def _label(text: str, colour: str, **place: float) -> dict[str, object]:
    font = {"color": colour, "size": 13}
    return {"text": text, "font": font, "showarrow": False, "xanchor": "left", "xshift": 8, **place}


def two_lines(
    widths: Sequence[int], divided: Sequence[float], undivided: Sequence[float], *, theme: Theme, name: str
) -> go.Figure:
    """One number for each of N `widths` of d_k, with the division and without, on two logarithmic axes."""
    if not len(widths) == len(divided) == len(undivided):
        raise ValueError(f"{len(widths)} widths do not fit {len(divided)} and {len(undivided)} numbers")
    lines = [
        go.Scatter(
            x=list(widths),
            y=list(values),
            mode="lines+markers",
            line={"color": colour, "width": 1.75},
            marker={"size": 7},
            cliponaxis=False,
            hovertemplate=f"{name}, {label}<br>d_k = %{{x}}: %{{y:.3f}}<extra></extra>",
        )
        for label, values, colour in (
            ("without the division", undivided, theme.accent),
            ("with it", divided, theme.ink),
        )
    ]
    decades = [digit * 10.0**power for power in range(-6, 6) for digit in (1, 3)]
    quiet = {"color": theme.muted, "size": 12}
    return go.Figure(
        data=lines,
        layout={
            "template": template(theme),
            "height": 248,
            "margin": {"l": 8, "r": 96, "t": 8, "b": 8},
            "xaxis": {
                "type": "log",
                "tickmode": "array",
                "tickvals": list(widths),
                "title": {"text": "d<sub>k</sub>", "standoff": 4},
                "automargin": True,
                "tickfont": quiet,
            },
            "yaxis": {
                "type": "log",
                "automargin": True,
                "tickfont": quiet,
                "tickvals": decades,
                "ticklabelstandoff": 6,
            },
            "annotations": [
                {
                    "x": math.log10(widths[-1]),
                    "y": math.log10(values[-1]),
                    "text": label,
                    "font": {"color": colour, "size": 13},
                    "showarrow": False,
                    "xanchor": "left",
                    "xshift": 10,
                }
                for label, values, colour in (("without", undivided, theme.accent), ("with", divided, theme.ink))
            ],
        },
    )
