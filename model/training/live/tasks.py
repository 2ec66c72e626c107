"""Tasks that a Transformer of a few thousand weights learns in seconds. Each has a known chance level.

reverse       a b c d      →  d c b a          every symbol is needed at another position
copy          a b c | a b  →  b c | a b c      a decoder finds the symbol that followed last time
sort          d a c b      →  a b c d          a symbol's place depends on all the others
first-digit   a 7 f 2 c ?  →  7                only the order of the digits decides
markov        each word has three successors   no model that reads from left to right can be sure
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from random import Random

import torch
from torch import Tensor

from model.evaluation.first_digit import to_ids
from model.tasks import first_digit
from model.tokenizer import START, WordTokenizer

IGNORED = -100  # the target of a position that does not count, as `torch.nn.functional.cross_entropy` has it
HELD_OUT = 128  # sequences
HELD_OUT_SEED = -1  # no batch of a training has it
SYMBOLS = tuple("abcdefghijklmnop")
LENGTH = 8  # symbols of a sequence
SEPARATOR = "|"
ANIMALS = ("ant", "bee", "cat", "dog", "eel", "fox", "gnu", "hen", "ibis", "jay", "koi", "lynx")
SUCCESSORS = (1, 4, 9)  # of word i: the words i + 1, i + 4 and i + 9, in a circle, equally likely
MARKOV_LENGTH = 16

Draw = Callable[[WordTokenizer, int, torch.Generator], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class LiveTask:
    """One task. `draw` returns ids (B, T) and targets (B, T), IGNORED at positions without a target."""

    name: str
    title: str
    purpose: str  # one sentence: what the task is good for
    words: tuple[str, ...]
    tokens: int  # T, with the start token
    causal: bool  # whether the model is a decoder
    draw: Draw = field(repr=False)
    guess_accuracy: float  # of the best answer that does not depend on the input
    guess_loss: float  # nats: the entropy of the targets, position by position
    least_loss: float = 0.0  # nats: the entropy of a target given everything before it
    best_accuracy: float = 1.0  # of a model that does not see its targets

    @cached_property
    def tokenizer(self) -> WordTokenizer:
        """The tokenizer of the words of this task."""
        return WordTokenizer(self.words)

    def batch(self, size: int, seed: int) -> tuple[Tensor, Tensor]:
        """A batch: the ids (B, T) and the targets (B, T). It is the same for the same seed."""
        return self.draw(self.tokenizer, size, torch.Generator().manual_seed(seed))

    def held_out(self) -> tuple[Tensor, Tensor]:
        """HELD_OUT sequences with a seed that no batch of a training has. The first is the example that is shown."""
        return self.batch(HELD_OUT, HELD_OUT_SEED)


def _symbols(tokenizer: WordTokenizer, size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """The start token (B, 1), and random symbols (B, LENGTH)."""
    first = tokenizer.vocabulary.index(SYMBOLS[0])
    drawn = first + torch.randint(len(SYMBOLS), (size, LENGTH), generator=generator)
    return torch.full((size, 1), tokenizer.vocabulary.index(START)), drawn


def _in_place(answer: Callable[[Tensor], Tensor]) -> Draw:
    """A task of an encoder: the answer (B, LENGTH) stands at the positions of the symbols."""

    def draw(tokenizer: WordTokenizer, size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        start, symbols = _symbols(tokenizer, size, generator)
        return torch.cat((start, symbols), 1), torch.cat((torch.full_like(start, IGNORED), answer(symbols)), 1)

    return draw


def _draw_copy(tokenizer: WordTokenizer, size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    start, symbols = _symbols(tokenizer, size, generator)
    separator = torch.full_like(start, tokenizer.vocabulary.index(SEPARATOR))
    ids = torch.cat((start, symbols, separator, symbols), 1)
    targets = torch.cat((ids[:, 1:], torch.full_like(start, IGNORED)), 1)  # the next token
    targets[:, : LENGTH + 1] = IGNORED  # the symbols themselves are random
    return ids, targets


def _draw_first_digit(tokenizer: WordTokenizer, size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    rng = Random(int(torch.randint(2**31, (1,), generator=generator)))
    ids, answers = to_ids([first_digit.make_question(LENGTH, rng) for _ in range(size)], tokenizer)
    targets = torch.full_like(ids, IGNORED)
    targets[:, -1] = answers[:, 0]
    return ids, targets


def _draw_markov(tokenizer: WordTokenizer, size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    first = tokenizer.vocabulary.index(ANIMALS[0])
    words = torch.randint(len(ANIMALS), (size, 1), generator=generator)
    choices = torch.tensor(SUCCESSORS)[torch.randint(len(SUCCESSORS), (size, MARKOV_LENGTH - 1), generator=generator)]
    words = first + torch.cat((words, choices), 1).cumsum(1) % len(ANIMALS)
    start = torch.full_like(words[:, :1], tokenizer.vocabulary.index(START))
    ids = torch.cat((start, words), 1)
    targets = torch.cat((ids[:, 1:], torch.full_like(start, IGNORED)), 1)
    targets[:, 0] = IGNORED  # any word can be the first
    return ids, targets


def is_successor(tokenizer: WordTokenizer, ids: Tensor) -> Tensor:
    """ids (B, N) of words of the Markov language. Returns (B, N − 1): whether each word may follow the one before."""
    first = tokenizer.vocabulary.index(ANIMALS[0])
    known = (ids >= first) & (ids < first + len(ANIMALS))
    step = (ids[:, 1:] - ids[:, :-1]) % len(ANIMALS)
    return torch.isin(step, torch.tensor(SUCCESSORS)) & known[:, 1:] & known[:, :-1]


def _sorted_guess() -> tuple[float, float]:
    """Chance on the task sort: the mean over the places of the largest probability, and of the entropy in nats.

    The k-th smallest of n symbols is at most v if at least k of them are: a binomial sum.
    """
    kinds = len(SYMBOLS)

    def at_most(place: int, value: int) -> float:
        share = value / kinds
        return sum(math.comb(LENGTH, j) * share**j * (1 - share) ** (LENGTH - j) for j in range(place, LENGTH + 1))

    largest, entropy = [], []
    for place in range(1, LENGTH + 1):
        odds = [at_most(place, value) - at_most(place, value - 1) for value in range(1, kinds + 1)]
        largest.append(max(odds))
        entropy.append(-sum(p * math.log(p) for p in odds if p > 0))
    return sum(largest) / LENGTH, sum(entropy) / LENGTH


_ONE_OF_ALL = (1 / len(SYMBOLS), math.log(len(SYMBOLS)))

LIVE_TASKS = {
    task.name: task
    for task in (
        LiveTask(
            "reverse",
            "Reverse",
            "Every symbol is needed at another position, so the model must use positions.",
            SYMBOLS,
            LENGTH + 1,
            False,
            _in_place(lambda symbols: symbols.flip(1)),
            *_ONE_OF_ALL,
        ),
        LiveTask(
            "copy",
            "Copy",
            "A decoder must find the same place in the first half of its text.",
            (*SYMBOLS, SEPARATOR),
            2 * LENGTH + 2,
            True,
            _draw_copy,
            *_ONE_OF_ALL,
        ),
        LiveTask(
            "sort",
            "Sort",
            "The place of a symbol depends on all the others, so a single look is not enough.",
            SYMBOLS,
            LENGTH + 1,
            False,
            _in_place(lambda symbols: symbols.sort(dim=1).values),
            *_sorted_guess(),
        ),
        LiveTask(
            "first-digit",
            "First digit",
            "The same symbols in another order have another answer, so only the order decides.",
            first_digit.WORDS,
            LENGTH + 2,
            False,
            _draw_first_digit,
            1 / 2,
            math.log(2),
        ),
        LiveTask(
            "markov",
            "Markov language",
            "Each word has three equally likely successors, so a loss below ln 3 proves that a model has seen them.",
            ANIMALS,
            MARKOV_LENGTH + 1,
            True,
            _draw_markov,
            1 / len(ANIMALS),
            math.log(len(ANIMALS)),
            math.log(len(SUCCESSORS)),
            1 / len(SUCCESSORS),
        ),
    )
}
