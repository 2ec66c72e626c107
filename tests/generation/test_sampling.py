"""Choosing the next word: sums done by hand, and what must hold for any odds."""

import numpy as np
import pytest
from equal import same_bits
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from model import Experiment
from model.generation.generate import generate
from model.generation.sampling import (
    apply_temperature,
    keep_top_k,
    keep_top_p,
    sample_token,
    sampling_probabilities,
    softmax,
)

# Probabilities 1/2, 1/4, 1/8, 1/8.
LOGITS = np.log(np.array([4.0, 2.0, 1.0, 1.0]))
logits = arrays.arrays(np.float64, st.integers(1, 12), elements=st.floats(-30, 30))


def test_the_temperature_by_hand():
    np.testing.assert_allclose(sampling_probabilities(LOGITS), [1 / 2, 1 / 4, 1 / 8, 1 / 8])
    np.testing.assert_allclose(
        sampling_probabilities(LOGITS, temperature=0.5), np.array([16, 4, 1, 1]) / 22
    )  # odds squared
    np.testing.assert_allclose(
        sampling_probabilities(LOGITS, temperature=2), np.array([2, 2**0.5, 1, 1]) / (4 + 2**0.5)
    )
    assert same_bits(sampling_probabilities(LOGITS, temperature=0), [1, 0, 0, 0], "exact")


def test_the_best_k_by_hand():
    np.testing.assert_allclose(sampling_probabilities(LOGITS, top_k=2), [2 / 3, 1 / 3, 0, 0])
    np.testing.assert_allclose(
        sampling_probabilities(LOGITS, top_k=3), np.array([4, 2, 1, 0]) / 7
    )  # of two alike the first
    np.testing.assert_allclose(sampling_probabilities(LOGITS, top_k=9), sampling_probabilities(LOGITS))


@pytest.mark.parametrize(("p", "kept"), [(0, 1), (0.4, 1), (0.51, 2), (0.74, 2), (0.8, 3), (0.9, 4), (1, 4)])
def test_the_likely_share_by_hand(p, kept):
    assert np.isfinite(keep_top_p(LOGITS, p)).sum() == kept


@given(logits=logits, temperature=st.floats(0, 5), k=st.integers(0, 14), p=st.floats(0, 1))
def test_what_is_left_is_a_distribution_and_the_best_is_always_in_it(logits, temperature, k, p):
    left = sampling_probabilities(logits, temperature, k, p)
    assert left.sum() == pytest.approx(1)
    assert (left >= 0).all()
    assert left[logits.argmax()] == pytest.approx(left.max())
    assert (left > 0).sum() <= (k or len(logits))


@given(logits=logits, p=st.floats(0.01, 0.99))
def test_the_likely_share_has_its_probability_and_no_word_too_many(logits, p):
    kept = np.isfinite(keep_top_p(logits, p))
    probabilities = softmax(logits)
    assert probabilities[kept].sum() >= p - 1e-9
    assert probabilities[kept].sum() - probabilities[kept].min() < p + 1e-9


@given(logits=logits, temperature=st.floats(0.2, 5))
def test_a_temperature_changes_no_order(logits, temperature):
    order = np.argsort(-logits, kind="stable")
    assert (np.diff(apply_temperature(logits, temperature)[order]) <= 1e-12).all()


@given(logits=logits, temperature=st.floats(0.2, 5))
def test_the_softmax_of_a_temperature_is_that_of_logits_divided_by_it(logits, temperature):
    np.testing.assert_allclose(
        softmax(apply_temperature(logits, temperature)), softmax(logits / temperature), rtol=1e-9, atol=1e-12
    )


def test_a_temperature_near_nought_leaves_the_best_and_a_value_that_is_no_number_concerns_its_own_word():
    assert apply_temperature(np.array([1.0, 2.0, -3.0]), 5e-324).tolist() == [-np.inf, 0, -np.inf]
    left = apply_temperature(np.array([np.nan, 2.0, 1.0]), 0.5)
    assert np.isnan(left[0]) and left[1:].tolist() == [0, -2]


def test_draws_follow_the_probabilities():
    drawn = [sample_token(sampling_probabilities(LOGITS), seed, place) for seed in range(20) for place in range(100)]
    np.testing.assert_allclose(np.bincount(drawn) / len(drawn), sampling_probabilities(LOGITS), atol=0.04)


@pytest.mark.parametrize("bad", [{"temperature": -1.0}, {"top_k": -1}, {"top_p": -0.1}, {"top_p": 1.5}])
def test_what_has_no_meaning_is_refused(bad):
    with pytest.raises(ValueError):
        sampling_probabilities(LOGITS, **bad)


def test_a_temperature_of_nothing_is_greedy():
    opening = Experiment(text="the person who the dogs near the trees")
    cold, greedy = generate(opening, 6, "sample", temperature=0.0), generate(opening, 6)
    assert cold.tokens == greedy.tokens == generate(opening, 6, "sample", top_k=1, seed=7).tokens
    assert cold.logprobs == pytest.approx(greedy.logprobs)  # of the model, not of what was left to draw from


def test_a_word_at_a_time_gives_what_all_at_once_gives():
    opening = Experiment(text="the person who")
    whole = generate(opening, 8, "sample", seed=3, temperature=1.3, top_p=0.9)
    step = opening
    for _ in range(8):
        step = Experiment(text=generate(step, 1, "sample", seed=3, temperature=1.3, top_p=0.9).text)
    assert step.text == whole.text


def test_the_kept_bests_are_untouched():
    assert same_bits(keep_top_k(LOGITS, 1), [LOGITS[0], -np.inf, -np.inf, -np.inf], "copied")
