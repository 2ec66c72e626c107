"""What layers and decoding cost: counted in the browser while a slider moves; layers are measured when asked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import streamlit as st

from viz.canvas.components import Drawn, component
from viz.canvas.posts import Slider, sliders_header, take
from viz.pack import pack
from viz.theme import Theme


@dataclass(frozen=True)
class CostRow:
    """A type of layer, and its three formulas as texts. kind: a key of LAYERS in lib/cost.js."""

    kind: str
    label: str
    operations: str
    sequential: str
    path: str


@dataclass(frozen=True)
class LayerCostsView:
    """What does not depend on the sliders."""

    rows: Sequence[CostRow]
    columns: Sequence[str]  # keys of HEADINGS in layer_costs_drawing.js
    sizes: Mapping[str, str]  # field of the sizes, or "from_n" → name of its slider
    stops: tuple[int, int]  # the shortest and the longest n of the charts
    pair: tuple[str, str]  # the kind that becomes cheaper than the other, and the other
    short: str  # what is written where it does
    heads: bool  # whether the costs of one head and of many are written
    backward: bool  # whether a forward and a backward pass are measured, as training makes them


@dataclass(frozen=True)
class Measured:
    """What has been measured with the sizes of the state so far; further results come from the stream `run`."""

    run: str  # "": nothing
    results: Sequence[Mapping[str, Any]]
    lengths: Sequence[int]
    total: int  # results of a whole measurement
    rests: bool
    mine: bool  # whether this visit has started it
    note: str
    seconds: int  # that it takes at most


def layer_costs(
    comparison: LayerCostsView,
    measured: Measured,
    sliders: Sequence[Slider],
    state: Mapping[str, int],
    *,
    key: str,
    theme: Theme,
    on: Mapping[str, Callable[..., None]],
) -> Drawn:
    """A table of types of layers, and charts of operations, time and memory against n.

    on: "state" is called with the values of the sliders when one has come to rest; "command" with "measure" or "stop"
    and these values; "rest" when the measurement has ended.
    """
    header = {
        **sliders_header(sliders, state, key, theme),
        **asdict(comparison),
        **asdict(measured),
    }
    return component("layer_costs")(key=key, data=pack(header), **_posts(key, on))


def _posts(key: str, on: Mapping[str, Callable[..., None]]) -> dict[str, Callable[..., None]]:
    """What a figure with sliders and a button that measures sends."""

    def commanded() -> None:
        name, values = st.session_state[key]["command"]
        on["command"](str(name), dict(values))

    return {
        "on_state_change": lambda: on["state"](**take(key, "state")),
        "on_command_change": commanded,
        "on_rest_change": on["rest"],
    }


def decoding_costs(
    variants: Sequence[str],
    sizes: Mapping[str, str],
    measured: Measured,
    sliders: Sequence[Slider],
    state: Mapping[str, int],
    *,
    key: str,
    theme: Theme,
    on: Mapping[str, Callable[..., None]],
) -> Drawn:
    """The cache of each variant, and what a new token costs with it and without, against the tokens so far.

    sizes: field of the sizes, "n" or "head_width" → name of its slider. measured: of one decoder, whatever the sliders.
    on: as of `layer_costs`.
    """
    n = next(slider for slider in sliders if slider.name == sizes["n"])
    header = {
        **sliders_header(sliders, state, key, theme),
        "variants": list(variants),
        "sizes": dict(sizes),
        "stops": (n.values[0], n.values[-1]),
        **asdict(measured),
    }
    return component("decoding_costs")(key=key, data=pack(header), **_posts(key, on))
