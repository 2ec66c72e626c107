"""Figures that a model cannot have step aside with one sentence that says why."""

import streamlit as st

from model.registry import is_external
from model.run import get_model

# What “moved” means for a model that says the next word, the word here, or nothing: two lines beside a figure.
MEASURE = {
    "next": ("next word moved,", "KL in nats"),
    "here": ("its word moved,", "KL in nats"),
    "nothing": ("last vector turned,", "1 − cosine"),
}
LEAKED = {
    "next": "nats, KL of the next word after it",
    "here": "nats, KL of the word it would read there",
    "nothing": "1 − cosine, turn of its last vector",
}


def foretells(weights: str) -> str:
    """What the model says at a word: the "next" word, the word "here", or "nothing"."""
    return get_model(weights)[0].config.predicts


def may_ask_much(weights: str) -> bool:
    """Whether the model is one of the lab's own, small enough to be asked many sentences; says so where it is not."""
    if not is_external(weights):
        return True
    st.info(
        "This figure puts many fresh sentences through the model, again and again. The lab asks that of its own small "
        f"models only, not of {weights}; choose one of them in the sidebar to see it."
    )
    return False


def says_words(weights: str) -> bool:
    """Whether the model says words at all; says so where it does not."""
    if foretells(weights) != "nothing":
        return True
    st.info(f"This figure needs a model that says words. {weights} only gives a vector for each word it reads.")
    return False


def writes_on(weights: str) -> bool:
    """Whether the model can write on from a text; says so where it cannot."""
    if foretells(weights) == "next":
        return True
    st.info(
        f"{weights} looks at every word of a text at once and foretells none that comes after it: it cannot write on."
    )
    return False


def note(weights: str) -> None:
    """What a model that fills in words means where the lab speaks of the next word."""
    if foretells(weights) == "here":
        st.caption(
            f"{weights} looks both ways and fills in words: these are the words it would read at this very place, "
            "not the next ones. Type [MASK] to hide a word from it."
        )
