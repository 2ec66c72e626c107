"""The grammar language's own entropy: how surprising a word is to who knows the generator and all words before it.

No model that reads from left to right can do better on average: its loss is this entropy plus the divergence of its
predictions from the true ones (Shannon 1948; Cover & Thomas 2006, theorem 5.4.3). It is exact for each sentence,
because the words tell every choice that the generator made: −ln p of a sentence is the sum over its choices. Two
things need care. Whom a passage of names never mentions cannot be told from it, and is summed over. And whether a
passage goes on after a full stop is no word, so it does not count.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np

from model.compute.progress import steps
from model.tasks.grammar.task import GENERATORS, LONGEST, SHARES
from model.tasks.grammar.vocabulary import FIRST_NAMES, MEETINGS, SURNAMES
from model.tasks.task import Sentence


class SurprisalRandom(Random):
    """A source of chance that keeps the books: −ln p of everything it decided. It draws what Random(seed) draws."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.nats = 0.0
        self._chance = Random(seed)

    def random(self) -> float:
        return SurprisalFloat(self._chance.random(), self)

    def choice(self, seq: Any) -> Any:
        self.nats += math.log(len(seq))
        return self._chance.choice(seq)

    def randint(self, a: int, b: int) -> int:
        self.nats += math.log(b - a + 1)
        return self._chance.randint(a, b)

    def sample(self, population: Any, k: int, **_: Any) -> Any:
        self.nats += math.log(math.perm(len(population), k))
        return self._chance.sample(population, k)

    def choices(self, population: Any, weights: Any = None, *, k: int = 1, **_: Any) -> Any:
        chosen = self._chance.choices(population, weights, k=k)
        shares = dict(zip(population, weights or [1] * len(population), strict=True))
        self.nats -= sum(math.log(shares[item] / sum(shares.values())) for item in chosen)
        return chosen


class SurprisalFloat(float):
    """A number between 0 and 1 that is charged for when it is compared: each answer narrows where it can lie."""

    def __new__(cls, value: float, ledger: SurprisalRandom) -> "SurprisalFloat":
        return super().__new__(cls, value)

    def __init__(self, value: float, ledger: SurprisalRandom) -> None:
        self._ledger, self._low, self._high = ledger, 0.0, 1.0

    def __lt__(self, level: float) -> bool:
        below = float(self) < level
        if self._low < level < self._high:
            room = self._high - self._low
            self._low, self._high = (self._low, level) if below else (level, self._high)
            self._ledger.nats -= math.log((self._high - self._low) / room)
        return below

    def __ge__(self, level: float) -> bool:
        return not self < level


def name_surprisal(sentence: Sentence, charged: float) -> float:
    """−ln p of a passage of names, where the generator's choices were `charged` for."""
    words = sentence.words
    if words[0] == "first":
        return charged - math.log(2)  # whether there is a second repetition is no word
    rounds = len(words) // 6  # "anna moss met otto ford ."
    met = len({words[6 * r + offset] for r in range(rounds) for offset in (0, 3)})
    seen = sum(math.perm(people, met) / math.perm(people, 2) ** rounds for people in range(3, 7)) / 4
    named = math.perm(len(FIRST_NAMES), met) * math.perm(len(SURNAMES), met)
    return math.log(2) + rounds * math.log(len(MEETINGS)) + math.log(named) - math.log(seen)


def surprisal_samples(n: int, seed: int) -> list[tuple[Sentence, float]]:
    """The first n sentences that `draw(None, Random(seed))` gives, each with its −ln p in nats."""
    ledger = SurprisalRandom(seed)
    drawn: list[tuple[Sentence, float]] = []
    tried: Counter[str] = Counter()
    for _ in steps(range(n)):
        ledger.nats = 0.0
        kind = ledger.choices(list(SHARES), weights=list(SHARES.values()))[0]
        kind_nats = ledger.nats
        while True:
            ledger.nats = 0.0
            sentence = GENERATORS[kind](ledger)
            tried[kind] += 1
            if len(sentence.words) <= LONGEST:
                break
        nats = name_surprisal(sentence, ledger.nats) if kind == "names" else ledger.nats
        drawn.append((sentence, kind_nats + nats))
    kept = Counter(sentence.kind for sentence, _ in drawn)
    # A sentence that is too long is drawn again: the others are that much likelier.
    return [(sentence, nats + math.log(kept[sentence.kind] / tried[sentence.kind])) for sentence, nats in drawn]


@dataclass(frozen=True)
class Entropy:
    """Nats a word, and how far chance in the sentences drawn may have moved it (one standard error)."""

    nats: float
    error: float
    sentences: int


def entropy(drawn: Sequence[tuple[Sentence, float]]) -> Entropy:
    """Of the language, over these sentences and their −ln p: the surprise of all words by their number."""
    nats, words = (np.array(side, float) for side in zip(*((nats, len(s.words)) for s, nats in drawn), strict=True))
    mean = nats.sum() / words.sum()
    error = (nats - mean * words).std() / words.mean() / math.sqrt(len(drawn))
    return Entropy(float(mean), float(error), len(drawn))
