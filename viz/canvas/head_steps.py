"""The components of “Inside a head”: one row walked step by step, and values that can only be averaged."""

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from viz.canvas.components import Drawn, component
from viz.canvas.posts import heard, take
from viz.labels import truncate
from viz.pack import pack
from viz.theme import Theme
from viz.types import Array


def walk(
    arrays: dict[str, Array],
    words: Sequence[str],
    *,
    key: str,
    about: str,
    row: int,
    step: int,
    looked: int | None,
    divisor: float,
    position: str,
    layer: int,
    head: int,
    norm: tuple[float, float] | None,
    norm_after: bool,
    biased: bool,
    turned: bool,
    residual: bool,
    theme: Theme,
    on_step: Callable[[int, int], None],
) -> Drawn:
    """One row, step by step; every number can be opened into the sum it comes from.

    norm: the mean and the divisor of the norm that comes first, None where none does. norm_after: whether one follows
    the sum with the stream, as in a post-norm model.
    arrays: the fields of model.analysis.head_walkthrough.Walk by name; w_q, w_k, w_v (C, D) and w_o (D', C);
    b_q, b_k, b_v (empty where there are none).
    about: what the numbers belong to; when it changes, the step of the link is taken.
    on_step is called with the step and the key word once they rest.
    """
    header = {
        "key": key,
        "about": about,
        "words": [truncate(word) for word in words],
        "width": arrays["x"].shape[1],
        "row": row,
        "step": step,
        "looked": looked,
        "heard": heard(key),
        "divisor": divisor,
        "position": position,
        "layer": layer,
        "head": head,
        "norm": norm,
        "norm_after": norm_after,
        "biased": biased,
        "turned": turned,
        "residual": residual,
        "theme": vars(theme),
    }
    sent = {name: np.asarray(array, dtype=np.float32) for name, array in arrays.items()}

    return component("head_steps")(
        key=key, data=pack(header, **sent), on_at_change=lambda: on_step(*map(int, take(key, "at")))
    )


def averaging(
    points: Array,
    outputs: Array,
    weights: Array,
    words: Sequence[str],
    *,
    key: str,
    mask: Array,
    row: int,
    pinned: bool,
    theme: Theme,
    on_pin: Callable[[int | None], None],
) -> Drawn:
    """Values as points of a plane, and for each row the output: inside the hull of the values that it may look at.

    points (S, 2), outputs (T, 2), weights and mask (T, S).
    """
    header = {
        "key": key,
        "words": [truncate(word) for word in words],
        "row": row,
        "pinned": pinned,
        "theme": vars(theme),
    }
    data = pack(
        header,
        points=points.astype(np.float32),
        outputs=outputs.astype(np.float32),
        weights=weights.astype(np.float32),
        mask=mask.astype(np.uint8),
    )
    return component("value_hull")(
        key=key, data=data, on_pin_change=lambda: on_pin(st.session_state[key]["pin"]["row"])
    )
