"""From pieces to words: one row and one column for each word of a text that was read in pieces.

What a word looks at is the mean of what its pieces look at; what is looked at in a word is the sum over its pieces. So
no attention is lost: rows that summed to 1 still do.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


def word_membership(word_ids: Sequence[int]) -> NDArray[np.bool_]:
    """(W, T): which piece is part of which word."""
    return np.arange(max(word_ids) + 1)[:, None] == np.asarray(word_ids)


def merge_to_words(weights: Array, word_ids: Sequence[int], key_word_ids: Sequence[int] | None = None) -> Array:
    """Weights (…, T, S) of pieces as weights (…, W, W') of words: rows averaged, columns summed.

    word_ids: the word of each query token; key_word_ids: of each key token, the same where none is given.
    """
    rows = word_membership(word_ids).astype(np.float64)  # (W, T)
    columns = word_membership(word_ids if key_word_ids is None else key_word_ids).astype(np.float64)  # (W', S)
    merged = (rows / rows.sum(axis=-1, keepdims=True)) @ weights @ columns.T  # (…, W, W')
    return merged.astype(weights.dtype)


def merge_mask_to_words(mask: NDArray[Any], word_ids: Sequence[int]) -> NDArray[np.bool_]:
    """A mask (…, T, S) of pieces as one of words (…, W, W): a word may look where any of its pieces may."""
    parts = word_membership(word_ids).astype(np.float32)  # (W, T)
    return np.asarray(parts @ mask.astype(np.float32) @ parts.T > 0)


def last_token_of(word_ids: Sequence[int], word: int) -> int:
    """The position of the last piece of a word: what comes after the word is foretold there."""
    return len(word_ids) - 1 - list(word_ids)[::-1].index(word)
