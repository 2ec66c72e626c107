"""Exact match on newly generated pairs, by length, and without a part of the model."""

from collections.abc import Iterator
from functools import lru_cache
from random import Random

from model.compute.progress import steps
from model.evaluation.seq2seq import accuracy_at_length, exact_match
from model.run import get_seq2seq
from model.switches import Switches
from model.tasks import Pair
from model.tasks.pair_sampling import draw_pairs

SEED = 20  # not a seed of training or of cards
COPIES = 100  # of each length
SENTENCES = 60  # of each class of lengths
FRESH = 100  # for all lengths together
CLASSES = (
    (3, 8),
    (9, 12),
    (13, 16),
    (17, 20),
    (21, 24),
)  # numbers of source words, from … to; longer sentences are rare


def copy_accuracy(weights: str, length: int) -> float:
    """Exact match on new copies of `length` symbols."""
    return accuracy_at_length(*get_seq2seq(weights), length, COPIES, SEED)


def translation_accuracy(weights: str, words: tuple[int, int]) -> float:
    """Exact match on new sentences whose source has from words[0] to words[1] words."""
    return exact_match(*get_seq2seq(weights), pairs_of_length(words))


@lru_cache(maxsize=len(CLASSES))
def pairs_of_length(words: tuple[int, int]) -> tuple[Pair, ...]:
    """SENTENCES new pairs whose source has from words[0] to words[1] words, the same for every network."""
    fitting = (pair for pair in _fresh(Random(SEED)) if words[0] <= len(pair.source) <= words[1])
    return tuple(next(fitting) for _ in steps(range(SENTENCES)))


def _fresh(rng: Random) -> Iterator[Pair]:
    while True:
        yield from draw_pairs("translation", 50, rng, fresh=True)


def fresh_accuracy(weights: str, task: str, switches: Switches = Switches()) -> float:
    """Exact match on FRESH new pairs of the task, with these parts of the model."""
    return exact_match(*get_seq2seq(weights), draw_pairs(task, FRESH, Random(SEED), fresh=True), switches)
