"""Sentences made from numbers: each says what its numbers say, and says so where a claim does not hold here."""

import ast
from pathlib import Path

import numpy as np
import pytest

from viz.company import read_moved, read_tensor
from viz.counting import counted, decimals, verb
from viz.inside import read_averaging, read_forms, read_sizes, read_spectrum
from viz.lesson import Call, Question
from viz.masking import read_cheating, read_guess, read_leak, read_mask, read_ways
from viz.places import read_lengths, read_round, read_shift, read_shuffle, read_sight, spelt
from viz.reading import (
    Named,
    read_candidates,
    read_change,
    read_curves,
    read_effects,
    read_grid,
    read_knockouts,
    read_layers,
    read_maps,
    read_next,
    read_overwritten,
    read_rolled_row,
    read_rollout,
    read_row,
    read_stream,
    read_twin,
)
from viz.scaling import read_gradient, read_head, read_step
from viz.translating import (
    read_hits,
    read_map,
    read_networks,
    read_nouns,
    read_quality,
    read_referent,
    read_removed,
    read_tree,
    read_two_looks,
    read_written,
    spelt_ln,
)
from viz.verdict import spelt as spelt_answer

A = np.array
NAN, INF = float("nan"), float("inf")
ABCD = list("abcd")


@pytest.mark.parametrize(
    "module", ["claiming", "company", "inside", "masking", "places", "reading", "scaling", "translating"]
)
def test_no_sentence_made_from_numbers_is_without_a_test(module):
    root = Path(__file__).parents[1]
    tree = ast.parse((root / "viz" / f"{module}.py").read_text(encoding="utf-8"))
    there = {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("read_")}
    tested = "".join(
        (root / "tests" / f"{name}.py").read_text(encoding="utf-8")
        for name in ("test_sentences", "test_claim_sentences")
    )
    assert there and not {name for name in there if f"{name}(" not in tested}


def test_one_is_counted_in_the_singular_and_what_is_no_number_says_so():
    assert counted(1, "head") == "1 head" and counted(2, "head") == "2 heads" and counted(0, "head") == "0 heads"
    assert counted(1200, "query", "queries") == "1,200 queries"
    assert (verb(1, "is", "are"), verb(0, "is", "are"), verb(2, "is", "are")) == ("is", "are", "are")
    assert (decimals(-1.5), decimals(NAN), decimals(INF)) == ("−1.50", "not a number", "not a number")
    assert (spelt(NAN), spelt(-0.42), spelt(0)) == ("not a number", "−0.42", "0")
    assert spelt_ln(NAN) == "not a number"


# One row


def test_a_row_that_looks_at_no_word_in_particular_is_not_said_to_look_at_one():
    words = ["<s>", "a", "b", "c"]
    assert (
        read_row(A([[0, 0, 0, 0.0], [0.9, 0.1, 0, 0]]), words, 1)
        == "**a** rests on the start mark with 0.90 of its attention."
    )
    rows = np.zeros((4, 4))
    rows[3] = [0.28, 0.24, 0.24, 0.24]
    assert "spreads its attention; the largest share, 0.28, goes to the start mark." in read_row(rows, words, 3)
    rows[3] = [0.24, 0.24, 0.24, 0.28]
    assert "spreads its attention; the largest share, 0.28, goes to itself." in read_row(rows, words, 3)
    rows[3] = [0.24, 0.28, 0.24, 0.24]
    assert "goes to **a**, 2 words back." in read_row(rows, words, 3)
    rows[3] = [0.1, 0.1, 0.8, 0]
    assert read_row(rows, words, 3, each="piece") == "**c** looks at **b** with 0.80 of its attention, 1 piece back."
    rows[3] = [0, 0, 0, 1]
    assert "looks at itself with 1.00 of its attention" in read_row(rows, words, 3)


def test_a_row_of_equal_weights_is_not_said_to_prefer_one_word():
    assert read_row(np.full((2, 2), 0.5), ["a", "b"], 1) == "**b** gives its largest weight, 0.50, to each of 2 words."
    assert "to each of 4 pieces" in read_row(np.full((4, 4), 0.25), ABCD, 0, each="piece")
    assert read_row(np.zeros((2, 2)), ["a", "b"], 0) == "**a** looks at nothing: its row is zero."
    assert "not numbers" in read_row(np.full((2, 2), np.nan), ["a", "b"], 0)


def test_rollout_is_not_said_to_be_a_look():
    rolled = A([[1, 0, 0], [0.2, 0.8, 0], [0.7, 0.1, 0.2]])
    assert read_rolled_row(rolled, ["<s>", "a", "b"], 2) == "By rollout, **b** takes most, 0.70, from the start mark."
    assert (
        read_rolled_row(rolled, ["x", "a", "b"], 2) == "By rollout, **b** takes most, 0.70, from **x**, 2 words back."
    )
    assert read_rolled_row(rolled, ["x", "a", "b"], 1) == "By rollout, **a** takes most, 0.80, from itself."
    assert "from each of 2 words" in read_rolled_row(np.full((2, 2), 0.5), ["a", "b"], 0)
    assert "not numbers" in read_rolled_row(np.full((2, 2), np.nan), ["a", "b"], 0)


def test_a_rollout_says_what_each_of_its_steps_is_made_of():
    assert read_rollout(True) == "All layers together, half of each step by the residual. "
    assert "There is no residual connection here" in read_rollout(False)


def test_the_grid_counts_its_named_heads_in_the_right_number():
    def told(found, intact=True):
        return read_grid([[["x"]] * found + [[]] * (3 - found)], Named("9 texts", 0.5), intact=intact, pooled=False)

    assert told(2).startswith("2 of 3 heads bear the name of the whole relation that they follow best:")
    assert told(1).startswith("1 of 3 heads bears the name of the whole relation that it follows best:")
    assert told(0).startswith("No head puts 0.50 of its weight on the right word of any relation")
    assert "none bears a name" in told(0) and "with every part in place" not in told(0)
    assert "in 9 texts, with every part in place" in told(2, intact=False)
    assert "in 9 texts, with every part in place" in told(0, intact=False)


def test_the_sharpest_of_one_head_is_not_compared_with_others():
    one = np.full((1, 1, 2, 2), 0.5)
    assert read_maps(one, np.ones(one.shape, bool), pooled=False).startswith("The one head gives 0.50 of a row")
    two = np.concatenate([one, np.eye(2)[None, None]], axis=1)
    told = read_maps(two, np.tri(2, dtype=bool)[None, None].repeat(2, 1), pooled=False)
    assert "Of 2 heads layer 0, head 1 is the sharpest: it gives 1.00" in told and "hatched is not there" in told


# Predictions


def test_from_which_layer_on_a_word_leads():
    assert read_layers([["a"], ["b"], ["b"]]).endswith("**b** leads from layer 1 on.")
    assert read_layers([["b"], ["b"]]).endswith("leads after every one.")
    assert read_layers([["a"], ["b"], ["a"]]).endswith("**a** leads after the last layer only.")
    assert "no word leads" in read_layers([["a"], ["a"]], A([[0.5], [NAN]]))


def test_a_change_is_told_of_what_the_model_says():
    said = "without layer norm and head L0H2"
    told = read_change(A([0.0, 2.0]), ["a", "b"], said)
    assert (
        told
        == "Without layer norm and head L0H2, the next word moves most after **b**: KL 2.00 nats; over the text 1.00 "
        "on average."
    )
    assert "it would read moves most at **b**: KL" in read_change(A([0.0, 2.0]), ["a", "b"], said, "here")
    assert "last vector of **b** turns most: 1 − cosine" in read_change(A([0.0, 1.0]), ["a", "b"], said, "nothing")
    assert read_change(A([0.0, 0.0]), ["a", "b"], said) == "Without layer norm and head L0H2: no prediction moves."
    assert read_change(A([0.0]), ["a"], said, "nothing").endswith("no last vector moves.")
    assert read_change(A([0.0]), ["a"], "the same") == "B is A: no prediction moves."
    assert "1 of 2 predictions is not a number any more" in read_change(A([NAN, 1.0]), ["a", "b"], said)
    assert "2 of 2 predictions are not numbers any more" in read_change(A([NAN, INF]), ["a", "b"], said)
    assert "KL 4·10⁻⁵ nats" in read_change(A([0.0, 4e-5]), ["a", "b"], said), "a small change is not 0.00"


def test_a_model_that_fills_in_words_is_not_said_to_expect_the_next_one():
    assert read_next(A([0.2, 0.7]), ["x", "y"], "was") == "After “was” the model expects **y** 0.70, **x** 0.20."
    assert read_next(A([0.2, 0.7]), ["x", "y"], "was", "A", "here") == "At “was” A would read **y** 0.70, **x** 0.20."
    assert "not numbers" in read_next(A([NAN, 0.7]), ["x", "y"], "was")


def test_what_can_be_drawn():
    assert "One of 12 is drawn" in read_candidates(A([0.5]), A([0.5]), ["x"], "a", 12)
    assert "only one left" in read_candidates(A([0.5]), A([1.0]), ["x"], "a", 1)
    assert "0.50 by the model, 1.00 as it is drawn" in read_candidates(A([0.5]), A([1.0]), ["x"], "a", 1)
    assert "no word can be drawn" in read_candidates(A([NAN]), A([NAN]), ["x"], "a", 1)
    assert "no word can be drawn" in read_candidates(A([0.5]), A([0.0]), ["x"], "a", 0)


def test_two_streams_that_end_alike_are_said_to():
    assert read_stream(A([[1.0, 3.0]]), A([[4.0, 8.0]]), "length", ["L0"]).startswith(
        "After L0, length, mean over the words: A 2.00, B 6.00."
    )
    assert ": 2.00 in A and in B." in read_stream(A([[1.0, 3.0]]), A([[1.0, 3.0]]), "length", ["L0"])
    assert ": A 2.00, B not a number." in read_stream(A([[1.0, 3.0]]), A([[NAN, 3.0]]), "length", ["L0"])
    assert "B −1.00" in read_stream(A([[1.0]]), A([[-1.0]]), "mean", ["L0"])


# Parts and heads


def test_the_heads_that_can_go_are_those_that_cost_less_than_a_hundredth_of_a_nat():
    told = read_knockouts(A([[0.7, 0.05], [0.02, 0.009]]))
    assert told.startswith("Layer 0, head 0 is missed most: the loss rises by 0.70 nats without it.")
    assert told.endswith("1 of 4 heads can go for less than 0.01."), "0.05 and 0.02 are not less than 0.01"
    assert read_knockouts(A([[0.7, 0.009], [0.02, -0.1]])).endswith(
        "2 of 4 heads can go, one at a time, for less than 0.01."
    )
    assert read_knockouts(A([[0.7, 0.05]])).endswith("No head can go for less than 0.01.")
    assert read_knockouts(A([[0.3]])).endswith("No head can go for less than 0.01.")
    nothing = read_knockouts(A([[-0.3, -0.02]]))
    assert nothing == "No head alone is missed: the loss rises whichever goes by −0.02 nats at most."
    assert "none can be said to be missed most" in read_knockouts(A([[NAN, 0.1]]))


def test_a_map_of_lost_answers_is_not_told_as_loss():
    told = read_knockouts(A([[0.0, 0.25]]), "verb in the relative clause")
    assert told == "“verb in the relative clause”: layer 0, head 1 is missed most: 25 % fewer right answers of all."
    assert "no head alone is missed" in read_knockouts(A([[0.0, -0.1]]), "verb")


def test_the_verdict_on_a_twin_is_what_its_seeds_say():
    whole = A([1.0, 1.1, 1.2])

    def told(never, **more):
        return read_twin(whole, A(never), 3.0, 128, "Scaling", **more)

    assert (
        "whole 1.10 (1.00 to 1.20, middle of 3 seeds); trained without **1.50** (1.40 to 1.60, middle of 3 seeds)"
        in told([1.4, 1.5, 1.6])
    )
    assert ", worse than with it. Removed now, on 128 sentences: 3.00." in told([1.4, 1.5, 1.6])
    assert ", as well as with it." in told([1.0, 1.1, 1.14])
    assert ", better than with it." in told([0.7, 0.8, 0.9])
    assert ", as well as with it in 2 of 3 seeds." in told([1.0, 1.1, 1.6])
    assert ", as well as with it in 1 of 3 seeds." in told([1.0, 1.5, 1.6])
    assert "reads the answer" in told([0.1, 0.1, 0.2], ahead=True)
    assert "reads the answer" not in told([0.1, 0.1, 0.2]), "a low loss without another part is no look ahead"
    assert "reads the answer" not in told([0.9, 1.0, 1.1], ahead=True)
    single = read_twin(A([1.0]), A([2.0]), INF, 1, "Scaling")
    assert "whole 1.00 (1 seed); trained without **2.00** (1 seed), worse" in single
    assert single.endswith("Removed now, on 1 sentence: not a number.")


def test_curves_of_one_seed_have_no_range():
    assert read_curves({"whole": A([[9.0, 1.0]])}, "loss") == "At the end, loss: whole 1.00 (1 seed)."
    assert "whole 1.50 (1.00 to 2.00, 2 seeds)" in read_curves({"whole": A([[9.0, 1.0], [9.0, 2.0]])}, "loss")


def test_a_look_that_decides_nothing_is_not_said_to_move_the_word():
    weights = A([0.9, 0.1])
    both = read_effects(weights, A([0.5, 0.1]), ["a", "b"], None)
    assert both.endswith("blocking that look also moves the next word most: KL 0.500 nats.")
    other = read_effects(weights, A([0.1, 0.5]), ["a", "b"], (0.5, -0.75))
    assert "blocking **b** moves the next word most: KL 0.500 nats." in other
    assert "weights meet the effects by **0.50**, the size of gradient × weight by **−0.75**" in other
    assert "moves the next word by nothing" in read_effects(weights, np.zeros(2), ["a", "b"], None)
    assert "moves the word it would read most" in read_effects(weights, A([0.5, 0.1]), ["a", "b"], None, "here")
    assert "KL 1·10⁻⁵ nats" in read_effects(weights, A([1e-5, 0]), ["a", "b"], None), "a small effect is not 0.000"
    assert "looks at nothing" in read_effects(np.zeros(2), np.zeros(2), ["a", "b"], None)
    assert "not numbers" in read_effects(weights, A([NAN, 0.1]), ["a", "b"], None)


def test_a_row_left_as_it_is_is_not_said_to_be_overwritten():
    assert (
        read_overwritten("was", 0.0, False)
        == "The row is as it is, so B is A and the word after **was** does not move."
    )
    assert read_overwritten("was", 0.25, True).endswith("the word after **was** moves by KL 0.250 nats.")
    assert read_overwritten("was", 0.25, True, "here").endswith(
        "the word it would read at **was** moves by KL 0.250 nats."
    )
    assert read_overwritten("was", 0.0, True).endswith("(B) the word after **was** does not move.")
    assert "moves by KL 3·10⁻⁷ nats" in read_overwritten("was", 3e-7, True), "a small move is not 0.000"
    assert "not numbers" in read_overwritten("was", NAN, True)


# Masks


def test_a_mask_is_told_of_words_or_pieces_one_or_many():
    scores, weights = np.zeros((3, 3)), np.tri(3) / np.arange(1, 4)[:, None]
    causal = np.tri(3, dtype=bool)
    one = read_mask(scores, causal, weights, ABCD[:3], 0)
    assert "may look at 1 of 3 words, and its one weight is 1.000" in one
    assert (
        "**0.67** of its attention would go to 2 forbidden words; the mask gives it all to the one that is allowed"
        in one
    )
    two = read_mask(scores, causal, weights, ABCD[:3], 1, "piece")
    assert "may look at 2 of 3 pieces, and its weights sum to 1.000" in two
    assert "to 1 forbidden piece; the mask deals that out among the allowed, each 1.50 times as much" in two
    assert "may look at all 3 words; its weights sum to 1.000" in read_mask(scores, causal, weights, ABCD[:3], 2)
    alone = read_mask(np.zeros((1, 1)), np.ones((1, 1), bool), np.ones((1, 1)), ["a"], 0)
    assert alone == "**a** may look at the one word there is; its one weight is 1.000."
    hardly = read_mask(A([[0.0, -99.0]]), A([[True, False]]), A([[1.0, 0.0]]), ["a", "b"], 0)
    assert "hardly any of its attention" in hardly
    nearly = read_mask(A([[0.0, 99.0]]), A([[True, False]]), A([[1.0, 0.0]]), ["a", "b"], 0)
    assert "nearly all of its attention would go to 1 forbidden word." in nearly


def test_the_edited_word_counts_neither_before_nor_after():
    causal = np.tri(4)
    told = read_leak(A([0, 0, 9.0, 1.0]), A([0, 0, 0.5, 0.1]), causal, ABCD, 2, "x")
    assert told == (
        "**c** → **x**: all 2 outputs before it are exactly unchanged, to the last bit; the one output after it moves. "
        "No word looks ahead. The output at **c** moves most: KL 0.50 nats."
    )
    still = read_leak(A([0, 9.0, 0, 0]), A([0, 0.5, 0, 0]), causal, ABCD, 1, "x")
    assert "the one output before it is exactly unchanged" in still and "none of the 2 outputs after it moves." in still
    one = read_leak(A([0, 9.0, 1.0, 0]), A([0, 0.5, 0.1, 0]), causal, ABCD, 1, "x")
    assert "1 of the 2 outputs after it moves." in one
    last = read_leak(A([0, 0, 0, 9.0]), A([0, 0, 0, 0.5]), causal, ABCD, 3, "x")
    assert "after it" not in last and "all 3 outputs before it" in last
    not_moved = read_leak(A([0, 0, 9.0, 0]), A([0, 0, 0.5, 0]), causal, ABCD, 2, "x")
    assert "the one output after it does not move." in not_moved


def test_a_leak_is_told_in_the_right_number_and_unit():
    everyone = np.ones((4, 4))
    two = read_leak(A([1, 1, 9.0, 1]), A([0.2, 0.1, 0.5, 0.1]), everyone, ABCD, 2, "x")
    assert "**2 of 2** outputs before it change: the mask lets the future leak into the past" in two
    one = read_leak(A([1, 9.0, 1, 1]), A([0.2, 0.5, 0.1, 0.1]), everyone, ABCD, 1, "x")
    assert "**1 of 1** output before it changes" in one and "No word looks ahead" not in one
    unreached = read_leak(A([0, 0, 9.0, 1]), A([0, 0, 0.5, 0.1]), everyone, ABCD, 2, "x")
    assert "exactly unchanged" in unreached and "No word looks ahead" not in unreached
    turned = read_leak(A([0, 0, 9.0, 1]), A([0, 0, 2e-5, 0]), np.tri(4), ABCD, 2, "x", unit="1 − cosine {}")
    assert turned.endswith("The output at **c** moves most: 1 − cosine 2·10⁻⁵.")
    nothing = read_leak(np.zeros(4), np.zeros(4), np.tri(4), ABCD, 2, "c")
    assert nothing.endswith("No output moves.")
    first = read_leak(A([9.0, 1, 1, 1]), A([0.5, 0.1, 0.1, 0.1]), np.tri(4), ABCD, 0, "x")
    assert first.startswith("**a** → **x**: 3 of the 3 outputs after it move.")
    assert "not numbers" in read_leak(np.ones(4), np.full(4, np.nan), np.tri(4), ABCD, 2, "x")


def test_three_ways_are_the_same_only_where_their_numbers_are():
    assert read_ways(1e-5, 15.0, (0.001, 0.01, 0.02), 13).startswith("The same logits to rounding: at most **1.0e-05**")
    assert read_ways(0.0, 15.0, (0.001, 0.01, 0.02), 13).startswith("The same logits, to the last bit")
    assert read_ways(0.5, 15.0, (0.001, 0.01, 0.02), 13).startswith("**Not the same logits**")
    assert read_ways(NAN, 15.0, (0.001, 0.01, 0.02), 13).startswith("**Not the same logits**")
    assert "For 1 token one pass" in read_ways(0.0, 15.0, (0.001, 0.01, 0.02), 1)
    assert "saves 50 % of the time" in read_ways(0.0, 15.0, (0.001, 0.01, 0.02), 13)
    assert "saves hardly any time" in read_ways(0.0, 15.0, (0.001, 0.01, 0.01005), 13)
    assert "Here the cache gains nothing" in read_ways(0.0, 15.0, (0.001, 0.02, 0.01), 13)


def test_cheating_is_told_of_a_loss_that_no_honest_model_reaches_and_of_no_other():
    assert "reaches **0.10**. No left-to-right model can" in read_cheating(1.7, 1.8, 0.1, 128)
    assert "reaches 1.60: no sign that it reads the next word" in read_cheating(1.7, 1.8, 1.6, 128)
    assert "is not a number" in read_cheating(1.7, 1.8, NAN, 128)
    assert "On the same 1 fresh sentence," in read_cheating(1.7, 1.8, 0.1, 1)


def test_a_guess_is_counted():
    assert read_guess(1, 4, "rows", "X.") == "**1 of 4** rows right (25 %). X."
    assert read_guess(1, 1, "rows", "X.") == "**1 of 1** row right (100 %). X."


# Inside a head


def test_two_forms_are_the_same_only_where_double_precision_says_so():
    assert read_forms((1e-3, 2e-3), (1e-12, 1e-11)).startswith("The same numbers up to rounding")
    assert read_forms((0.1, 0.1), (0.1, 0.1)).startswith("**Not the same numbers**")
    assert read_forms((NAN, NAN), (NAN, NAN)).startswith("**Not the same numbers**")


def test_a_mean_is_told_of_the_values_that_may_be_looked_at():
    mask = np.tri(3, dtype=bool)
    told = read_averaging(A([[1, 0, 0], [0.25, 0.75, 0], [0.2, 0.3, 0.5]]), mask, ABCD[:3], 1, 0.5)
    assert "averages 2 values: the smallest weight of them is 0.25, never below 0, and they sum to 1.0000" in told
    assert "stays inside the outline" in told and "50 % of the spread" in told
    assert "its output is that value" in read_averaging(A([[1, 0, 0]] * 3), mask, ABCD[:3], 0, 0.5)
    assert "a mean of no values" in read_averaging(np.zeros((3, 3)), np.zeros((3, 3), bool), ABCD[:3], 0, 0.5)
    assert "need not stay inside" in read_averaging(A([[0, 0, 0], [-0.5, 1.5, 0]]), mask, ABCD[:3], 1, 0.5)
    assert "need not stay inside" in read_averaging(A([[0, 0, 0], [0.9, 0.9, 0]]), mask, ABCD[:3], 1, 0.5)
    assert "not numbers" in read_averaging(np.full((3, 3), np.nan), mask, ABCD[:3], 1, 0.5)


def test_a_head_is_told_by_its_rank_not_by_its_width():
    told = read_spectrum(15, 16, 64, 0.5, 1e-17)
    assert "Of 64 singular values **15** are not rounding, the smallest of them 0.50; at most d_k = 16 can be." in told
    assert "The next is 1·10⁻¹⁷: rounding." in told and "through 15 directions of 64" in told
    assert "**1** is not rounding, it is 0.50" in read_spectrum(1, 16, 64, 0.5, 0.0)
    assert "through 1 direction of 64" in read_spectrum(1, 16, 64, 0.5, 0.0) and "The next" not in read_spectrum(
        1, 1, 4, 1, 0
    )
    assert "compare nothing" in read_spectrum(0, 16, 64, 0.0, 0.0)


def test_another_output_than_that_of_pytorch_is_said_to_be_another():
    assert read_sizes(1, 1, 1, 1, 0.0) == (
        "1 head: 1 parameter and 1 operation, for **1** attention weight. "
        "PyTorch's own operator gives the same output, to the last bit."
    )
    assert "the same output, to within 5·10⁻⁷." in read_sizes(2, 10, 20, 3, 5e-7)
    assert "gives **another** output, 0.50 apart" in read_sizes(2, 10, 20, 3, 0.5)
    assert "gives **another** output" in read_sizes(2, 10, 20, 3, NAN)


# Positions


def test_schemes_that_move_and_those_that_stay_are_both_told_also_alone():
    room = {"Learned": 18}
    both = read_shift({"RoPE": 1e-6, "Sinusoidal": 0.5, "Learned": None}, 5, room)
    assert both == (
        "Moved by 5, no score of **RoPE** changes by more than 1·10⁻⁶, which is rounding; those of **Sinusoidal** "
        "change by up to 0.50; Learned has no places left: its table ends at 18."
    )
    assert read_shift({"None": 0.0}, 5, room) == "Moved by 5, no score of **None** changes at all."
    assert read_shift({"Sinusoidal": 0.5}, 5, room) == "Moved by 5, the scores of **Sinusoidal** change by up to 0.50."
    assert "change by up to not a number" in read_shift({"Sinusoidal": NAN}, 5, room)
    assert "Nothing has moved" in read_shift({"None": 0.0}, 0, room)


def test_sight_tells_similarities_and_biases_where_there_are_any():
    near, flat = A([1.0, 0.9, 0.1]), np.zeros(3)
    assert read_sight({"a": near, "b": -near}, {"a": True, "b": False}, 2) == (
        "From 1 to 2 places back, similarity goes from a 0.90 to 0.10; what is added to the score goes from b "
        "−0.90 to −0.10."
    )
    assert "added" not in read_sight({"a": near, "b": flat}, {"a": True, "b": False}, 2)
    assert "similarity" not in read_sight({"b": near}, {"b": False}, 2)
    assert "says anything" in read_sight({"b": flat, "c": A([1, 1, NAN])}, {"b": False, "c": True}, 2)


def test_a_shuffle_is_told_also_where_every_case_changes():
    assert read_shuffle({"No mask": 1e-7, "Mask": 0.5}, 2) == (
        "**No mask: the same vectors in another order**, to 1·10⁻⁷. Otherwise they change, by up to 0.50 (mask)."
    )
    assert read_shuffle({"Mask": 0.5}, 2) == "The vectors change, by up to 0.50 (mask)."
    assert "not a number (mask)" in read_shuffle({"Mask": NAN}, 2)
    assert "Every word stands" in read_shuffle({"Mask": 0.0}, 0)


def told_lengths(none, scheme, decoder, beyond=0.7):
    found = A([[[none, none], [scheme, beyond]], [[decoder, decoder], [1.0, 1.0]]])
    return read_lengths(["None", "RoPE"], [16, 32], found, 16, "From the cards")


def test_what_a_model_without_positions_can_do_is_what_its_numbers_say():
    usual = told_lengths(0.5, 1.0, 0.99)
    assert "the encoder guesses, **50 %**; the decoder does not, **99 %**: its mask alone tells the order." in usual
    assert "With a scheme every encoder has learnt the trained lengths: at least 100.0 %." in usual
    assert "RoPE 70 %. From the cards." in usual and "no places left" not in usual
    assert "the encoder guesses, **50 %**; the decoder guesses too, **52 %**." in told_lengths(0.5, 1.0, 0.52)
    assert "the decoder has not learnt it well, **70 %**." in told_lengths(0.5, 1.0, 0.7)
    assert "the encoder does not guess, **80 %**; the decoder does not either, **99 %**." in told_lengths(
        0.8, 1.0, 0.99
    )
    assert "the encoder does not guess, **80 %**; the decoder guesses, **50 %**." in told_lengths(0.8, 1.0, 0.5)
    assert "not every encoder has learnt the trained lengths: the worst reaches 60.0 %" in told_lengths(0.5, 0.6, 0.99)
    assert "the encoders reach: nothing, for none has places left; no places left: RoPE." in told_lengths(
        0.5, 1.0, 0.99, NAN
    )


def test_a_pair_of_rope_is_blamed_only_where_one_is_to_blame():
    told = read_round(0.31, 64, 20.0, 1, 4, [0.3, 0.9, 0.4])
    assert "falls below guessing, to 31 % at 64 signs: its pair 1" in told
    assert "answer **90 %** rightly; with any other pair slowed, at most 40 %." in told
    assert read_round(0.31, 64, 20.0, 0, 4, [0.9]).endswith("answer **90 %** rightly.")
    assert read_round(0.6, 64, 20.0, 1, 4, [0.3, 0.9]) == "" and read_round(0.31, 64, 20.0, 1, 4, [0.8, 0.9]) == ""


# Scaling and norms


def test_a_width_at_which_nothing_shrinks_is_not_said_to_shrink():
    assert "changes nothing" in read_step(1, 16, (0.2, 0.2), (0.3, 0.3), (0.2, 0.25))
    assert "has not shrunk yet" in read_step(2, 16, (0.22, 0.2), (0.3, 0.31), (0.2, 0.25))
    assert "**3.0 times smaller**" in read_step(64, 16, (0.9, 0.2), (0.1, 0.3), (0.2, 0.25))
    assert read_step(64, 16, (0.9, 0.2), (0.1, 0.3), (0.2, 0.25)).endswith("between 0.20 and 0.25 at every d_k here.")


def test_a_head_that_never_divided_is_not_said_to_lose_its_division():
    numbers = (1, 2, 16, 48.0, (0.9, 0.4), (0.1, 0.3))
    assert read_head(*numbers).endswith(
        "Undivided, its largest weight goes from 0.40 to **0.90** on average, the Jacobian from 0.30 to 0.10."
    )
    never = read_head(*numbers, divides=False)
    assert "never divided: its largest weight is **0.90** on average and its Jacobian 0.10" in never
    assert "Divided now, they would be 0.40 and 0.30." in never and "Undivided" not in never


def test_the_gradient_of_w_q_is_told_as_it_was_measured():
    assert "is loose" in read_gradient(64, 3.0, 1.5) and "**2.0 times larger** without" in read_gradient(64, 3.0, 1.5)
    smaller = read_gradient(64, 1.5, 3.0)
    assert "holds at this width" in smaller and "**2.0 times smaller**" in smaller and "because" not in smaller


def test_who_moves_is_counted():
    words = [["a", "b"], ["c", "d"]]
    assert "none of the 2 words of the other sentences moves" in read_moved(
        "layer norm", A([[NAN, NAN], [0, 0]]), words
    )
    assert "no other word moves" in read_moved("layer norm", A([[NAN, NAN], [0, NAN]]), words)
    one = read_moved("batch norm", A([[NAN, NAN], [0.5, 0]]), words)
    assert "1 of the 2 words of the other sentences moves, by **0.25**" in one and "“c” in sentence 2 with 0.50" in one
    assert "all of the 2 words of the other sentences move," in read_moved(
        "batch norm", A([[NAN, NAN], [0.5, 1]]), words
    )
    assert "the one other word moves" in read_moved("batch norm", A([[NAN, NAN], [0.5, NAN]]), words)


def test_what_a_norm_averages_over_is_counted_and_has_its_mean():
    stream, real = A([[[1.0, 3.0], [5.0, 7.0]], [[-9.0, 1.0], [0.0, 0.0]]]), A([[True, True], [True, False]])
    layer = read_tensor(stream, real, "channels", 1, 0, "b")
    assert "vector of “b” in sentence 1: 2 numbers, mean **6.00**, standard deviation **1.00**" in layer
    batch = read_tensor(stream, real, "batch", 1, 0, "b")
    assert "channel 0 of every word of every sentence: 3 numbers, mean **−1.00**" in batch


# Translate


def test_what_is_written_is_judged_only_where_the_right_sentence_is_known():
    assert read_written("le chat", "le chat", -0.5).endswith("right, word for word.")
    assert read_written("le", "le chat", -0.5).endswith("right is “le chat”.")
    assert "nobody knows here what is right" in read_written("le", None, -0.5)
    assert "It writes no word, ln p 0, and finds no end" in read_written("", "le", 0.0, ended=False)


def test_where_a_written_word_looks():
    assert read_map(A([[0.3, 0.7]]), ["x"], ["a", "b"], 0, True) == (
        "When the model predicts **x**, its decoder looks most at **b**, 0.70 of the row."
    )
    assert read_map(A([[0.3, 0.7]]), ["x"], ["a", "b"], 0, False).startswith("**x** looks most at **b**, 0.70")
    assert "not numbers" in read_map(A([[NAN, 0.7]]), ["x"], ["a", "b"], 0, False)


def test_hits_are_counted_in_the_right_number():
    assert read_hits(4, 3, 0.5, (0, 0)) == (
        "Of 4 looks that must find a word, **3** fall most where gold points; the mean weight there is 0.50."
    )
    assert "Of 1 look that must find a word, **1** falls most" in read_hits(1, 1, 0.5, (0, 0))
    many = read_hits(4, 3, 0.5, (3, 1))
    assert "settle 3 further words: 1 of these 3 looks most where gold points" in many
    assert "settle 1 further word: it looks most" in read_hits(4, 3, 0.5, (1, 1))
    assert "settle 1 further word: it does not look most" in read_hits(4, 3, 0.5, (1, 0))
    assert read_hits(0, 0, 0.0, (0, 0)).startswith("No word of it has to be looked up")


def test_a_beam_that_ranks_a_less_likely_sentence_first_says_so():
    assert read_tree(4, 1, 0, -3.0, -4.0, False).startswith(
        "A beam of 4: 1 branch kept, none of the dropped ones drawn."
    )
    assert read_tree(4, 9, 5, -3.0, -4.0, False).endswith("ln p **−3.00**, the greedy one has −4.00.")
    assert "the greedy one has −2.00, which is more" in read_tree(4, 9, 5, -3.0, -2.0, False)
    assert "greedy decoding writes the same one" in read_tree(4, 9, 5, -3.0, -3.0, True)


def test_networks_that_are_right_and_those_that_are_not():
    assert read_networks({"G": "x", "T": "y"}, "y") == "Right, word for word: **T**; not right: G. Right is “y”."
    assert read_networks({"G": "y", "T": "y"}, "y").startswith("Right, word for word: **G and T**. Right")
    assert read_networks({"G": "x", "T": "z"}, "y").startswith("**None of them** writes the right sentence.")
    assert read_networks({"G": "x"}, "y").startswith("It does not write the right sentence.")
    assert "nobody knows here who is right" in read_networks({"G": "x"}, None)


def test_quality_names_lengths_and_classes_of_lengths():
    classes = read_quality(
        {"G": A([1.0, 0.5])}, [8, 24], None, "60 a point", "Right", ["3 to 8 words", "21 to 24 words"]
    )
    assert classes == "Right, 60 a point: **G** 100 % at 3 to 8 words, 50 % at 21 to 24 words."
    assert read_quality({"G": A([1.0, 0.5, 0.1])}, [1, 2, 3], 2, "n", "Right").endswith(
        "**G** 100 % at 1, 50 % at 2, 10 % at 3, which it was never trained on."
    )
    assert read_quality({"G": A([1.0, NAN])}, [1, 2], 2, "n", "Right").endswith("**G** 100 % at 1.")
    assert read_quality({"G": A([NAN, NAN, 0.1])}, [1, 2, 3], 2, "n", "Right").endswith(
        "**G** 10 % at 3, which it was never trained on."
    )
    assert read_quality({"G": A([NAN])}, [1], 2, "n", "Right").endswith("**G** was not asked.")


def test_what_is_lost_with_a_part():
    assert "so B is A. Of 1 fresh sentence **90 %** are right" in read_removed("x", "x", "the same", (0.9, 0.9), 1)
    told = read_removed("x", "z", "without layer norm", (0.9, 0.1), 100)
    assert (
        told == "Without layer norm it writes “z”. On 100 fresh sentences, right word for word: whole **90 %**, "
        "without layer norm **10 %**."
    )
    assert "it writes the same sentence" in read_removed("x", "x", "without layer norm", (0.9, 0.1), 100)
    assert "it writes no word." in read_removed("x", "", "without layer norm", (0.9, 0.1), 100)


def test_what_it_means_is_judged_only_where_that_is_known():
    assert read_nouns(["cat", "box"], A([0.9, 0.05])).endswith("any other noun 0.05 at most.")
    assert read_nouns(["cat", "box"], A([0.9, 0.001])).endswith("any other noun less than 0.01.")
    assert read_nouns(["cat"], A([0.9])).endswith("there is no other noun.")
    assert read_referent("cat", 0.9, "cat").endswith("0.90: right.")
    assert read_referent("cat", 0.9, "box").endswith("right is the **box**.")
    assert "could not have drawn this sentence" in read_referent("cat", 0.9, None)


def test_the_order_of_two_looks_is_that_of_their_layers():
    first = read_two_looks(A([0.66, 0.17]), A([0.08, 0.63]))
    assert "adjective most in layer 0 (0.66)" in first and "in layer 1 (0.63)" in first
    assert first.endswith("Only the adjective tells which noun is meant: it is looked at first.")
    assert read_two_looks(A([0.1, 0.7]), A([0.6, 0.1])).endswith("here it is not looked at first.")


def test_an_answer_that_is_no_number_is_told_as_such():
    question = Question("?", Call("loss", ()))
    assert spelt_answer(NAN, question) == "not a number" and spelt_answer(0.125, question) == "0.12"
