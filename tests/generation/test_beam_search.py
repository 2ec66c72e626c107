"""Greedy, drawn and beam, against all sentences written out and ranked by hand."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.generation.beam_search import beam_search, greedy_search, length_penalty, sample_search

END, V, MOST = 0, 4, 4
tables = st.integers(0, 2**32 - 1)


def language(seed, sharp=2.0):
    """A small language: ln p of each next word after each beginning, drawn once, the same for everyone who asks."""
    odds = {}

    def ln_p(ids):
        if ids not in odds:
            scores = sharp * np.random.default_rng([seed, *ids]).normal(size=V)
            odds[ids] = scores - np.log(np.exp(scores).sum())
        return odds[ids]

    return ln_p


def speaks(ln_p):
    """As a search asks: with what was kept, which must be the words before the last."""

    def say(ids, kept):
        assert kept == (None if not ids else ids[:-1]), "each hypothesis goes on from its own past"
        return ln_p(ids), ids

    return say


def total(ln_p, ids):
    return sum(ln_p(ids[:index])[word] for index, word in enumerate(ids))


def everything(ln_p):
    """Every sentence there is: those that end within MOST words, and those that are cut there."""
    for length in range(1, MOST + 1):
        for words in product(range(V), repeat=length):
            inner = words[:-1]
            if END not in inner and (words[-1] == END or length == MOST):
                yield words, total(ln_p, words)


def beam_by_levels(ln_p, width):
    """An independent beam: every beginning of each length is written out, and the best few that still may grow stay."""
    alive, done = {()}, {}
    for length in range(1, MOST + 1):
        level = [words for words in product(range(V), repeat=length) if words[:-1] in alive]
        level = sorted(level, key=lambda words: total(ln_p, words), reverse=True)[: width - len(done)]
        alive = {words for words in level if words[-1] != END}
        done |= {words: total(ln_p, words) for words in level if words[-1] == END or length == MOST}
        if not alive:
            break
    return done


def written(search):
    return {
        hypothesis.ids + ((END,) if hypothesis.ended else ()): sum(hypothesis.logprobs)
        for hypothesis in search.hypotheses
    }


@settings(max_examples=60)
@given(seed=tables, width=st.integers(1, 6))
def test_a_beam_finds_what_writing_every_level_out_finds(seed, width):
    ln_p = language(seed)
    scores, expected = written(beam_search(speaks(ln_p), END, MOST, width)), beam_by_levels(ln_p, width)
    assert scores.keys() == expected.keys()
    np.testing.assert_allclose([scores[words] for words in expected], list(expected.values()))


@settings(max_examples=20)
@given(seed=tables, alpha=st.floats(0, 2))
def test_a_beam_as_wide_as_the_language_finds_the_best_sentence_of_all(seed, alpha):
    ln_p = language(seed)
    best = beam_search(speaks(ln_p), END, MOST, width=V**MOST, alpha=alpha).best
    ended = {words: p / ((5 + len(words)) / 6) ** alpha for words, p in everything(ln_p) if words[-1] == END}
    assert (*best.ids, END) == max(ended, key=ended.get)
    assert best.score == pytest.approx(max(ended.values()))
    assert best.ended


@settings(max_examples=40)
@given(seed=tables)
def test_greedy_takes_the_likeliest_word_each_time(seed):
    ln_p = language(seed)
    ids = ()
    while len(ids) < MOST and (not ids or ids[-1] != END):
        ids = (*ids, int(np.argmax(ln_p(ids))))
    search = greedy_search(speaks(ln_p), END, MOST)
    assert written(search) == {ids: pytest.approx(total(ln_p, ids))}
    assert len(search.steps) == len(ids)


@settings(max_examples=40)
@given(seed=tables, width=st.integers(1, 5))
def test_the_tree_holds_what_was_followed_and_what_was_not(seed, width):
    ln_p = language(seed)
    search = beam_search(speaks(ln_p), END, MOST, width)
    before = [()]
    for step in search.steps:
        followed = []
        for candidate in step:
            ids = (*before[candidate.parent], candidate.id)
            assert candidate.logprob == pytest.approx(ln_p(ids[:-1])[candidate.id])
            assert candidate.total == pytest.approx(total(ln_p, ids))
            assert candidate.ended is (candidate.id == END)
            if candidate.kept:
                followed.append(ids)
        totals = [candidate.total for candidate in step]
        assert totals == sorted(totals, reverse=True)
        assert min(c.total for c in step if c.kept) >= max((c.total for c in step if not c.kept), default=-np.inf)
        before = followed
    assert all(hypothesis.ids + ((END,) if hypothesis.ended else ()) for hypothesis in search.hypotheses)


def test_drawing_follows_the_word_that_is_drawn_whatever_its_place():
    ln_p = language(5)
    search = sample_search(speaks(ln_p), END, 3, lambda odds, place: int(np.argmin(odds[1:])) + 1)
    expected = ()
    for _ in range(3):
        expected = (*expected, int(np.argmin(ln_p(expected)[1:])) + 1)
    assert written(search) == {expected: pytest.approx(total(ln_p, expected))}
    assert [next(c.id for c in step if c.kept) for step in search.steps] == list(expected)


def test_the_length_penalty_by_hand():
    assert length_penalty(1, 1.0) == 1.0
    assert length_penalty(7, 1.0) == 2.0
    assert length_penalty(7, 2.0) == 4.0
    assert length_penalty(50, 0.0) == 1.0


def test_a_strong_penalty_prefers_the_longer_sentence():
    """Two sentences: "end" at once, p = 0.4; or "1 1 1 end", p = 0.6 · 0.6 · 0.6 · 1 = 0.216, three words longer."""
    rows = {0: [0.4, 0.6, 0, 0], 1: [0.4, 0.6, 0, 0], 2: [0.4, 0.6, 0, 0], 3: [1, 0, 0, 0]}

    def say(ids, kept):
        with np.errstate(divide="ignore"):
            return np.log(rows[len(ids)]), ids

    assert beam_search(say, END, MOST, width=4, alpha=0.0).best.ids == ()
    assert beam_search(say, END, MOST, width=4, alpha=2.0).best.ids == (1, 1, 1)


@pytest.mark.parametrize(("width", "most"), [(0, 3), (2, 0), (-1, 1)])
def test_a_search_without_room_is_refused(width, most):
    with pytest.raises(ValueError, match="at least 1 hypothesis and at least 1 token"):
        beam_search(speaks(language(0)), END, most, width)
