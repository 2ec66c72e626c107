"""The figures of “Remove a part”, by their data."""

import numpy as np
import pytest
from equal import same_bits
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from viz.captions.heads import describe_attribution, describe_change, describe_head_ablation, describe_learning_curves
from viz.figures.learning_curves import curves
from viz.figures.residual_stream import stream
from viz.figures.scatter import scatter
from viz.pack import ABSENT, FULL, NOT_A_NUMBER, encode_difference
from viz.theme import LIGHT

WORDS = ["the", "the", "<b>", "a"]


def test_no_difference_is_the_middle_of_the_scale_and_the_ends_are_its_ends():
    mask = np.ones((1, 1, 2, 2), bool)
    code = encode_difference(np.array([[[[0.0, 1.0], [-1.0, 0.5]]]]), mask)[0, 0]
    assert code.tolist() == [[FULL // 2, FULL], [0, FULL // 2 + round(FULL / 4)]]


def test_what_is_not_allowed_or_no_number_says_so():
    mask = np.array([[[[True, False], [True, True]]]])
    code = encode_difference(np.array([[[[np.nan, 0.3], [0.0, 0.0]]]]), mask)[0, 0]
    assert code.tolist() == [[NOT_A_NUMBER, ABSENT], [FULL // 2, FULL // 2]]


@given(hnp.arrays(np.float64, (1, 1, 12, 12), elements=st.floats(-1, 1)))
def test_a_pooled_difference_is_the_one_farthest_from_zero(difference):
    code = encode_difference(difference, np.ones(difference.shape, bool), most=4)[0, 0].astype(int)
    for row in range(4):
        for column in range(4):
            block = difference[0, 0, 3 * row : 3 * row + 3, 3 * column : 3 * column + 3]
            assert abs(abs(code[row, column] - FULL // 2) - np.abs(block).max() * (FULL // 2)) <= 0.5 + 1e-9


def test_a_scatter_has_a_point_for_every_word_and_names_the_ones_that_matter():
    x, y = np.array([0.9, 0.02, 0.05, 0.03]), np.array([0.0, 0.5, 0.0, 0.0])
    figure = scatter(x, y, WORDS, theme=LIGHT, x_name="weight", y_name="KL")
    assert same_bits(figure.data[0].x, x, "copied") and same_bits(figure.data[0].y, y, "copied")
    assert list(figure.data[0].text) == ["the", "the", "", ""]


def test_curves_draw_every_seed_and_the_middle_one_thick():
    seeds = {"whole": np.array([[3.0, 1.0], [4.0, 2.0], [5.0, 6.0]]), "trained without it": np.array([[3.0, 3.0]])}
    lines = curves([0, 10], seeds, theme=LIGHT, value_name="loss").data
    assert [line.line.width for line in lines] == [1, 1, 1, 3, 1, 3]
    assert list(lines[3].y) == [4.0, 2.0]


def test_a_stream_draws_each_word_thin_and_their_mean_thick():
    a, b = np.array([[1.0, 3.0], [2.0, 4.0]]), np.array([[1.0, np.nan], [8.0, 16.0]])
    figure = stream(a, b, ["embedding", "L0"], ["the", "the"], theme=LIGHT, title="length")
    assert [line.line.width for line in figure.data] == [0.75, 0.75, 3, 0.75, 0.75, 3]
    assert list(figure.data[2].y) == [2.0, 3.0] and list(figure.data[5].y) == [1.0, 12.0]


@pytest.mark.parametrize("draw", [
    lambda: scatter(np.zeros(2), np.zeros(2), ["a"], theme=LIGHT, x_name="", y_name=""),
    lambda: stream(np.zeros((2, 2)), np.zeros((2, 2)), ["a"], ["b", "c"], theme=LIGHT, title=""),
    lambda: curves([0, 1], {"a": np.zeros((1, 3))}, theme=LIGHT, value_name=""),
])  # fmt: skip
def test_words_that_do_not_fit_are_refused_with_both_sizes(draw):
    with pytest.raises(ValueError, match="fit"):
        draw()


def test_sentences_say_the_numbers_of_their_figures():
    changed = describe_change(np.array([0.0, 2.0]), ["a", "b"], "without scaling")
    assert "KL 2.00 nats. The average over the text is 1.00" in changed
    assert "no prediction changes" in describe_change(np.zeros(2), ["a", "b"], "the same")
    assert "1 of 2 predictions is no longer a number" in describe_change(
        np.array([np.nan, 1.0]), ["a", "b"], "without norm"
    )
    assert "Layer 1, head 0" in describe_head_ablation(np.array([[0.0, 0.1], [0.7, 0.0]]))
    assert "2 of 4 heads can be removed" in describe_head_ablation(np.array([[0.0, 0.1], [0.7, 0.0]]))
    text = describe_attribution(np.array([0.9, 0.1]), np.array([0.01, 0.5]), ["a", "b"], (0.5, 0.75))
    assert "**a** (0.90)" in text and "**b**" in text and "0.500" in text
    assert "**0.50** for the weights" in text and "**0.75** for the size" in text
    assert "whole 1.50 (1.00 to 2.00, 2 seeds)" in describe_learning_curves(
        {"whole": np.array([[9.0, 1.0], [9.0, 2.0]])}, "loss"
    )
