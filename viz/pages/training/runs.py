"""Trainings in the background: two at a time for all visitors, a queue, and an end when no visitor watches."""

import json
import os
import secrets
import sys
import threading
import time
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np

from model.compute.device import one_thread
from model.training.live.learner import Measurement
from model.training.live.pair import Frame, LivePair
from model.training.live.settings import LiveSettings
from viz.pack import encode_weights
from viz.server import streams
from viz.types import Array
from viz.ui import slots

TRAININGS = 2  # at once, on this server
WATCHED = 4.0  # seconds after which a training stops that no browser asks for
SECONDS = 90.0  # of a core, for one press of Play
MOST_RUNS = 40  # trainings that are remembered, running or not
MOST_BYTES = 300_000_000  # of their kept steps together
YIELD = 0.0005  # seconds that a training sleeps between two steps
NICE = 10  # of a training's thread; that of the server is 0
TOO_LONG = f"It was paused after {SECONDS:.0f} seconds of computing. Press Play to go on."
LEFT = "It was paused because its page was closed."


def _be_nice() -> None:
    """Let this thread alone have a lower priority than the threads that make pages. Linux has such a priority."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


class _Stop(Exception):
    """The training is to pause now."""


class Run:
    """A training of two models and what has been measured of it. It rests, waits in the queue, or trains."""

    def __init__(self, a: LiveSettings, b: LiveSettings, seeds: int = 1) -> None:
        self.name = secrets.token_urlsafe(12)
        self.settings = (a, b)
        self.pair = LivePair(a, b, seeds)
        self.frames: list[Frame] = self.pair.frames
        self.ahead = 0  # trainings that must end before this one begins
        self.note = ""  # why it pauses, if no visitor paused it
        self.rests = True
        self._masks = (mask_of(a), mask_of(b))
        self._texts: list[tuple[int, str]] = [(frame.step, self._text(frame)) for frame in self.frames]
        self._stop = threading.Event()
        self._seen = time.monotonic()
        self._thread: threading.Thread | None = None

    def touch(self) -> None:
        """Record that a visitor is watching."""
        self._seen = time.monotonic()

    @property
    def idle_seconds(self) -> float:
        """Seconds since a visitor last watched."""
        return time.monotonic() - self._seen

    def messages(self, after: int) -> Sequence[tuple[int, str]]:
        """Step and text of every frame after this step."""
        return [(step, text) for step, text in tuple(self._texts) if step > after]

    def status(self) -> str:
        """As JSON: whether it waits, and for how many."""
        return json.dumps({"ahead": self.ahead, "rests": self.rests, "note": self.note})

    def play(self, steps: int | None = None, places: slots.Places | None = None) -> None:
        """Train so many steps further, or to the end. It does nothing while the training goes on."""
        if not self.rests or self.pair.ended:
            return
        target = self.settings[0].steps if steps is None else min(self.pair.step + steps, self.settings[0].steps)
        self._stop.clear()
        self.touch()
        self.rests, self.note = False, ""
        self._thread = threading.Thread(
            target=self._work, args=(target, places or PLACES), name="training", daemon=True
        )
        self._thread.start()

    def pause(self) -> None:
        """Stop after the step that is under way."""
        self._stop.set()

    def wait(self, seconds: float) -> bool:
        """Wait until it rests. Returns whether it does."""
        if self._thread is not None:
            self._thread.join(seconds)
        return self.rests

    def rewind(self, step: int) -> None:
        """Go back to a kept step and forget what came after. It does nothing while the training goes on.

        Raises:
            ValueError: the step is not kept.
        """
        if self.rests:
            self.pair.rewind(step)
            self.note = ""
            self._take_frames()

    def _work(self, target: int, places: slots.Places) -> None:
        one_thread()
        _be_nice()
        try:
            with places.long(self._in_queue):
                self.ahead = 0
                self._train(target)
        except _Stop:
            pass
        except slots.TooMuch as refusal:
            self.note = str(refusal)
        finally:
            try:
                self.pair.measure()
                self._take_frames()
            finally:
                self.ahead, self.rests = 0, True

    def _train(self, target: int) -> None:
        began = time.thread_time()
        while self.pair.step < target and not self.pair.ended:
            self._check()
            if time.thread_time() - began > SECONDS:
                self.note = TOO_LONG
                return
            if self.pair.advance():
                self._take_frames()
            slots.PLACES.give_way()
            time.sleep(YIELD)  # a thread that waits for the interpreter gets it at once, not after five milliseconds

    def _in_queue(self, ahead: int) -> None:
        self.ahead = ahead
        self._check()

    def _check(self) -> None:
        if self._stop.is_set():
            raise _Stop
        if self.idle_seconds > WATCHED:
            self.note = LEFT
            raise _Stop

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
    }


def _finite(value: float) -> float | None:
    return float(f"{value:.6g}") if np.isfinite(value) else None


class Runs:
    """The trainings of all visitors, by name. When there are too many, those that no visitor watches are removed."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, Run] = OrderedDict()
        self._lock = threading.Lock()

    def start(self, a: LiveSettings, b: LiveSettings, seeds: int = 1) -> Run:
        """A new training, untrained and at rest.

        Raises:
            ValueError: the settings do not fit each other, or a model cannot be built from them.
        """
        run = Run(a, b, seeds)
        with self._lock:
            self._runs[run.name] = run
            streams.open_channel(run.name, run)
            self._make_room(run)
        return run

    def find(self, name: str) -> Run | None:
        """The training of that name; None if it is forgotten."""
        return self._runs.get(name)

    def forget(self, name: str) -> None:
        """Stop a training and let go of it."""
        with self._lock:
            self._drop(name)

    def _make_room(self, newest: Run) -> None:
        for run in sorted(self._runs.values(), key=lambda run: -run.idle_seconds):
            if len(self._runs) <= MOST_RUNS and self.kept_bytes <= MOST_BYTES:
                return
            if run is not newest and run.rests:
                self._drop(run.name)

    @property
    def kept_bytes(self) -> int:
        """The memory that the kept steps of all trainings take."""
        return sum(run.pair.kept_bytes for run in tuple(self._runs.values()))

    def _drop(self, name: str) -> None:
        run = self._runs.pop(name, None)
        streams.close_channel(name)
        if run is not None:
            run.pause()


PLACES = slots.Places(cores=TRAININGS, most_long=TRAININGS)
RUNS = Runs()
