"""Where words stand: the waves, the turns between places, a sentence to reorder, and accuracy against length."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from viz.canvas.components import Drawn, component
from viz.canvas.posts import heard, take
from viz.labels import truncate
from viz.pack import pack
from viz.theme import Theme
from viz.types import Array


@dataclass(frozen=True)
class Slider:
    """A slider that the browser answers itself: its name in the address, what is written on it, and its stops."""

    name: str
    label: str
    values: tuple[int, ...]


def _sliding(
    name: str,
    sliders: Sequence[Slider],
    state: Mapping[str, int],
    key: str,
    theme: Theme,
    on_state: Callable[..., None],
) -> Drawn:
    header = {
        "key": key,
        "sliders": [asdict(slider) for slider in sliders],
        "state": {slider.name: state[slider.name] for slider in sliders},
        "heard": heard(key),
        "theme": vars(theme),
    }
    return component(name)(key=key, data=pack(header), on_state_change=lambda: on_state(**take(key, "state")))


def waves(
    sliders: Sequence[Slider], state: Mapping[str, int], *, key: str, theme: Theme, on_state: Callable[..., None]
) -> Drawn:
    """The sinusoidal encoding as waves, as a map and as clock hands, computed in the browser.

    sliders: length, width, base and pos; on_state is called with their values when one has come to rest.
    """
    return _sliding("sinusoid_waves", sliders, state, key, theme, on_state)


def turns(
    sliders: Sequence[Slider], state: Mapping[str, int], *, key: str, theme: Theme, on_state: Callable[..., None]
) -> Drawn:
    """PE(pos + k) as a rotation of PE(pos): a dial for each pair, and the matrix, computed in the browser.

    sliders: pos, k, rotation_width and base; on_state as for `waves`.
    """
    return _sliding("rotation", sliders, state, key, theme, on_state)


def shuffle(
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

    order: which token stands at each place; the first stays. change (N, T): in each of N `cases` (its name, what was
    found), for each token in its own order; smaller than `rounding` is drawn as none. on_order is called with an order.
    """
    header = {
        "key": key,
        "tokens": [truncate(token) for token in tokens],
        "order": list(order),
        "heard": heard(key),
        "cases": [{"name": name, "told": told} for name, told in cases],
        "rounding": rounding,
        "most": max(float(np.nan_to_num(change).max(initial=0.0)), 2 * rounding),
        "theme": vars(theme),
    }
    data = pack(header, change=np.nan_to_num(change).astype(np.float32))
    return component("shuffle")(key=key, data=data, on_order_change=lambda: on_order(list(take(key, "order"))))


def lengths(
    schemes: Sequence[str],
    lengths: Sequence[int],
    found: Array,
    low: Array,
    high: Array,
    *,
    key: str,
    longest: int,
    kinds: tuple[str, str],
    theme: Theme,
) -> Drawn:
    """Accuracy against length, one small panel a scheme. found, low, high (2, N, L); NaN: the table has ended.

    longest: the greatest length that training has seen; kinds: what the two lines of each panel are.
    """
    header = {
        "key": key,
        "schemes": list(schemes),
        "lengths": list(lengths),
        "longest": longest,
        "kinds": kinds,
        "theme": vars(theme),
    }
    arrays = {"found": found, "low": low, "high": high}
    return component("accuracy_by_length")(
        key=key, data=pack(header, **{name: one.astype(np.float32) for name, one in arrays.items()})
    )
