"""The input of the decoder of an external encoder-decoder: its start token, and then the target as in training.

In training, the target as its tokenizer encodes it is shifted one position to the right (`shift_tokens_right` in
`transformers`): the start token is added at the start, and the last token, the end mark, is dropped. The special tokens
that a tokenizer puts before the words, BART's <s> or the language of NLLB, stay.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from model.registry import LoadedModel
from model.tokenizer import Encoding, Tokenizer

LANGUAGE = re.compile(
    r"[a-z]{2,3}_[A-Za-z]{2,4}|__[a-z]{2,3}__|__[a-z]{2,3}_[A-Za-z]{2,4}__"
)  # fra_Latn, fr_XX, __fr__
# These move the last token to the front, whatever the start token in config.json.
TURNED = frozenset({"mbart", "plbart"})
# The decoder of these models reads the shifted text; nothing is generated.
WITHOUT_TARGET = ("ForSequenceClassification", "ForQuestionAnswering")


def languages(tokenizer: Tokenizer) -> tuple[str, ...]:
    """The language tokens that a tokenizer knows, in the order of their ids."""
    marks = (tokenizer.vocabulary[index] for index in tokenizer.special_ids)
    return tuple(mark for mark in marks if LANGUAGE.fullmatch(mark))


def encode_with_language(tokenizer: Tokenizer, text: str) -> Encoding:
    """The tokens of a text. A language token at its start replaces the one that the tokenizer would add.

    A text without such a token, or for a tokenizer that adds none, is encoded by `tokenizer.encode`.
    """
    first, _, rest = text.strip().partition(" ")
    known = languages(tokenizer) if LANGUAGE.fullmatch(first) else ()
    if first in known and rest.strip():
        encoding = tokenizer.encode(rest)
        places = [position for position, token in enumerate(encoding.tokens) if token in known]
        if len(places) == 1:
            return _with_mark(encoding, places[0], first, tokenizer.vocabulary.index(first))
    return tokenizer.encode(text)


def _with_mark(encoding: Encoding, position: int, mark: str, index: int) -> Encoding:
    """The encoding with another special token at `position`. A special token counts as a word."""

    def put(words: tuple[str, ...], place: int) -> tuple[str, ...]:
        return (*words[:place], mark, *words[place + 1 :])

    return replace(
        encoding,
        surface=put(encoding.surface, position),
        tokens=put(encoding.tokens, position),
        ids=(*encoding.ids[:position], index, *encoding.ids[position + 1 :]),
        words=put(encoding.words, encoding.word_ids[position]),
    )


def writes(model: Any) -> bool:
    """Whether this encoder-decoder has a target; the decoder of a classifier reads the text itself."""
    return not type(model).__name__.endswith(WITHOUT_TARGET)


def start(model: Any) -> int:
    """The id of the start token of the decoder."""
    configs = (model.config, getattr(model, "generation_config", None))
    names = ("decoder_start_token_id", "bos_token_id", "pad_token_id")
    candidates = (getattr(config, name, None) for name in names for config in configs)
    return int(next((index for index in candidates if index is not None), 0))


def shifted(foreign: LoadedModel, read: Encoding) -> tuple[list[int], tuple[str, ...]]:
    """The T ids of the decoder's input for this target or text, and their tokens."""
    ids, words = list(read.ids), read.surface
    if foreign.model.config.model_type in TURNED:
        return [ids[-1], *ids[:-1]], (words[-1], *words[:-1])
    first = start(foreign.model)
    kept = len(ids) - (ids[-1] in foreign.tokenizer.special_ids or not writes(foreign.model))
    return [first, *ids[:kept]], (foreign.tokenizer.vocabulary[first], *words[:kept])


def ends(model: Any) -> frozenset[int]:
    """The ids of the end marks."""
    eos: int | Sequence[int] | None = model.config.eos_token_id
    return frozenset(() if eos is None else (eos,) if isinstance(eos, int) else eos)


def forced_first(model: Any) -> int | None:
    """The id that the model must generate first, if its files have one: a language, or BART's <s>."""
    for config in (getattr(model, "generation_config", None), model.config):
        index = getattr(config, "forced_bos_token_id", None)
        if isinstance(index, int):
            return index
    return None
