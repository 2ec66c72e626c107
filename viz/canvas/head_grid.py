"""The maps of all heads, and the lines of one head between the words."""

from collections.abc import Sequence

import numpy as np

from viz.canvas.components import Drawn, component
from viz.canvas.focus import Axes, SelectedHead, TokenFocus
from viz.labels import truncate
from viz.pack import MOST_PIXELS, encode_weights, pack
from viz.theme import Theme
from viz.types import Array


def token_lines(
    weights: Array, mask: Array, axes: Axes, *, key: str, focus: TokenFocus, theme: Theme, unknown: Sequence[int] = ()
) -> Drawn:
    """The words twice, with lines from the query word (above) to the words it attends to (below).

    weights, mask (T, S) of one head; unknown: positions of words that the model does not know, which are marked.
    """
    header = {
        "key": key,
        **_token_labels(axes.query_tokens),
        "keys": None if axes.key_tokens is None else _token_labels(axes.key_tokens),
        "unknown": list(unknown),
        **focus.header,
        "theme": vars(theme),
    }
    data = pack(header, weights=weights.astype(np.float32), mask=mask.astype(np.uint8))
    return component("sentence")(key=key, data=data, **focus.callbacks(key))


def _token_labels(tokens: Sequence[str]) -> dict[str, list[str]]:
    return {"tokens": [truncate(token) for token in tokens], "full": [truncate(token, 200) for token in tokens]}


def head_grid(
    weights: Array,
    mask: Array,
    axes: Axes,
    *,
    key: str,
    head_roles: Sequence[Sequence[Sequence[str]]],
    selected: SelectedHead,
    focus: TokenFocus,
    theme: Theme,
) -> Drawn:
    """Every head of every layer.

    weights, mask (L, H, T, S), or as weights the uint8 cells that `encode_weights` made of both. head_roles[l][h]: the
    measured roles of that head, the clearest first.
    """
    header = {
        "key": key,
        "tokens": [truncate(token) for token in axes.query_tokens],
        "key_tokens": None if axes.key_tokens is None else [truncate(token) for token in axes.key_tokens],
        "head_roles": head_roles,
        "selected": selected.index,
        **focus.header,
        "pooled": max(axes.shape) > MOST_PIXELS,
        "theme": vars(theme),
    }
    cells = weights if weights.dtype == np.uint8 else encode_weights(weights, mask)
    data = pack(header, cells=cells)
    return component("head_grid")(key=key, data=data, **selected.callbacks(key), **focus.callbacks(key))
