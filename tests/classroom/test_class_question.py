"""A guess on the page Masks as a question to a class."""

import numpy as np
import pytest

from viz.classroom.question import MAX_CHOICES, Question
from viz.pages.masks.class_question import about_mask, about_strongest, spread

WORDS = ("⟨start⟩", "the", "dogs", "chase", "the", "cats")
CAUSAL = np.tri(6, dtype=bool)


def test_the_question_about_a_mask_has_the_number_of_allowed_words_as_its_answer():
    hidden, shown = (about_mask(CAUSAL, WORDS, 3, revealed=revealed) for revealed in (False, True))
    assert hidden.text == shown.text == "How many of the 6 words may “chase” (word 3) attend to?"
    assert not hidden.choices and (hidden.measured, shown.measured) == ("", "4")


def test_the_question_about_the_strongest_word_offers_every_allowed_word_and_names_the_strongest():
    weights = np.where(CAUSAL, 0.1, 0.9)  # a forbidden word is never an answer
    weights[4, 2] = 0.6
    hidden, shown = (
        about_strongest(CAUSAL, weights, WORDS, 4, "layer 1, head 2", revealed=revealed) for revealed in (False, True)
    )
    assert hidden.text == "Which word does “the” (word 4) attend to most, in layer 1, head 2?"
    assert hidden.choices == ["0 ⟨start⟩", "1 the", "2 dogs", "3 chase", "4 the"]
    assert hidden.choices == shown.choices and (hidden.measured, shown.measured) == ("", shown.choices[2])


def test_nothing_is_asked_where_there_is_nothing_to_choose_or_nothing_to_compare():
    weights = np.full((6, 6), 0.5)
    assert about_strongest(CAUSAL, weights, WORDS, 0, "layer 0, head 0", revealed=False) is None
    weights[3, 1] = np.nan
    assert about_strongest(CAUSAL, weights, WORDS, 3, "layer 0, head 0", revealed=False) is None


@pytest.mark.parametrize("count", [2, 7, 8, 9, 60])
def test_the_choices_are_in_order_fit_into_a_question_and_hold_the_right_one(count):
    places = np.arange(3, 3 + count)
    for kept in places:
        chosen = spread(places, int(kept))
        assert chosen == sorted(set(chosen)) and len(chosen) == min(count, MAX_CHOICES)
        assert kept in chosen and set(chosen) <= set(places.tolist())


def test_a_long_text_still_makes_a_question_of_a_class():
    words, mask = [f"{'w' * 90}{place}" for place in range(60)], np.tri(60, dtype=bool)
    question = about_strongest(mask, np.eye(60), words, 59, "layer 0, head 0", revealed=False)
    assert question is not None
    assert len(Question(question.text, tuple(question.choices)).choices) == MAX_CHOICES
