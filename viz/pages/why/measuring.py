"""Measurements in the background: one at a time for everybody, in one thread. Visitors share what was measured."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace

from model.compute.progress import listening
from model.cost.complexity import Sizes
from model.cost.measure import LENGTHS, SECONDS, Measurement, measure
from viz.ui import slots
from viz.ui.background import BackgroundRun, BackgroundRuns

MOST_RUNS = 60  # measurements that are remembered: a few kilobytes each
STOPPED = "It was stopped. The numbers are those that were measured before."


class Measuring(BackgroundRun):
    """Some types of layers, measured at all lengths with the same sizes."""

    def __init__(self, kinds: Sequence[str], sizes: Sizes) -> None:
        super().__init__()
        self.kinds, self.sizes = tuple(kinds), replace(sizes, n=1)
        self.results: list[Measurement] = []

    @property
    def complete(self) -> bool:
        """Whether every type was measured, or refused, at every length."""
        return len(self.results) == len(self.kinds) * len(LENGTHS)

    def start(self, places: slots.Places | None = None) -> None:
        """Measure from now on."""
        self.begin(places or PLACES)

    def work(self) -> None:
        """Measure."""
        with listening(None):
            for result in measure(self.kinds, LENGTHS, self.sizes, seconds=SECONDS):
                self.results.append(result)
                self.check()
                slots.PLACES.give_way()

    def conclude(self) -> None:
        """Say that results are missing."""
        if not self.complete and not self.note:
            self.note = STOPPED

    def messages(self, after: int) -> Sequence[tuple[int, str]]:
        """The number of each result, from 0, and the result."""
        return [(number, json.dumps(as_sent(result))) for number, result in self.numbered(after)]

    def numbered(self, after: int = -1) -> list[tuple[int, Measurement]]:
        """The results after that number."""
        return list(enumerate(tuple(self.results)))[after + 1 :]


def as_sent(result: Measurement) -> dict[str, object]:
    """A result as the drawing takes it."""
    return {name: value for name, value in asdict(result).items() if name not in ("backward", "repeats")}


class Measurings(BackgroundRuns[Measuring]):
    """The measurements of this server."""

    def too_many(self) -> bool:
        """Whether one must be forgotten."""
        return len(self) > MOST_RUNS

    def of(self, kinds: Sequence[str], sizes: Sizes) -> Measuring | None:
        """The last measurement of these types with these sizes, whatever their n; None: there is none."""
        wanted = tuple(kinds), replace(sizes, n=1)
        return next((run for run in reversed(list(self)) if (run.kinds, run.sizes) == wanted), None)

    def measure(self, kinds: Sequence[str], sizes: Sizes) -> Measuring:
        """Measure, in place of what was measured before. A measurement that is under way goes on instead."""
        known = self.of(kinds, sizes)
        if known is not None:
            if not known.rests:
                return known
            self.forget(known.name)
        run = self.add(Measuring(kinds, sizes))
        run.start()
        return run


PLACES = slots.Places(cores=1, most_long=1)
MEASURINGS = Measurings()
