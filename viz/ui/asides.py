"""Figures that a model cannot have step aside with one sentence that says why."""

import streamlit as st

from model.run import model
from viz.ui import runs

# What “moved” means for a model that says the next word, the word here, or nothing: two lines beside a figure.
MEASURE = {
    "next": ("next word moved,", "KL in nats"),
    "here": ("its word moved,", "KL in nats"),
    "nothing": ("last vector turned,", "1 − cosine"),
}


def foretells(weights: str) -> str:
    """What the model says at a word: the "next" word, the word "here", or "nothing"."""
    return model(weights)[0].config.foretells


def knows_answers(weights: str) -> bool:
    """Whether the model's language has sentences whose answers are known; says so where it has not."""
    if runs.task(weights) is not None:
        return True
    st.info(
        f"This figure asks fresh sentences whose right answers are known. They belong to the language of the lab’s own "
        f"small models, and {weights} was not trained on it: choose grammar in the sidebar to see it."
    )
    return False


def says_words(weights: str) -> bool:
    """Whether the model says words at all; says so where it does not."""
    if foretells(weights) != "nothing":
        return True
    st.info(f"This figure needs a model that says words. {weights} only gives a vector for each word it reads.")
    return False


def note(weights: str) -> None:
    """What a model that fills in words means where the lab speaks of the next word."""
    if foretells(weights) == "here":
        st.caption(
            f"{weights} looks both ways and fills in words: these are the words it would read at this very place, "
            "not the next ones. Type [MASK] to hide a word from it."
        )
