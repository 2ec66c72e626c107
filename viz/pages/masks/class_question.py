"""A guess as a question to a class: about the mask of one row, or about the word that it attends to most."""

from collections.abc import Sequence

import numpy as np

from viz import canvas
from viz.classroom.question import MAX_CHOICES
from viz.labels import numbered, truncate
from viz.types import Array

MOST = 40  # characters of a word


def about_mask(mask: Array, words: Sequence[str], row: int, *, revealed: bool) -> canvas.ClassQuestion:
    """How many words this row of the mask (T, S) allows; the answer is a number."""
    text = f"How many of the {len(words)} words may {_name(words, row)} attend to?"
    return canvas.ClassQuestion(text, (), str(int(mask[row].sum())) if revealed else "")


def about_strongest(
    mask: Array, weights: Array, words: Sequence[str], row: int, head: str, *, revealed: bool
) -> canvas.ClassQuestion | None:
    """Which word this row of the weights (T, S) is largest at; None where the mask allows fewer than two words.

    head: its name in a sentence, such as "layer 1, head 2".
    """
    allowed = np.flatnonzero(mask[row])
    if len(allowed) < 2 or not np.isfinite(weights[row, allowed]).all():
        return None
    strongest = int(allowed[weights[row, allowed].argmax()])
    names = [truncate(name, MOST) for name in numbered(words)]
    text = f"Which word does {_name(words, row)} attend to most, in {head}?"
    choices = [names[place] for place in spread(allowed, strongest)]
    return canvas.ClassQuestion(text, choices, names[strongest] if revealed else "")


def spread(places: Array, kept: int, most: int = MAX_CHOICES) -> list[int]:
    """Up to `most` of the places (N,), evenly spread over all of them, `kept` among them."""
    picked = places[np.linspace(0, len(places) - 1, min(len(places), most)).round().astype(int)]
    picked[np.abs(picked - kept).argmin()] = kept
    return [int(place) for place in picked]


def _name(words: Sequence[str], row: int) -> str:
    return f"“{truncate(words[row], MOST)}” (word {row})"
