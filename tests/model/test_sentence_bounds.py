"""Sentences where two numbers are equal or a text is as long as it may be."""

import numpy as np

from viz.captions.heads import describe_row
from viz.captions.positions import describe_length_generalisation
from viz.captions.translate import LONG, SOME, describe_adjective_and_referent, shortened


def test_a_look_in_the_same_layer_is_not_an_earlier_look():
    text = describe_adjective_and_referent(np.array([0.1, 0.5]), np.array([0.2, 0.25]))
    assert text.endswith("The model does not attend to it first here.")
    assert "layer 1 (0.50)" in text and "layer 1 (0.25)" in text


def test_a_text_is_shortened_only_where_it_is_longer_than_the_longest():
    assert shortened(" ".join(["a"] * LONG)) == " ".join(["a"] * LONG)
    assert shortened(" ".join(["a"] * (LONG + 1))) == f"{' '.join(['a'] * SOME)} … ({LONG + 1} words)"


def test_two_words_that_share_the_largest_weight_are_counted():
    assert "to each of 2 words" in describe_row(np.array([[0.5, 0.5, 0.0]] * 3), ["a", "b", "c"], 2)


def test_the_worst_encoder_with_a_scheme_is_told_in_percent():
    result = np.full((2, 3, 2), 0.96)
    result[:, 0] = 0.5  # "None"
    result[1, 0] = 0.96
    text = describe_length_generalisation(["None", "RoPE", "ALiBi"], [8, 16], result, 8, "The card")
    assert "at least 96.0 %" in text
