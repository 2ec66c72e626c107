"""From pieces to words: nothing that was looked at is lost."""

import numpy as np
import pytest
from equal import same_bits
from hypothesis import given
from hypothesis import strategies as st

from model.word_aggregation import last_token_of, merge_mask_to_words, merge_to_words


@st.composite
def maps(draw):
    """Which word each piece belongs to, and weights (H, T, T) whose rows sum to 1."""
    word_ids = tuple(np.cumsum([0, *draw(st.lists(st.integers(0, 1), max_size=7))]).tolist())
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    return word_ids, rng.dirichlet(np.ones(len(word_ids)), size=(2, len(word_ids))).astype(np.float32)


def test_rows_are_averaged_and_columns_summed_by_hand():
    pieces = np.array([[1.0, 0.0, 0.0], [0.5, 0.25, 0.25], [0.0, 0.8, 0.2]])
    np.testing.assert_allclose(merge_to_words(pieces, (0, 1, 1)), [[1.0, 0.0], [0.25, 0.75]])
    np.testing.assert_allclose(
        merge_to_words(pieces[:2], (0, 0), (0, 0, 1)), [[0.875, 0.125]]
    )  # not square: cross-attention


@given(drawn_maps=maps())
def test_rows_still_sum_to_one(drawn_maps):
    word_ids, weights = drawn_maps
    merged = merge_to_words(weights, word_ids)
    assert merged.shape == (2, word_ids[-1] + 1, word_ids[-1] + 1)
    np.testing.assert_allclose(merged.sum(-1), 1, atol=1e-5)
    for word in range(word_ids[-1] + 1):  # what a word gets from all rows is what its pieces got, row by row averaged
        rows = [
            weights[:, [index for index, home in enumerate(word_ids) if home == row]].mean(1)
            for row in range(len(merged[0]))
        ]
        columns = [index for index, home in enumerate(word_ids) if home == word]
        np.testing.assert_allclose(
            merged[:, :, word], np.stack([row[:, columns].sum(-1) for row in rows], 1), atol=1e-6
        )


@given(drawn_maps=maps())
def test_words_of_one_piece_each_change_nothing(drawn_maps):
    _, weights = drawn_maps
    assert same_bits(merge_to_words(weights, range(weights.shape[-1])), weights, "exact")


def test_a_causal_mask_of_pieces_is_a_causal_mask_of_words():
    word_ids = (0, 1, 1, 2, 3, 3, 3)
    assert same_bits(merge_mask_to_words(np.tri(7, dtype=bool), word_ids), np.tri(4, dtype=bool))


@pytest.mark.parametrize(("word", "token_index"), [(0, 0), (1, 2), (2, 3)])
def test_what_follows_a_word_is_foretold_at_its_last_piece(word, token_index):
    assert last_token_of((0, 1, 1, 2), word) == token_index
