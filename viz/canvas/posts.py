"""Figures that change by themselves: their posts, and their sliders.

The numbers of the posts tell the browser which of its posts is answered. The browser's side, and the reason, is
frontend/lib/posts.js.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

import streamlit as st

from viz.canvas.components import Drawn, component
from viz.pack import pack
from viz.theme import Theme
from viz.types import Array


def acknowledged(key: str) -> int:
    """The number of the last post of the figure under `key` that this session has taken; 0 before the first."""
    return int(st.session_state.get(f"heard_{key}", 0))


def take(key: str, name: str) -> Any:
    """The value of the post that caused this run. Call it in the callback of the trigger `name`.

    It sends the address once more, as the browser had it when it posted. The answer to the post before may have changed
    it since. A value that goes back to where it was would then change nothing that Streamlit sends, and the address and
    a later Back would keep the value in between.
    """
    st.query_params.update()
    post = st.session_state[key][name]
    st.session_state[f"heard_{key}"] = int(post["number"])
    return post["value"]


@dataclass(frozen=True)
class Slider:
    """A slider that the browser answers itself: its name in the address, what is written on it, and its stops."""

    name: str
    label: str
    values: tuple[int, ...]


def sliders_header(sliders: Sequence[Slider], state: Mapping[str, int], key: str, theme: Theme) -> dict[str, Any]:
    """What the script of every figure with sliders needs. state: the value of each slider, by its name."""
    return {
        "key": key,
        "sliders": [asdict(slider) for slider in sliders],
        "state": {slider.name: state[slider.name] for slider in sliders},
        "acknowledged": acknowledged(key),
        "theme": vars(theme),
    }


def sliding(
    name: str,
    sliders: Sequence[Slider],
    state: Mapping[str, int],
    *,
    key: str,
    theme: Theme,
    on_state: Callable[..., None],
    more: Mapping[str, Any] = MappingProxyType({}),
    arrays: Mapping[str, Array] = MappingProxyType({}),
) -> Drawn:
    """The figure of this name, whose sliders the browser answers. more, arrays: what its script needs besides them.

    on_state is called with the values of the sliders when one has come to rest.
    """
    header = {**more, **sliders_header(sliders, state, key, theme)}
    return component(name)(key=key, data=pack(header, **arrays), on_state_change=lambda: on_state(**take(key, "state")))
