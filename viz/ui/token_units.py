"""What one row of a map stands for: a piece, as the model reads, or a word, as people do."""

from collections.abc import Callable, Set
from dataclasses import dataclass, replace

import streamlit as st

from model.run import Experiment
from model.transformer import Trace
from model.word_aggregation import last_token_of, merge_mask_to_words, merge_to_words
from viz.types import Array
from viz.ui import controls, head_facts, model_calls, state
from viz.ui.state import Key, Param

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


@dataclass(frozen=True)
class LastQuery:
    """The query token of the last run, by which the next one finds the same word again."""

    page: str
    weights: str
    text: str
    word_ids: tuple[int, ...] | None  # the word of each token; None where a row is a word
    row: int


def query_row(
    experiment: Experiment,
    automatic: Callable[[], int],
    *,
    merged: bool = False,
    acting: Set[controls.Control] = controls.EVERY,
) -> tuple[int, bool]:
    """The row of the query token, and whether it is pinned.

    Only a new text lets the page choose anew: where the model, the page or the unit of a row changes, the word stays.

    Args:
        experiment: the model and its text.
        automatic: the row that the page chooses where none is pinned.
        merged: whether a row is a word of several tokens.
        acting: the controls that do something in the open view.
    """
    encoding, session = model_calls.encoding(experiment), st.session_state
    page, word_ids = session.get(Key.PAGE, ""), None if merged else encoding.word_ids
    last: LastQuery | None = session.get(Key.LAST_QUERY)
    pinned = session[Param.QUERY] if Param.QUERY in session else _in_address(Param.QUERY)
    if last is not None and last.text == experiment.text:
        if pinned is None and last.word_ids == word_ids and last.page == page and last.weights != experiment.weights:
            session[Param.QUERY] = last.row
        elif pinned is not None and last.word_ids != word_ids and pinned < len(last.word_ids or encoding.words):
            word = pinned if last.word_ids is None else last.word_ids[pinned]
            word = min(word, encoding.word_ids[-1])  # another tokenizer may see fewer words in the text
            session[Param.QUERY] = word if merged else last_token_of(encoding.word_ids, word)
            if last.page != page:  # the first run of a page takes the number from the link as it was before the run
                state.write(Param.QUERY, [str(session[Param.QUERY])])
                session[Key.LAST_QUERY] = replace(last, page=page, word_ids=word_ids)
                st.rerun()
    if merged:
        pinned = controls.token(encoding.words, "word", acting)
    else:
        pinned = controls.token(encoding.surface, unit_of(experiment), acting)
    row = automatic() if pinned is None else pinned
    session[Key.LAST_QUERY] = LastQuery(page, experiment.weights, experiment.text, word_ids, row)
    return row, pinned is not None


def _in_address(name: Param) -> int | None:
    """A number as the link has it: after a change of the page the control reads it from there."""
    value = st.query_params.get(name, "")
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 5 else None


def choose_units(experiment: Experiment, trace: Trace[Array]) -> TokenView:
    """The maps of all heads, in the chosen units. A model of whole words leaves no choice."""
    encoding, (weights, mask) = model_calls.encoding(experiment), head_facts.all_weights(trace)
    if not has_subwords(experiment):
        return TokenView("word", False, encoding.surface, weights, mask, encoding.unknown, encoding.word_ids)
    if st.session_state.get(Param.UNITS) == UNITS[1]:
        state.write(Param.UNITS, [UNITS[1]])  # chosen with the model, before this control was drawn
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
