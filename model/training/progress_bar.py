"""A progress bar in the terminal."""

import sys
import time

from model.training.optimizer import Step


class Bar:
    """A progress bar in one line on stderr."""

    WIDTH = 30

    def __init__(self, title: str, steps: int) -> None:
        self.title, self.steps, self.start = title, steps, time.monotonic()
        self.first: int | None = None  # a resumed training does not begin with step 1

    def show(self, state: Step) -> None:
        step = state.number
        done = round(self.WIDTH * step / self.steps)
        self.first = step if self.first is None else self.first
        left = (time.monotonic() - self.start) / (step - self.first + 1) * (self.steps - step)
        line = f"\r{self.title} [{'█' * done}{'·' * (self.WIDTH - done)}] {step}/{self.steps}"
        end = "\n" if step == self.steps else ""
        print(f"{line}  loss {state.loss:.3f}  {left:4.0f} s left", end=end, file=sys.stderr, flush=True)
