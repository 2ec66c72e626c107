"""Learning curves at equal steps: one thick line for each model, one thin line for each of its seeds."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from viz.theme import Theme, template
from viz.types import Array


def curves(
    steps: Sequence[int],
    seeds: Mapping[str, Array],
    *,
    theme: Theme,
    value_name: str,
    share: bool = False,
    level: float | None = None,
    level_name: str = "",
) -> go.Figure:
    """seeds: name of a model → its values (R, N) for R seeds at the N `steps`. share: the values are shares of 1.

    level: a value to hold them against, as a dotted line with its name.
    """
    lines = []
    colours = dict(zip(seeds, (theme.muted, theme.accent), strict=False))
    above = max(
        seeds, key=lambda name: float(np.nan_to_num(seeds[name][:, -1]).mean())
    )  # its label stands above its end
    # Under a line that ends near 0 its label would stand on the axis.
    largest = max(float(np.nan_to_num(values).max()) for values in seeds.values())
    low = {name: float(np.nan_to_num(values[:, -1]).mean()) < 0.1 * largest for name, values in seeds.items()}
    for name, values in seeds.items():
        if values.shape[1] != len(steps):
            raise ValueError(f"{len(steps)} steps do not fit the {values.shape[1]} values of “{name}”")
        shown = np.where(np.isfinite(values), values, np.nan)
        for number, run in enumerate(shown):
            lines.append(
                go.Scatter(
                    x=list(steps),
                    y=run,
                    mode="lines",
                    line={"color": colours[name], "width": 1},
                    opacity=0.5,
                    hovertemplate=f"{name}, seed {number}<br>step %{{x}}: %{{y:.3f}}<extra></extra>",
                )
            )
        middle = [
            float(np.median(column[np.isfinite(column)])) if np.isfinite(column).any() else None for column in shown.T
        ]
        lines.append(
            go.Scatter(
                x=list(steps),
                y=middle,
                mode="lines+text",
                line={"color": colours[name], "width": 3},
                text=[""] * (len(steps) - 1) + [f" {name}"],
                textposition="top right" if name == above or low[name] else "bottom right",
                textfont={"color": colours[name], "size": 13},
                cliponaxis=False,
                hovertemplate=f"{name}, median of the seeds<br>step %{{x}}: %{{y:.3f}}<extra></extra>",
            )
        )
    return go.Figure(
        data=lines,
        layout={
            "template": template(theme),
            "height": 280,
            "margin": {"l": 8, "r": 130, "t": 28, "b": 40},
            "title": {"text": value_name, "font": {"size": 13, "color": theme.muted}, "x": 0, "y": 0.98},
            "xaxis": {"title": {"text": "step"}, "showline": True, "linecolor": theme.rule},
            "yaxis": {"range": [-0.02, 1.02] if share else None, "rangemode": "tozero", "automargin": True},
            "shapes": [] if level is None else [_level(theme, level, level_name)],
        },
    )


def _level(theme: Theme, level: float, name: str) -> dict[str, object]:
    return {
        "type": "line",
        "x0": 0,
        "x1": 1,
        "xref": "paper",
        "y0": level,
        "y1": level,
        "line": {"color": theme.ink, "width": 1, "dash": "dot"},
        "label": {"text": name, "textposition": "end", "yanchor": "top", "font": {"color": theme.ink, "size": 12}},
    }
