"""Edit one word and see which outputs change: what a mask forbids must stay as it was, to the last bit."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from model.probability import cosine_distance, kl
from model.run import Array, Experiment, encode, get_model
from model.tokenizer import UNKNOWN
from model.transformer import Trace

MAX_WORDS = 1000  # in a list to choose from
TRIED, TRIED_PLACES = 24, 4  # words, and places in the text, that are tried for the edit to begin with


@dataclass(frozen=True)
class LeakResult:
    """How far the output at each position moved."""

    logits: Array  # (T,)  the largest change of any logit; exactly 0 where nothing reached
    kl: Array  # (T,)  KL(before ‖ after) of the next-word distributions, in nats


def editable(weights: str, words: Sequence[str]) -> range:
    """Positions of the tokens that a person wrote: all but the marks that the tokenizer puts around a text.

    words: the T tokens of a text. GPT-2 puts no mark: its first word can be edited like any other.
    """
    tokenizer = get_model(weights)[1]
    marks = {tokenizer.vocabulary[index] for index in tokenizer.special_ids} - {UNKNOWN}
    first = int(bool(words) and words[0] in marks)
    return range(first, len(words) - int(len(words) > first and words[-1] in marks))


def replace_word(experiment: Experiment, position: int, word: str) -> Experiment:
    """The same experiment with another word at position `at`; the marks around the text stay.

    Raises:
        ValueError: there is no such position, or with that word the text falls into another number of tokens.
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
    """What an edit moved, from the two runs. Where nothing reads words out: the last vectors, and how far they turn."""
    if not before.logits.size:
        ends = before.final_norm.out, after.final_norm.out  # (T, C)
        return LeakResult(np.abs(ends[1] - ends[0]).max(axis=-1), cosine_distance(*ends))
    return LeakResult(np.abs(after.logits - before.logits).max(axis=-1), kl(before.logits, after.logits))


def similar_word(weights: str, word: str) -> str | None:
    """A word that the model knows and that is spelt almost like this one: "dogs" gives "dog". None: there is none."""
    near = get_model(weights)[1].closest_words(word, n=4)
    return next((other for other in near if other != word and len(other) > 2 and other[:3] == word[:3]), None)


def suggested_edit(experiment: Experiment) -> tuple[int, str]:
    """An edit to begin with: at the position that `default_edit` names, else at the nearest to the middle that can be
    edited.

    Raises:
        ValueError: no known word can take the place of any, or there is nothing but marks in the text.
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
        "No word that this model knows can take the place of one in this text: its tokenizer would split the text into "
        "other tokens. Write another text."
    )


def replacement(experiment: Experiment, position: int) -> str | None:
    """A known word for the place of another one: its neighbour, or the first that changes this token and no other.

    A tokenizer that somebody brought may read the changed text as other pieces. None: no word that was tried will do.
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
    """A word near the middle and its neighbour; where no word has one, the word in the middle and any other.

    words: the T tokens of a text, with the marks that the tokenizer puts around it.

    Raises:
        ValueError: there is nothing but such marks.
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
    """The first known word that is none of these; where there is none, the first.

    Raises:
        ValueError: the vocabulary holds nothing but marks.
    """
    known = vocabulary_words(weights)
    if not known:
        raise ValueError("This model knows no word that could take the place of another.")
    return next((word for word in known if word not in words), known[0])


@lru_cache(maxsize=8)
def vocabulary_words(weights: str) -> tuple[str, ...]:
    """The words that can take another's place; of a vocabulary of pieces, the first that are whole words.

    Of a large vocabulary without whole words of two letters or more, such as one of bytes: the first pieces.
    """
    tokenizer = get_model(weights)[1]
    silent = frozenset(tokenizer.special_ids)
    known = [word for index, word in enumerate(tokenizer.vocabulary) if index not in silent]
    if len(known) > MAX_WORDS:
        known = ([word for word in known if word.isalpha() and len(word) > 1] or known)[:MAX_WORDS]
    return tuple(dict.fromkeys(known))
