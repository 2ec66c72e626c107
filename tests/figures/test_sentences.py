"""Sentences made from numbers: each says what its numbers say, and says so where a claim does not hold here."""

import ast
from pathlib import Path

import numpy as np

from viz.captions.batch_norm import describe_epsilon, describe_norm_axes, describe_norm_change
from viz.captions.counting import counted, decimals, percent, verb
from viz.captions.heads import (
    Named,
    describe_attribution,
    describe_change,
    describe_head_ablation,
    describe_head_grid,
    describe_learning_curves,
    describe_logit_lens,
    describe_maps,
    describe_next_token,
    describe_opening,
    describe_override,
    describe_residual_stream,
    describe_rollout,
    describe_rollout_row,
    describe_row,
    describe_sampling,
    describe_sink,
    describe_trained_without,
)
from viz.captions.inside import (
    describe_averaging,
    describe_cost,
    describe_loop_and_matmul,
    describe_qk_spectrum,
    describe_widths,
)
from viz.captions.machine import (
    describe_attention,
    describe_cross,
    describe_embedding,
    describe_machine,
    describe_mlp,
    describe_output,
    describe_pair_machine,
    describe_translations,
    describe_unembedding,
    describe_units,
)
from viz.captions.masks import (
    describe_guess,
    describe_kv_cache,
    describe_leak,
    describe_mask,
    describe_no_mask_training,
)
from viz.captions.positions import (
    describe_length_generalisation,
    describe_rope_period,
    describe_shift,
    describe_shuffle,
    describe_similarity,
    format_number,
)
from viz.captions.score_scaling import describe_head_scaling, describe_query_gradient, describe_width
from viz.captions.translate import (
    describe_ablation,
    describe_accuracy_by_length,
    describe_adjective_and_referent,
    describe_alignment_hits,
    describe_beam_tree,
    describe_map,
    describe_networks,
    describe_nouns,
    describe_referent,
    describe_translation,
    describe_typed_unknown,
    describe_unknown_words,
    format_ln,
)
from viz.captions.typed_text import describe_pair_model, describe_unknown
from viz.lessons.grading import format_answer as spelt_answer
from viz.lessons.lesson import Call, Question

A = np.array
NAN, INF = float("nan"), float("inf")
ABCD = list("abcd")


def test_no_sentence_made_from_numbers_is_without_a_test():
    root = Path(__file__).parents[2]
    tested = "".join(
        (root / "tests/figures" / f"{name}.py").read_text(encoding="utf-8")
        for name in (
            "test_sentences",
            "test_claim_sentences",
            "test_why_sentences",
            "test_cost_sentences",
            "test_typed",
        )
    )
    captions = [
        node.name
        for path in root.glob("viz/captions/*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("describe_")
    ]
    assert len(captions) > 40
    assert [name for name in captions if f"{name}(" not in tested] == []


def test_one_is_counted_in_the_singular_and_what_is_no_number_says_so():
    assert counted(1, "head") == "1 head" and counted(2, "head") == "2 heads" and counted(0, "head") == "0 heads"
    assert counted(1200, "query", "queries") == "1,200 queries"
    assert (verb(1, "is", "are"), verb(0, "is", "are"), verb(2, "is", "are")) == ("is", "are", "are")
    assert (decimals(-1.5), decimals(NAN), decimals(INF)) == ("−1.50", "not a number", "not a number")
    assert (format_number(NAN), format_number(-0.42), format_number(0)) == ("not a number", "−0.42", "0")
    assert format_ln(NAN) == "not a number"


# One row


def test_a_row_that_looks_at_no_word_in_particular_is_not_said_to_look_at_one():
    words = ["<s>", "a", "b", "c"]
    assert (
        describe_row(A([[0, 0, 0, 0.0], [0.9, 0.1, 0, 0]]), words, 1)
        == "**a** puts 0.90 of its attention on the start token."
    )
    rows = np.zeros((4, 4))
    rows[3] = [0.28, 0.24, 0.24, 0.24]
    assert "spreads its attention. The largest share, 0.28, goes to the start token." in describe_row(rows, words, 3)
    rows[3] = [0.24, 0.24, 0.24, 0.28]
    assert "spreads its attention. The largest share, 0.28, goes to itself." in describe_row(rows, words, 3)
    rows[3] = [0.24, 0.28, 0.24, 0.24]
    assert "goes to **a**, 2 words back." in describe_row(rows, words, 3)
    rows[3] = [0.1, 0.1, 0.8, 0]
    assert describe_row(rows, words, 3, unit="token") == "**c** puts 0.80 of its attention on **b**, 1 token back."
    rows[3] = [0, 0, 0, 1]
    assert "puts 1.00 of its attention on itself" in describe_row(rows, words, 3)


def test_a_row_of_equal_weights_is_not_said_to_prefer_one_word():
    assert (
        describe_row(np.full((2, 2), 0.5), ["a", "b"], 1) == "**b** gives its largest weight, 0.50, to each of 2 words."
    )
    assert "to each of 4 tokens" in describe_row(np.full((4, 4), 0.25), ABCD, 0, unit="token")
    assert describe_row(np.zeros((2, 2)), ["a", "b"], 0) == "**a** attends to nothing: its row is zero."
    assert "not numbers" in describe_row(np.full((2, 2), np.nan), ["a", "b"], 0)


def test_rollout_is_not_said_to_be_a_look():
    rolled = A([[1, 0, 0], [0.2, 0.8, 0], [0.7, 0.1, 0.2]])
    assert (
        describe_rollout_row(rolled, ["<s>", "a", "b"], 2)
        == "By rollout, the largest share of **b**, 0.70, comes from the start token."
    )
    assert (
        describe_rollout_row(rolled, ["x", "a", "b"], 2)
        == "By rollout, the largest share of **b**, 0.70, comes from **x**, 2 words back."
    )
    assert (
        describe_rollout_row(rolled, ["x", "a", "b"], 1)
        == "By rollout, the largest share of **a**, 0.80, comes from itself."
    )
    assert "from each of 2 words" in describe_rollout_row(np.full((2, 2), 0.5), ["a", "b"], 0)
    assert "not numbers" in describe_rollout_row(np.full((2, 2), np.nan), ["a", "b"], 0)


def test_a_rollout_says_what_each_of_its_steps_is_made_of():
    assert describe_rollout(True) == "This combines all layers. Half of each step comes from the residual connection. "
    assert "There is no residual connection here" in describe_rollout(False)


def test_the_grid_counts_its_named_heads_in_the_right_number():
    def sentence(named, intact=True):
        return describe_head_grid(
            [[["x"]] * named + [[]] * (3 - named)], Named("9 texts", 0.5), intact=intact, pooled=False
        )

    assert sentence(2).startswith("2 of 3 heads are labelled with the whole relation that they match best.")
    assert sentence(1).startswith("1 of 3 heads is labelled with the whole relation that it matches best.")
    assert sentence(0).startswith(
        "No head has a name. None puts 0.50 of its weight on the correct word of any relation"
    )
    assert "measured" in sentence(0) and "with the full model" not in sentence(0)
    assert "on 9 texts, with the full model" in sentence(2, intact=False)
    assert "on 9 texts, with the full model" in sentence(0, intact=False)


def test_the_sharpest_of_one_head_is_not_compared_with_others():
    one_head = np.full((1, 1, 2, 2), 0.5)
    assert describe_maps(one_head, np.ones(one_head.shape, bool), pooled=False).startswith(
        "On average, the one head gives 0.50 of a row"
    )
    two_heads = np.concatenate([one_head, np.eye(2)[None, None]], axis=1)
    sentence = describe_maps(two_heads, np.tri(2, dtype=bool)[None, None].repeat(2, 1), pooled=False)
    assert (
        "Of 2 heads, layer 0, head 1 is the sharpest: on average, it gives 1.00" in sentence and "Hatched" in sentence
    )


# Predictions


def test_from_which_layer_on_a_word_leads():
    assert describe_logit_lens([["a"], ["b"], ["b"]]).endswith("**b** is the most likely word from layer 1 on.")
    assert describe_logit_lens([["b"], ["b"]]).endswith("is the most likely word after every layer.")
    assert describe_logit_lens([["a"], ["b"], ["a"]]).endswith(
        "**a** is the most likely word after the last layer only."
    )
    assert "no word is the most likely one" in describe_logit_lens([["a"], ["a"]], A([[0.5], [NAN]]))


def test_a_change_is_told_of_what_the_model_says():
    text = "without layer norm and head L0H2"
    sentence = describe_change(A([0.0, 2.0]), ["a", "b"], text)
    assert (
        sentence
        == "Without layer norm and head L0H2, the prediction of the next word changes most after **b**: KL 2.00 nats. "
        "The average over the text is 1.00."
    )
    assert "at its own place changes most at **b**: KL" in describe_change(A([0.0, 2.0]), ["a", "b"], text, "here")
    assert "final vector of **b** changes most: 1 − cosine" in describe_change(
        A([0.0, 1.0]), ["a", "b"], text, "nothing"
    )
    assert (
        describe_change(A([0.0, 0.0]), ["a", "b"], text) == "Without layer norm and head L0H2, no prediction changes."
    )
    assert describe_change(A([0.0]), ["a"], text, "nothing").endswith("no final vector changes.")
    assert describe_change(A([0.0]), ["a"], "the same") == "B is the same as A: no prediction changes."
    assert "1 of 2 predictions is no longer a number" in describe_change(A([NAN, 1.0]), ["a", "b"], text)
    assert "2 of 2 predictions are no longer numbers" in describe_change(A([NAN, INF]), ["a", "b"], text)
    assert "KL 4·10⁻⁵ nats" in describe_change(A([0.0, 4e-5]), ["a", "b"], text), "a small change is not 0.00"


def test_a_model_that_fills_in_words_is_not_said_to_expect_the_next_one():
    assert (
        describe_next_token(A([0.2, 0.7]), ["x", "y"], "was")
        == "After “was” the model predicts **y** 0.70, **x** 0.20."
    )
    assert (
        describe_next_token(A([0.2, 0.7]), ["x", "y"], "was", "A", "here")
        == "At “was” A predicts **y** 0.70, **x** 0.20."
    )
    assert "not numbers" in describe_next_token(A([NAN, 0.7]), ["x", "y"], "was")


def test_what_can_be_drawn():
    assert "One of 12 candidates is sampled" in describe_sampling(A([0.5]), A([0.5]), ["x"], "a", 12)
    assert "the only candidate" in describe_sampling(A([0.5]), A([1.0]), ["x"], "a", 1)
    assert "0.50 by the model, 1.00 when sampling" in describe_sampling(A([0.5]), A([1.0]), ["x"], "a", 1)
    assert "no word can be sampled" in describe_sampling(A([NAN]), A([NAN]), ["x"], "a", 1)
    assert "no word can be sampled" in describe_sampling(A([0.5]), A([0.0]), ["x"], "a", 0)


def test_two_streams_that_end_alike_are_said_to():
    assert describe_residual_stream(A([[1.0, 3.0]]), A([[4.0, 8.0]]), "length", ["L0"]).startswith(
        "After L0, the length of a vector is 2.00 for A and 6.00 for B, averaged over the words."
    )
    assert "is 2.00 for A and B," in describe_residual_stream(A([[1.0, 3.0]]), A([[1.0, 3.0]]), "length", ["L0"])
    assert "is 2.00 for A and not a number for B," in describe_residual_stream(
        A([[1.0, 3.0]]), A([[NAN, 3.0]]), "length", ["L0"]
    )
    assert "−1.00 for B" in describe_residual_stream(A([[1.0]]), A([[-1.0]]), "mean", ["L0"])


# Parts and heads


def test_the_heads_that_can_go_are_those_that_cost_less_than_a_hundredth_of_a_nat():
    sentence = describe_head_ablation(A([[0.7, 0.05], [0.02, 0.009]]))
    assert sentence.startswith("Layer 0, head 0 matters most: without it the loss rises by 0.70 nats.")
    assert sentence.endswith("1 of 4 heads can be removed for less than 0.01 nats."), (
        "0.05 and 0.02 are not less than 0.01"
    )
    assert describe_head_ablation(A([[0.7, 0.009], [0.02, -0.1]])).endswith(
        "2 of 4 heads can be removed, one at a time, for less than 0.01 nats."
    )
    assert describe_head_ablation(A([[0.7, 0.05]])).endswith("No head can be removed for less than 0.01 nats.")
    assert describe_head_ablation(A([[0.3]])).endswith("No head can be removed for less than 0.01 nats.")
    nothing = describe_head_ablation(A([[-0.3, -0.02]]))
    assert nothing == "No single head matters: whichever is removed, the loss falls by at least 0.02 nats."
    assert "it is unknown which head matters most" in describe_head_ablation(A([[NAN, 0.1]]))


def test_a_map_of_lost_answers_is_not_told_as_loss():
    sentence = describe_head_ablation(A([[0.0, 0.25]]), "verb in the relative clause")
    assert sentence == (
        "“verb in the relative clause”: layer 0, head 1 matters most. Without it the share of right answers falls by "
        "25 percentage points."
    )
    assert "no single head matters" in describe_head_ablation(A([[0.0, -0.1]]), "verb")


def test_the_verdict_on_a_twin_is_what_its_seeds_say():
    whole = A([1.0, 1.1, 1.2])

    def sentence(never, **more):
        return describe_trained_without(whole, A(never), 3.0, 128, "Scaling", **more)

    assert (
        "full model 1.10 (1.00 to 1.20, median of 3 seeds); trained without it **1.50** (1.40 to 1.60, median of 3 "
        "seeds)" in sentence([1.4, 1.5, 1.6])
    )
    assert (
        ". This is worse than with this part. If the part is removed now, the loss on 128 sentences is 3.00."
        in sentence([1.4, 1.5, 1.6])
    )
    assert "This is as good as with this part." in sentence([1.0, 1.1, 1.14])
    assert "This is better than with this part." in sentence([0.7, 0.8, 0.9])
    assert "This is as good as with this part for 2 of 3 seeds." in sentence([1.0, 1.1, 1.6])
    assert "This is as good as with this part for 1 of 3 seeds." in sentence([1.0, 1.5, 1.6])
    assert "reads the answer" in sentence([0.1, 0.1, 0.2], ahead=True)
    assert "reads the answer" not in sentence([0.1, 0.1, 0.2]), "a low loss without another part is no look ahead"
    assert "reads the answer" not in sentence([0.9, 1.0, 1.1], ahead=True)
    single = describe_trained_without(A([1.0]), A([2.0]), INF, 1, "Scaling")
    assert "full model 1.00 (1 seed); trained without it **2.00** (1 seed). This is worse" in single
    assert single.endswith("If the part is removed now, the loss on 1 sentence is not a number.")


def test_curves_of_one_seed_have_no_range():
    assert (
        describe_learning_curves({"whole": A([[9.0, 1.0]])}, "loss")
        == "At the end of training (loss): whole 1.00 (1 seed)."
    )
    assert "whole 1.50 (1.00 to 2.00, 2 seeds)" in describe_learning_curves(
        {"whole": A([[9.0, 1.0], [9.0, 2.0]])}, "loss"
    )


def test_a_look_that_decides_nothing_is_not_said_to_move_the_word():
    weights = A([0.9, 0.1])
    both = describe_attribution(weights, A([0.5, 0.1]), ["a", "b"], None)
    assert both.endswith("Blocking this weight also changes the prediction of the next word most: KL 0.500 nats.")
    other = describe_attribution(weights, A([0.1, 0.5]), ["a", "b"], (0.5, -0.75))
    assert "Blocking **b** changes the prediction of the next word most: KL 0.500 nats." in other
    assert "**0.50** for the weights, **−0.75** for the size of gradient × weight" in other
    assert "does not change the prediction of the next word" in describe_attribution(
        weights, np.zeros(2), ["a", "b"], None
    )
    assert "changes the prediction of the word at this place most" in describe_attribution(
        weights, A([0.5, 0.1]), ["a", "b"], None, "here"
    )
    assert "KL 1·10⁻⁵ nats" in describe_attribution(weights, A([1e-5, 0]), ["a", "b"], None), (
        "a small effect is not 0.000"
    )
    assert "attends to nothing" in describe_attribution(np.zeros(2), np.zeros(2), ["a", "b"], None)
    assert "not numbers" in describe_attribution(weights, A([NAN, 0.1]), ["a", "b"], None)


def test_a_row_left_as_it_is_is_not_said_to_be_overwritten():
    assert (
        describe_override("was", 0.0, False)
        == "The row is unchanged, so B is the same as A and the prediction after **was** does not change."
    )
    assert describe_override("was", 0.25, True).endswith("the prediction after **was** changes by KL 0.250 nats.")
    assert describe_override("was", 0.25, True, "here").endswith("the prediction at **was** changes by KL 0.250 nats.")
    assert describe_override("was", 0.0, True).endswith("(B), the prediction after **was** does not change.")
    assert "changes by KL 3·10⁻⁷ nats" in describe_override("was", 3e-7, True), "a small move is not 0.000"
    assert "not numbers" in describe_override("was", NAN, True)


# Masks


def test_a_mask_is_told_of_words_or_pieces_one_or_many():
    scores, weights = np.zeros((3, 3)), np.tri(3) / np.arange(1, 4)[:, None]
    causal = np.tri(3, dtype=bool)
    text = describe_mask(scores, causal, weights, ABCD[:3], 0)
    assert "may attend to 1 of 3 words. Its one weight is 1.000." in text
    assert (
        "**0.67** of its attention would go to 2 forbidden words. The mask gives it all to the one allowed word, whose "
        "weight becomes 3.00 times as large." in text
    )
    two = describe_mask(scores, causal, weights, ABCD[:3], 1, "token")
    assert "may attend to 2 of 3 tokens. Its weights sum to 1.000." in two
    assert "to 1 forbidden token. The mask redistributes it: each allowed weight becomes 1.50 times as large" in two
    assert "may attend to all 3 words. Its weights sum to 1.000" in describe_mask(scores, causal, weights, ABCD[:3], 2)
    alone = describe_mask(np.zeros((1, 1)), np.ones((1, 1), bool), np.ones((1, 1)), ["a"], 0)
    assert alone == "**a** may attend to the only word there is. Its one weight is 1.000."
    hardly = describe_mask(A([[0.0, -99.0]]), A([[True, False]]), A([[1.0, 0.0]]), ["a", "b"], 0)
    assert "hardly any of its attention" in hardly
    nearly = describe_mask(A([[0.0, 99.0]]), A([[True, False]]), A([[1.0, 0.0]]), ["a", "b"], 0)
    assert "nearly all of its attention would go to 1 forbidden word." in nearly


def test_the_edited_word_counts_neither_before_nor_after():
    causal = np.tri(4)
    sentence = describe_leak(A([0, 0, 9.0, 1.0]), A([0, 0, 0.5, 0.1]), causal, ABCD, 2, "x")
    assert sentence == (
        "**c** → **x**: all 2 outputs before it are exactly unchanged, to the last bit. The one output after it "
        "changes. No word attends to a later one. The output at **c** changes most: KL 0.50 nats."
    )
    still = describe_leak(A([0, 9.0, 0, 0]), A([0, 0.5, 0, 0]), causal, ABCD, 1, "x")
    assert (
        "the one output before it is exactly unchanged" in still and "None of the 2 outputs after it changes." in still
    )
    text = describe_leak(A([0, 9.0, 1.0, 0]), A([0, 0.5, 0.1, 0]), causal, ABCD, 1, "x")
    assert "1 of the 2 outputs after it changes." in text
    last = describe_leak(A([0, 0, 0, 9.0]), A([0, 0, 0, 0.5]), causal, ABCD, 3, "x")
    assert "after it" not in last and "all 3 outputs before it" in last
    not_moved = describe_leak(A([0, 0, 9.0, 0]), A([0, 0, 0.5, 0]), causal, ABCD, 2, "x")
    assert "The one output after it does not change." in not_moved


def test_a_leak_is_told_in_the_right_number_and_unit():
    everyone = np.ones((4, 4))
    two = describe_leak(A([1, 1, 9.0, 1]), A([0.2, 0.1, 0.5, 0.1]), everyone, ABCD, 2, "x")
    assert "**2 of 2** outputs before it change: the mask lets later words change earlier outputs" in two
    text = describe_leak(A([1, 9.0, 1, 1]), A([0.2, 0.5, 0.1, 0.1]), everyone, ABCD, 1, "x")
    assert "**1 of 1** output before it changes" in text and "No word attends to a later one" not in text
    unreached = describe_leak(A([0, 0, 9.0, 1]), A([0, 0, 0.5, 0.1]), everyone, ABCD, 2, "x")
    assert "exactly unchanged" in unreached and "No word attends to a later one" not in unreached
    turned = describe_leak(A([0, 0, 9.0, 1]), A([0, 0, 2e-5, 0]), np.tri(4), ABCD, 2, "x", unit="1 − cosine {}")
    assert turned.endswith("The output at **c** changes most: 1 − cosine 2·10⁻⁵.")
    nothing = describe_leak(np.zeros(4), np.zeros(4), np.tri(4), ABCD, 2, "c")
    assert nothing.endswith("No output changes.")
    first = describe_leak(A([9.0, 1, 1, 1]), A([0.5, 0.1, 0.1, 0.1]), np.tri(4), ABCD, 0, "x")
    assert first.startswith("**a** → **x**: 3 of the 3 outputs after it change.")
    assert "not numbers" in describe_leak(np.ones(4), np.full(4, np.nan), np.tri(4), ABCD, 2, "x")


def test_three_ways_are_the_same_only_where_their_numbers_are():
    assert describe_kv_cache(1e-5, 15.0, (0.001, 0.01, 0.02), 13).startswith(
        "The logits are the same up to rounding: they differ by at most **1.0·10⁻⁵**"
    )
    assert describe_kv_cache(0.0, 15.0, (0.001, 0.01, 0.02), 13).startswith("The logits are the same to the last bit")
    assert describe_kv_cache(0.5, 15.0, (0.001, 0.01, 0.02), 13).startswith("**The logits are not the same**")
    assert describe_kv_cache(NAN, 15.0, (0.001, 0.01, 0.02), 13).startswith("**The logits are not the same**")
    assert "One pass over 1 token takes" in describe_kv_cache(0.0, 15.0, (0.001, 0.01, 0.02), 1)
    assert "saves 50 % of the time" in describe_kv_cache(0.0, 15.0, (0.001, 0.01, 0.02), 13)
    assert "saves hardly any time" in describe_kv_cache(0.0, 15.0, (0.001, 0.01, 0.01005), 13)
    assert "The cache saves no time here" in describe_kv_cache(0.0, 15.0, (0.001, 0.02, 0.01), 13)


def test_cheating_is_told_of_a_loss_that_no_honest_model_reaches_and_of_no_other():
    assert "reaches **0.10**. No left-to-right model can" in describe_no_mask_training(1.7, 1.8, 0.1, 128)
    assert "reaches 1.60: no sign that it reads the next word" in describe_no_mask_training(1.7, 1.8, 1.6, 128)
    assert "is not a number" in describe_no_mask_training(1.7, 1.8, NAN, 128)
    assert "On the same 1 new sentence," in describe_no_mask_training(1.7, 1.8, 0.1, 1)


def test_a_guess_is_counted():
    assert describe_guess(1, 4, "rows", "X.") == "You got **1 of 4** rows right (25 %). X."
    assert describe_guess(1, 1, "rows", "X.") == "You got **1 of 1** row right (100 %). X."


# Inside a head


def test_two_forms_are_the_same_only_where_double_precision_says_so():
    assert describe_loop_and_matmul((1e-3, 2e-3), (1e-12, 1e-11)).startswith(
        "Both forms give the same numbers up to rounding."
    )
    assert describe_loop_and_matmul((0.1, 0.1), (0.1, 0.1)).startswith("**The two forms give different numbers.**")
    assert describe_loop_and_matmul((NAN, NAN), (NAN, NAN)).startswith("**The two forms give different numbers.**")


def test_a_mean_is_told_of_the_values_that_may_be_looked_at():
    mask = np.tri(3, dtype=bool)
    sentence = describe_averaging(A([[1, 0, 0], [0.25, 0.75, 0], [0.2, 0.3, 0.5]]), mask, ABCD[:3], 1, 0.5)
    assert "averages 2 values. The smallest weight is 0.25, never below 0, and the weights sum to 1.0000" in sentence
    assert "stays inside the outline" in sentence and "50 % of the spread" in sentence
    assert "Its output is that value" in describe_averaging(A([[1, 0, 0]] * 3), mask, ABCD[:3], 0, 0.5)
    assert "no values to average" in describe_averaging(np.zeros((3, 3)), np.zeros((3, 3), bool), ABCD[:3], 0, 0.5)
    assert "need not stay inside" in describe_averaging(A([[0, 0, 0], [-0.5, 1.5, 0]]), mask, ABCD[:3], 1, 0.5)
    assert "need not stay inside" in describe_averaging(A([[0, 0, 0], [0.9, 0.9, 0]]), mask, ABCD[:3], 1, 0.5)
    assert "not numbers" in describe_averaging(np.full((3, 3), np.nan), mask, ABCD[:3], 1, 0.5)


def test_a_head_is_told_by_its_rank_not_by_its_width():
    sentence = describe_qk_spectrum(15, 16, 64, 0.5, 1e-17)
    assert (
        "depends on **15** of 64 directions" in sentence
        and "15 of the singular values are larger than rounding" in sentence
    )
    assert "The smallest of these is 0.50." in sentence and "The rank can be at most d_k = 16." in sentence
    assert "The next singular value is 1·10⁻¹⁷, which is rounding." in sentence
    assert "1 of the singular values is larger than rounding errors. It is 0.50." in describe_qk_spectrum(
        1, 16, 64, 0.5, 0.0
    )
    assert "depends on **1** of 64 directions" in describe_qk_spectrum(
        1, 16, 64, 0.5, 0.0
    ) and "The next" not in describe_qk_spectrum(1, 1, 4, 1, 0)
    assert "compares nothing" in describe_qk_spectrum(0, 16, 64, 0.0, 0.0)


def test_another_output_than_that_of_pytorch_is_said_to_be_another():
    assert describe_cost(1, 1, 1, 1, 0.0) == (
        "1 head needs 1 parameter and 1 operation for **1** attention weight. PyTorch's own operator gives the same "
        "output, to the last bit."
    )
    assert "the same output, to within 5·10⁻⁷." in describe_cost(2, 10, 20, 3, 5e-7)
    assert "gives **another** output. It differs by up to 0.50." in describe_cost(2, 10, 20, 3, 0.5)
    assert "gives **another** output" in describe_cost(2, 10, 20, 3, NAN)


def test_inputs_of_different_widths_meet_at_the_width_of_a_query():
    assert describe_widths(64, 48, 16) == (
        "Queries are made of vectors of width **64**, keys and values of vectors of width **48**. W_Q and W_K both "
        "project to d_k = 16, so every query can be compared with every key."
    )
    assert describe_widths(32, 32, 8) == "Queries, keys and values are made of vectors of the same width, 32."


# Positions


def test_schemes_that_move_and_those_that_stay_are_both_told_also_alone():
    room = {"Learned": 18}
    both = describe_shift({"RoPE": 1e-6, "Sinusoidal": 0.5, "Learned": None}, 5, room)
    assert both == (
        "The sentence moved by 5 positions. No score of **RoPE** changes by more than 1·10⁻⁶, which is rounding. "
        "Scores change by up to 0.50 (**Sinusoidal**). Learned cannot be used here: its table has only 18 positions."
    )
    assert describe_shift({"None": 0.0}, 5, room) == (
        "The sentence moved by 5 positions. No score of **None** changes at all."
    )
    assert describe_shift({"Sinusoidal": 0.5}, 5, room) == (
        "The sentence moved by 5 positions. Scores change by up to 0.50 (**Sinusoidal**)."
    )
    assert "Some scores of **Sinusoidal** are not numbers." in describe_shift({"Sinusoidal": NAN}, 5, room)
    assert "original position" in describe_shift({"None": 0.0}, 0, room)


def test_sight_tells_similarities_and_biases_where_there_are_any():
    near, flat = A([1.0, 0.9, 0.1]), np.zeros(3)
    assert describe_similarity({"a": near, "b": -near}, {"a": True, "b": False}, 2) == (
        "From distance 1 to distance 2, the similarity of two positions goes from 0.90 to 0.10 (a). The number added "
        "to the score goes from −0.90 to −0.10 (b)."
    )
    assert "added" not in describe_similarity({"a": near, "b": flat}, {"a": True, "b": False}, 2)
    assert "similarity" not in describe_similarity({"b": near}, {"b": False}, 2)
    assert "no scheme here gives numbers that change" in describe_similarity(
        {"b": flat, "c": A([1, 1, NAN])}, {"b": False, "c": True}, 2
    )


def test_a_shuffle_is_told_also_where_every_case_changes():
    assert describe_shuffle({"No mask": 1e-7, "Mask": 0.5}, 2) == (
        "**No mask: the same vectors in another order**, to within 1·10⁻⁷. In the other cases the vectors change, by "
        "up to 0.50 (mask)."
    )
    assert describe_shuffle({"Mask": 0.5}, 2) == "The vectors change, by up to 0.50 (mask)."
    assert "Some vectors are not numbers (mask)." in describe_shuffle({"Mask": NAN}, 2)
    assert "original position" in describe_shuffle({"Mask": 0.0}, 0)


def told_lengths(none, scheme, decoder, beyond=0.7):
    accuracies = A([[[none, none], [scheme, beyond]], [[decoder, decoder], [1.0, 1.0]]])
    return describe_length_generalisation(["None", "RoPE"], [16, 32], accuracies, 16, "From the cards")


def test_what_a_model_without_positions_can_do_is_what_its_numbers_say():
    usual = told_lengths(0.5, 1.0, 0.99)
    assert (
        "the encoder guesses (**50 %**). The decoder does not guess (**99 %**): its mask alone reveals the order."
        in usual
    )
    assert "With a position scheme every encoder has learnt the trained lengths: at least 100.0 % right." in usual
    assert "RoPE 70 %. From the cards." in usual and "position table ends" not in usual
    assert "the encoder guesses (**50 %**). The decoder guesses too (**52 %**)." in told_lengths(0.5, 1.0, 0.52)
    assert "The decoder has not learnt the task well (**70 %**)." in told_lengths(0.5, 1.0, 0.7)
    assert "the encoder does not guess (**80 %**). The decoder does not guess either (**99 %**)." in told_lengths(
        0.8, 1.0, 0.99
    )
    assert "the encoder does not guess (**80 %**). The decoder guesses (**50 %**)." in told_lengths(0.8, 1.0, 0.5)
    assert "not every encoder has learnt the trained lengths: the worst encoder answers 60.0 % right." in told_lengths(
        0.5, 0.6, 0.99
    )
    assert "no encoder can answer. The position table ends before this length: RoPE." in told_lengths(
        0.5, 1.0, 0.99, NAN
    )


def test_a_pair_of_rope_is_blamed_only_where_one_is_to_blame():
    sentence = describe_rope_period(0.31, 64, 20.0, 1, 4, [0.3, 0.9, 0.4])
    assert "falls below guessing, to 31 %, at 64 symbols. The reason is its pair 1" in sentence
    assert "answer **90 %** right. If any other pair turns more slowly instead, they answer at most 40 %." in sentence
    assert describe_rope_period(0.31, 64, 20.0, 0, 4, [0.9]).endswith("answer **90 %** right.")
    assert (
        describe_rope_period(0.6, 64, 20.0, 1, 4, [0.3, 0.9]) == ""
        and describe_rope_period(0.31, 64, 20.0, 1, 4, [0.8, 0.9]) == ""
    )


# Scaling and norms


def test_a_width_at_which_nothing_shrinks_is_not_said_to_shrink():
    assert "changes nothing" in describe_width(1, 16, (0.2, 0.2), (0.3, 0.3), (0.2, 0.25))
    assert "is not yet much smaller" in describe_width(2, 16, (0.22, 0.2), (0.3, 0.31), (0.2, 0.25))
    assert "**3.0 times smaller**" in describe_width(64, 16, (0.9, 0.2), (0.1, 0.3), (0.2, 0.25))
    assert describe_width(64, 16, (0.9, 0.2), (0.1, 0.3), (0.2, 0.25)).endswith(
        "at every d_k here it is between 0.20 and 0.25."
    )


def test_a_head_that_never_divided_is_not_said_to_lose_its_division():
    numbers = (1, 2, 16, 48.0, (0.9, 0.4), (0.1, 0.3))
    assert describe_head_scaling(*numbers).endswith(
        "Without the division its largest weight goes from 0.40 to **0.90** on average, and its Jacobian goes from "
        "0.30 to 0.10."
    )
    never = describe_head_scaling(*numbers, divides=False)
    assert "trained without the division: its largest weight is **0.90** on average and its Jacobian is 0.10" in never
    assert "With the division they would be 0.40 and 0.30." in never and "Without the division" not in never


def test_the_gradient_of_w_q_is_told_as_it_was_measured():
    assert "is not exact" in describe_query_gradient(
        64, 3.0, 1.5
    ) and "**2.0 times larger** without" in describe_query_gradient(64, 3.0, 1.5)
    smaller = describe_query_gradient(64, 1.5, 3.0)
    assert "holds at this width" in smaller and "**2.0 times smaller**" in smaller and "because" not in smaller


def test_who_moves_is_counted():
    words = [["a", "b"], ["c", "d"]]
    assert "none of the 2 words in the other sentences changes" in describe_norm_change(
        "layer norm", A([[NAN, NAN], [0, 0]]), words
    )
    assert "no other word changes" in describe_norm_change("layer norm", A([[NAN, NAN], [0, NAN]]), words)
    text = describe_norm_change("batch norm", A([[NAN, NAN], [0.5, 0]]), words)
    assert "1 of the 2 words in the other sentences changes. The average change is **0.25**" in text
    assert "The largest is 0.50, for “c” in sentence 2." in text
    assert "all 2 words in the other sentences change." in describe_norm_change(
        "batch norm", A([[NAN, NAN], [0.5, 1]]), words
    )
    assert "the only word in the other sentences changes" in describe_norm_change(
        "batch norm", A([[NAN, NAN], [0.5, NAN]]), words
    )


def test_what_a_norm_averages_over_is_counted_and_has_its_mean():
    stream, real = A([[[1.0, 3.0], [5.0, 7.0]], [[-9.0, 1.0], [0.0, 0.0]]]), A([[True, True], [True, False]])
    layer = describe_norm_axes(stream, real, "channels", 1, 0, "b")
    assert "“b” in sentence 1. These are 2 numbers with mean **6.00** and standard deviation **1.00**" in layer
    batch = describe_norm_axes(stream, real, "batch", 1, 0, "b")
    assert "channel 0 of every word of every sentence. These are 3 numbers with mean **−1.00**" in batch


def test_epsilon_has_the_variance_below_which_it_matters_and_the_quietest_vector():
    none = describe_epsilon(1e-5, 4.8e-4, 0.01, A([0.9, 0.012]), A([1e-6, 3.9e-4]))
    assert none.startswith("With ε = 1·10⁻⁵, a layer norm with ε inside the root makes a vector more than 1% shorter")
    assert "is below **0.00048**. None of the 2 vectors" in none
    assert "among them is 0.012; there the outputs differ by 0.00039 of a standard deviation." in none
    below = describe_epsilon(1e-5, 4.8e-4, 0.01, A([0.9, 1e-4]), A([1e-6, 0.05]))
    assert "1 of the 2 vectors that enter the first norm in these sentences is below." in below
    every = describe_epsilon(1e-5, 4.8e-4, 0.01, A([1e-4, 1e-5]), A([0.05, 0.3]))
    assert "All 2 vectors that enter the first norm in these sentences are below." in every
    assert "among them is 1.0·10⁻⁵; there the outputs differ by 0.3 of" in every


# Translate


def test_what_is_written_is_judged_only_where_the_right_sentence_is_known():
    assert describe_translation("le chat", "le chat", -0.5).endswith("This is correct, word for word.")
    assert describe_translation("le", "le chat", -0.5).endswith("The correct answer is “le chat”.")
    assert "no reference answer" in describe_translation("le", None, -0.5)
    assert "The network writes no word (ln p 0). It produced no end token and was cut off." in describe_translation(
        "", "le", 0.0, ended=False
    )


def test_where_a_written_word_looks():
    assert describe_map(A([[0.3, 0.7]]), ["x"], ["a", "b"], 0, True) == (
        "When the model predicts **x**, its decoder attends most to **b**, with 0.70 of the row."
    )
    assert describe_map(A([[0.3, 0.7]]), ["x"], ["a", "b"], 0, False).startswith(
        "**x** attends most to **b**, with 0.70"
    )
    assert "not numbers" in describe_map(A([[NAN, 0.7]]), ["x"], ["a", "b"], 0, False)


def test_hits_are_counted_in_the_right_number():
    assert describe_alignment_hits(4, 3, 0.5, (0, 0)) == (
        "**3** of the 4 words that need the source attend most to their gold word. The mean weight there is 0.50."
    )
    assert (
        "**1** word needs the source. It attends most to its gold word; its weight there is 0.50."
        in describe_alignment_hits(1, 1, 0.5, (0, 0))
    )
    many = describe_alignment_hits(4, 3, 0.5, (3, 1))
    assert "Another 3 words are determined by the words before them. 1 of these attends most to its gold word" in many
    assert (
        "Another word is determined by the words before it. It attends most to its gold word"
        in describe_alignment_hits(4, 3, 0.5, (1, 1))
    )
    assert (
        "Another word is determined by the words before it. It does not attend most to its gold word"
        in describe_alignment_hits(4, 3, 0.5, (1, 0))
    )
    assert describe_alignment_hits(0, 0, 0.0, (0, 0)).startswith(
        "According to the gold alignment, no word of this sentence needs the source."
    )


def test_a_beam_that_ranks_a_less_likely_sentence_first_says_so():
    assert describe_beam_tree(4, 1, 0, -3.0, -4.0, False).startswith(
        "Beam width 4: 1 branch was kept, and none of the discarded ones is shown."
    )
    assert describe_beam_tree(4, 9, 5, -3.0, -4.0, False).endswith("ln p **−3.00**. The greedy sentence has −4.00.")
    assert "The greedy sentence has −2.00, which is more" in describe_beam_tree(4, 9, 5, -3.0, -2.0, False)
    assert "Greedy decoding writes the same sentence." in describe_beam_tree(4, 9, 5, -3.0, -3.0, True)


def test_networks_that_are_right_and_those_that_are_not():
    assert describe_networks({"G": "x", "T": "y"}, "y") == (
        "Correct, word for word: **T**. Not correct: G. The correct answer is “y”."
    )
    assert describe_networks({"G": "y", "T": "y"}, "y").startswith("Correct, word for word: **G and T**. The correct")
    assert describe_networks({"G": "x", "T": "z"}, "y").startswith("**None of them** writes the correct answer.")
    assert describe_networks({"G": "x"}, "y").startswith("The network does not write the correct answer.")
    assert "no reference answer" in describe_networks({"G": "x"}, None)


def test_unknown_words_are_counted_for_each_network():
    assert describe_typed_unknown({"T": (1, 3), "P": (0, 1)}) == (
        "Unknown in this source: 1 of 3 tokens for the **T** and 0 of 1 token for the **P**."
    )
    assert describe_unknown_words([0, 1], {"T": A([1.0, 0.1])}, {"T": A([0.0, 0.125])}, 60) == (
        "60 new sentences per point, tested here: **T** 100 % correct with 0 misspelt (0.0 % of its tokens unknown), "
        "10 % correct with 1 misspelt (12.5 % of its tokens unknown)."
    )


def test_quality_names_lengths_and_classes_of_lengths():
    classes = describe_accuracy_by_length(
        {"G": A([1.0, 0.5])}, [8, 24], None, "60 a point", "Right", ["3 to 8 words", "21 to 24 words"]
    )
    assert classes == "Right, 60 a point: **G** 100 % at 3 to 8 words, 50 % at 21 to 24 words."
    assert describe_accuracy_by_length({"G": A([1.0, 0.5, 0.1])}, [1, 2, 3], 2, "n", "Right").endswith(
        "**G** 100 % at 1, 50 % at 2, 10 % at 3, a length it was not trained on."
    )
    assert describe_accuracy_by_length({"G": A([1.0, NAN])}, [1, 2], 2, "n", "Right").endswith("**G** 100 % at 1.")
    assert describe_accuracy_by_length({"G": A([NAN, NAN, 0.1])}, [1, 2, 3], 2, "n", "Right").endswith(
        "**G** 10 % at 3, a length it was not trained on."
    )
    assert describe_accuracy_by_length({"G": A([NAN])}, [1], 2, "n", "Right").endswith("**G** was not tested.")


def test_what_is_lost_with_a_part():
    assert "so A and B are the same. **90 %** of 1 new sentence is correct." in describe_ablation(
        "x", "x", "the same", (0.9, 0.9), 1
    )
    sentence = describe_ablation("x", "z", "without layer norm", (0.9, 0.1), 100)
    assert (
        sentence
        == "Without layer norm the network writes “z”. Of 100 new sentences, the full model writes **90 %** correctly, "
        "word for word; without layer norm the network writes **10 %** correctly."
    )
    assert "the network writes the same sentence" in describe_ablation("x", "x", "without layer norm", (0.9, 0.1), 100)
    assert "the network writes no word." in describe_ablation("x", "", "without layer norm", (0.9, 0.1), 100)


def test_what_it_means_is_judged_only_where_that_is_known():
    assert describe_nouns(["cat", "box"], A([0.9, 0.05])).endswith("Any other noun has at most 0.05.")
    assert describe_nouns(["cat", "box"], A([0.9, 0.001])).endswith("Any other noun has less than 0.01.")
    assert describe_nouns(["cat"], A([0.9])).endswith("There is no other noun.")
    assert describe_referent("cat", 0.9, "cat").endswith("0.90. This is correct.")
    assert describe_referent("cat", 0.9, "box").endswith("The correct noun is the **box**.")
    assert "no reference answer" in describe_referent("cat", 0.9, None)


def test_the_order_of_two_looks_is_that_of_their_layers():
    first = describe_adjective_and_referent(A([0.66, 0.17]), A([0.08, 0.63]))
    assert "to the adjective in layer 0 (0.66)" in first and "in layer 1 (0.63)" in first
    assert first.endswith("Only the adjective decides which noun is meant. The model attends to it first.")
    assert describe_adjective_and_referent(A([0.1, 0.7]), A([0.6, 0.1])).endswith(
        "The model does not attend to it first here."
    )


def test_an_answer_that_is_no_number_is_told_as_such():
    question = Question("?", Call("loss", ()))
    assert spelt_answer(NAN, question) == "not a number" and spelt_answer(0.125, question) == "0.12"


def test_what_each_part_did_to_a_token_names_the_sizes_and_who_gave_most():
    assert describe_embedding("dogs", 7.66) == "“dogs” became a vector of length 7.7."
    shares = [("the, token 4", 0.4), ("near", 0.05)]
    assert describe_attention("dogs", 7.66, 11.04, shares, True, 0.03) == (
        "Attention gave “dogs” a vector of length 11.0. It was added to one of length 7.7. "
        "Of the other tokens, “the, token 4” (40%) and “near” (5%) gave most."
    )
    alone = describe_attention("dogs", 7.66, 11.04, [], False, 0.03)
    assert "It replaced one of length 7.7. No other token gave more than 3% of the new vector." in alone
    assert describe_attention("dogs", 7.66, 0.0, shares, True, 0.03) == "Attention gave “dogs” nothing."
    assert describe_mlp("dogs", 11.0, 8.1, 1, 256, True).endswith("length 11.0. 1 of its 256 hidden units is above 0.")
    assert describe_mlp("dogs", 11.0, 0.0, 0, 256, True) == "The feed-forward network gave “dogs” nothing."
    assert describe_unembedding("dogs", "chase", 0.224, "next") == (
        "After “dogs” the most probable word is “chase”, with 22%."
    )
    assert describe_unembedding("[MASK]", "dog", 0.999, "here") == (
        "In the place of “[MASK]” the most probable word is “dog”, with more than 99%."
    )


def test_the_sentence_under_the_whole_model_says_where_the_last_vector_began_and_what_is_drawn():
    every = describe_machine("dogs", [("the", 0.22), ("near", 0.16)], 0.06, 13, 13)
    assert every.startswith("**6% of the last vector of “dogs” began at the token itself.**")
    assert "The largest other parts began at “the” (22%) and “near” (16%)." in every and "draws" not in every
    some = describe_machine("dogs", [], 0.004, 24, 1300)
    assert some.startswith("**Less than 1% of") and "other parts" not in some
    assert "draws the 24 tokens that gave most to it; the text has 1,300." in some
    assert describe_machine("dogs", [], NAN, 2, 2).startswith(
        "**The vectors of “dogs” are not numbers in this run, so they have no parts.**"
    )


def test_what_crosses_from_the_source_is_given_by_its_lengths_and_shares():
    assert describe_cross("chat", 7.66, 11.04, [("cat", 0.43), ("the", 0.06)], True, 0.03) == (
        "Cross-attention gave “chat” a vector of length 11.0. It was added to one of length 7.7. "
        "Of the source, “cat” (43%) and “the” (6%) gave most."
    )
    alone = describe_cross("chat", 7.66, 11.04, [], False, 0.03)
    assert "It replaced one" in alone and alone.endswith("No token of the source gave more than 3% of the new vector.")
    assert describe_cross("chat", 7.66, 0.0, [("cat", 0.43)], True, 0.03) == "Cross-attention gave “chat” nothing."
    assert describe_output("chat", "cat", 0.21) == "21% of the last vector of “chat” came through the output at “cat”."
    assert (
        describe_output("chat", "cat", 0.0)
        == describe_output("chat", "cat", NAN)
        == ("Nothing from the output at “cat” reached “chat”.")
    )


def test_the_sentence_under_a_model_of_two_sentences_divides_the_vector_between_them():
    every = describe_pair_machine("chat", [("cat", 0.22), ("the", 0.16)], [("le", 0.04)], 0.81, 20, 20)
    assert every.startswith("**81% of the last vector of “chat” began in the source.**")
    assert "began at “cat” (22%) and “the” (16%) of the source and at “le” (4%) of the target." in every
    assert "draws" not in every
    some = describe_pair_machine("chat", [("cat", 0.22)], [], 0.81, 40, 61)
    assert "began at “cat” (22%) of the source." in some
    assert "The figure draws the 40 tokens that gave most to it; both sentences together have 61." in some
    none = describe_pair_machine("chat", [], [], 0.0, 9, 9)
    assert none.startswith("**Nothing in the last vector of “chat” began in the source.**")
    assert "largest parts" not in none
    assert describe_pair_machine("chat", [], [], NAN, 9, 9) == (
        "**The vectors of “chat” are not numbers in this run, so they have no parts.** The figure draws no lines."
    )


def test_what_a_model_writes_is_quoted_beside_what_the_full_model_writes():
    assert describe_translations("le chat dort", None, given=False) == (
        "The decoder reads what the full model writes. The full model writes “le chat dort”."
    )
    given = describe_translations("le chat dort", "le chien dort", given=True)
    assert given == (
        "The decoder reads the target that was given. The full model writes “le chat dort”. "
        "Without the removed parts it writes “le chien dort”."
    )
    assert describe_translations("le chat", "le chat", given=False).endswith("it writes the same.")
    assert describe_translations("le chat", "", given=False).endswith("it writes nothing.")
    long = describe_translations("chat " * 60, None, given=False)
    assert "…”." in long and len(long) < 260


def test_a_model_that_a_page_does_not_show_is_named_with_the_pages_that_do():
    assert describe_pair_model("translate", "grammar", True) == (
        "This page shows “grammar”, because it cannot show the model “translate”. "
        "The pages Whole model, Inside a head and Translate can."
    )
    assert "“translate\\-gru”. The page Translate can." in describe_pair_model("translate-gru", "grammar", False)


def test_the_sentence_under_the_hidden_units_counts_them_and_names_what_the_first_raises():
    assert describe_units("dogs", 2, 79, 256, ["with", "above"]) == (
        "In layer 2, **79 of 256 hidden units are above 0** for “dogs”. "
        "The unit that writes the longest vector raises “with”, “above”."
    )
    assert "**1 of 256 hidden units is above 0**" in describe_units("dogs", 2, 1, 256, ["with"])
    assert "are not named: this model has no logits" in describe_units("dogs", 2, 1, 256, [])


def test_a_share_never_rounds_to_all_or_nothing():
    assert [percent(share) for share in (0, 0.004, 0.07, 0.5, 0.996, 1, NAN)] == [
        "0%", "less than 1%", "7%", "50%", "more than 99%", "100%", "not a number",
    ]  # fmt: skip


def test_the_head_that_a_page_opens_with_is_named_with_its_reason():
    assert describe_opening(2, 1, "induction") == (
        "Layer 2, head 1 is shown first: of all heads, it follows “induction” best."
    )
    by_text = (
        "Layer 0, head 3 is shown first: of the heads that are no attention sink here, it puts the most weight on a "
        "distant token."
    )
    assert describe_opening(0, 3, "", "token") == by_text
    sink = " The head with the best measured role is a sink."
    assert describe_opening(0, 3, "", "token", role_is_sink=True) == by_text + sink
    assert describe_opening(0, 3, "", role_is_sink=True, all_sinks=True) == (
        "Layer 0, head 3 is shown first. Every head is an attention sink here. This one puts the most weight on a "
        "distant word."
    )


def test_a_column_on_the_first_token_is_explained_from_sixty_per_cent_of_the_later_rows_on():
    weights = A([[1.0, 0, 0], [0.7, 0.3, 0], [0.52, 0.2, 0.28]])
    assert describe_sink(weights, ["[x]", "b", "c"]).startswith(
        r"On average, this head puts 61% of a row on the first token, **\[x\]**. This is called an attention sink:"
    )
    weights[2] = [0.5, 0.2, 0.3]  # a mean of 0.6
    assert describe_sink(weights, ["a", "b", "c"]) == ""
    assert describe_sink(weights[:1], ["a"]) == "", "one row alone says nothing"


def test_unknown_words_are_named_and_a_text_of_which_many_are_unknown_is_called_so():
    sentence = describe_unknown(["*zebra*"], 0.25)
    assert sentence == r"This model does not know “\*zebra\*” and reads it as ⟨unknown⟩.", "a quarter is not more"
    many = " More than a quarter of this text is unknown to it, so its output means little."
    two = "This model does not know “zebra”, “eats” and reads them as ⟨unknown⟩."
    assert describe_unknown(["zebra", "eats"], 0.26) == two + many
    assert "“h”, … and reads them" in describe_unknown(list("abcdefghi"), 0.1)
    assert describe_unknown(["zebra", "eats"], 0.26, 167, "English") == f"{two} It knows 167 English words.{many}"
