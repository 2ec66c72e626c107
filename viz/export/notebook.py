"""Every head of one's own weights in a notebook, or as one HTML file that answers the pointer and needs no server."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np

from viz.captions.heads import describe_maps, markdown_runs, most_informative_row
from viz.export.attention_arrays import AttentionMaps, maps
from viz.export.provenance import Provenance, version_of_lab
from viz.export.standalone import page
from viz.labels import truncate
from viz.pack import ABSENT, FULL, MOST_PIXELS, encode_weights, pack
from viz.theme import THEMES
from viz.types import Array

MAX_FINE_CELLS = 4_000_000  # cells: up to here a weight is kept to 1/65000, beyond to 1/250
FULL_16, ABSENT_16 = 65_000, 65_535  # as in frontend/figures/attention_browser.js
TALL = 900  # pixels that a notebook gives to it


@dataclass(frozen=True)
class AttentionFigure:
    """A figure that shows itself in Jupyter, and is saved with `save`."""

    html: str  # the whole page; it loads nothing from anywhere

    def save(self, path: str | Path) -> None:
        """Write the page to a file. It opens in any browser, offline."""
        Path(path).write_text(self.html, encoding="utf-8")

    def _repr_html_(self) -> str:
        """As Jupyter asks for it: a page of its own, that cannot reach the notebook around it."""
        style = f"width: 100%; height: {TALL}px; border: 0"
        return f'<iframe sandbox="allow-scripts" style="{style}" srcdoc="{escape(self.html)}"></iframe>'


def attention_figure(
    attention: object,
    tokens: Sequence[object],
    *,
    key_tokens: Sequence[object] | None = None,
    looked_at: Sequence[object] | None = None,
    theme: str = "light",
    title: str = "",
) -> AttentionFigure:
    """Every head at a glance, one of them large, and the lines between the words.

    attention: weights (L, H, T, S), (H, T, S) or (T, S) in 0 … 1, NaN where there is no cell; lists, numpy, torch,
    anything that numpy can read, and the tuple of layers that `transformers` returns. tokens: T query tokens;
    key_tokens: S key tokens, if they are others (cross-attention); looked_at: its name in earlier versions. theme:
    "light" or "dark".

    Raises:
        ArraysError (a ValueError): words and weights do not fit, or these are no weights.
    """
    if theme not in THEMES:
        raise ValueError(f'theme must be one of {", ".join(THEMES)}, not "{theme}"')
    shown = maps(attention, tokens, looked_at if key_tokens is None else key_tokens)
    pooled = max(shown.weights.shape[2:]) > MOST_PIXELS
    caption = " ".join([describe_maps(shown.weights, shown.mask, pooled=pooled), *shown.warnings])
    origin = Provenance(title or "attention", version_of_lab()).to_json()
    drawn = ("attention_browser", _packed(shown, title, vars(THEMES[theme]), pooled))
    return AttentionFigure(page(drawn, reading=markdown_runs(caption), origin=origin, theme=THEMES[theme]))


def _packed(shown: AttentionMaps, title: str, theme: Mapping[str, object], pooled: bool) -> bytes:
    """The data of attention_browser.js: the small maps, and every head in full, each packed for itself."""
    weights, mask = shown.weights, shown.mask
    n_layers, n_heads = weights.shape[:2]
    fine = weights.size <= MAX_FINE_CELLS
    heads = [
        zlib.compress(
            _codes(weights[layer, head], mask[layer, head], fine=fine), level=4
        )  # 6 takes three times as long
        for layer in range(n_layers)
        for head in range(n_heads)
    ]
    pointed = weights.max(axis=-1).mean(axis=-1)  # (L, H)
    header = {
        "key": "attention",
        "title": title,
        **_words(shown.query_tokens),
        "keys": None if shown.key_tokens is None else _words(shown.key_tokens),
        "head_roles": [[[] for _ in range(n_heads)] for _ in range(n_layers)],
        "rows": [
            [most_informative_row(weights_of_head, cross=shown.key_tokens is not None) for weights_of_head in layer]
            for layer in weights
        ],
        "selected": [int(index) for index in np.unravel_index(int(np.argmax(pointed)), pointed.shape)],
        "pooled": pooled,
        "fine": fine,
        "starts": np.cumsum([0, *map(len, heads)]).tolist(),
        "theme": theme,
    }
    zipped = np.frombuffer(b"".join(heads), dtype=np.uint8)
    return pack(header, cells=encode_weights(weights, mask), zipped=zipped)


def _codes(weights: Array, mask: Array, *, fine: bool) -> bytes:
    """One head (T, S) as whole numbers."""
    full, absent, dtype = (FULL_16, ABSENT_16, "<u2") if fine else (FULL, ABSENT, "u1")
    return np.where(mask, np.round(np.clip(weights, 0, 1) * full), absent).astype(dtype).tobytes()


def _words(tokens: Sequence[str]) -> dict[str, list[str]]:
    return {"tokens": [truncate(token) for token in tokens], "full": [truncate(token, 200) for token in tokens]}
