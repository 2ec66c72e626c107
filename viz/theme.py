"""Every colour, scale and font of the lab, once for paper and once for the dark.

A colour means one thing everywhere. Attention weight: one scale, from 0 to 1, lighter to darker on paper and darker
to lighter at night, straight in lightness so that it survives a grey printer. Scores and differences: one diverging
scale, symmetric about zero. Not allowed: hatched paper, which is on neither scale.
"""

from dataclasses import dataclass, replace
from functools import cache

import plotly.graph_objects as go

SANS = "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif"


@dataclass(frozen=True)
class Theme:
    """The colours of one theme, as CSS hex codes."""

    name: str
    paper: str  # the page
    panel: str  # the sidebar
    ink: str  # text
    muted: str  # quiet labels
    rule: str  # thin lines
    accent: str  # the only accent: the query, what is chosen
    absent: str  # behind cells that are not allowed
    hatch: str  # the lines across them
    broken: str  # cells whose value is no number; the words beside the map say so, too
    weights: tuple[str, ...]  # 0 … 1
    text_turns: float  # on cells from this weight on, paper is easier to read than ink
    signed: tuple[str, ...]  # −limit … 0 … +limit

    @property
    def weight_scale(self) -> list[tuple[float, str]]:
        """The sequential scale as Plotly takes it."""
        return scale(self.weights)

    @property
    def signed_scale(self) -> list[tuple[float, str]]:
        """The diverging scale as Plotly takes it."""
        return scale(self.signed)


def scale(colours: tuple[str, ...]) -> list[tuple[float, str]]:
    """Colours at even steps from 0 to 1."""
    return [(index / (len(colours) - 1), colour) for index, colour in enumerate(colours)]


LIGHT = Theme(
    name="light",
    paper="#fcfbf7",
    panel="#f2f0e9",
    ink="#1c1b19",
    muted="#67635a",
    rule="#d9d5c9",
    accent="#9a3a1b",
    absent="#f1eee5",
    hatch="#e0dbcd",
    broken="#c81e1e",
    weights=("#ffffff", "#d3deea", "#a6bdd6", "#7a9bc1", "#4f7aab", "#2a578c", "#0b2d5c"),
    text_turns=0.64,
    signed=("#6c2f00", "#b06823", "#dbaf79", "#ffffff", "#b7b2dc", "#7c70b6", "#493084"),
)

DARK = Theme(
    name="dark",
    paper="#141619",
    panel="#1b1e23",
    ink="#e9e6df",
    muted="#a09c93",
    rule="#343941",
    accent="#f0875b",
    absent="#1c1f24",
    hatch="#2b3037",
    broken="#ff4d4d",
    weights=("#0a0b0d", "#1a2f4a", "#2a4f7a", "#4b76a3", "#7da0bd", "#b9c9cc", "#fbf3d9"),
    text_turns=0.5,
    signed=("#f8d3a2", "#cb7d2e", "#73420e", "#0a0b0d", "#4e438b", "#9184dc", "#d9d4ff"),
)

THEMES = {theme.name: theme for theme in (LIGHT, DARK)}

# A projector in a lit room swallows soft differences: white is white, and no label is quiet.
PROJECTED = {
    "light": replace(
        LIGHT, paper="#ffffff", ink="#000000", muted="#3a3833", rule="#8c887d", accent="#8a2c0d", hatch="#c9c3b2"
    ),
    "dark": replace(
        DARK, paper="#000000", ink="#ffffff", muted="#d0ccc3", rule="#7d838d", accent="#ff9d73", hatch="#4a515b"
    ),
}


def css_colours(theme: Theme) -> str:
    """The rule that names the colours of a theme for the style sheets of a page."""
    return f":root {{ --accent: {theme.accent}; --paper: {theme.paper}; --ink: {theme.ink}; }}"


@cache
def template(theme: Theme) -> go.layout.Template:
    """What all figures share: fonts, colours, and no furniture that says nothing."""
    axis = {
        "showgrid": False,
        "zeroline": False,
        "showline": False,
        "ticks": "",
        "tickfont": {"color": theme.ink, "size": 13},
        "title": {"font": {"color": theme.muted, "size": 13}},
    }
    return go.layout.Template(
        layout={
            "font": {"family": SANS, "color": theme.ink, "size": 13},
            "paper_bgcolor": theme.paper,
            "plot_bgcolor": theme.paper,
            "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
            "xaxis": axis,
            "yaxis": axis,
            "hoverlabel": {"bgcolor": theme.ink, "font": {"color": theme.paper, "family": SANS, "size": 13}},
            "colorway": [theme.accent, theme.weights[4], theme.signed[5], theme.muted],
            "showlegend": False,
            "dragmode": False,
        }
    )
