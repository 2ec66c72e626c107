"""Writing a whole sentence: at each step several ways to go on, and a rule that says which are followed.

Greedy follows the most likely word; sampling draws one; a beam follows the best few and sees later which was right. The
model is known here only as `say`: log-probabilities of the next word. Everything looked at is kept as a tree.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.compute.progress import steps

Array = NDArray[np.floating]

# (the words so far, what was kept of reading them) → (ln p of every next word (V,), what to keep now)
NextTokenFn = Callable[[tuple[int, ...], Any], tuple[Array, Any]]

MAX_CANDIDATES = 5  # continuations of each hypothesis that are kept in the tree, followed or not


@dataclass(frozen=True)
class Candidate:
    """One way to go on that was looked at."""

    parent: int  # which of the followed candidates of the step before it goes on from; 0 at the first step
    id: int
    logprob: float  # ln p of this word
    total: float  # ln p of all words up to it
    kept: bool
    ended: bool  # the word is the end of the sentence


@dataclass(frozen=True)
class Hypothesis:
    """One sentence that was written to its end, or as far as the limit let it."""

    ids: tuple[int, ...]  # without the end mark
    logprobs: tuple[float, ...]  # ln p of each word; one more where it ended: ln p of the end mark
    score: float  # ln p of all words / length_penalty: what sentences of different lengths are compared by
    ended: bool


@dataclass(frozen=True)
class Beam:
    """The tree of a search, step by step, and what came of it. Greedy and sampling follow one candidate a step."""

    width: int
    steps: tuple[tuple[Candidate, ...], ...]  # every candidate of a step, best first
    hypotheses: tuple[Hypothesis, ...]  # best first

    @property
    def best(self) -> Hypothesis:
        return self.hypotheses[0]


def length_penalty(length: int, alpha: float) -> float:
    """((5 + length) / 6)^alpha. Wu et al. 2016, equation 14. 0: none, and short sentences win; 1: almost a mean."""
    return float(((5 + length) / 6) ** alpha)


@dataclass(frozen=True)
class _Partial:
    ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    kept: Any
    rank: int  # its place among the followed candidates of its step

    @property
    def total(self) -> float:
        return sum(self.logprobs)


def beam_search(next_logprobs: NextTokenFn, end: int, most: int, width: int = 4, alpha: float = 0.0) -> Beam:
    """Follow the `width` best continuations of all hypotheses. One that ends leaves the beam and takes its room along.

    end: id of the end mark; most: words at most; alpha: strength of the length penalty. Sutskever et al. 2014, 3.2.

    Raises:
        ValueError: there is no room for a hypothesis or for a word.
    """

    def choose(odds: Sequence[Array], sums: Array, room: int, length: int) -> list[tuple[int, int]]:
        best = np.argsort(-sums, axis=None, kind="stable")[:room]
        return [(int(flat_index) // sums.shape[1], int(flat_index) % sums.shape[1]) for flat_index in best]

    return _search(next_logprobs, end, most, width, alpha, choose)


def greedy_search(next_logprobs: NextTokenFn, end: int, most: int) -> Beam:
    """The most likely word, each time: a beam of one."""
    return beam_search(next_logprobs, end, most, width=1)


def sample_search(next_logprobs: NextTokenFn, end: int, most: int, draw: Callable[[Array, int], int]) -> Beam:
    """A drawn word, each time. draw: from ln p of every word (V,), and which word it is to be, to the id of one."""
    return _search(next_logprobs, end, most, 1, 0.0, lambda odds, sums, room, length: [(0, draw(odds[0], length))])


def _search(
    next_logprobs: NextTokenFn,
    end: int,
    most: int,
    width: int,
    alpha: float,
    choose: Callable[[Sequence[Array], Array, int, int], list[tuple[int, int]]],
) -> Beam:
    if width < 1 or most < 1:
        raise ValueError(f"a search follows at least 1 sentence for at least 1 word, not {width} for {most}")
    alive = [_Partial((), (), None, 0)]
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
