"""The tree of a beam search: the branches that each step kept, and the best of those that it dropped."""

from collections.abc import Sequence
from dataclasses import dataclass

from model.generation.beam_search import Beam, Candidate


@dataclass(frozen=True)
class BeamTree:
    """N branches in the order of their steps, the most likely first within a step. Each field has N entries."""

    step: tuple[int, ...]  # counted from 1
    id: tuple[int, ...]  # of the token
    number: tuple[int | None, ...]  # of the branch among those that its step kept; None: the branch was dropped
    parent: tuple[int | None, ...]  # number of the branch of the step before that it continues; None at step 1
    total: tuple[float, ...]  # ln p of all tokens up to this one
    kept: tuple[bool, ...]
    ended: tuple[bool, ...]  # the token is the end of the sentence
    best: tuple[bool, ...]  # the branch leads to the sentence that was chosen


def beam_tree(beam: Beam, dropped: int = 3) -> BeamTree:
    """All branches that a search kept, and the `dropped` most likely of those that each step did not keep."""
    path = best_path(beam)
    branches: list[tuple[int, Candidate, int | None, bool]] = []
    for step, candidates in enumerate(beam.steps):
        n_kept = n_dropped = 0
        for candidate in candidates:
            if candidate.kept:
                number, n_kept = n_kept, n_kept + 1
                branches.append((step, candidate, number, step < len(path) and number == path[step]))
            elif n_dropped < dropped:
                n_dropped += 1
                branches.append((step, candidate, None, False))
    return BeamTree(
        step=tuple(step + 1 for step, *_ in branches),
        id=tuple(candidate.id for _, candidate, *_ in branches),
        number=tuple(number for _, _, number, _ in branches),
        parent=tuple(candidate.parent if step else None for step, candidate, *_ in branches),
        total=tuple(candidate.total for _, candidate, *_ in branches),
        kept=tuple(candidate.kept for _, candidate, *_ in branches),
        ended=tuple(candidate.ended for _, candidate, *_ in branches),
        best=tuple(is_best for *_, is_best in branches),
    )


def best_path(beam: Beam) -> tuple[int, ...]:
    """For each step, the number of the kept candidate that leads to the chosen sentence."""
    ids, parent, path = beam.best.ids, 0, []
    for step, candidates in enumerate(beam.steps[: len(beam.best.logprobs)]):
        kept = [candidate for candidate in candidates if candidate.kept]
        parent = next(
            number
            for number, candidate in enumerate(kept)
            if candidate.parent == parent and _continues(candidate, ids, step)
        )
        path.append(parent)
    return tuple(path)


def _continues(candidate: Candidate, ids: Sequence[int], step: int) -> bool:
    return candidate.ended if step == len(ids) else candidate.id == ids[step]
