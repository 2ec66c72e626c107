"""The stream of vectors on its way through the layers: how large each vector is after every sublayer, A and B."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from viz.labels import axis_labels
from viz.theme import Theme, template
from viz.types import Array


def stream(a: Array, b: Array, stages: Sequence[str], words: Sequence[str], *, theme: Theme, title: str) -> go.Figure:
    """a, b (N, T): one number for each of N `stages` and T words, as one thin line a word; the mean of all is thick."""
    if a.shape != b.shape or a.shape != (len(stages), len(words)):
        raise ValueError(f"{len(stages)} stages and {len(words)} words do not fit values of {a.shape} and {b.shape}")
    x = list(range(len(stages)))
    lines = []
    above = "B" if np.nan_to_num(b[-1]).mean() > np.nan_to_num(a[-1]).mean() else "A"  # its letter stands above its end
    for name, values, colour in (("A", a, theme.muted), ("B", b, theme.accent)):
        shown = np.where(np.isfinite(values), values, np.nan)
        for word, label in enumerate(axis_labels(words)):
            lines.append(
                go.Scatter(
                    x=x,
                    y=shown[:, word],
                    mode="lines",
                    line={"color": colour, "width": 0.75},
                    opacity=0.35,
                    hovertemplate=f"{name}, {label}: %{{y:.3g}}<extra></extra>",
                )
            )
        mean = np.array([row[np.isfinite(row)].mean() if np.isfinite(row).any() else np.nan for row in shown])
        lines.append(
            go.Scatter(
                x=x,
                y=mean,
                mode="lines+text",
                line={"color": colour, "width": 3},
                text=[""] * (len(x) - 1) + [name],
                textposition="top right" if name == above else "bottom right",
                textfont={"color": colour, "size": 14},
                cliponaxis=False,
                hovertemplate=f"{name}, mean of all words: %{{y:.3g}}<extra></extra>",
            )
        )
    positive = bool(np.nanmin(np.where(np.isfinite(a), a, np.nan)) > 0) if a.size else False
    return go.Figure(
        data=lines,
        layout={
            "template": template(theme),
            "height": 260,
            "margin": {"l": 56, "r": 24, "t": 28, "b": 8},
            "title": {"text": title, "font": {"size": 13, "color": theme.muted}, "x": 0, "y": 0.98},
            "xaxis": {
                "tickmode": "array",
                "tickvals": x,
                "ticktext": list(stages),
                "tickangle": -50,
                "automargin": True,
            },
            "yaxis": {
                "type": "log" if positive else "linear",
                "automargin": True,
                **(_whole_ticks(np.concatenate([a.ravel(), b.ravel()])) if positive else {"nticks": 4}),
            },
        },
    )


def _whole_ticks(values: Array) -> dict[str, object]:
    """Ticks of a log axis that each say their whole number: Plotly writes 20 as a small 2."""
    sizes = values[np.isfinite(values) & (values > 0)]
    low, high = np.log10(sizes.min()), np.log10(sizes.max())
    step = int(np.ceil((high - low) / 4)) or 1
    powers = 10.0 ** np.arange(np.floor(low), np.ceil(high) + 1, step)
    ticks = np.outer(powers, [1, 2, 5]).ravel() if high - low < 2 else powers
    return {"tickmode": "array", "tickvals": ticks.tolist(), "ticktext": [f"{tick:.6g}" for tick in ticks]}
