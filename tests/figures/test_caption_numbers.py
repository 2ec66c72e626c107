"""The numbers and names of every caption: the right ones, each beside what it belongs to.

The words between them are free to change; the order of the numbers and what they are measured on are not.
"""

import re

import numpy as np
import pytest

from viz.captions.batch_norm import describe_norm_axes, describe_norm_change
from viz.captions.counting import power_of_ten, two_digits
from viz.captions.heads import (
    MAX_LABELLED_HEADS,
    Named,
    alt_text,
    describe_attribution,
    describe_change,
    describe_head_ablation,
    describe_head_grid,
    describe_learning_curves,
    describe_logit_lens,
    describe_maps,
    describe_next_token,
    describe_residual_stream,
    describe_row,
    describe_sampling,
    describe_trained_without,
    most_informative_row,
    strip_markdown,
)
from viz.captions.inside import describe_loop_and_matmul
from viz.captions.masks import describe_kv_cache, describe_mask, forbidden_share, list_in_bold, masked_row
from viz.captions.positions import describe_rope_period, describe_shuffle, format_number, join_with_and
from viz.captions.score_scaling import describe_query_gradient, describe_width
from viz.labels import markdown, truncate


def in_order(sentence: str, *parts: str) -> bool:
    """Whether all parts stand in the sentence, one behind the other."""
    return re.search(".*".join(re.escape(part) for part in parts), sentence, re.DOTALL) is not None


def row(row_weights, query, tokens, **more):
    weights = np.zeros((len(tokens), len(row_weights)))
    weights[query] = row_weights
    return describe_row(weights, tokens, query, **more)


# The row of one head


def test_the_distance_counts_the_steps_and_says_which_way():
    words = ["<s>", "b", "c", "d", "e"]
    assert in_order(row([0, 0.9, 0.1, 0, 0], 4, words), "**e**", "0.90", "**b**", "3 words back")
    assert in_order(row([0, 0.1, 0, 0, 0.9], 1, words), "**b**", "0.90", "**e**", "3 words ahead")
    assert in_order(row([0, 0.9, 0.1, 0, 0], 2, words), "1 word back")
    assert "words" not in row([0, 0.9, 0.1, 0, 0], 2, words)


def test_a_token_is_counted_as_a_token():
    assert "2 tokens back" in row([0, 0.9, 0.1, 0], 3, ["<s>", "b", "c", "d"], unit="token")
    assert "1 token back" in row([0, 0, 0.9, 0.1], 3, ["<s>", "b", "c", "d"], unit="token")


def test_a_look_at_another_text_names_its_word_and_no_distance():
    values = row([0.1, 0.8, 0.1], 1, ["x", "y", "z"], key_tokens=["a", "b", "c"])
    assert in_order(values, "**y**", "0.80", "**b**")
    assert "back" not in values and "ahead" not in values and "itself" not in values
    assert in_order(row([0.8, 0.2, 0], 0, ["<s>", "y", "z"], key_tokens=["a", "b", "c"]), "start", "0.80", "**a**")


def test_a_first_word_that_is_no_start_mark_is_a_word_like_any_other():
    values = row([0.9, 0.1, 0], 2, ["a", "b", "c"])
    assert in_order(values, "**c**", "0.90", "**a**", "2 words back")
    assert "start token" not in values


def test_a_row_spreads_below_three_tenths_and_looks_from_there_on():
    words = ["a", "b", "c", "d"]
    assert "spreads" not in row([0.2, 0.3, 0.25, 0.25], 3, words)
    assert "spreads" in row([0.24, 0.29, 0.23, 0.24], 3, words)


def test_the_telling_row_weighs_distance_by_its_logarithm_and_the_start_mark_by_a_quarter():
    # One step: log2(2) = 1. Three steps: log2(4) = 2. Seven steps: log2(8) = 3.
    weights = np.zeros((9, 9))
    weights[2, 1], weights[5, 2] = 0.9, 0.44  # 0.90 against 0.88
    assert most_informative_row(weights) == 2
    weights[5, 2] = 0.46  # 0.92
    assert most_informative_row(weights) == 5
    weights[8, 1] = 0.31  # 0.93
    assert most_informative_row(weights) == 8
    weights[7, 0] = 1.0  # a quarter of 3
    assert most_informative_row(weights) == 8
    weights[8, 1] = weights[5, 2] = weights[2, 1] = 0.2
    assert most_informative_row(weights) == 7


def test_a_map_of_more_columns_than_rows_has_a_telling_row_too():
    weights = np.zeros((2, 5))
    weights[0, 4], weights[1, 2] = 0.5, 0.5
    assert most_informative_row(weights) == 0


def test_where_the_words_looked_at_are_others_only_the_weight_tells():
    weights = np.array([[0.0, 0.0, 0.8], [0.9, 0.1, 0.0], [0.2, 0.0, 0.85]])
    assert most_informative_row(weights, cross=True) == 1
    assert most_informative_row(weights) == 0


def test_a_row_of_no_numbers_does_not_hide_one_that_tells():
    weights = np.zeros((4, 4))
    weights[1], weights[3, 1] = np.nan, 0.5
    assert most_informative_row(weights) == 3


# All heads


def test_the_grid_counts_named_heads_of_all_and_says_what_they_were_measured_on():
    jobs = [[["a"], [], ["b", "c"]], [[], [], []]]
    text = describe_head_grid(jobs, Named("128 sentences", 0.5), intact=True, pooled=False, unit="token")
    assert in_order(text, "2 of 6 heads", "correct token", "128 sentences")
    assert "full model" not in text
    assert in_order(
        describe_head_grid(jobs, Named("128 sentences", 0.5), intact=False, pooled=False), "sentences", "full model"
    )
    assert "block of tokens" in describe_head_grid(jobs, Named("1", 0.5), intact=True, pooled=True, unit="token")


def test_the_grid_sends_to_the_heads_only_where_names_have_no_room():
    few, many = [[["a"]] * MAX_LABELLED_HEADS], [[["a"]] * (MAX_LABELLED_HEADS + 1)]
    hint = "point at its head"
    assert hint not in describe_head_grid(few, Named("1", 0.5), intact=True, pooled=False)
    assert hint in describe_head_grid(many, Named("1", 0.5), intact=True, pooled=False)
    assert hint not in describe_head_grid(
        [[[]] * (MAX_LABELLED_HEADS + 1)], Named("1", 0.5), intact=True, pooled=False
    ), "no head bears a name"


def test_the_sharpest_head_is_the_one_whose_largest_weights_are_largest_on_average():
    weights = np.zeros((2, 2, 2, 2))
    weights[..., 0] = 0.6
    weights[..., 1] = 0.4
    weights[1, 0] = [[1.0, 0.0], [0.5, 0.5]]  # mean of 1 and 0.5
    mask = np.ones(weights.shape, bool)
    text = describe_maps(weights, mask, pooled=False)
    assert in_order(text, "4 heads", "layer 1", "head 0", "0.75")
    assert "Hatched" not in text and "block" not in text
    mask[0, 0, 0, 1] = False
    assert "Hatched" in describe_maps(weights, mask, pooled=False)
    assert "block" in describe_maps(weights, mask, pooled=True)
    alone = describe_maps(weights[1:, :1], np.ones((1, 1, 2, 2), bool), pooled=False)
    assert "0.75" in alone and "sharpest" not in alone


# Predictions


def test_the_answer_leads_from_the_layer_after_which_it_never_loses_the_lead():
    assert "from layer 2 on" in describe_logit_lens([["a"], ["b"], ["c"], ["c"], ["c"]])
    assert "from layer 3 on" in describe_logit_lens([["c"], ["c"], ["b"], ["c"], ["c"]]), (
        "a lead that is lost does not count"
    )
    assert "**b**" in describe_logit_lens([["a", "b"], ["b", "a"]])


def test_the_largest_change_is_named_with_its_word_and_the_mean_follows():
    text = describe_change(np.array([1.0, 4.0, 1.0]), ["a", "b", "c"], "without scaling")
    assert in_order(text, "Without scaling", "**b**", "KL 4.00", "2.00")
    sentence = describe_change(np.array([1.0, 4.0, 1.0]), ["a", "b", "c"], "without scaling", "here")
    assert in_order(sentence, "**b**", "KL 4.00", "2.00") and sentence != text
    turned = describe_change(np.array([0.5, 0.0]), ["a", "b"], "without scaling", "nothing")
    assert in_order(turned, "**a**", "cosine", "0.50", "0.25") and "KL" not in turned


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_predictions_that_are_no_numbers_are_counted(bad):
    text = describe_change(np.array([bad, 1.0, bad]), ["a", "b", "c"], "without layer norm")
    assert in_order(text, "Without layer norm", "2 of 3 predictions")


def test_only_the_three_likeliest_words_are_named_the_first_of_equals_first():
    text = describe_next_token(np.array([0.1, 0.2, 0.2, 0.4, 0.1]), ["a", "b", "c", "d", "e"], "x", who="a twin")
    assert in_order(text, "“x”", "a twin", "**d** 0.40", "**b** 0.20", "**c** 0.20")
    assert "**a**" not in text and "**e**" not in text


def test_a_candidate_has_its_odds_by_the_model_and_as_it_is_drawn():
    words = ["a", "b"]
    text = describe_sampling(np.array([0.5, 0.3]), np.array([0.75, 0.25]), words, "x", 1200)
    assert in_order(text, "“x”", "**a**", "0.50 by the model", "0.75 when sampling", "1,200")
    alike = describe_sampling(np.array([0.5, 0.3]), np.array([0.504, 0.3]), words, "x", 2)
    assert in_order(alike, "**a**", "0.50", "2") and "drawn" not in alike.split(".", 2)[0]
    assert "by the model" in describe_sampling(np.array([0.25, 0.3]), np.array([0.375, 0.3]), words, "x", 2)
    only = describe_sampling(np.array([0.9]), np.array([1.0]), words[:1], "x", 1)
    assert "the only candidate" in only


def test_a_stream_ends_where_its_last_stage_ends_a_before_b():
    a, b = np.array([[9.0, 9.0], [1.0, 2.0]]), np.array([[8.0, 8.0], [3.0, 4.0]])
    assert in_order(
        describe_residual_stream(a, b, "length", ["embedding", "layer 2"]),
        "layer 2",
        "length",
        "1.50 for A",
        "3.50 for B",
    )


# Parts and heads taken away


def test_the_head_missed_most_is_named_by_layer_and_head_and_the_idle_ones_are_counted():
    text = describe_head_ablation(np.array([[0.0, 0.25, 0.009], [0.01, 0.125, 0.1]]))
    assert in_order(text, "Layer 0, head 1", "0.25", "2 of 6 heads", "0.01")


@pytest.mark.parametrize(
    ("never", "verdict"),
    [
        ([1.5, 1.5, 1.52], "as good as with this part"),
        ([1.5, 1.5, 9.0], "as good as with this part for"),
        ([1.56, 1.6, 1.7], "worse"),
    ],
)
def test_a_twin_is_judged_by_its_seeds(never, verdict):
    text = describe_trained_without(np.array([1.25, 1.5, 1.75]), np.array(never), 7.5, 128, "Scaling")
    assert in_order(text, "Scaling", "1.50", f"**{np.median(never):.2f}**", verdict, "128 sentences", "7.50")
    assert in_order(text, f"{min(never):.2f} to {max(never):.2f}")
    assert "3 seeds" in text


def test_a_model_that_is_worse_without_is_never_said_to_do_as_well():
    text = describe_trained_without(np.array([1.5, 1.5]), np.array([1.8, 1.9]), 3.0, 128, "Scaling")
    assert "worse" in text and "as well" not in text


def test_curves_end_at_the_middle_of_the_last_step_of_their_seeds():
    seeds = {
        "whole": np.array([[9.0, 1.0], [9.0, 1.5], [9.0, 3.0]]),
        "alone": np.array([[9.0, 4.0]]),
    }
    text = describe_learning_curves(seeds, "loss in nats")
    assert in_order(text, "loss in nats", "whole 1.50 (1.00 to 3.00, 3 seeds)", "alone 4.00", "1 seed")


def test_the_look_that_weighs_most_and_the_one_that_moves_most_are_told_apart():
    words = ["a", "b", "c"]
    apart = describe_attribution(np.array([0.2, 0.7, 0.1]), np.array([0.25, 0.125, 0.0]), words, (0.25, -0.5))
    assert in_order(apart, "most to **b** (0.70)", "**a**", "KL 0.250", "0.25**", "weights", "0.50**", "gradient")
    same = describe_attribution(np.array([0.2, 0.7, 0.1]), np.array([0.125, 0.25, 0.0]), words, None)
    assert in_order(same, "most to **b** (0.70)", "KL 0.250") and "**a**" not in same and "gradient" not in same


# The same sentence without marks


def test_plain_text_keeps_what_was_escaped_and_loses_what_marked():
    assert strip_markdown(r"**a\*b** &lt;c&gt; &#36;") == "a*b <c> $"


def test_a_sentence_for_those_who_cannot_see_ends_before_it_is_too_long():
    assert len(alt_text("x" * 1000)) == 400
    assert alt_text("**a** b") == "a b"


# The mask, the positions, the scaling, the norms


def test_the_share_of_the_forbidden_is_taken_row_by_row_however_far_the_scores_of_rows_lie_apart():
    biased = np.array([[0.0, 0.0], [-5000.0, -5000.0], [5000.0, 5000.0]])
    mask = np.array([[True, False], [True, False], [True, True]])
    assert forbidden_share(biased, mask) == pytest.approx([0.5, 0.5, 0])


def test_the_only_key_that_is_allowed_gets_what_the_mask_takes_from_the_others():
    scores, mask = np.log(np.array([[1.0, 3.0], [1.0, 1.0]])), np.array([[True, False], [True, True]])
    text = describe_mask(scores, mask, np.array([[1.0, 0.0], [0.5, 0.5]]), ["a", "b"], 0)
    assert in_order(text, "**a**", "1 of 2", "0.75", "4.00 times")


def test_only_the_other_rows_that_look_at_nothing_are_named_as_empty():
    mask = np.tri(4, dtype=bool)
    mask[1] = mask[2] = False
    text = describe_mask(np.zeros((4, 4)), mask, np.where(mask, 0.5, 0.0), list("abcd"), 1)
    empty = text[text.index("This row may attend") :]
    assert "**c**" in empty and not {"**a**", "**b**", "**d**"} & set(re.findall(r"\*\*.\*\*", empty))


def test_four_words_are_named_and_the_rest_is_counted():
    assert list_in_bold(list("abcd")) == "**a**, **b**, **c**, **d**"
    assert in_order(list_in_bold(list("abcdef")), "**d**", "2 more") and "**e**" not in list_in_bold(list("abcdef"))


def test_the_row_to_open_with_is_one_with_a_choice_even_where_a_single_key_loses_more():
    scores, mask = np.zeros((4, 4)), np.tri(4, dtype=bool)
    scores[1, 3] = 2.0  # what is forbidden to row 1 has the larger share
    assert masked_row(scores, mask, np.tri(4)) == 1
    mask[1] = [True, False, False, False]
    assert masked_row(scores, mask, np.tri(4)) == 2


def test_a_change_is_spelt_by_its_size():
    assert [format_number(value) for value in (0.0, 0.004, 0.005, 0.42, 9.99, 10.0)] == [
        "0",
        "4·10⁻³",
        "0.01",
        "0.42",
        "9.99",
        "10.0",
    ]


def test_where_every_case_gives_the_same_vectors_no_change_is_told():
    text = describe_shuffle({"No positions, no mask": 0.0}, 2)
    assert "No positions, no mask" in text and "change" not in text
    assert text.endswith(".") and not text.endswith("..") and not text.endswith(". .")


def test_why_rope_fails_is_told_with_the_pair_its_turn_and_the_shares():
    text = describe_rope_period(0.474, 48, 30.0, 1, 4, [0.5, 0.9, 0.6])
    assert in_order(text, "47 %", "48 symbols", "pair 1", "30 positions", "15 positions", "4 times", "**90 %**", "60 %")
    assert not describe_rope_period(0.5, 48, 30.0, 1, 4, [0.5, 0.9, 0.6]), "it does not fall below guessing"
    assert not describe_rope_period(0.4, 48, 30.0, 1, 4, [0.75, 0.9, 0.6]), "another pair helps nearly as much"


def test_the_gradient_is_told_undivided_against_divided_with_its_width():
    assert in_order(describe_query_gradient(64, 3.0, 2.0), "1.5 times", "larger", "3.00 against 2.00", "d_k = 64")
    assert in_order(describe_query_gradient(64, 1.0, 4.0), "4.0 times", "smaller", "1.00 against 4.00", "d_k = 64")


def test_a_step_of_the_width_has_each_number_in_its_place():
    text = describe_width(256, 16, (0.93, 0.25), (0.1, 0.3), (0.21, 0.27))
    assert in_order(text, "256", "16 weights", "0.93", "3.0 times", "0.25", "0.21", "0.27")


def test_the_two_forms_are_told_weights_first_then_outputs_single_before_double():
    assert in_order(describe_loop_and_matmul((0.11, 0.22), (0.33, 0.44)), "0.11", "0.33", "0.22", "0.44")


def test_a_norm_that_moves_nobody_is_named_first_and_the_words_are_counted():
    still = np.array([[0.0, 0.0, 0.0], [np.nan, np.nan, np.nan]])
    text = describe_norm_change("layer norm", still, [("<s>", "a", "b"), ("<s>", "c")])
    assert in_order(text, "layer norm", "none of the 3 words", "0")


def test_the_box_says_which_norm_averages_over_what():
    stream, real = np.zeros((2, 2, 3), np.float32), np.ones((2, 2), dtype=bool)
    assert in_order(describe_norm_axes(stream, real, "channels", 1, 2, "a"), "Layer norm", "“a”", "3 numbers")
    assert in_order(describe_norm_axes(stream, real, "batch", 1, 2, "a"), "Batch norm", "channel 2", "4 numbers")


def test_names_are_listed_with_an_and_before_the_last():
    assert [join_with_and(names) for names in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]


def test_the_ways_to_write_are_told_with_their_times_and_what_the_cache_saves():
    text = describe_kv_cache(2e-6, 15.0, (0.8, 2.5, 10.0), 13)
    assert in_order(text, "2.0·10⁻⁶", "15", "13", "800.0 ms", "3.1** times", "12.5 times", "75 %")


# Words


def test_a_word_in_a_sentence_is_cut_at_24_characters():
    assert markdown("x" * 24) == "x" * 24
    assert markdown("x" * 25) == "x" * 23 + "…"


def test_a_word_is_cut_before_a_letter_whose_mark_would_be_lost():
    assert truncate("a" * 12 + "e\u0301" + "b" * 5, 14) == "a" * 12 + "…"


def test_a_number_far_from_one_is_a_power_of_ten_with_its_sign():
    assert [power_of_ten(value) for value in (0.0, 4.44e-16, -2e5, 9.96e-8)] == [
        "0",
        "4.4·10⁻¹⁶",
        "−2.0·10⁵",
        "1.0·10⁻⁷",
    ]
    assert power_of_ten(3e-7, 1) == "3·10⁻⁷" and power_of_ten(float("nan")) == "not a number"
    shown = [two_digits(value) for value in (0.0, 1.0, 0.00071, 0.00001, -0.25, 12345, 2e6, float("inf"))]
    assert shown == ["0", "1", "0.00071", "1.0·10⁻⁵", "−0.25", "12,000", "2.0·10⁶", "not a number"]
