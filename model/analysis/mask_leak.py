"""The leak test: replace one token, and see which outputs change. Outputs that the mask protects must not change."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from model.probability import cosine_distance, kl
from model.run import Array, Experiment, encode, get_model
from model.tokenizer import UNKNOWN
from model.transformer import Trace

MAX_WORDS = 1000  # in a list to choose from
TRIED, TRIED_PLACES = 24, 4  # words, and positions of the text, that are tried for the suggested edit


@dataclass(frozen=True)
class LeakResult:
    """The change of the output at each position."""

    logits: Array  # (T,)  the largest change of any logit; exactly 0 if the edit has no effect there
    kl: Array  # (T,)  KL(before ‖ after) of the next-word distributions, in nats


def editable(weights: str, words: Sequence[str]) -> range:
    """The positions of all tokens except the special tokens that the tokenizer puts around a text.

    words: the T tokens of a text. GPT-2 has no such tokens, so its first token can be edited too.
    """
    tokenizer = get_model(weights)[1]
    marks = {tokenizer.vocabulary[index] for index in tokenizer.special_ids} - {UNKNOWN}
    first = int(bool(words) and words[0] in marks)
    return range(first, len(words) - int(len(words) > first and words[-1] in marks))


def replace_word(experiment: Experiment, position: int, word: str) -> Experiment:
    """The same experiment with another word at `position`. The special tokens around the text stay.

    Raises:
        ValueError: there is no such position, or with that word other tokens of the text would change too.
    """
    read = encode(experiment)
    ids, places = read.ids, editable(experiment.weights, read.surface)
    if position not in places:
        allowed = f"the text has words {places.start} to {places.stop - 1}" if places else "the text has none"
        raise ValueError(f"There is no word {position}: {allowed}.")
    tokenizer = get_model(experiment.weights)[1]
    after = replace(experiment, text=tokenizer.replace_token(experiment.text, position, word, read))
    other = encode(after).ids
    if len(other) != len(ids):
        raise ValueError(
            f"With “{word}” in its place the text has a different number of tokens, so the outputs cannot be compared."
        )
    if other[:position] + other[position + 1 :] != ids[:position] + ids[position + 1 :]:
        raise ValueError(
            f"With “{word}” in its place its neighbours are split into other tokens, so the outputs cannot be compared."
        )
    return after


def measure_leak(before: Trace[Array], after: Trace[Array]) -> LeakResult:
    """The effect of an edit, from the two traces. Without an unembedding, the final vectors are compared."""
    if not before.logits.size:
        ends = before.final_norm.out, after.final_norm.out  # (T, C)
        return LeakResult(np.abs(ends[1] - ends[0]).max(axis=-1), cosine_distance(*ends))
    return LeakResult(np.abs(after.logits - before.logits).max(axis=-1), kl(before.logits, after.logits))


def similar_word(weights: str, word: str) -> str | None:
    """A known word with a similar spelling: "dogs" gives "dog". None: there is none."""
    near = get_model(weights)[1].closest_words(word, n=4)
    return next((other for other in near if other != word and len(other) > 2 and other[:3] == word[:3]), None)


def suggested_edit(experiment: Experiment) -> tuple[int, str]:
    """The edit that a page opens with: at the position of `default_edit`, or else as near to the middle as possible.

    Raises:
        ValueError: no word of the text can be replaced by a known word, or the text has only special tokens.
    """
    words = encode(experiment).surface
    first, middle = default_edit(experiment.weights, words)[0], len(words) // 2
    places = sorted(
        editable(experiment.weights, words), key=lambda position: (position != first, abs(position - middle), position)
    )
    for position in places[:TRIED_PLACES]:
        if (by := replacement(experiment, position)) is not None:
            return position, by
    raise ValueError(
        "No word of this text can be replaced by a word that this model knows, because the tokenizer would split the "
        "text into other tokens. Write another text."
    )


def replacement(experiment: Experiment, position: int) -> str | None:
    """A known word to put at `position`: a similar one, or the first that changes this token and no other.

    The tokenizer of an external model can split the changed text differently. None: no word that was tried is suitable.
    """
    words, known = encode(experiment).surface, vocabulary_words(experiment.weights)
    near = similar_word(experiment.weights, words[position])
    others = [word for word in known if word not in words][:TRIED]
    tried = ([near] if near in known else []) + others
    return next((by for by in tried if by is not None and _changes_one(experiment, position, by)), None)


def _changes_one(experiment: Experiment, position: int, by: str) -> bool:
    try:
        return encode(replace_word(experiment, position, by)).ids[position] != encode(experiment).ids[position]
    except ValueError:
        return False


def default_edit(weights: str, words: Sequence[str]) -> tuple[int, str]:
    """A position near the middle and a similar word; if no word has a similar one, the middle and any other word.

    words: the T tokens of a text, with the special tokens around it.

    Raises:
        ValueError: the text has only special tokens.
    """
    places, middle = editable(weights, words), len(words) // 2
    if not places:
        raise ValueError("There is no word in this text that could be changed.")
    near = sorted(places, key=lambda position: (abs(position - middle), position))
    for position in near:
        other = similar_word(weights, words[position])
        if other is not None:
            return position, other
    return near[0], other_word(weights, words)


def other_word(weights: str, words: Sequence[str]) -> str:
    """The first known word that is not in `words`; if all are, the first known word.

    Raises:
        ValueError: the vocabulary contains only special tokens.
    """
    known = vocabulary_words(weights)
    if not known:
        raise ValueError("This model knows no word that could replace another one.")
    return next((word for word in known if word not in words), known[0])


@lru_cache(maxsize=8)
def vocabulary_words(weights: str) -> tuple[str, ...]:
    """The known words that can replace a word. In a large vocabulary they are the first MAX_WORDS whole words.

    A large vocabulary without whole words of two letters or more, such as one of bytes, gives its first tokens.
    """
    tokenizer = get_model(weights)[1]
    silent = frozenset(tokenizer.special_ids)
    known = [word for index, word in enumerate(tokenizer.vocabulary) if index not in silent]
    if len(known) > MAX_WORDS:
        known = ([word for word in known if word.isalpha() and len(word) > 1] or known)[:MAX_WORDS]
    return tuple(dict.fromkeys(known))
