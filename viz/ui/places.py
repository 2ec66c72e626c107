"""Which question of the Positions page is asked, and what it is asked of."""

import streamlit as st

from viz.ui import controls

VIEWS = {
    "Waves": "The sinusoidal encoding, computed in your browser. Point anywhere: the three pictures follow.",
    "Rotation": "A step of k places turns each pair of waves by its own angle, the same from every place.",
    "Distance": "What a scheme says of two places before any word stands there: a similarity, or a bias on the score.",
    "Shift test": "Move the whole sentence by k places: do its scores stay? A cell is the largest change in any head, "
    "a title the scheme and its largest cell.",
    "Shuffle test": "Put the words of your sentence in another order. Does each still come out as the same vector?",
    "Too long": "Which of two digits came first? Small models, trained on 16 signs or fewer, are asked about more.",
}
READS_THE_SENTENCE = "Shuffle test"


def view() -> str:
    """Which question the page answers."""
    return controls.choice("Question", list(VIEWS), key="show")


def note(view: str) -> None:
    """What this view shows, in one line; and in the sidebar, whether it reads the sentence there."""
    st.caption(VIEWS[view])
    if view != READS_THE_SENTENCE:
        st.sidebar.caption(f"The sentence and parts above are read in “{READS_THE_SENTENCE}” only.")
