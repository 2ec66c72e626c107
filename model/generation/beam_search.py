"""Search for a sentence: each step has several continuations, and a rule chooses which of them are kept.

Greedy search keeps the most likely token, sampling draws one, and beam search keeps several. The model is given as
a function from tokens to the log-probabilities of the next token. The candidates of all steps are recorded as a tree.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from model.compute.progress import steps

Array = NDArray[np.floating]

Cache = TypeVar("Cache")  # what a model keeps of the tokens so far

# (the tokens so far, the cache for them) → (ln p of every next token (V,), the new cache); None: there is no cache
NextTokenFn = Callable[[tuple[int, ...], Cache | None], tuple[Array, Cache | None]]

MAX_CANDIDATES = 5  # recorded continuations of each hypothesis, kept or not


@dataclass(frozen=True)
class Candidate:
    """One continuation of a hypothesis that was scored."""

    parent: int  # index of the continued hypothesis among the kept candidates of the step before; 0 at the first step
    id: int
    logprob: float  # ln p of this token
    total: float  # ln p of all tokens up to it
    kept: bool
    ended: bool  # the token is the end mark


@dataclass(frozen=True)
class Hypothesis:
    """One sentence, complete or cut off at the limit."""

    ids: tuple[int, ...]  # without the end mark
    logprobs: tuple[float, ...]  # ln p of each token, and of the end mark if the sentence ended
    score: float  # ln p of all tokens / length_penalty, which compares sentences of different lengths
    ended: bool


@dataclass(frozen=True)
class Beam:
    """The tree of a search, step by step, and its hypotheses. Greedy search and sampling keep one candidate a step."""

    width: int
    steps: tuple[tuple[Candidate, ...], ...]  # every candidate of a step, best first
    hypotheses: tuple[Hypothesis, ...]  # best first

    @property
    def best(self) -> Hypothesis:
        return self.hypotheses[0]


def length_penalty(length: int, alpha: float) -> float:
    """((5 + length) / 6)^alpha. Wu et al. 2016, equation 14. 0: no penalty; 1: nearly a mean."""
    return float(((5 + length) / 6) ** alpha)


@dataclass(frozen=True)
class _Partial(Generic[Cache]):
    ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    kept: Cache | None
    rank: int  # its index among the kept candidates of its step

    @property
    def total(self) -> float:
        return sum(self.logprobs)


def beam_search(next_logprobs: NextTokenFn[Cache], end: int, most: int, width: int = 4, alpha: float = 0.0) -> Beam:
    """Beam search: keep the `width` best continuations of all hypotheses, one fewer for each ended sentence.

    end: id of the end mark; most: maximum number of tokens; alpha: of the length penalty. Sutskever et al. 2014, 3.2.

    Raises:
        ValueError: `width` or `most` is less than 1.
    """

    def choose(odds: Sequence[Array], sums: Array, room: int, length: int) -> list[tuple[int, int]]:
        best = np.argsort(-sums, axis=None, kind="stable")[:room]
        return [(int(flat_index) // sums.shape[1], int(flat_index) % sums.shape[1]) for flat_index in best]

    return _search(next_logprobs, end, most, width, alpha, choose)


def greedy_search(next_logprobs: NextTokenFn[Cache], end: int, most: int) -> Beam:
    """Greedy search: the most likely token at each step, which is beam search of width 1."""
    return beam_search(next_logprobs, end, most, width=1)


def sample_search(next_logprobs: NextTokenFn[Cache], end: int, most: int, draw: Callable[[Array, int], int]) -> Beam:
    """Sampling: a random token at each step. draw: a function of ln p (V,) and the number of the token, to its id."""
    return _search(next_logprobs, end, most, 1, 0.0, lambda odds, sums, room, length: [(0, draw(odds[0], length))])


def _search(
    next_logprobs: NextTokenFn[Cache],
    end: int,
    most: int,
    width: int,
    alpha: float,
    choose: Callable[[Sequence[Array], Array, int, int], list[tuple[int, int]]],
) -> Beam:
    if width < 1 or most < 1:
        raise ValueError(f"a search needs at least 1 hypothesis and at least 1 token, not {width} and {most}")
    alive: list[_Partial[Cache]] = [_Partial((), (), None, 0)]
    written: list[Hypothesis] = []
    tree: list[tuple[Candidate, ...]] = []
    for length in steps(range(1, most + 1)):
        outputs = [next_logprobs(hypothesis.ids, hypothesis.kept) for hypothesis in alive]
        odds = [row_logprobs for row_logprobs, _ in outputs]
        sums = np.stack(
            [hypothesis.total + row_logprobs for hypothesis, row_logprobs in zip(alive, odds, strict=True)]
        )  # (alive, V)
        followed = choose(odds, sums, width - len(written), length)
        followed = [(row, word) for row, word in followed if np.isfinite(sums[row, word])]
        shown = {
            (row, int(word))
            for row, row_logprobs in enumerate(odds)
            for word in np.argsort(-row_logprobs)[:MAX_CANDIDATES]
        }
        ranked = sorted(shown | set(followed), key=lambda pair: (-sums[pair], pair))
        ranked = [pair for pair in ranked if np.isfinite(sums[pair])]
        penalty = length_penalty(length, alpha)
        tree.append(
            tuple(
                Candidate(
                    parent=alive[row].rank,
                    id=word,
                    logprob=float(odds[row][word]),
                    total=float(sums[row, word]),
                    kept=(row, word) in followed,
                    ended=word == end,
                )
                for row, word in ranked
            )
        )
        order = [pair for pair in ranked if pair in followed]
        grown = [
            _Partial((*alive[row].ids, word), (*alive[row].logprobs, float(odds[row][word])), outputs[row][1], rank)
            for rank, (row, word) in enumerate(order)
        ]
        alive = [hypothesis for hypothesis in grown if hypothesis.ids[-1] != end]
        for hypothesis in grown:
            ended = hypothesis.ids[-1] == end
            if ended or length == most:
                ids = hypothesis.ids[:-1] if ended else hypothesis.ids
                written.append(Hypothesis(ids, hypothesis.logprobs, hypothesis.total / penalty, ended))
        if not alive:
            break
    return Beam(
        width, tuple(tree), tuple(sorted(written, key=lambda hypothesis: (not hypothesis.ended, -hypothesis.score)))
    )
