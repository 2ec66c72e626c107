"""The progress of many trainings in one view in the terminal: what is done, and where each that goes on is."""

import sys
import time
from dataclasses import dataclass
from typing import TextIO

from model.cluster.place import Seed
from model.training.optimizer import Step

SHOWN = 8  # trainings with a line of their own
OFTEN = 0.5  # seconds between two pictures in a terminal
SELDOM = 15.0  # the same where the output is a file


@dataclass
class SeedProgress:
    """A training that goes on."""

    step: Step
    steps: int
    last: float  # when its last step was reported


class ProgressView:
    """Lines on stderr, which a terminal shows in one place."""

    def __init__(self, total: int, kept: int = 0, out: TextIO | None = None) -> None:
        """total: trainings in all; kept: those that were done before; out: stderr if it is not given."""
        self._total, self._done, self._out = total, kept, out or sys.stderr
        self._running: dict[Seed, SeedProgress] = {}
        self._lines = 0  # of the last picture
        self._next = 0.0

    def show(self, seed: Seed, step: Step) -> None:
        """A step of a training."""
        steps = seed.training().recipe.steps if seed not in self._running else self._running[seed].steps
        self._running[seed] = SeedProgress(step, steps, time.monotonic())
        self._draw()

    def done(self, seed: Seed) -> None:
        """A training is done."""
        self._running.pop(seed, None)
        self._done += 1
        self._draw(now=self._done == self._total)

    def _draw(self, now: bool = False) -> None:
        if not now and time.monotonic() < self._next:
            return
        terminal = self._out.isatty()
        self._next = time.monotonic() + (OFTEN if terminal else SELDOM)
        lines = self.lines()
        back = f"\x1b[{self._lines}F\x1b[J" if terminal and self._lines else ""
        self._out.write(back + "".join(f"{line}\n" for line in lines))
        self._out.flush()
        self._lines = len(lines)

    def lines(self) -> list[str]:
        """The view as lines: how many trainings are done, then each of those that go on."""
        shares = sum(state.step.number / state.steps for state in self._running.values())
        head = (
            f"{self._done} of {self._total} seeds done, {(self._done + shares) / max(1, self._total):.0%} of the work"
        )
        rows = sorted(self._running.items(), key=lambda entry: -entry[1].step.number / entry[1].steps)
        lines = [
            f"  {seed.recipe}, seed {seed.seed}: step {state.step.number}/{state.steps}, loss {state.step.loss:.3f}"
            for seed, state in rows[:SHOWN]
        ]
        more = len(rows) - SHOWN
        return [head, *lines, *([f"  and {more} more"] if more > 0 else [])]
