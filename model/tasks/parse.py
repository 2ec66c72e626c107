"""Parsing: find the choices of the generator that give a sentence, and so its gold annotations.

The generator runs with a source of random numbers that tries every choice in turn. A run stops at the first word that
differs from the sentence. So the grammar is written only once, in the generator.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from datetime import date
from random import Random
from typing import Any

from model.tasks.copying import SIGNS
from model.tasks.coreference import ADJECTIVE as TELLS
from model.tasks.coreference import ADJECTIVES, NOUNS, OTHERS, REFERENT, CoreferenceQuestion
from model.tasks.dates import FIRST, LAST, MONTHS, WAYS, write_date
from model.tasks.pair import Pair, PairBuilder
from model.tasks.task import Relation
from model.tasks.translation.task import CLAUSES, LONGEST, OTHER
from model.tasks.translation.vocabulary import JOINING
from model.tokenizer import BLANK


class ParseMismatch(Exception):
    """The generator added a word that the sentence does not have at that position."""


class ForcedBuilder(PairBuilder):
    """A draft that must become the given sentence."""

    def __init__(self, words: Sequence[str]) -> None:
        super().__init__()
        self.words = tuple(words)

    def read(self, *words: str) -> int:
        """Append source words; raises Differs if the sentence has other words there."""
        position = len(self.source)
        if self.words[position : position + len(words)] != words:
            raise ParseMismatch
        return super().read(*words)

    @property
    def rest(self) -> tuple[str, ...]:
        """The words of the sentence that have not been read yet."""
        return self.words[len(self.source) :]


class ExhaustiveRandom(Random):
    """A replacement for Random that tries every outcome of every choice, run after run, the first outcome first."""

    def __init__(self) -> None:
        super().__init__(0)
        self.throws: list[list[int]] = []  # side, sides
        self.index = 0

    def _throw(self, sides: int) -> int:
        if self.index == len(self.throws):
            self.throws.append([0, sides])
        self.index += 1
        return self.throws[self.index - 1][0]

    def choice(self, seq: Any) -> Any:
        """One of the items, the next one that has not been tried."""
        return seq[self._throw(len(seq))]

    def random(self) -> float:
        """0 or 1: below every threshold, or above."""
        return float(self._throw(2))

    def again(self) -> bool:
        """Begin the next run; False if all runs have been made."""
        del self.throws[self.index :]  # choices that this run did not make
        while self.throws and self.throws[-1][0] + 1 == self.throws[-1][1]:
            self.throws.pop()
        if self.throws:
            self.throws[-1][0] += 1
        self.index = 0
        return bool(self.throws)


def parse_translation(words: Sequence[str]) -> Pair | None:
    """The English sentence with its French translation; None if it is not in the grammar."""
    if len(words) > LONGEST:
        return None
    return next(_sentences(ForcedBuilder(words), ""), None)


def _sentences(draft: ForcedBuilder, kind: str) -> Iterator[Pair]:
    """All parses of the rest: a clause, and then the end, or a conjunction and another clause."""
    for name, clause in CLAUSES.items():
        for attempt in _clauses(draft, clause):
            first = kind or name
            if attempt.rest == (".",):
                attempt.write(".", OTHER, attempt.read("."))
                yield attempt.finish(first)
            for english, french in JOINING:
                if attempt.rest[:1] == (english,):
                    joined = deepcopy(attempt)
                    joined.write(french, OTHER, joined.read(english))
                    yield from _sentences(joined, first)


def _clauses(draft: ForcedBuilder, clause: Callable[[PairBuilder, Random], None]) -> Iterator[ForcedBuilder]:
    die = ExhaustiveRandom()
    going = True
    while going:
        attempt = ForcedBuilder(draft.words)
        attempt.source, attempt.target, attempt.links = [*draft.source], [*draft.target], [*draft.links]
        try:
            clause(attempt, die)
            yield attempt
        except ParseMismatch:
            pass
        going = die.again()


def parse_copy(words: Sequence[str]) -> Pair | None:
    """The symbols with their copy; None if they are not of the copy task."""
    if not words or not set(words) <= set(SIGNS):
        return None
    draft = PairBuilder()
    for word in words:
        draft.write(word, "sign", draft.read(word))
    return draft.finish("trained")


def parse_date(letters: Sequence[str]) -> Pair | None:
    """A date in one of WAYS, or None. Every date that fits its numbers is written in every format and compared."""
    text = "".join(letters).replace(BLANK, " ")
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    named = [month_number for month_number, month in enumerate(MONTHS, 1) if month in text]
    for year in numbers[-1:]:
        for month in named or numbers[:-1]:
            for day in numbers[:-1]:
                for way in WAYS:
                    try:
                        pair = write_date(date(year, month, day), way)
                    except ValueError:  # there is no such date
                        continue
                    if pair.source_text == text and FIRST <= date(year, month, day) <= LAST:
                        return pair
    return None


def parse_coreference(words: Sequence[str]) -> CoreferenceQuestion | None:
    """A sentence with "it" and its noun; None if the adjective fits no noun of the sentence, or more than one."""
    it = [position for position, word in enumerate(words, 1) if word == "it"]
    adjectives = [
        (position, group) for position, word in enumerate(words, 1) for group in ADJECTIVES if word in ADJECTIVES[group]
    ]
    nouns = [
        (position, word, group) for position, word in enumerate(words, 1) for group in NOUNS if word in NOUNS[group]
    ]
    if len(it) != 1 or len(adjectives) != 1:
        return None
    (adjective, meant), others = (
        adjectives[0],
        tuple(position for position, _, group in nouns if group != adjectives[0][1]),
    )
    right = [(position, word) for position, word, group in nouns if group == meant]
    if len(right) != 1:
        return None
    ((referent, answer),) = right
    relations = (
        Relation(TELLS, it[0], (adjective,)),
        Relation(REFERENT, it[0], (referent,)),
        Relation(OTHERS, it[0], others),
    )
    return CoreferenceQuestion(tuple(words), it[0], answer, relations)


PARSERS: dict[str, Callable[[Sequence[str]], Pair | None]] = {
    "translation": parse_translation,
    "copy": parse_copy,
    "dates": parse_date,
}
