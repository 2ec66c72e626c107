"""Figures that a model cannot have step aside with one sentence that says why."""

import streamlit as st

from model.registry import is_external
from model.run import get_model

# What “moved” means for a model that says the next word, the word here, or nothing: two lines beside a figure.
MEASURE = {
    "next": ("next word changed,", "KL in nats"),
    "here": ("its word changed,", "KL in nats"),
    "nothing": ("final vector changed,", "1 − cosine"),
}
LEAK_UNIT = {
    "next": "nats, KL of the next word after it",
    "here": "nats, KL of the word predicted there",
    "nothing": "1 − cosine, change of its final vector",
}


def prediction_kind(weights: str) -> str:
    """What the model says at a word: the "next" word, the word "here", or "nothing"."""
    return get_model(weights)[0].config.predicts


def may_ask_much(weights: str) -> bool:
    """Whether the model is one of the lab's own, small enough to be asked many sentences; says so where it is not."""
    if not is_external(weights):
        return True
    st.info(
        "This figure runs many sentences through the model, so it is available for the lab's own small models only, "
        f"not for {weights}. Choose one of them in the sidebar to see it."
    )
    return False


def says_words(weights: str) -> bool:
    """Whether the model says words at all; says so where it does not."""
    if prediction_kind(weights) != "nothing":
        return True
    st.info(
        f"This figure needs a model that predicts words. {weights} only gives a vector for each word that it reads."
    )
    return False


def writes_on(weights: str) -> bool:
    """Whether the model can write on from a text; says so where it cannot."""
    if prediction_kind(weights) == "next":
        return True
    st.info(f"{weights} sees the whole text at once and does not predict the next word, so it cannot generate text.")
    return False


def masked_lm_note(weights: str) -> None:
    """What a model that fills in words means where the lab speaks of the next word."""
    if prediction_kind(weights) == "here":
        st.caption(
            f"{weights} attends in both directions and fills in words. These are its predictions for this place, not "
            "for the next word. Type [MASK] to hide a word from it."
        )
