"""Looks against gold, likeliest words and a beam's path, each on numbers that are worked out by hand."""

from random import Random

import numpy as np
import pytest
from equal import same_bits

from model import Experiment, load, run
from model.analysis.alignment import AlignmentHits, alignment_hits, attention_maps, best_path, pool_hits, top_k_tokens
from model.analysis.score_scaling import head_scores
from model.generation.beam_search import Beam, Candidate, Hypothesis
from model.run import get_seq2seq
from model.tasks import TASKS
from model.tasks.pair import DETERMINED, Pair
from model.tasks.task import Relation
from model.tokenizer import EOS

WEIGHTS = np.array([[0.1, 0.9], [0.25, 0.75], [0.5, 0.5]])


def test_the_three_maps_of_a_transformer_are_named_after_who_is_looked_at():
    trace = run(Experiment("translate", "the cat sleeps .", target="le chat"))
    maps = attention_maps(trace)
    assert set(maps) == {"cross", "source", "target"}
    assert same_bits(maps["cross"][1], trace.decoder.layers[1].cross.weights, "copied")
    assert same_bits(maps["source"][1], trace.encoder.layers[1].attention.weights, "copied")
    assert same_bits(maps["target"][1], trace.decoder.layers[1].attention.weights, "copied")


def test_the_row_at_the_limit_is_not_counted():
    pair = Pair(("a", "b"), ("x", "y", "z"), "kind", tuple(Relation("noun", t, (1,)) for t in range(3)))
    assert alignment_hits(WEIGHTS, pair, upto=1)["noun"] == AlignmentHits(1, 1, pytest.approx(0.9))
    assert alignment_hits(WEIGHTS, pair, upto=2)["noun"] == AlignmentHits(2, 2, pytest.approx((0.9 + 0.75) / 2))
    assert alignment_hits(WEIGHTS[:1], pair, upto=3)["noun"].n == 1, "no row, no look"


def test_classes_count_by_how_many_looks_they_have():
    each = {"noun": AlignmentHits(1, 1, 0.9), "verb": AlignmentHits(3, 1, 0.5), DETERMINED: AlignmentHits(9, 9, 1.0)}
    assert pool_hits(each) == AlignmentHits(4, 2, pytest.approx((0.9 + 3 * 0.5) / 4))
    assert pool_hits({"noun": AlignmentHits(1, 1, 0.9)}) == AlignmentHits(1, 1, pytest.approx(0.9))
    assert pool_hits({DETERMINED: AlignmentHits(9, 9, 1.0)}) == AlignmentHits(0, 0, 0)


@pytest.fixture(scope="module")
def logits():
    """Two rows: <s> is the largest number of both, which is never said; the end mark can be."""
    tokenizer = get_seq2seq("translate")[1]
    rows = np.full((2, len(tokenizer.vocabulary)), -np.inf)
    index_of = {word: index for index, word in enumerate(tokenizer.vocabulary)}
    rows[:, index_of["<s>"]] = 9.0
    rows[0, [index_of["chat"], index_of["le"], index_of[EOS]]] = np.log([0.5, 0.3, 0.2])
    rows[1, [index_of["chat"], index_of["le"], index_of[EOS]]] = np.log([0.1, 0.2, 0.7])
    return rows


def test_a_mark_is_never_among_the_likeliest_words_and_the_end_is(logits):
    words, odds = top_k_tokens("translate", logits, n=3)
    assert words == (("chat", "le", EOS), (EOS, "le", "chat"))
    assert odds == pytest.approx(np.array([[0.5, 0.3, 0.2], [0.7, 0.2, 0.1]]))
    assert np.isinf(logits).any() and logits.max() == 9, "the logits stay as they were"


def test_the_likeliest_words_have_the_odds_that_the_cut_leaves_them(logits):
    _, nucleus = top_k_tokens("translate", logits, n=3, top_p=0.75)
    assert nucleus == pytest.approx(np.array([[0.625, 0.375, 0], [7 / 9, 2 / 9, 0]]))
    _, best = top_k_tokens("translate", logits, n=3, top_k=1)
    assert best == pytest.approx(np.array([[1.0, 0, 0], [1.0, 0, 0]]))
    _, warm = top_k_tokens("translate", logits, n=2, temperature=0.5)
    assert warm[0] == pytest.approx(np.array([0.25, 0.09]) / 0.38)


def candidate(parent, word, followed=True, ended=False):
    return Candidate(parent, word, -1.0, -1.0, followed, ended)


def test_the_path_of_a_beam_counts_the_followed_candidates_only_and_goes_on_from_its_parent():
    steps = (
        (candidate(0, 5), candidate(0, 9, followed=False), candidate(0, 7)),
        (candidate(0, 3), candidate(1, 4, followed=False), candidate(0, 4), candidate(1, 4)),
        (candidate(2, 0, ended=True), candidate(1, 6)),
    )
    best = Hypothesis((7, 4), (-1.0, -1.0, -1.0), -3.0, True)
    assert best_path(Beam(3, steps, (best,))) == (1, 2, 0)
    unended = Hypothesis((5, 4, 6), (-1.0, -1.0, -1.0), -3.0, False)
    assert best_path(Beam(3, steps, (unended,))) == (0, 1, 1)


def test_the_histograms_of_a_head_reach_from_its_largest_score_to_the_opposite_in_120_bins():
    rng = Random(0)
    sentences = [TASKS["grammar"].draw(None, rng) for _ in range(4)]
    measured = head_scores(*load("grammar"), sentences, 1, 2)
    assert len(measured.edges) == 121 and len(measured.raw) == len(measured.scaled) == 120
    assert measured.edges[0] == -measured.edges[-1] < 0
    assert max(measured.raw[0], measured.raw[-1]) > 0, "the largest score stands in the first or the last bin"
