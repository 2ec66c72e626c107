"""Cheaper attention beside exact attention: the error of each method by head and by k, and attention tile by tile."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from viz.canvas.components import Drawn, component
from viz.canvas.posts import Slider, sliding
from viz.labels import truncate
from viz.pack import pack
from viz.theme import Theme
from viz.types import Array


def approximation(
    errors: Mapping[str, Array | None], sizes: Sequence[int], head: int, *, key: str, theme: Theme
) -> Drawn:
    """A panel for each method, a line for each head. head: the one that is pointed out.

    errors: name of a method → (K, H) for the K `sizes`, (1, H) for a method without k; None: it has no causal form.
    """
    header = {
        "key": key,
        "theme": vars(theme),
        "methods": list(errors),
        "sizes": list(sizes),
        "head": head,
    }
    arrays = {f"errors{number}": of.astype(np.float32) for number, of in enumerate(errors.values()) if of is not None}
    return component("approximation")(key=key, data=pack(header, **arrays))


@dataclass(frozen=True)
class Tiles:
    """The N tiles of one head, in their order, and those that are skipped."""

    tokens: Sequence[str]  # T
    tile: tuple[int, int]  # queries and keys of a tile
    places: Array  # (N, 2) the first query and the first key of each
    skipped: Array  # (M, 2)
    scores: Array  # (T, T), −∞ where the mask forbids


def tiled_attention(
    tiles: Tiles,
    running: tuple[Array, Array, Array, Array],
    sliders: Sequence[Slider],
    state: Mapping[str, int],
    *,
    key: str,
    theme: Theme,
    on_state: Callable[..., None],
) -> Drawn:
    """The map as far as it is computed, and beside it what is kept of each query.

    running: after each tile the correction, the maximum and the sum, (N, Q) each, and the output (N, Q, D). The slider
    says how many tiles are done; on_state is called with it when it has come to rest.
    """
    header = {
        "tokens": [truncate(token) for token in tiles.tokens],
        "tile": tiles.tile,
        "places": tiles.places.tolist(),
        "skipped": tiles.skipped.tolist(),
    }
    names = ("correction", "maximum", "sum", "output")
    arrays = {name: of.astype(np.float32) for name, of in zip(names, running, strict=True)}
    arrays["scores"] = tiles.scores.astype(np.float32)
    return sliding(
        "tiled_attention", sliders, state, key=key, theme=theme, on_state=on_state, more=header, arrays=arrays
    )
