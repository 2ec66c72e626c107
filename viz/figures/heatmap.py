"""One attention map, large: queries are rows, keys are columns, and each cell shows its exact number."""

from collections.abc import Sequence
from urllib.parse import quote

import numpy as np
import plotly.graph_objects as go

from viz.labels import axis_labels
from viz.theme import Theme, template
from viz.types import Array

MAX_LABELS = 32  # more would overlap: then every second, third, … position is labelled


def heatmap(
    values: Array,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    theme: Theme,
    mask: Array | None = None,
    signed: bool = False,
    row: int | None = None,
    value_name: str = "weight",
) -> go.Figure:
    """values (T, S) drawn as they are: T queries as `rows`, S keys as `columns`.

    mask (T, S): False cells are left out, whatever their value, and the hatching behind them shows.
    signed: scores or differences, on the diverging scale about 0; otherwise weights, on the scale from 0 to 1.
    row: the row to outline.

    Raises:
        ValueError: the words do not match the shape of the values.
    """
    if values.shape != (len(rows), len(columns)):
        raise ValueError(f"{len(rows)} rows and {len(columns)} columns of words do not fit values of {values.shape}")
    shown = np.where(np.isfinite(values), values, np.nan) if mask is None else np.where(mask, values, np.nan)
    shown = np.where(np.isfinite(shown), shown, np.nan)
    limit = float(np.abs(np.nan_to_num(shown)).max()) or 1.0
    return go.Figure(
        data=go.Heatmap(
            z=shown.astype(np.float32),
            colorscale=theme.signed_scale if signed else theme.weight_scale,
            zmin=-limit if signed else 0.0,
            zmax=limit if signed else 1.0,
            xgap=0.5 if len(columns) <= MAX_LABELS else 0,
            ygap=0.5 if len(rows) <= MAX_LABELS else 0,
            hoverongaps=False,
            hovertemplate=f"%{{y}} → %{{x}}<br>{value_name} %{{z:.4f}}<extra></extra>",
            colorbar=colour_bar(theme, value_name, [-limit, 0, limit] if signed else [0, 0.5, 1], width=0.4),
        ),
        layout={
            "template": template(theme),
            "plot_bgcolor": theme.absent,
            "height": 470,
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
            "xaxis": _axis(columns, "keys →", side="top", tickangle=-55, constrain="domain"),
            "yaxis": _axis(rows, "← queries", autorange="reversed", scaleanchor="x", constrain="domain"),
            "images": [hatching(theme, *values.shape)],
            "shapes": [] if row is None else [_outline(theme, row, len(columns))],
        },
    )


def colour_bar(theme: Theme, value_name: str, ticks: Sequence[float], width: float) -> dict[str, object]:
    """The scale of a map, at its lower right. width: as a share of the figure's."""
    small = {"color": theme.muted, "size": 11}
    return {
        "orientation": "h",
        "thickness": 8,
        "len": width,
        "x": 1,
        "xanchor": "right",
        "y": 0,
        "yanchor": "top",
        "ypad": 8,
        "outlinewidth": 0,
        "tickfont": small,
        "title": {"text": value_name, "font": small, "side": "right"},
        "tickvals": list(ticks),
        "tickformat": ".2~g",
    }


def _outline(theme: Theme, row: int, n_columns: int) -> dict[str, object]:
    corners = {"x0": -0.5, "x1": n_columns - 0.5, "y0": row - 0.5, "y1": row + 0.5}
    return {"type": "rect", **corners, "line": {"color": theme.accent, "width": 1.5}}


def _axis(words: Sequence[str], title: str, **more: object) -> dict[str, object]:
    step = -(-len(words) // MAX_LABELS)
    tick_positions = list(range(0, len(words), step))
    labels = axis_labels(words)
    return {
        "tickmode": "array",
        "tickvals": tick_positions,
        "tickfont": {"size": 13 if len(words) <= 16 else 11 if len(words) <= 24 else 9},
        "ticktext": [labels[position] for position in tick_positions],
        "title": {"text": title, "standoff": 8},
        "automargin": True,
        "ticklabelstandoff": 6,
        **more,
    }


def hatching(theme: Theme, n_rows: int, n_columns: int) -> dict[str, object]:
    """What is seen where a map has no cell, as an image below it."""
    lines = "".join(f'<path d="M{x} 200L{x + 200} 0"/>' for x in range(-200, 200, 5))
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200" preserveAspectRatio="none">'
        f'<g stroke="{theme.hatch}" stroke-width="1">{lines}</g></svg>'
    )
    place = {"xref": "x", "yref": "y", "x": -0.5, "y": -0.5, "sizex": n_columns, "sizey": n_rows}
    return {"source": "data:image/svg+xml," + quote(svg), "layer": "below", "sizing": "stretch", **place}
