"""Sentences that count something, where there is none of it: they say "no" or "none", and nothing is the mean of it."""

import re
from dataclasses import replace

import numpy as np
import pytest

from model.checkpoint import load_card
from model.model_card import RelationScores
from viz.captions.batch_norm import describe_norm_change
from viz.captions.claims import describe_decoder_layer, describe_decoding
from viz.captions.heads import Named, describe_head_ablation, describe_head_grid
from viz.captions.inside import describe_qk_spectrum
from viz.captions.masks import describe_leak
from viz.captions.translate import describe_alignment_hits, describe_beam_tree
from viz.ui import head_facts, model_calls

# A count of nothing as a sentence should not have it: "0 of the 3 outputs", "0 passages and".
COUNTED_NOTHING = re.compile(r"(?<![\d.,·])\**0\** (of\b|[a-z]+s\b)")
JOBS = [[[], []], [[], []]]  # of two layers of two heads
NONE_OF = {
    "no head was measured": lambda: describe_head_grid(JOBS, Named("", 0.5), intact=True, pooled=False),
    "no head is named": lambda: describe_head_grid(JOBS, Named("12 passages", 0.5), intact=True, pooled=False),
    "no later output moves": lambda: describe_leak(
        np.array([0, 1.0, 0, 0]), np.array([0, 1.0, 0, 0]), np.tri(4), list("abcd"), 1, "x"
    ),
    "no look hits": lambda: describe_alignment_hits(4, 0, 0.1, (3, 0)),
    "no look is asked for": lambda: describe_alignment_hits(0, 0, 0.0, (1, 0)),
    "nothing was dropped": lambda: describe_beam_tree(4, 9, 0, -3.0, -4.0, False),
    "no direction counts": lambda: describe_qk_spectrum(0, 4, 8, 0.0, 0.0),
    "no head can go": lambda: describe_head_ablation(np.array([[1.0, 2.0]])),
    "nobody moves": lambda: describe_norm_change(
        "batch norm", np.array([[np.nan, np.nan], [0, 0]]), [["a", "b"], ["c", "d"]]
    ),
    "nothing before the end mark": lambda: describe_decoding(1, "word", 0.0, True, False),
    "nothing before the end mark, and no number": lambda: describe_decoding(1, "word", float("nan"), True, False),
}


@pytest.mark.parametrize("case", NONE_OF)
def test_a_count_of_nothing_is_told_in_words(case):
    sentence = NONE_OF[case]()
    assert not COUNTED_NOTHING.search(sentence), sentence


@pytest.mark.parametrize(
    "sentence", ["0 of the 3 outputs", "**0** fall: 0 passages of our own", "in 0 passages of our own"]
)
def test_the_rule_of_counts_can_fail(sentence):
    assert COUNTED_NOTHING.search(sentence)


@pytest.mark.parametrize(
    "sentence", ["10 of 12", "weight exactly 0", "0 % at 3 to 8 words", "1.0 of the", "1,000 words"]
)
def test_the_rule_of_counts_can_hold(sentence):
    assert not COUNTED_NOTHING.search(sentence)


def test_heads_that_nobody_examined_are_not_said_to_have_failed():
    sentence = describe_head_grid(JOBS, Named("", 0.5), intact=False, pooled=False)
    assert sentence.startswith("The 4 heads of this model were not measured, so none of them has a name. Rows are")
    text = describe_head_grid([[[]]], Named("", 0.5), intact=True, pooled=False)
    assert text.startswith("The one head of this model was not measured, so it has no name.")


def test_the_end_mark_alone_gets_its_own_number():
    assert (
        "Only the end token was generated. One pass over the finished sentence gives it the same ln p"
        in describe_decoding(1, "word", 0.0, True, False)
    )
    assert "Only the end token was generated. Its ln p is not a number." in describe_decoding(
        1, "word", float("nan"), True, False
    )


@pytest.mark.parametrize(
    ("sentences", "relations", "sentence"),
    [
        (0, {}, ""),
        (0, {"induction": 0.5}, "repeated random tokens"),
        (1, {"induction": 0.5}, "1 passage of our own and repeated random tokens"),
        (6, {"induction": 0.5}, "6 passages of our own and repeated random tokens"),
    ],
)
def test_what_heads_were_measured_on_counts_the_passages(monkeypatch, sentences, relations, sentence):
    shipped = load_card("stories")
    scores = {name: RelationScores(1, np.array([[mass]]), np.array([[mass]])) for name, mass in relations.items()}
    measured = replace(shipped.language, sentences=sentences, relations=scores)
    monkeypatch.setattr(model_calls, "about", lambda weights: replace(shipped, measured=measured))
    assert head_facts.measurement_note("own-little") == sentence
    assert head_facts.naming("own-little").measured_on == sentence


@pytest.mark.parametrize("masked", [True, False])
def test_the_maps_of_a_decoder_layer_are_counted(masked):
    assert "the feed-forward network. The first two are the maps above" in describe_decoder_layer(0.0, masked, True)
    both = describe_decoder_layer(0.0, masked, False)
    assert "Two of the three" in both and ". Both are the maps above" not in both.split("**")[1]
    assert "Both are the maps above" in both and "The first two" not in both
