"""Words with equal odds, and rows of odds: what the choice of the next word does with them."""

import numpy as np
import pytest

from model.generation.sampling import apply_temperature, keep_top_k, keep_top_p
from model.probability import probabilities as softmax

EQUAL = np.zeros(200)  # more than a sort that is not stable leaves in their order


def left(logits):
    return np.flatnonzero(np.isfinite(logits)).tolist()


def test_the_softmax_of_every_row_sums_to_one_on_its_own():
    result = softmax(np.log(np.array([[1.0, 3.0], [4.0, 1.0]])))
    assert result == pytest.approx(np.array([[0.25, 0.75], [0.8, 0.2]]))


def test_the_softmax_of_a_row_does_not_feel_how_large_another_row_is():
    result = softmax(np.array([[0.0, 0.0], [5000.0, 5000.0]]))
    assert result == pytest.approx(np.full((2, 2), 0.5))


def test_of_many_equal_words_the_first_stay():
    assert left(keep_top_k(EQUAL, 3)) == [0, 1, 2]
    assert left(keep_top_p(EQUAL, 0.0975)) == list(range(20))
    assert left(apply_temperature(EQUAL, 0)) == [0]


def test_of_equal_words_the_first_stay_behind_a_likelier_one():
    logits = EQUAL.copy()
    logits[150] = 5.0
    assert left(keep_top_k(logits, 3)) == [0, 1, 150]
    assert left(keep_top_p(logits, 0.432)) == [0, 1, 150]  # e⁵ / (e⁵ + 199) = 0.4272, and 0.0029 for each other word


def test_no_word_stays_that_the_likelier_ones_do_not_need():
    assert left(keep_top_p(np.zeros(2), 0.5)) == [0]
    assert left(keep_top_p(np.zeros(4), 0.5)) == [0, 1]
