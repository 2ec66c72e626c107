"""“What this shows” on Translate, and the tables beside it: numbers of the right network, and words that fit them."""

import re

import numpy as np
import pytest
from screen import visit, well

from model import Experiment, Switches, checkpoint
from model.analysis.ablation import HeldOutScores, evaluate_held_out
from viz.claiming import (
    read_cross,
    read_decoder_layer,
    read_nouns,
    read_one_vector,
    read_pronouns,
    read_settled,
    read_word_by_word,
)
from viz.ui import claims, pairs, removal
from viz.ui.pairs import Decoding
from viz.ui.written import written

SOURCE = pairs.JOBS["Translation"].example


def one(*off, weights="translate"):
    return written(Experiment(weights, SOURCE, Switches().without(*off)), Decoding())


def test_one_vector_and_attention_each_have_the_numbers_of_their_own_card():
    told = claims._one_vector()
    alone, looking = (checkpoint.read_card(name)["lengths"] for name in ("copy-gru", "copy-gru-attention"))
    assert alone["16"] < looking["16"]

    def shares(lengths):
        return ", ".join(f"{100 * lengths[n]:.0f}" for n in ("4", "8", "12", "16"))

    assert f"4, 8, 12, 16 signs from one vector gets {shares(alone)} % right" in told
    assert f"a GRU with attention {shares(looking)} %" in told
    assert told.startswith("**One vector is not enough.**")


def test_one_vector_is_said_to_be_too_little_only_where_it_is():
    def told(alone, looking):
        return read_one_vector((4, 8), alone, looking, 500)

    assert told([1, 0.1], [1, 0.9]).startswith("**One vector is not enough.**")
    assert told([1, 0.9], [1, 0.8]).startswith("**One vector is enough here.**")
    assert told([1, 0.1], [1, 0.2]).startswith("**Whether one vector is enough, these numbers do not decide.**")
    assert told([1, 0.9], [1, 0.95]).startswith("**Whether one vector is enough, these numbers do not decide.**")
    assert "4, 8 signs from one vector gets 100, 10 % right; a GRU with attention 100, 90 % (500 of each" in told(
        [1, 0.1], [1, 0.9]
    )


def test_a_context_of_its_own_is_claimed_by_the_nouns_of_the_card():
    assert read_nouns("the mean", 0.98).startswith("**Each word has a context of its own.** By the card")
    assert "the mean looks most at the right word for 98 % of the nouns" in read_nouns("the mean", 0.98)
    assert read_nouns("the mean", 0.2).startswith("**A context of its own need not be the right one.**")
    assert "For il and elle it holds as well: the best layer looks most at the noun that they stand for in 57 %" in (
        read_pronouns(0.57, 0.86, 0)
    )
    assert "; at the adjective that tells in 86 %, in layer 0" in read_pronouns(0.57, 0.86, 0)
    assert "adjective" not in read_pronouns(0.9, 0.2, 0)
    lower = read_pronouns(0.0, 0.95, 0)
    assert "does not hold" in lower and "in 0 %, but at the adjective that tells in 95 %, in layer 0" in lower
    neither = read_pronouns(0.1, 0.24, 0)
    assert "does not hold" in neither and "in 10 %, and at the adjective that tells in 24 %" in neither
    assert "look most where gold points in 36 %" in read_settled(0.36)


@pytest.mark.parametrize(
    ("weights", "which"), [("translate", "the mean of layer 1's heads"), ("translate-gru-attention", "its one look")]
)
def test_the_look_that_the_card_speaks_of_is_named(weights, which):
    told = claims._own_context(one(weights=weights))
    best = checkpoint.read_card(weights)["alignment"]["noun"]["top1"]
    assert (
        f"{which} looks most at the right word for {100 * max(layer[-1] for layer in best):.0f} % of the nouns" in told
    )


def test_cross_attention_is_the_same_operation_only_where_its_weights_are():
    assert "is the same operation" in read_cross(16, 15, 0.0) and read_cross(16, 15, 0.0).endswith("to the last bit.")
    assert read_cross(1, 1, 5e-7).endswith("in every head of every layer, to 5·10⁻⁷.")
    assert "1 query from the decoder, 1 key and as many values" in read_cross(1, 1, 0.0)
    other = read_cross(16, 15, 0.3)
    assert "is not the same operation here" in other and "differ by up to 0.30" in other
    assert "is not the same operation here" in read_cross(16, 15, float("nan"))


def test_the_layer_is_told_by_the_parts_that_are_there():
    whole = read_decoder_layer(0.0, masked=True, feeds_forward=True)
    assert (
        "is three things**: a masked look at what is written, a look at the source, and the feed-forward network"
        in whole
    )
    assert whole.endswith("in the first the future has weight 0, exactly.")
    unmasked = read_decoder_layer(0.9, masked=False, feeds_forward=True)
    assert "a masked look" not in unmasked
    assert unmasked.endswith("the mask is taken out, so in the first a later word has a weight of up to 0.90.")
    assert read_decoder_layer(0.0, masked=False, feeds_forward=True).endswith("no word looks at a later one.")
    assert "although the mask is there" in read_decoder_layer(0.1, masked=True, feeds_forward=True)
    averaged = read_decoder_layer(0.0, masked=True, feeds_forward=False)
    assert "two are left**: a masked look at what is written and a look at the source" in averaged
    assert "feed-forward" not in averaged


def test_word_by_word_is_the_same_as_one_pass_only_where_ln_p_is():
    def told(apart, **more):
        return read_word_by_word(
            **({"tokens": 3, "each": "word", "apart": apart, "ended": True, "looks_ahead": False} | more)
        )

    assert told(1e-7).startswith(
        "**Decoding goes word by word.** 2 words and the end mark one after another get the ln p"
    )
    assert "finished sentence gives, to 1·10⁻⁷. The model ended the sentence itself." in told(1e-7)
    assert "gives, to the last bit." in told(0.0)
    cut = told(1e-7, tokens=1, ended=False, each="piece")
    assert "1 piece one after another gets the ln p" in cut and "did not end the sentence itself" in cut
    ahead = told(15.3, looks_ahead=True)
    assert "one pass is not the same here" in ahead and "differs by up to 15.3" in ahead and "without the mask" in ahead
    assert "is not what one pass reads" in told(15.3) and "without the mask" not in told(15.3)
    assert "not numbers" in told(float("nan"))


def test_with_the_mask_off_no_claim_contradicts_its_number():
    whole, off = one(), one("mask")
    cross, layer = claims._cross(whole)
    assert "is the same operation" in cross and layer.endswith("the future has weight 0, exactly.")
    assert "one after another get the ln p that one pass" in claims._one_word_at_a_time(whole)
    _, layer = claims._cross(off)
    future = np.triu(off.maps["target"], 1).max()
    assert future > 0.1 and layer.endswith(f"a later word has a weight of up to {future:.2f}.")
    told = claims._one_word_at_a_time(off)
    assert "without the mask a word of the finished sentence looks at later ones" in told
    assert "one pass is not the same here" in told and float(re.search(r"by up to ([\d.]+)", told)[1]) > 1
    assert "two are left" in claims._cross(one("mlp"))[1]


# Remove a part: the table of right answers


def test_right_answers_of_a_stand_under_a_and_those_of_b_under_b():
    a = HeldOutScores(4, 1.0, {"verb": 0.9, "noun": 0.8, "noun, far": 0.7}, {"verb": 10, "noun": 20, "noun, far": 30})
    b = HeldOutScores(4, 2.0, {"verb": 0.1, "noun": 0.2, "noun, far": 0.3}, {"verb": 10, "noun": 20, "noun, far": 30})
    told = removal._right_answers(a, b)
    heads = re.findall(r"<th>(.*?)</th>", told)
    assert heads == ["right answers", "A", "B", "of", "and", "A", "B", "of"]
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(<td.*?)</tr>", told)]
    assert rows == [["verb", "90 %", "10 %", "10"], ["noun", "80 %", "20 %", "20"], ["noun, far", "70 %", "30 %", "30"]]


def test_the_page_gives_right_answers_and_losses_of_the_whole_model_to_a_and_of_the_other_to_b():
    told = next(
        html.proto.body
        for html in well(visit("viz/pages/remove.py", norm="false")).get("html")
        if 'class="strip"' in html.proto.body
    )
    a, b = (evaluate_held_out("grammar", switches) for switches in (Switches(), Switches(norm=False)))
    assert a.accuracy != b.accuracy
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(<td.*?)</tr>", told)]
    assert {row[0]: row[1:] for row in rows} == {
        name: [f"{100 * a.accuracy[name]:.0f} %", f"{100 * b.accuracy[name]:.0f} %", str(a.n[name])]
        for name in a.accuracy
    }
    assert f'<div class="value">{b.loss:.2f}</div><div class="beside">A {a.loss:.2f}</div>' in told
