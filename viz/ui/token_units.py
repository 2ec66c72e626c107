"""What one row of a map stands for: a piece, as the model reads, or a word, as people do."""

from dataclasses import dataclass

import streamlit as st

from model.run import Experiment
from model.transformer import Trace
from model.word_aggregation import last_token_of, merge_mask_to_words, merge_to_words
from viz.types import Array
from viz.ui import controls, head_facts, model_calls
from viz.ui.state import Param

UNITS = ("pieces", "words")


@dataclass(frozen=True)
class TokenView:
    """All heads of a trace, a row and a column for each unit."""

    unit: str  # "word" or "token": what a row stands for
    is_merged: bool  # whether pieces were put together
    words: tuple[str, ...]  # W labels
    weights: Array  # (L, H, W, W)
    mask: Array  # (L, H, W, W)
    unknown: tuple[int, ...]
    word_ids: tuple[int, ...]  # the word of each piece

    def last_token(self, row: int) -> int:
        """The position after which what follows the row's unit is foretold."""
        return last_token_of(self.word_ids, row) if self.is_merged else row

    def merge(self, weights: Array) -> Array:
        """Weights (…, T, S) of pieces, as this page shows them."""
        return merge_to_words(weights, self.word_ids) if self.is_merged else weights

    def merge_map(self, weights: Array, mask: Array) -> tuple[Array, Array]:
        """Weights and mask (…, T, S) of pieces, as this page shows them."""
        return self.merge(weights), merge_mask_to_words(mask, self.word_ids) if self.is_merged else mask


def has_subwords(experiment: Experiment) -> bool:
    """Whether the model of this experiment reads words in pieces."""
    return model_calls.about(experiment.weights).splits_words


def unit_of(experiment: Experiment) -> str:
    """What a token of its model is called: a "word", or a "token" where words are split."""
    return "token" if has_subwords(experiment) else "word"


def choose_units(experiment: Experiment, trace: Trace[Array]) -> TokenView:
    """The maps of all heads, in the units that were asked for; a model of whole words leaves no choice."""
    encoding, (weights, mask) = model_calls.encoding(experiment), head_facts.all_weights(trace)
    if not has_subwords(experiment):
        return TokenView("word", False, encoding.surface, weights, mask, encoding.unknown, encoding.word_ids)
    with st.sidebar:
        merged = UNITS[1] == controls.choice(
            "A row for each of the",
            UNITS,
            key=Param.UNITS,
            label_visibility="visible",
            width="stretch",
            help="A rare word is split into several tokens; · marks a token that continues a word. Words: the rows of "
            "their tokens are averaged and the columns are summed, so every row still sums to 1.",
        )
    if not merged:
        return TokenView("token", False, encoding.surface, weights, mask, encoding.unknown, encoding.word_ids)
    unknown = tuple(dict.fromkeys(encoding.word_ids[index] for index in encoding.unknown))
    word_ids = encoding.word_ids
    return TokenView(
        "word",
        True,
        encoding.words,
        merge_to_words(weights, word_ids),
        merge_mask_to_words(mask, word_ids),
        unknown,
        word_ids,
    )
