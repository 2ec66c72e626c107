"""Figures of layer norm and batch norm: which vectors change, and what each norm averages over."""

from collections.abc import Sequence
from urllib.parse import quote

import numpy as np
import plotly.graph_objects as go

from viz.figures.heatmap import colour_bar, hatching
from viz.labels import escape, truncate
from viz.theme import Theme, scale, template
from viz.types import Array

DEEP = (0.55, 0.62)  # a step back in the box, to the right and up, in channels × 4 and in positions


def change_map(
    moved: Array, words: Sequence[Sequence[str]], by: Sequence[str], replaced: int, *, limit: float, theme: Theme
) -> go.Figure:
    """moved (B, T): how far each output moved, from 0 to `limit`; NaN for filler and for the replaced sentence.

    One row a sentence, each word in its cell. The replaced sentence is outlined and shows the words that came, `by`.
    """
    B, T = moved.shape
    if len(words) != B:
        raise ValueError(f"{len(words)} sentences do not fit {B} rows")
    sentences = [list(by if b == replaced else sentence)[:T] for b, sentence in enumerate(words)]
    text = [[escape(truncate(word, 8)) for word in row] + [""] * (T - len(row)) for row in sentences]
    came = np.where([[b == replaced and t < len(by) for t in range(T)] for b in range(B)], 0.0, np.nan)
    return go.Figure(
        data=[
            go.Heatmap(  # the replaced sentence: paper, with its words
                z=came.astype(np.float32),
                text=text,
                texttemplate="%{text}",
                textfont={"color": theme.accent},
                colorscale=[(0, theme.paper), (1, theme.paper)],
                zmin=-1,
                zmax=1,
                showscale=False,
                hoverinfo="skip",
                xgap=1,
                ygap=1,
            ),
            go.Heatmap(
                z=moved.astype(np.float32),
                text=text,
                texttemplate="%{text}",
                colorscale=scale(theme.signed[len(theme.signed) // 2 :]),  # a distance is never negative
                zmin=0,
                zmax=limit,
                colorbar=colour_bar(theme, "change", [0, limit], width=0.3),
                hoverongaps=False,
                hovertemplate="sentence %{y}, %{text}: change %{z:.4f}<extra></extra>",
                xgap=1,
                ygap=1,
            ),
        ],
        layout={
            "template": template(theme),
            "height": 36 * B + 68,
            "margin": {"l": 8, "r": 8, "t": 24, "b": 8},
            "xaxis": {
                "side": "top",
                "tickmode": "array",
                "tickvals": list(range(T)),
                "tickfont": {"color": theme.muted, "size": 11},
                "range": [-0.5, T - 0.5],
            },
            "yaxis": {
                "tickmode": "array",
                "tickvals": list(range(B)),
                "ticktext": [f"<b>{b + 1}</b>" if b == replaced else str(b + 1) for b in range(B)],
                "range": [B - 0.5, -0.5],
                "automargin": True,
                "tickfont": {"size": 12},
                "ticklabelstandoff": 6,
            },
            "images": [hatching(theme, B, T)],
            "shapes": [
                {
                    "type": "rect",
                    "x0": -0.5,
                    "x1": len(by) - 0.5,
                    "y0": replaced - 0.5,
                    "y1": replaced + 0.5,
                    "line": {"color": theme.accent, "width": 1.5},
                }
            ],
        },
    )


def tensor_box(
    stream: Array, real: Array, *, over: str, position: int, channel: int, word: str, theme: Theme
) -> go.Figure:
    """The tensor (B, T, C) as a box of its own numbers: the first sentence in front, the others behind it.

    real (B, T), False: filler, which is left out. over: "channels" outlines one vector, all C channels of the word at
    `position`; "batch" outlines one `channel` of every word of every sentence.
    """
    B, T, C = stream.shape
    limit = float(np.abs(stream[real]).max())
    front = np.where(real[0][:, None], stream[0], np.nan)
    step = (DEEP[0] * C / 16, DEEP[1])
    back = (step[0] * B, step[1] * B)
    top, side = -0.5, C - 0.5

    def behind(x: float, y: float, b: float) -> tuple[float, float]:
        return x + step[0] * b, y - step[1] * b

    if over == "channels":
        faces = [[(-0.5, position - 0.5), (side, position - 0.5), (side, position + 0.5), (-0.5, position + 0.5)]]
        faces.append(
            [
                (side, position - 0.5),
                behind(side, position - 0.5, 1),
                behind(side, position + 0.5, 1),
                (side, position + 0.5),
            ]
        )
        label = f"one mean over C: the {C} channels of “{escape(truncate(word))}”"
    else:
        left, right = channel - 0.5, channel + 0.5
        end = int(real[0].sum()) - 0.5
        faces = [[(left, top), (right, top), (right, end), (left, end)]]
        faces.append([(left, top), behind(left, top, B), behind(right, top, B), (right, top)])
        label = f"one mean over B and T: channel {channel} of all {int(real.sum())} words"
    paths = ["M" + "L".join(f"{x:.2f},{y:.2f}" for x, y in face) + "Z" for face in faces]
    edge = {"type": "path", "line": {"color": theme.rule, "width": 1}}
    box = [
        [(-0.5, top), behind(-0.5, top, B), behind(side, top, B), (side, top)],
        [(side, top), behind(side, top, B), behind(side, T - 0.5, B), (side, T - 0.5)],
    ]
    quiet = {"showarrow": False, "font": {"color": theme.muted, "size": 12}}
    return go.Figure(
        data=go.Heatmap(
            z=front.astype(np.float32),
            colorscale=theme.signed_scale,
            zmin=-limit,
            zmax=limit,
            showscale=False,
            hoverongaps=False,
            hovertemplate="sentence 1, position %{y}, channel %{x}: %{z:.3f}<extra></extra>",
        ),
        layout={
            "template": template(theme),
            "height": 300,
            "margin": {"l": 4, "r": 4, "t": 4, "b": 4},
            "plot_bgcolor": theme.paper,
            "xaxis": {"visible": False, "range": [-4.5, side + back[0] + 4]},
            "yaxis": {"visible": False, "range": [T + 0.9, -back[1] - 2.2]},
            "images": [_faces(stream, real, limit, step, theme), {**hatching(theme, T, C)}],
            "shapes": [
                *({**edge, "path": "M" + "L".join(f"{x:.2f},{y:.2f}" for x, y in face) + "Z"} for face in box),
                *({"type": "path", "path": path, "line": {"color": theme.accent, "width": 2}} for path in paths),
            ],
            "annotations": [
                {**quiet, "text": f"C = {C} channels", "x": side / 2, "y": T + 0.1},
                {**quiet, "text": f"T = {T} positions", "x": -2.3, "y": (T - 1) / 2, "textangle": -90},
                {
                    **quiet,
                    "text": f"B = {B} sentences",
                    "x": side + back[0] + 3,
                    "y": T + 0.1,
                    "xanchor": "right",
                },
                {
                    "text": label,
                    "showarrow": False,
                    "font": {"color": theme.accent, "size": 13},
                    "x": -0.5,
                    "y": -back[1] - 1.6,
                    "xanchor": "left",
                },
            ],
        },
    )


def _faces(stream: Array, real: Array, limit: float, step: tuple[float, float], theme: Theme) -> dict[str, object]:
    """The upper face, position 0 of every sentence, and the right one, the last channel, as one image."""
    B, T, C = stream.shape
    wide, high = C + step[0] * B, T + step[1] * B
    pieces = []

    def patch(corners: Sequence[tuple[float, float]], value: float, is_token: bool = True) -> None:
        points = " ".join(f"{x:.2f},{y:.2f}" for x, y in corners)
        colour = _colour(value / limit, theme.signed) if is_token else theme.absent
        pieces.append(f'<path d="M{points}z" fill="{colour}"/>')

    for b in range(B):
        near, far = (step[0] * b, step[1] * (B - b)), (step[0] * (b + 1), step[1] * (B - b - 1))
        for c in range(C):
            upper = [(c + across + x, y) for across, ends in ((0, (near, far)), (1, (far, near))) for x, y in ends]
            patch(upper, float(stream[b, 0, c]))
        for t in range(T):
            right = [(C + x, y + t + down) for down, ends in ((0, (near, far)), (1, (far, near))) for x, y in ends]
            patch(right, float(stream[b, t, C - 1]), bool(real[b, t]))
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:.2f} {high:.2f}" preserveAspectRatio="none">'
        f"{''.join(pieces)}</svg>"
    )
    place = {"xref": "x", "yref": "y", "x": -0.5, "y": -0.5 - step[1] * B, "sizex": wide, "sizey": high}
    return {"source": "data:image/svg+xml," + quote(svg), "layer": "below", "sizing": "stretch", **place}


def _colour(share: float, colours: tuple[str, ...]) -> str:
    """The colour of −1 … 1 on a diverging scale."""
    scale_position = (min(max(share, -1.0), 1.0) + 1) / 2 * (len(colours) - 1)
    low = min(int(scale_position), len(colours) - 2)
    mixed = (
        round(int(a, 16) + (scale_position - low) * (int(b, 16) - int(a, 16)))
        for a, b in ((colours[low][i : i + 2], colours[low + 1][i : i + 2]) for i in (1, 3, 5))
    )
    return "#" + "".join(f"{channel:02x}" for channel in mixed)
