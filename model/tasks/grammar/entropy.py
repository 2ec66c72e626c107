"""The entropy of the grammar language: the mean −ln p of a word, given the generator and all words before it.

No causal model has a lower expected loss: its loss is this entropy plus the divergence of its predictions from the true
ones (Shannon 1948; Cover & Thomas 2006, theorem 5.4.3). The value is exact for each sentence, because the words
determine every choice of the generator, and −ln p of a sentence is the sum over its choices. There are two exceptions.
The people whom a passage of names does not mention are summed over. Whether a passage continues after a full stop is
not a word, so it is not counted.
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
    """A random number generator that sums −ln p of its decisions. Its draws are those of Random(seed)."""

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
    """A number between 0 and 1 whose comparisons are decisions: each result narrows the interval that contains it."""

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
    """−ln p of a passage of names. charged: the sum of −ln p of the choices of the generator."""
    words = sentence.words
    if words[0] == "first":
        return charged - math.log(2)  # whether there is a second repetition is not a word
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
    # A sentence that is too long is drawn again, which makes the others more likely.
    return [(sentence, nats + math.log(kept[sentence.kind] / tried[sentence.kind])) for sentence, nats in drawn]


@dataclass(frozen=True)
class Entropy:
    """An entropy in nats per word, and its standard error from the random choice of sentences."""

    nats: float
    error: float
    sentences: int


def entropy(drawn: Sequence[tuple[Sentence, float]]) -> Entropy:
    """The entropy of the language, from sentences and their −ln p: the sum of −ln p over the number of words."""
    nats, words = (np.array(side, float) for side in zip(*((nats, len(s.words)) for s, nats in drawn), strict=True))
    mean = nats.sum() / words.sum()
    error = (nats - mean * words).std() / words.mean() / math.sqrt(len(drawn))
    return Entropy(float(mean), float(error), len(drawn))
