"""Positions: sinusoids, the rotation between two of them, a sentence to reorder, and accuracy by length."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from viz.canvas.components import Drawn, component
from viz.canvas.posts import Slider, acknowledged, sliding, take
from viz.labels import truncate
from viz.pack import pack
from viz.theme import Theme
from viz.types import Array


def sinusoid_waves(
    sliders: Sequence[Slider], state: Mapping[str, int], *, key: str, theme: Theme, on_state: Callable[..., None]
) -> Drawn:
    """The sinusoidal encoding as waves, as a map and as clock hands, computed in the browser.

    sliders: length, width, base and pos; on_state is called with their values when one has come to rest.
    """
    return sliding("sinusoid_waves", sliders, state, key=key, theme=theme, on_state=on_state)


def rotation(
    sliders: Sequence[Slider], state: Mapping[str, int], *, key: str, theme: Theme, on_state: Callable[..., None]
) -> Drawn:
    """PE(pos + k) as a rotation of PE(pos): a dial for each pair, and the matrix, computed in the browser.

    sliders: pos, k, rotation_width and base; on_state as for `sinusoid_waves`.
    """
    return sliding("rotation", sliders, state, key=key, theme=theme, on_state=on_state)


def word_shuffle(
    tokens: Sequence[str],
    order: Sequence[int],
    cases: Sequence[tuple[str, str]],
    change: Array,
    *,
    key: str,
    rounding: float,
    theme: Theme,
    on_order: Callable[[list[int]], None],
) -> Drawn:
    """A sentence whose words can be dragged, and below each word how far its vector moved.

    order: which token is at each position; the first stays. change (N, T): in each of N `cases` (its name, its result
    in words), for each token in its original order; what is smaller than `rounding` is drawn as none. on_order is
    called with an order.
    """
    header = {
        "key": key,
        "tokens": [truncate(token) for token in tokens],
        "order": list(order),
        "acknowledged": acknowledged(key),
        "cases": [{"name": name, "result": label} for name, label in cases],
        "rounding": rounding,
        "most": max(float(np.nan_to_num(change).max(initial=0.0)), 2 * rounding),
        "theme": vars(theme),
    }
    data = pack(header, change=np.nan_to_num(change).astype(np.float32))
    return component("shuffle")(key=key, data=data, on_order_change=lambda: on_order(list(take(key, "order"))))


def accuracy_by_length(
    schemes: Sequence[str],
    lengths: Sequence[int],
    accuracy: Array,
    seed_range: tuple[Array, Array],
    *,
    key: str,
    longest: int,
    kinds: tuple[str, str],
    theme: Theme,
) -> Drawn:
    """Accuracy against length, one small panel a scheme.

    accuracy (2, N, L) of the two `kinds` of model, one line each, N schemes and L lengths; NaN: the position table has
    ended. seed_range: the lowest and the highest of all seeds, of the same shape; longest: the greatest length in
    training.
    """
    header = {
        "key": key,
        "schemes": list(schemes),
        "lengths": list(lengths),
        "longest": longest,
        "kinds": kinds,
        "theme": vars(theme),
    }
    arrays = {"accuracy": accuracy, "low": seed_range[0], "high": seed_range[1]}
    return component("accuracy_by_length")(
        key=key, data=pack(header, **{name: array.astype(np.float32) for name, array in arrays.items()})
    )
