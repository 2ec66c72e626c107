"""Which figures a model cannot have, and the sentence that says why: the page shows it, nothing here writes to one."""

from model.registry import SESSION_PREFIX, is_external
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
    """What the model predicts at a word: the "next" word, the word "here", or "nothing"."""
    return get_model(weights)[0].config.predicts


def requires_lab_model(weights: str) -> str | None:
    """Why a figure that runs many sentences is not available for this model; None: it is one of the lab's own."""
    if not is_external(weights):
        return None
    return (
        "This figure runs many sentences through the model, so it is available for the lab's own small models only, "
        f"not for {weights}. Choose one of them in the sidebar to see it."
    )


def requires_lm_head(weights: str) -> str | None:
    """Why a figure of predictions is not available for this model; None: it predicts words."""
    if prediction_kind(weights) != "nothing":
        return None
    return f"This figure needs a model that predicts words. {weights} only gives a vector for each word that it reads."


def requires_causal_lm(weights: str) -> str | None:
    """Why this model cannot generate text; None: it can."""
    if prediction_kind(weights) == "next":
        return None
    return f"{weights} sees the whole text at once and does not predict the next word, so it cannot generate text."


def masked_lm_note(weights: str) -> str | None:
    """What a masked language model predicts where the lab shows next words; None: the model predicts next words."""
    if prediction_kind(weights) != "here":
        return None
    if weights.startswith(SESSION_PREFIX):
        return (
            f"{weights} attends in both directions. These are its answers for this place, as its task asks for them, "
            "not predictions of the next symbol."
        )
    return (
        f"{weights} attends in both directions and fills in words. These are its predictions for this place, not "
        "for the next word. Type [MASK] to hide a word from it."
    )
