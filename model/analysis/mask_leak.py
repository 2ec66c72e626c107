"""Edit one word and see which outputs change: what a mask forbids must stay as it was, to the last bit."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from model.probability import kl, turned
from model.run import Array, Experiment, encode, model
from model.tokenizer import UNKNOWN
from model.transformer import Trace

MOST_WORDS = 1000  # in a list to choose from
TRIED, TRIED_PLACES = 24, 4  # words, and places in the text, that are tried for the edit to begin with


@dataclass(frozen=True)
class Leak:
    """How far the output at each position moved."""

    logits: Array  # (T,)  the largest change of any logit; exactly 0 where nothing reached
    kl: Array  # (T,)  KL(before ‖ after) of the next-word distributions, in nats


def editable(weights: str, words: Sequence[str]) -> range:
    """Positions of the tokens that a person wrote: all but the marks that the tokenizer puts around a text.

    words: the T tokens of a text. GPT-2 puts no mark: its first word can be edited like any other.
    """
    tokenizer = model(weights)[1]
    marks = {tokenizer.vocabulary[index] for index in tokenizer.silent} - {UNKNOWN}
    first = int(bool(words) and words[0] in marks)
    return range(first, len(words) - int(len(words) > first and words[-1] in marks))


def edited(experiment: Experiment, at: int, word: str) -> Experiment:
    """The same experiment with another word at position `at`; the marks around the text stay.

    Raises:
        ValueError: there is no such position, or with that word the text falls into another number of tokens.
    """
    read = encode(experiment)
    ids, places = read.ids, editable(experiment.weights, read.typed)
    if at not in places:
        there = f"the text has words {places.start} to {places.stop - 1}" if places else "the text has none"
        raise ValueError(f"There is no word {at}: {there}.")
    after = replace(experiment, text=model(experiment.weights)[1].put(experiment.text, at, word))
    other = encode(after).ids
    if len(other) != len(ids):
        raise ValueError(
            f"With “{word}” in its place the text has a different number of tokens, so the outputs cannot be compared."
        )
    if other[:at] + other[at + 1 :] != ids[:at] + ids[at + 1 :]:
        raise ValueError(
            f"With “{word}” in its place its neighbours are split into other tokens, so the outputs cannot be compared."
        )
    return after


def leak(before: Trace[Array], after: Trace[Array]) -> Leak:
    """What an edit moved, from the two runs. Where nothing reads words out: the last vectors, and how far they turn."""
    if not before.logits.size:
        ends = before.final_norm.out, after.final_norm.out  # (T, C)
        return Leak(np.abs(ends[1] - ends[0]).max(axis=-1), turned(*ends))
    return Leak(np.abs(after.logits - before.logits).max(axis=-1), kl(before.logits, after.logits))


def neighbour(weights: str, word: str) -> str | None:
    """A word that the model knows and that is spelt almost like this one: "dogs" gives "dog". None: there is none."""
    near = model(weights)[1].nearest(word, n=4)
    return next((other for other in near if other != word and len(other) > 2 and other[:3] == word[:3]), None)


def suggested(experiment: Experiment) -> tuple[int, str]:
    """An edit to begin with: at the place that `substitute` names, or at the nearest to the middle that can be edited.

    Raises:
        ValueError: no known word can take the place of any, or there is nothing but marks in the text.
    """
    words = encode(experiment).typed
    first, middle = substitute(experiment.weights, words)[0], len(words) // 2
    places = sorted(editable(experiment.weights, words), key=lambda at: (at != first, abs(at - middle), at))
    for at in places[:TRIED_PLACES]:
        if (by := replacement(experiment, at)) is not None:
            return at, by
    raise ValueError(
        "No word that this model knows can take the place of one in this text: its tokenizer would split the text into "
        "other tokens. Write another text."
    )


def replacement(experiment: Experiment, at: int) -> str | None:
    """A known word for the place of another one: its neighbour, or the first that changes this token and no other.

    A tokenizer that somebody brought may read the changed text as other pieces. None: no word that was tried will do.
    """
    words, known = encode(experiment).typed, known_words(experiment.weights)
    near = neighbour(experiment.weights, words[at])
    others = [word for word in known if word not in words][:TRIED]
    tried = ([near] if near in known else []) + others
    return next((by for by in tried if by is not None and _changes_one(experiment, at, by)), None)


def _changes_one(experiment: Experiment, at: int, by: str) -> bool:
    try:
        return encode(edited(experiment, at, by)).ids[at] != encode(experiment).ids[at]
    except ValueError:
        return False


def substitute(weights: str, words: Sequence[str]) -> tuple[int, str]:
    """A word near the middle and its neighbour; where no word has one, the word in the middle and any other.

    words: the T tokens of a text, with the marks that the tokenizer puts around it.

    Raises:
        ValueError: there is nothing but such marks.
    """
    places, middle = editable(weights, words), len(words) // 2
    if not places:
        raise ValueError("There is no word in this text that could be changed.")
    near = sorted(places, key=lambda at: (abs(at - middle), at))
    for at in near:
        other = neighbour(weights, words[at])
        if other is not None:
            return at, other
    return near[0], any_other(weights, words)


def any_other(weights: str, words: Sequence[str]) -> str:
    """The first known word that is none of these; where there is none, the first.

    Raises:
        ValueError: the vocabulary holds nothing but marks.
    """
    known = known_words(weights)
    if not known:
        raise ValueError("This model knows no word that could take the place of another.")
    return next((word for word in known if word not in words), known[0])


@lru_cache(maxsize=8)
def known_words(weights: str) -> tuple[str, ...]:
    """The words that can take another's place; of a vocabulary of pieces, the first that are whole words.

    Of a large vocabulary without whole words of two letters or more, such as one of bytes: the first pieces.
    """
    tokenizer = model(weights)[1]
    silent = frozenset(tokenizer.silent)
    known = [word for index, word in enumerate(tokenizer.vocabulary) if index not in silent]
    if len(known) > MOST_WORDS:
        known = ([word for word in known if word.isalpha() and len(word) > 1] or known)[:MOST_WORDS]
    return tuple(dict.fromkeys(known))
