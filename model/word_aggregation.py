"""From subword tokens to words: one row and one column for each word of a text.

The rows of the tokens of a word are averaged, and their columns are summed. So rows that summed to 1 still do.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


def word_membership(word_ids: Sequence[int]) -> NDArray[np.bool_]:
    """(W, T): True if token t is a part of word w."""
    return np.arange(max(word_ids) + 1)[:, None] == np.asarray(word_ids)


def merge_to_words(weights: Array, word_ids: Sequence[int], key_word_ids: Sequence[int] | None = None) -> Array:
    """Weights (…, T, S) of tokens as weights (…, W, W') of words: rows averaged, columns summed.

    word_ids: the word of each query token; key_word_ids: the word of each key token; None: `word_ids`.
    """
    rows = word_membership(word_ids).astype(np.float64)  # (W, T)
    columns = word_membership(word_ids if key_word_ids is None else key_word_ids).astype(np.float64)  # (W', S)
    merged = (rows / rows.sum(axis=-1, keepdims=True)) @ weights @ columns.T  # (…, W, W')
    return merged.astype(weights.dtype)


def merge_mask_to_words(mask: NDArray[np.bool_], word_ids: Sequence[int]) -> NDArray[np.bool_]:
    """A mask (…, T, S) of tokens as one of words (…, W, W). A word may attend to a word if any of their tokens may."""
    parts = word_membership(word_ids).astype(np.float32)  # (W, T)
    return np.asarray(parts @ mask.astype(np.float32) @ parts.T > 0)


def last_token_of(word_ids: Sequence[int], word: int) -> int:
    """The position of the last token of a word. The token after the word is predicted there."""
    return len(word_ids) - 1 - list(word_ids)[::-1].index(word)
