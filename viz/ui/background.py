"""Computations that go on in the background, between the runs of a page. They wait in a queue, can be stopped, and end
when no visitor watches. Their results are events of a stream (viz/server/streams.py)."""

import json
import secrets
import threading
import time
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar

from model.compute.device import one_thread
from viz.server import streams
from viz.ui import slots

WATCHED = 4.0  # seconds after which a computation stops that no visitor watches
LEFT = "It was paused because its page was closed."


class Stopped(Exception):
    """The computation is to stop now."""


class BackgroundRun(ABC):
    """A computation that rests, waits in the queue, or computes. A class of this kind computes in `work`."""

    def __init__(self) -> None:
        self.name = secrets.token_urlsafe(12)
        self.ahead = 0  # computations that must end before this one begins
        self.note = ""  # why it stopped, if no visitor stopped it
        self.rests = True
        self._stop = threading.Event()
        self._seen = time.monotonic()
        self._thread: threading.Thread | None = None

    @abstractmethod
    def work(self) -> None:
        """Compute. It calls `check` often."""

    @abstractmethod
    def conclude(self) -> None:
        """What comes after `work`, also where it was stopped."""

    @abstractmethod
    def messages(self, after: int) -> Sequence[tuple[int, str]]:
        """The number and the text of every event after this number."""

    def touch(self) -> None:
        """Record that a visitor is watching."""
        self._seen = time.monotonic()

    @property
    def idle_seconds(self) -> float:
        """Seconds since a visitor last watched."""
        return time.monotonic() - self._seen

    def status(self) -> str:
        """As JSON: whether it waits, and for how many."""
        return json.dumps({"ahead": self.ahead, "rests": self.rests, "note": self.note})

    def begin(self, places: slots.Places) -> None:
        """Compute from now on, as soon as there is a place."""
        self._stop.clear()
        self.touch()
        self.rests, self.note = False, ""
        self._thread = threading.Thread(target=self._run, args=(places,), name="background", daemon=True)
        self._thread.start()

    def pause(self) -> None:
        """Stop after the step that is under way."""
        self._stop.set()

    def wait(self, seconds: float) -> bool:
        """Wait until it rests. Returns whether it does."""
        if self._thread is not None:
            self._thread.join(seconds)
        return self.rests

    def check(self) -> None:
        """Between two steps.

        Raises:
            Stopped: a visitor has stopped it, or no visitor watches.
        """
        if self._stop.is_set():
            raise Stopped
        if self.idle_seconds > WATCHED:
            self.note = LEFT
            raise Stopped

    def _run(self, places: slots.Places) -> None:
        one_thread()
        try:
            with places.long(self._in_queue):
                self.ahead = 0
                self.work()
        except Stopped:
            pass
        except slots.TooMuch as refusal:
            self.note = str(refusal)
        finally:
            try:
                self.conclude()
            finally:
                self.ahead, self.rests = 0, True

    def _in_queue(self, ahead: int) -> None:
        self.ahead = ahead
        self.check()


R = TypeVar("R", bound=BackgroundRun)


class BackgroundRuns(ABC, Generic[R]):
    """The computations of all visitors, by name. When there are too many, those that no visitor watches are removed."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, R] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._runs)

    def __iter__(self) -> Iterator[R]:
        return iter(tuple(self._runs.values()))

    def add(self, run: R) -> R:
        """From now on the computation can be found and its events can be received."""
        with self._lock:
            self._runs[run.name] = run
            streams.open_channel(run.name, run)
            for old in sorted(self._runs.values(), key=lambda run: -run.idle_seconds):
                if not self.too_many():
                    break
                if old is not run and old.rests:
                    self._drop(old.name)
        return run

    @abstractmethod
    def too_many(self) -> bool:
        """Whether one must be forgotten."""

    def find(self, name: str) -> R | None:
        """The computation of that name; None if it is forgotten."""
        return self._runs.get(name)

    def forget(self, name: str) -> None:
        """Stop a computation and let go of it."""
        with self._lock:
            self._drop(name)

    def _drop(self, name: str) -> None:
        run = self._runs.pop(name, None)
        streams.close_channel(name)
        if run is not None:
            run.pause()
