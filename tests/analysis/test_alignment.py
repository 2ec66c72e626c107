"""From a translation to arrays: hits counted by hand, the first wrong word, the likeliest words, a beam's best path."""

import numpy as np
import pytest
from equal import same_bits

from model import Experiment
from model.analysis.alignment import (
    AlignmentHits,
    alignment_hits,
    attention_maps,
    best_path,
    gold_cells,
    matching_prefix,
    pool_hits,
    select_map,
    target_words,
    top_k_tokens,
)
from model.evaluation.fresh_accuracy import CLASSES, SENTENCES, pairs_of_length
from model.generation.beam_search import beam_search
from model.generation.translate import translate
from model.tasks.pair import DETERMINED, Pair
from model.tasks.task import Relation
from model.tokenizer import EOS

PAIR = Pair(
    ("a", "b"),
    ("x", "y", "z"),
    "kind",
    (Relation("noun", 0, (1,)), Relation("noun", 1, (1, 2)), Relation(DETERMINED, 2, (0,))),
)
WEIGHTS = np.array([[0.1, 0.6, 0.2, 0.1], [0.1, 0.3, 0.2, 0.4], [0.7, 0.1, 0.1, 0.1]], dtype=np.float32)
SOURCE = "the animal did not cross the street because it was too tired ."


@pytest.fixture(scope="module")
def translation():
    return translate(Experiment("translate", SOURCE))


def test_hits_are_counted_class_by_class_as_by_hand():
    each = alignment_hits(WEIGHTS, PAIR, upto=3)
    assert each["noun"] == AlignmentHits(2, 1, pytest.approx((0.6 + 0.5) / 2))
    assert each[DETERMINED] == AlignmentHits(1, 1, pytest.approx(0.7))
    assert pool_hits(each) == AlignmentHits(2, 1, pytest.approx(0.55)), "what needs no looking up is not counted"


def test_behind_the_first_wrong_word_gold_says_nothing():
    assert set(alignment_hits(WEIGHTS, PAIR, upto=1)) == {"noun"}
    assert gold_cells(PAIR, upto=1) == [(0, 1)]
    assert gold_cells(PAIR, upto=3) == [(0, 1), (1, 1), (1, 2)], "no outline where nothing has to be looked up"


@pytest.mark.parametrize(
    ("output", "same"),
    [
        (("x", "y", "z", EOS), 4),
        (("x", "y", "q", EOS), 2),
        (("q",), 0),
        (("x", "y", "z", "z"), 3),
        (("x",), 1),
        ((), 0),
    ],
)
def test_words_are_right_up_to_the_first_that_is_not(output, same):
    assert matching_prefix(output, PAIR.target) == same


def test_the_mean_of_the_heads_is_their_mean():
    weights = np.random.default_rng(0).random((2, 3, 4, 5)).astype(np.float32)
    assert same_bits(select_map(weights, 1, None), weights[1].mean(axis=0), "same operation")
    assert same_bits(select_map(weights, 1, 2), weights[1, 2], "copied")


def test_rows_of_every_map_sum_to_one_and_the_target_looks_back_only(translation):
    maps = attention_maps(translation.trace)
    for weights in maps.values():
        np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-5)
    assert np.triu(maps["target"], 1).max() == 0
    assert maps["cross"].shape[2:] == (len(target_words(translation)) + 1, len(SOURCE.split()) + 2)


def test_the_likeliest_word_is_the_greedy_one_and_marks_are_never_offered(translation):
    words, odds = top_k_tokens("translate", translation.trace.decoder.logits[: len(translation.tokens)])
    assert tuple(row[0] for row in words) == translation.tokens
    np.testing.assert_allclose(np.log(odds[:, 0]), translation.logprobs, atol=1e-4)
    assert (np.diff(odds, axis=1) <= 0).all()
    assert not {"<s>", "<unk>", "<pad>"} & {word for row in words for word in row}


@pytest.mark.parametrize(("top_k", "top_p"), [(3, 1.0), (0, 0.6)])
def test_the_odds_on_the_screen_are_those_a_word_is_drawn_by(top_k, top_p):
    chosen = {"temperature": 4.0, "top_k": top_k, "top_p": top_p}
    cut = False
    for seed in range(20):
        translation = translate(Experiment("translate", SOURCE), 8, "sample", seed, **chosen)
        words, odds = top_k_tokens(
            "translate", translation.trace.decoder.logits[: len(translation.tokens)], 500, **chosen
        )
        np.testing.assert_allclose(odds.sum(axis=1), 1, atol=1e-9)
        for word, names, row in zip(translation.tokens, words, odds, strict=True):
            assert row[names.index(word)] > 0, "nothing is drawn that could not come"
            cut |= bool((row == 0).any())
    assert cut


def test_the_best_path_of_a_beam_spells_its_sentence():
    rng = np.random.default_rng(5)
    table = np.log(rng.dirichlet(np.ones(5), size=40))

    def say(prefix, kept):
        return table[(7 * len(prefix) + sum(prefix)) % 40], None

    result = beam_search(say, end=0, most=6, width=3)
    ids = []
    for candidates, index in zip(result.steps, best_path(result), strict=False):
        followed = [candidate for candidate in candidates if candidate.kept]
        ids.append(followed[index].id)
    assert tuple(ids) == (*result.best.ids, *([0] if result.best.ended else []))


@pytest.mark.parametrize("words", CLASSES[:2])
def test_fresh_sentences_of_a_length_have_that_length_and_are_the_same_for_all(words):
    drawn = pairs_of_length(words)
    assert len(drawn) == SENTENCES
    assert all(words[0] <= len(pair.source) <= words[1] for pair in drawn)
    assert drawn == pairs_of_length(words)
