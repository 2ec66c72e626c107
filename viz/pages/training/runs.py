"""Trainings in the background: two at a time for all visitors, a queue, and an end when no visitor watches."""

import json
import os
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import numpy as np

from model.training.live.learner import Measurement
from model.training.live.pair import Frame, LivePair
from model.training.live.settings import LiveSettings
from viz.pack import encode_weights
from viz.types import Array
from viz.ui import slots
from viz.ui.background import BackgroundRun, BackgroundRuns

TRAININGS = 2  # at once, on this server
SECONDS = 90.0  # of a core, for one press of Play
MOST_RUNS = 40  # trainings that are remembered, running or not
MOST_BYTES = 300_000_000  # of their kept steps together
YIELD = 0.0005  # seconds that a training sleeps between two steps
NICE = 10  # of a training's thread; that of the server is 0
TOO_LONG = f"It was paused after {SECONDS:.0f} seconds of computing. Press Play to go on."


def _be_nice() -> None:
    """Let this thread alone have a lower priority than the threads that make pages. Linux has such a priority."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


class Run(BackgroundRun):
    """A training of two models and what has been measured of it. It rests, waits in the queue, or trains."""

    def __init__(self, a: LiveSettings, b: LiveSettings, seeds: int = 1) -> None:
        super().__init__()
        self.settings = (a, b)
        self.pair = LivePair(a, b, seeds)
        self.frames: list[Frame] = self.pair.frames
        self._target = 0  # the step up to which it trains
        self._masks = (mask_of(a), mask_of(b))
        self._texts: list[tuple[int, str]] = [(frame.step, self._text(frame)) for frame in self.frames]

    def messages(self, after: int) -> Sequence[tuple[int, str]]:
        """Step and text of every frame after this step."""
        return [(step, text) for step, text in tuple(self._texts) if step > after]

    def play(self, steps: int | None = None, places: slots.Places | None = None) -> None:
        """Train so many steps further, or to the end. It does nothing while the training goes on."""
        if not self.rests or self.pair.ended:
            return
        self._target = self.settings[0].steps if steps is None else min(self.pair.step + steps, self.settings[0].steps)
        self.begin(places or PLACES)

    def rewind(self, step: int) -> None:
        """Go back to a kept step and forget what came after. It does nothing while the training goes on.

        Raises:
            ValueError: the step is not kept.
        """
        if self.rests:
            self.pair.rewind(step)
            self.note = ""
            self._take_frames()

    def work(self) -> None:
        """Train."""
        _be_nice()
        began = time.thread_time()
        while self.pair.step < self._target and not self.pair.ended:
            self.check()
            if time.thread_time() - began > SECONDS:
                self.note = TOO_LONG
                return
            if self.pair.advance():
                self._take_frames()
            slots.PLACES.give_way()
            time.sleep(YIELD)  # a thread that waits for the interpreter gets it at once, not after five milliseconds

    def conclude(self) -> None:
        """Measure where it stopped."""
        self.pair.measure()
        self._take_frames()

    def _text(self, frame: Frame) -> str:
        return json.dumps(frame_for_browser(frame, self._masks), separators=(",", ":"))

    def _take_frames(self) -> None:
        frames = self.pair.frames
        known = dict(self._texts) if len(self._texts) <= len(frames) else {}
        self._texts = [(frame.step, known.get(frame.step) or self._text(frame)) for frame in frames]
        self.frames = frames


def frame_for_browser(frame: Frame, allowed: tuple[Array, Array]) -> dict[str, Any]:
    """A frame as the drawing takes it. allowed: the mask (T, T) of A and of B.

    A number that is not finite is None, which JSON can say.
    """
    a, b = (_side(measured, mask) for measured, mask in zip((frame.a, frame.b), allowed, strict=True))
    others = [{"a": _numbers(other.a), "b": _numbers(other.b)} for other in frame.others]
    return {"step": frame.step, "a": a, "b": b, "others": others}


def _numbers(measured: Measurement | None) -> dict[str, float | None] | None:
    """What is drawn of a further seed."""
    if measured is None:
        return None
    return {"loss": _finite(measured.held_out_loss), "accuracy": measured.accuracy}


def mask_of(settings: LiveSettings) -> Array:
    """Which keys (T, T) a query of this model may attend to."""
    tokens = settings.live_task.tokens
    causal = settings.live_task.causal and settings.mask
    return np.tri(tokens, dtype=bool) if causal else np.ones((tokens, tokens), dtype=bool)


def _side(measured: Measurement | None, mask: Array) -> dict[str, Any] | None:
    if measured is None:
        return None
    codes = encode_weights(measured.weights, np.broadcast_to(mask, measured.weights.shape))
    layer, head = np.unravel_index(measured.on_answer.argmax(), measured.on_answer.shape)
    return {
        "loss": _finite(measured.held_out_loss),
        "accuracy": measured.accuracy,
        "rate": measured.rate,
        "gradient": [_finite(value) for value in measured.gradient.tolist()],
        "residual": [_finite(value) for value in measured.residual.tolist()],
        "weights": b64encode(codes.tobytes()).decode(),
        "prediction": measured.prediction.tolist(),
        "finder": [int(layer), int(head), _finite(measured.on_answer.max())],
        "scores": [round(score, 4) if np.isfinite(score) else None for score in measured.scores.ravel().tolist()],
    }


def _finite(value: float) -> float | None:
    return float(f"{value:.6g}") if np.isfinite(value) else None


class Runs(BackgroundRuns[Run]):
    """The trainings of all visitors, by name."""

    def start(self, a: LiveSettings, b: LiveSettings, seeds: int = 1) -> Run:
        """A new training, untrained and at rest.

        Raises:
            ValueError: the settings do not fit each other, or a model cannot be built from them.
        """
        return self.add(Run(a, b, seeds))

    def too_many(self) -> bool:
        """Whether there are too many, or their kept steps take too much memory."""
        return len(self) > MOST_RUNS or self.kept_bytes > MOST_BYTES

    @property
    def kept_bytes(self) -> int:
        """The memory that the kept steps of all trainings take."""
        return sum(run.pair.kept_bytes for run in self)


PLACES = slots.Places(cores=TRAININGS, most_long=TRAININGS)
RUNS = Runs()
