"""A search for a whole sentence, on a table of odds that is worked out by hand."""

import math

import numpy as np
import pytest

from model.generation.beam_search import MAX_CANDIDATES, beam_search, greedy_search, length_penalty, sample_search

END = 0


def fixed(*odds):
    """A model that gives these probabilities after whatever was said, step by step; the last ones for ever."""

    def say(prefix, kept):
        with np.errstate(divide="ignore"):
            return np.log(np.array(odds[min(len(prefix), len(odds) - 1)])), None

    return say


def test_a_sampled_sentence_follows_one_word_a_step_and_its_score_is_the_sum_of_its_logprobs():
    search = sample_search(fixed([0.2, 0.5, 0.3], [0.6, 0.3, 0.1]), END, 5, lambda odds, place: {1: 2, 2: END}[place])
    assert search.width == 1
    assert search.best.ids == (2,)
    assert search.best.logprobs == pytest.approx([math.log(0.3), math.log(0.6)])
    assert search.best.score == pytest.approx(math.log(0.3 * 0.6))
    assert search.best.ended


def test_the_draw_is_given_the_odds_and_the_number_of_the_word():
    seen = []

    def draw(odds, place):
        seen.append((odds.tolist(), place))
        return 1

    sample_search(fixed([0.2, 0.8], [0.4, 0.6]), END, 2, draw)
    assert seen == [(pytest.approx(np.log([0.2, 0.8])), 1), (pytest.approx(np.log([0.4, 0.6])), 2)]


def test_a_sentence_of_one_word_can_be_searched_for():
    search = greedy_search(fixed([0.2, 0.5, 0.3]), END, 1)
    assert search.best.ids == (1,) and not search.best.ended
    assert len(search.steps) == 1


@pytest.mark.parametrize(("width", "most"), [(0, 3), (2, 0)])
def test_a_search_without_room_is_refused_with_its_width_and_then_its_length(width, most):
    with pytest.raises(ValueError, match=f"not {width} and {most}"):
        beam_search(fixed([0.5, 0.5]), END, most, width)


def test_of_many_equal_words_a_beam_follows_the_first():
    search = beam_search(fixed(np.full(200, 1 / 200)), END, 1, width=3)
    assert [candidate.id for candidate in search.steps[0] if candidate.kept] == [0, 1, 2]


def test_of_many_equal_words_that_come_after_the_end_mark_the_first_are_followed():
    odds = np.full(200, 1.0)
    odds[END], odds[120] = 0.5, 2.0
    search = beam_search(fixed(odds / odds.sum()), END, 2, width=3)
    assert [candidate.id for candidate in search.steps[0] if candidate.kept] == [120, 1, 2]


def test_every_step_shows_the_best_words_of_each_hypothesis_best_first_with_their_sums():
    odds = [0.05, 0.3, 0.25, 0.2, 0.1, 0.06, 0.04]
    search = beam_search(fixed(odds), END, 2, width=2)
    first, second = search.steps
    assert [item.id for item in first] == [1, 2, 3, 4, 5] and len(first) == MAX_CANDIDATES
    assert [item.kept for item in first] == [True, True, False, False, False]
    assert [item.parent for item in first] == [0] * 5
    assert [item.logprob for item in first] == pytest.approx(np.log([0.3, 0.25, 0.2, 0.1, 0.06]))
    assert [(item.parent, item.id) for item in second[:4]] == [(0, 1), (0, 2), (1, 1), (1, 2)]
    assert second[1].total == pytest.approx(math.log(0.3 * 0.25))
    assert second[1].logprob == pytest.approx(math.log(0.25))
    assert len(second) == 2 * MAX_CANDIDATES
    assert [item.total for item in second] == sorted((item.total for item in second), reverse=True)


def test_the_length_penalty_is_that_of_the_paper():
    assert length_penalty(1, 0.7) == 1
    assert length_penalty(7, 1) == 2
    assert length_penalty(7, 2) == 4
    assert length_penalty(40, 0) == 1


def test_a_score_is_the_sum_of_logprobs_divided_by_the_penalty():
    search = beam_search(fixed([0.1, 0.6, 0.3], [0.7, 0.2, 0.1]), END, 3, width=1, alpha=1.0)
    assert search.best.ids == (1,)
    assert search.best.score == pytest.approx(math.log(0.6 * 0.7) / (7 / 6))


def test_a_word_that_cannot_come_is_neither_followed_nor_shown():
    search = beam_search(fixed([0.0, 0.75, 0.25, 0.0]), END, 1, width=4)
    assert [candidate.id for candidate in search.steps[0]] == [1, 2]


def test_sentences_that_ended_come_before_those_that_ran_out_of_room():
    search = beam_search(fixed([0.1, 0.9], [0.1, 0.9]), END, 2, width=2)
    assert [hypothesis.ended for hypothesis in search.hypotheses] == sorted(
        (hypothesis.ended for hypothesis in search.hypotheses), reverse=True
    )
    assert search.best.ended
