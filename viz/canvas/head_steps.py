"""The components of “Inside a head”: one row step by step, and values that can only be averaged."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from viz.canvas.components import Drawn, component
from viz.canvas.focus import TokenFocus
from viz.canvas.posts import acknowledged, take
from viz.labels import truncate
from viz.pack import pack
from viz.theme import Theme
from viz.types import Array


@dataclass(frozen=True)
class HeadStepsView:
    """One row of one head, with every number that its steps show.

    tokens: the keys. row: the place of the query among them; −1: it is another text's, as in cross-attention.
    arrays: the fields of model.analysis.head_walkthrough.HeadWalkthrough by name; w_q, w_k, w_v (C, D) and w_o (D', C);
    b_q, b_k, b_v (empty where there are none).
    """

    arrays: Mapping[str, Array]
    tokens: Sequence[str]
    layer: int
    head: int
    row: int
    query: str  # the token whose row this is
    query_place: int  # in its text
    divisor: float  # of the scores: √d_k, or 1
    position: str  # the position scheme
    norm: tuple[float, float] | None  # mean and divisor of the norm before the head; None: there is none
    norm_after: bool  # a norm follows the sum with the residual stream, as in a post-norm model
    has_bias: bool  # of the scores
    is_rotated: bool  # RoPE rotates queries and keys
    has_residual: bool


def head_steps(
    view: HeadStepsView,
    *,
    key: str,
    about: str,
    step: int,
    key_index: int | None,
    theme: Theme,
    on_step: Callable[[int, int], None],
) -> Drawn:
    """One row, step by step; every number can be opened into the sum that it is computed by.

    about: what the numbers belong to. When it changes, the figure opens at `step` and at the key with `key_index`, None
    for the one with the largest weight. on_step is called with the step and the key at which a person rests.
    """
    header = {
        "key": key,
        "about": about,
        "words": [truncate(token) for token in view.tokens],
        "width": view.arrays["x"].shape[1],
        "row": view.row,
        "query": truncate(view.query),
        "query_place": view.query_place,
        "step": step,
        "key_index": key_index,
        "acknowledged": acknowledged(key),
        "divisor": view.divisor,
        "position": view.position,
        "layer": view.layer,
        "head": view.head,
        "norm": view.norm,
        "norm_after": view.norm_after,
        "has_bias": view.has_bias,
        "is_rotated": view.is_rotated,
        "has_residual": view.has_residual,
        "theme": vars(theme),
    }
    arrays = {name: np.asarray(array, dtype=np.float32) for name, array in view.arrays.items()}
    return component("head_steps")(
        key=key, data=pack(header, **arrays), on_step_change=lambda: on_step(*map(int, take(key, "step")))
    )


def value_hull(
    points: Array,
    outputs: Array,
    weights: Array,
    mask: Array,
    tokens: Sequence[str],
    *,
    key: str,
    focus: TokenFocus,
    theme: Theme,
) -> Drawn:
    """Values as points of a plane, and the output of each row inside the convex hull of the values that it may see.

    points (S, 2), outputs (T, 2), weights and mask (T, S).
    """
    header = {"key": key, "words": [truncate(token) for token in tokens], **focus.header, "theme": vars(theme)}
    data = pack(
        header,
        points=points.astype(np.float32),
        outputs=outputs.astype(np.float32),
        weights=weights.astype(np.float32),
        mask=mask.astype(np.uint8),
    )
    return component("value_hull")(key=key, data=data, **focus.callbacks(key))
