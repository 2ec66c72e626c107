"""Which tokens can reach one token through layers of windows, and through full attention."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from model.cost.network import Network
from viz import canvas
from viz.captions.counting import counted
from viz.captions.why import describe_region
from viz.export.tables import NamedArray, Table
from viz.labels import numbered
from viz.pages.why import compute, views
from viz.theme import Theme
from viz.types import Array
from viz.ui import controls, copy_as_python, figure_panel
from viz.ui.state import Param

SIDES = ("before", "both sides")
DILATIONS = ("1 in every layer", "doubled from layer to layer")
GLOBALS = (0, 1, 2)
WIDTHS = (2, 3, 4, 5, 8)


def show(words: Sequence[str], theme: Theme) -> None:
    """The receptive field of one token, layer by layer."""
    stack = _stack()
    _region(words, stack, theme)


def _stack() -> Network:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        n_layers = views.layers("Layers")
        width = st.selectbox(
            "Window, tokens", WIDTHS, WIDTHS.index(3), key=Param.WINDOW_WIDTH, bind="query-params", width=130
        )
        sides = controls.choice("Reads", SIDES, key=Param.WINDOW_SIDES, label_visibility="visible", width="content")
        dilation = controls.choice(
            "Dilation", DILATIONS, key=Param.DILATION, label_visibility="visible", width="content"
        )
        n_global = st.selectbox("Global tokens", GLOBALS, key=Param.GLOBAL_TOKENS, bind="query-params", width=130)
    dilations = tuple(2**layer for layer in range(n_layers)) if dilation == DILATIONS[1] else ()
    return Network("window", n_layers, width, sides == SIDES[0], dilations, n_global)


@st.fragment
def _region(words: Sequence[str], stack: Network, theme: Theme) -> None:
    n = len(words)
    full = Network("attention", 1, causal=stack.causal)
    sliders = (canvas.Slider(Param.REACHED_TOKEN, "token that is reached", tuple(range(n))),)
    figure = st.container()
    state = views.addressed(sliders, (min(10, n - 1),))
    target = state[Param.REACHED_TOKEN]
    regions = {name: compute.fields(of, n) for name, of in (("window attention", stack), ("full attention", full))}
    with figure:
        drawn = canvas.layer_grid(
            [canvas.LayerGrid(name, region, _labels(region)) for name, region in regions.items()],
            words,
            sliders,
            state,
            kind="region",
            key="regions",
            theme=theme,
            on_state=partial(views.choose, sliders),
        )
    reached, possible = (int(region[target, 0].sum()) for region in regions.values())
    figure_panel.below(
        drawn,
        sentence=describe_region(words[target], reached, possible, stack.n_layers, stack.causal),
        table=partial(_table, words, regions),
        file=f"receptive-field-{stack.n_layers}-layers-of-{stack.width}",
        of=None,
        arrays=partial(_arrays, words, regions["window attention"]),
        python=copy_as_python.python(
            f"reached = cells_that_reach({stack}, {n}).numpy()  # (T, L + 1, S): reached token, layers below, position",
            "from model.cost.network import Network\nfrom model.cost.receptive_field import cells_that_reach",
        ),
    )


def _labels(region: Array) -> list[str]:
    """How many inputs reach each token. region (T, L + 1, T)."""
    return [counted(int(of_token[0].sum()), "token") for of_token in region]


def _table(words: Sequence[str], regions: dict[str, Array]) -> Table:
    """One line for each token: how many tokens can change its vector."""
    return {
        "word": numbered(words),
        **{f"tokens that reach it: {name}": region[:, 0].sum(axis=-1) for name, region in regions.items()},
    }


def _arrays(words: Sequence[str], region: Array) -> dict[str, NamedArray]:
    axes = {"target": words, "below_layer": range(region.shape[1]), "source": words}
    return {"reached": NamedArray(region, axes)}
