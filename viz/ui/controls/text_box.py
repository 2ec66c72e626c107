"""The sentence: the box, an example of each model, sentences that its task generates, and its vocabulary."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from random import Random

import streamlit as st

from model.subword import CONTINUATION
from model.training.live import kept_model
from viz.labels import markdown
from viz.pair_tasks import example_of
from viz.ui import model_calls
from viz.ui.state import Key, Param

EXAMPLE = "the person who the dogs near the trees chase was tired ."
PROSE = "Alice saw the White Rabbit, and the White Rabbit saw Alice."  # to open with, of models that read any text
THREE_LINES = 97  # pixels of a text area with its label: three whole lines, the next one out of sight
MAX_LISTED_TOKENS = 4096  # that are listed


def text_control(weights: str) -> str:
    """The sentence that the model reads; of a model of two sentences its source."""
    pair = weights in model_calls.pair_models()
    kinds = model_calls.pair_task(weights).kinds if pair else model_calls.task(weights).kinds
    if Key.WRITTEN in st.session_state:
        set_text(st.session_state.pop(Key.WRITTEN))
    # Another model begins with a sentence of its own kind; what a link or a person has written stays.
    example = example_text(weights)
    before = st.session_state.get(Key.EXAMPLE, example)
    if before != example and st.session_state.get(Param.TEXT) == before:
        set_text(example)
    st.session_state[Key.EXAMPLE] = example
    text = st.text_area(
        "Source" if pair else "Sentence", value=example, key=Param.TEXT, bind="query-params", height=THREE_LINES
    )
    new_sentence_button(kinds, Key.DRAW, partial(_draw, weights))
    knows = "Vocabulary"
    with st.popover(knows, width="stretch", key=Key.KNOWN, on_change="rerun") as known:
        if known.open:
            groups = _vocabulary(weights)
            named = [(f"**{part}** " if part else "", words) for part, words in groups]
            st.markdown("\n\n".join(part + " ".join(map(markdown, words)) for part, words in named))
    return text or ""


def new_sentence_button(kinds: Mapping[str, str], key: Key, on_click: Callable[[], None]) -> None:
    """A menu of the kinds of sentence that a task can generate: kind → its label. The chosen kind is the state's."""
    st.menu_button(
        "New sentence", list(kinds), format_func=lambda kind: kinds[kind], key=key, on_click=on_click, width="stretch"
    )


def example_text(weights: str) -> str:
    """The sentence that this model begins with."""
    if weights in model_calls.pair_models():
        return example_of(model_calls.about(weights).task)
    if weights in model_calls.kept_models():
        return kept_model.example(model_calls.about(weights).task)
    return EXAMPLE if model_calls.task(weights).words else PROSE


def _vocabulary(weights: str) -> Iterable[tuple[str, Sequence[str]]]:
    tokenizer = model_calls.tokenizer(weights)
    if weights in model_calls.pair_models():
        words = [word for index, word in enumerate(tokenizer.vocabulary) if index not in tokenizer.special_ids]
        return [("", words)]
    return model_calls.task(weights).words.items() or _tokens(weights)


def _tokens(weights: str) -> list[tuple[str, Sequence[str]]]:
    tokenizer = model_calls.tokenizer(weights)
    silent = frozenset(tokenizer.special_ids)
    pieces = [piece for index, piece in enumerate(tokenizer.vocabulary) if index not in silent]
    note = f"{len(pieces):,} tokens, in the order in which they were learnt. Any text can be built from them. "
    note += f"The first {MAX_LISTED_TOKENS:,} are shown. " if len(pieces) > MAX_LISTED_TOKENS else ""
    return [
        (
            note + f"{CONTINUATION} marks a token that continues the one before it, ␣ is a space.",
            pieces[:MAX_LISTED_TOKENS],
        )
    ]


def _draw(weights: str) -> None:
    kind = st.session_state[Key.DRAW]
    if weights in model_calls.pair_models():
        set_text(model_calls.pair_task(weights).draw(kind, Random()).source_text)
    else:
        set_text(model_calls.task(weights).draw(kind, Random()).text)


def set_text_to(text: str) -> None:
    """Put a longer text into the sentence box when the page is next drawn, and pin its last word."""
    st.session_state[Key.WRITTEN], st.session_state[Key.TO_THE_END] = text, True


def set_text(text: str) -> None:
    """Put a text into the sentence box, and let go of the word that was chosen in the old one."""
    st.session_state[Param.TEXT] = text
    st.session_state[Param.QUERY] = None
