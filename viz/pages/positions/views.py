"""Which view of the Positions page is open, and of which model."""

import streamlit as st

from viz.ui import controls
from viz.ui.state import Param

VIEWS = {
    "Waves": "This is the sinusoidal encoding, computed in your browser. Point anywhere; all three figures follow.",
    "Rotation": "A step of k positions rotates each pair of waves by its own angle. The angle is the same at every "
    "position.",
    "Position and distance": "The maps show what a scheme gives for two positions without words: a similarity, or a "
    "bias on the score.",
    "Shift test": "Move the whole sentence by k positions. Do its scores change? Each cell is the largest change in "
    "any head. Each title gives the scheme and its largest cell.",
    "Shuffle test": "Change the order of the words. Does each word still get the same vector?",
    "Length generalisation": "Which of two digits came first? Small models, trained on 16 symbols or fewer, are "
    "tested on more.",
}
READS_THE_SENTENCE = "Shuffle test"
SENTENCE = frozenset({controls.Control.MODEL, controls.Control.TEXT, controls.Control.COMPONENTS})


def acting() -> frozenset[controls.Control]:
    """The controls of the sidebar that do something in the open view."""
    return SENTENCE if controls.opened(Param.VIEW, list(VIEWS)) == READS_THE_SENTENCE else frozenset()


def view() -> str:
    """Which question the page answers."""
    return controls.choice("Question", list(VIEWS), key=Param.VIEW)


def note(view: str) -> None:
    """What this view shows, in one line; and in the sidebar, why nothing is there."""
    st.caption(VIEWS[view])
    if view != READS_THE_SENTENCE:
        st.sidebar.caption("The controls of this view are beside its figures.")
