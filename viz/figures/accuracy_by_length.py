"""Quality against length: one thick line a network, one thin line a seed, and the lengths that training has seen."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from viz.theme import Theme, template
from viz.types import Array


def quality(
    lengths: Sequence[int | str],
    shares: Mapping[str, Array],
    *,
    theme: Theme,
    seeds: Mapping[str, Array],
    trained: int | None,
    x_name: str,
) -> go.Figure:
    """shares: network → share right (N,) at each of the N lengths; seeds: network → (R, N), of every seed on the card.

    trained: how many of the lengths, from the first, training has seen; None: all of them.
    """
    kinds = ((theme.accent, "solid"), (theme.weights[4], "solid"), (theme.ink, "dash"), (theme.muted, "dot"))
    styles = dict(zip(shares, kinds, strict=False))
    x = list(range(len(lengths)))
    lines = []
    for name, (colour, _) in styles.items():
        for number, run in enumerate(seeds.get(name, [])):
            lines.append(
                go.Scatter(
                    x=x,
                    y=run,
                    mode="lines",
                    line={"color": colour, "width": 1},
                    opacity=0.45,
                    hovertemplate=f"{name}, seed {number} of the card<br>%{{x}}: %{{y:.0%}}<extra></extra>",
                )
            )
    for name, (colour, dash) in styles.items():
        lines.append(
            go.Scatter(
                x=x,
                y=shares[name],
                mode="lines+markers",
                line={"color": colour, "width": 3, "dash": dash},
                marker={"size": 5},
                customdata=list(lengths),
                hovertemplate=f"{name}<br>{x_name}: %{{customdata}}<br>correct: %{{y:.0%}}<extra></extra>",
            )
        )
    every = max(1, len(lengths) // 12)
    columns = 1 if len(styles) < 3 else 2  # of names above the lines: on a phone two long ones need a row each
    return go.Figure(
        data=lines,
        layout={
            "template": template(theme),
            "height": 320,
            "margin": {"l": 8, "r": 16, "t": 48, "b": 44},
            "xaxis": {
                "title": {"text": x_name},
                "showline": True,
                "linecolor": theme.rule,
                "tickvals": x[::every],
                "ticktext": [str(length) for length in lengths[::every]],
                "range": [-0.5, len(lengths) - 0.5],
            },
            "yaxis": {"range": [-0.03, 1.05], "tickformat": ".0%", "tickvals": [0, 0.5, 1], "automargin": True},
            "shapes": [] if trained is None else [_shade(theme, trained)],
            "annotations": [
                _name(theme, divmod(index, columns), name, *style) for index, (name, style) in enumerate(styles.items())
            ],
        },
    )


def _shade(theme: Theme, trained: int) -> dict[str, object]:
    return {
        "type": "rect",
        "x0": -0.5,
        "x1": trained - 0.5,
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "fillcolor": theme.absent,
        "line": {"width": 0},
        "layer": "below",
        "label": {
            "text": "lengths of the training",
            "textposition": "bottom left",
            "font": {"color": theme.muted, "size": 12},
        },
    }


def _name(theme: Theme, place: tuple[int, int], name: str, colour: str, dash: str) -> dict[str, object]:
    """The names stand above the lines in their colours: at their ends they would lie on each other.

    place: row and column.
    """
    return {
        "text": f"{'━' if dash == 'solid' else '┅'} {name}",
        "x": place[1] / 2,
        "y": 1.02 + 0.07 * (1 - place[0]),
        "xref": "paper",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"color": colour, "size": 13},
    }
