"""Which question the page answers, and the controls that several of its views share."""

from collections.abc import Sequence

import streamlit as st

from viz.canvas import Slider
from viz.ui import controls
from viz.ui.state import Param, in_address

VIEWS = (
    "Distance",
    "Windows",
    "One after another",
    "The table",
    "Escaping the square",
    "Decoding and the cache",
)
SENTENCE = frozenset({controls.Control.MODEL, controls.Control.TEXT})
MOST_TOKENS = 16  # of a text: the paths between all pairs of them are sent at once
LAYERS = tuple(range(1, 9))


def view() -> str:
    """Which question the page answers."""
    return controls.choice("Question", VIEWS, key=Param.VIEW)


def layers(label: str, default: int = 4) -> int:
    """How many layers a stack has."""
    return st.selectbox(label, LAYERS, LAYERS.index(default), key=Param.STACK_LAYERS, bind="query-params", width=250)


def addressed(sliders: Sequence[Slider], opens: Sequence[int], figure: str = "") -> dict[str, int]:
    """The state of the sliders of a drawing as the link has it. A shorter text moves a slider to its last stop.

    figure: its key, where several figures of a view have sliders.
    """
    with in_address(figure):
        state = {}
        for slider, default in zip(sliders, opens, strict=True):
            name = Param(slider.name)
            if st.session_state.get(name, default) not in slider.values:
                st.session_state[name] = slider.values[-1]
            state[slider.name] = st.selectbox(
                slider.label, slider.values, slider.values.index(default), key=Param(slider.name), bind="query-params"
            )
    return state


def choose(sliders: Sequence[Slider], **state: int) -> None:
    """Keep what a person has chosen in a drawing. What no slider has is ignored: it came from a browser."""
    for slider in sliders:
        if state.get(slider.name) in slider.values:
            st.session_state[Param(slider.name)] = state[slider.name]
