"""The division by √d_k, drawn and read aloud: the scores of a real head, and the gradient of W_q."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from viz.theme import Theme, template

Array = np.ndarray[Any, Any]


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


def _steps(x: Array, y: Array, colour: str, name: str, **more: Any) -> go.Scatter:
    return go.Scatter(
        x=x,
        y=y,
        mode="lines",
        line={"color": colour, "width": 1.75, "shape": "hvh"},
        hovertemplate=f"{name} %{{x:.1f}}: %{{y:.4f}}<extra></extra>",
        **more,
    )


def _label(text: str, colour: str, **at: float) -> dict[str, Any]:
    font = {"color": colour, "size": 13}
    return {"text": text, "font": font, "showarrow": False, "xanchor": "left", "xshift": 8, **at}


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


def read_step(
    d_k: int, n: int, largest: tuple[float, float], jacobian: tuple[float, float], always: tuple[float, float]
) -> str:
    """largest, jacobian: (without the division, with it) over rows of `n` weights.

    always: the least and the greatest that `largest` becomes with the division, over every d_k.
    """
    without, with_it = largest
    if d_k == 1:
        return (
            f"At **d_k = 1** the division is by 1 and changes nothing. The largest of {n} weights is {without:.2f} on "
            "average, with and without it. Move the slider to the right."
        )
    smaller = jacobian[1] / jacobian[0]
    stuck = (
        f"The Jacobian of the softmax is **{smaller:.1f} times smaller** than with it."
        if smaller >= 1.15
        else "The Jacobian of the softmax is not much smaller yet."
    )
    return (
        f"At **d_k = {d_k}** without the division, the largest of {n} weights is **{without:.2f}** on average. {stuck} "
        f"With the division the largest weight is {with_it:.2f}; at every d_k here it is between {always[0]:.2f} and "
        f"{always[1]:.2f}."
    )


def read_head(
    layer: int,
    head: int,
    d_k: int,
    variance: float,
    largest: tuple[float, float],
    jacobian: tuple[float, float],
    divides: bool = True,
) -> str:
    """A trained head: how far its own q·k spread, and what its rows are without the division by √d_k and with it.

    largest, jacobian: (without the division, with it). divides: whether the model was trained with the division.
    """
    told = (
        f"Layer {layer}, head {head}: the variance of its q·k is **{variance:.3g}**, {variance / d_k:.2g} times its "
        f"d_k of {d_k}. Training sets how sharp it is. "
    )
    if not divides:
        return told + (
            f"This model was trained without the division: its largest weight is **{largest[0]:.2f}** on average and "
            f"its Jacobian is {jacobian[0]:.2f}. With the division they would be {largest[1]:.2f} and "
            f"{jacobian[1]:.2f}."
        )
    return told + (
        f"Without the division its largest weight goes from {largest[1]:.2f} to **{largest[0]:.2f}** on average, and "
        f"its Jacobian goes from {jacobian[1]:.2f} to {jacobian[0]:.2f}."
    )


def read_gradient(d_k: int, undivided: float, divided: float) -> str:
    """The textbook's “without it the gradients vanish”, held against the gradient of W_q at one width."""
    numbers = f"({undivided:.2f} against {divided:.2f} at d_k = {d_k})"
    more = undivided / divided
    if more >= 1:
        return (
            "“Without it the gradients vanish” is not exact. In an untrained layer the gradient of W_q is "
            f"**{more:.1f} times larger** without the division {numbers}, because the chain rule divides by √d_k as "
            "well. What shrinks is the Jacobian of the softmax."
        )
    return (
        f"“Without it the gradients vanish” holds at this width for the gradient of W_q. It is **{1 / more:.1f} times "
        f"smaller** without the division {numbers}."
    )
