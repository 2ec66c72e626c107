"""Measurements in the background: one at a time for everybody, in one thread. Visitors share what was measured."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace

import streamlit as st

from model.compute.progress import listening
from model.cost import decoding
from model.cost.complexity import Sizes
from model.cost.measure import LENGTHS, SECONDS, Measurement, measure
from viz import canvas
from viz.ui import slots
from viz.ui.background import BackgroundRun, BackgroundRuns
from viz.ui.state import Key

MOST_RUNS = 60  # measurements that are remembered: a few kilobytes each
STOPPED = "It was stopped. The numbers are those that were measured before."


@dataclass(frozen=True)
class LayerPlan:
    """Types of layers, measured at all lengths with the same sizes. backward: whether training is measured."""

    kinds: tuple[str, ...]
    sizes: Sizes  # the n of which plays no part
    lengths: tuple[int, ...] = LENGTHS
    backward: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes", replace(self.sizes, n=1))

    def results(self) -> Iterator[Measurement]:
        """Measure."""
        return measure(self.kinds, self.lengths, self.sizes, self.backward, SECONDS)


@dataclass(frozen=True)
class DecodingPlan:
    """A new token with a cache and without, in the decoder `model.cost.decoding.MEASURED`."""

    kinds: tuple[str, ...] = decoding.KINDS
    lengths: tuple[int, ...] = decoding.MEASURED_LENGTHS

    def results(self) -> Iterator[Measurement]:
        """Measure."""
        return decoding.measure_decoding(lengths=self.lengths, seconds=SECONDS)


Plan = LayerPlan | DecodingPlan


class Measuring(BackgroundRun):
    """What is measured at all lengths of a plan."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
        self.results: list[Measurement] = []

    @property
    def complete(self) -> bool:
        """Whether everything was measured, or refused, at every length."""
        return len(self.results) == len(self.plan.kinds) * len(self.plan.lengths)

    def start(self, places: slots.Places | None = None) -> None:
        """Measure from now on."""
        self.begin(places or PLACES)

    def work(self) -> None:
        """Measure."""
        with listening(None):
            for result in self.plan.results():
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

    def of(self, plan: Plan) -> Measuring | None:
        """The last measurement of this plan; None: there is none."""
        return next((run for run in reversed(list(self)) if run.plan == plan), None)

    def measure(self, plan: Plan) -> Measuring:
        """Measure, in place of what was measured before. A measurement that is under way goes on instead."""
        known = self.of(plan)
        if known is not None:
            if not known.rests:
                return known
            self.forget(known.name)
        run = self.add(Measuring(plan))
        run.start()
        return run


PLACES = slots.Places(cores=1, most_long=1)
MEASURINGS = Measurings()


def seen(plan: Plan) -> tuple[canvas.Measured, list[Measurement], Callable[[], None]]:
    """What a figure shows of a plan: its header, the results so far, and what to call when the measurement ends."""
    run = MEASURINGS.of(plan)
    rests = run is None or run.rests  # before the results, so that none of a measurement that rests is missing
    results = [result for _, result in run.numbered()] if run else []
    measured = canvas.Measured(
        run=run.name if run else "",
        results=[as_sent(result) for result in results],
        lengths=plan.lengths,
        total=len(plan.kinds) * len(plan.lengths),
        rests=rests,
        mine=run is not None and st.session_state.get(Key.MEASUREMENT) == run.name,
        note=run.note if run else "",
        seconds=int(SECONDS),
    )
    return measured, results, (lambda: None) if run is None else run.touch


def command(plan: Plan, name: str) -> None:
    """A visitor pressed "measure" or "stop". Only who started a measurement stops it."""
    run = MEASURINGS.of(plan)
    if name == "measure":
        started = MEASURINGS.measure(plan)
        if started is not run:  # else another visitor measures the same just now
            st.session_state[Key.MEASUREMENT] = started.name
    elif name == "stop" and run is not None and run.name == st.session_state.get(Key.MEASUREMENT):
        run.pause()
        run.wait(seconds=5)
