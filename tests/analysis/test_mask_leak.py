"""Edit a word: what is not reached stays to the last bit; and what the page says of it."""

import numpy as np
import pytest
from equal import same_bits

from model import Experiment, Switches, run
from model.analysis.mask_leak import default_edit, measure_leak, other_word, replace_word, similar_word
from model.analysis.mask_sweep import sweep_masks
from model.mask import MaskSpec
from model.run import encode, get_model
from viz.captions.masks import (
    describe_guess,
    describe_kv_cache,
    describe_leak,
    describe_mask,
    describe_no_mask_training,
    forbidden_share,
    masked_row,
)
from viz.figures.learning_curves import curves
from viz.theme import LIGHT

TEXT = "the person who the dogs near the trees chase was tired ."
WHOLE = Experiment(text=TEXT)
WORDS = encode(WHOLE).surface


@pytest.mark.parametrize("position", range(1, 13))
@pytest.mark.parametrize("looks", [None, MaskSpec("sliding", 3)])
def test_with_a_mask_that_looks_back_an_edit_changes_exactly_nothing_before_it(position, looks):
    whole = Experiment(text=TEXT, mask_spec=looks)
    result = measure_leak(run(whole), run(replace_word(whole, position, "radio")))
    assert (result.logits[:position] == 0).all() and (result.kl[:position] == 0).all()
    assert result.logits[position] > 0


@pytest.mark.parametrize("position", range(2, 13))
def test_without_the_mask_every_output_before_the_edit_changes(position):
    for whole in (
        Experiment(text=TEXT, mask_spec=MaskSpec("none")),
        Experiment(text=TEXT, switches=Switches(mask=False)),
    ):
        result = measure_leak(run(whole), run(replace_word(whole, position, "radio")))
        assert (result.logits[:position] > 0).all()


def test_a_window_leaks_as_far_as_three_layers_of_it_reach():
    whole = Experiment(text=TEXT, mask_spec=MaskSpec("window", 2))
    result = measure_leak(run(whole), run(replace_word(whole, 8, "radio")))
    assert np.flatnonzero(result.logits).tolist() == [5, 6, 7, 8, 9, 10, 11]


@pytest.mark.parametrize("position", [0, -1, 13, 99])
def test_a_word_that_is_not_there_cannot_be_edited(position):
    with pytest.raises(ValueError, match="words 1 to 12"):
        replace_word(WHOLE, position, "dog")


def test_a_word_that_falls_into_several_is_refused():
    with pytest.raises(ValueError, match="a different number of tokens"):
        replace_word(WHOLE, 3, "two words")


def test_a_neighbour_is_spelt_alike_and_known():
    assert similar_word("grammar", "dogs") == "dog"
    assert similar_word("grammar", "xyzzy") is None
    position, by = default_edit("grammar", WORDS)
    assert by in get_model("grammar")[1].vocabulary and by != WORDS[position]
    position, by = default_edit("grammar", ("<s>", ".", "."))
    assert 1 <= position <= 2 and by in get_model("grammar")[1].vocabulary[3:]
    assert other_word("grammar", ("the", "person")) not in ("the", "person")


# What is said


def test_the_share_of_the_forbidden_by_hand():
    scores = np.log(np.array([[1.0, 2.0, 5.0], [1.0, 1.0, 2.0]]))
    mask = np.array([[True, True, False], [True, True, True]])
    np.testing.assert_allclose(forbidden_share(scores, mask), [5 / 8, 0], atol=1e-12)
    weights = np.array([[1 / 3, 2 / 3, 0], [0.25, 0.25, 0.5]])
    text = describe_mask(scores, mask, weights, ["a", "b", "c"], 0)
    assert "2 of 3" in text and "0.62" in text and "2.67 times" in text, "8/3 as much each"
    assert "all 3 words" in describe_mask(scores, mask, weights, ["a", "b", "c"], 1)


def test_the_page_opens_with_an_empty_row_or_the_one_the_mask_takes_most_from():
    scores = np.zeros((4, 4))
    weights = np.diag([0.1, 0.1, 0.1, 0.1])
    weights[3, 1] = 0.9
    assert masked_row(scores, np.tri(4, dtype=bool), weights) == 1  # of rows with a choice, it loses the most
    assert masked_row(scores, np.ones((4, 4), dtype=bool), weights) == 3, "nothing is taken: the most telling row"
    hole = np.tri(4, dtype=bool)
    hole[2] = False
    assert masked_row(scores, hole, weights) == 2
    assert "sets the row to zero" in describe_mask(scores, hole, np.where(hole, 0.5, 0.0), list("abcd"), 2)
    assert "This row may attend to nothing and is zero: **c**" in describe_mask(
        scores, hole, np.where(hole, 0.5, 0.0), list("abcd"), 3
    )


def test_a_row_that_holds_no_numbers_is_said_to():
    weights = np.full((2, 2), np.nan)
    assert "not numbers" in describe_mask(np.zeros((2, 2)), np.tri(2, dtype=bool), weights, ["a", "b"], 1)


def test_a_leak_is_told_and_its_absence_too():
    words = list("abcd")
    still = describe_leak(np.array([0, 0, 1.0, 2]), np.array([0, 0, 0.5, 0.1]), np.tri(4), words, 2, "x")
    assert "all 2 outputs before it are exactly unchanged" in still and "No word attends to a later one" in still
    leaks = describe_leak(np.array([0.1, 0, 1, 2]), np.array([0.1, 0, 0.5, 0.1]), np.ones((4, 4)), words, 2, "x")
    assert "1 of 2" in leaks and "later words change earlier outputs" in leaks
    assert "not numbers" in describe_leak(np.ones(4), np.full(4, np.nan), np.ones((4, 4)), words, 2, "x")


def test_a_cache_that_gains_nothing_is_said_to():
    assert "saves 50 %" in describe_kv_cache(1e-6, 15.0, (0.001, 0.01, 0.02), 13)
    assert "saves no time" in describe_kv_cache(1e-6, 15.0, (0.001, 0.02, 0.01), 2)


def test_cheating_is_claimed_only_below_the_entropy():
    assert "reads the next word" in describe_no_mask_training(1.7, 1.8, 0.0, 128)
    assert "no sign that it reads" in describe_no_mask_training(1.7, 1.8, 1.75, 128)


def test_the_entropy_stands_in_the_learning_curves_as_a_line_with_its_name():
    seeds = {"a": np.array([[3.0, 2.0]]), "b": np.array([[3.0, 0.0]])}
    figure = curves([0, 1], seeds, theme=LIGHT, value_name="loss", level=1.7, level_name="entropy")
    (line,) = figure.layout.shapes
    assert (line.y0, line.y1, line.label.text) == (1.7, 1.7, "entropy")
    assert not curves([0, 1], seeds, theme=LIGHT, value_name="loss").layout.shapes


@pytest.mark.parametrize(("layer", "head"), [(0, 0), (2, 3)])
def test_a_sweep_over_masks_is_a_run_for_each(layer, head):
    looks = [MaskSpec("window", 3), MaskSpec("none"), MaskSpec("padding", 13), MaskSpec("causal")]
    swept = sweep_masks(WHOLE, looks, layer, head)
    for k, item in enumerate(looks):
        attention = run(Experiment(text=TEXT, mask_spec=item)).layers[layer].attention
        assert same_bits(swept.mask[k], attention.mask[head])
        np.testing.assert_allclose(swept.scores[k], attention.biased[head], atol=1e-4)
        np.testing.assert_allclose(swept.masked[k], attention.masked[head], atol=1e-4)
        np.testing.assert_allclose(swept.weights[k], attention.weights[head], atol=1e-5)
        assert not swept.weights[k].flags.writeable


def test_a_score_says_what_blind_guessing_would_bring():
    assert describe_guess(3, 4, "rows", "Blind: 1.") == "You got **3 of 4** rows right (75 %). Blind: 1."
