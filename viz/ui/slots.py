"""Places to compute: short work always finds one, however many long computations wait.

Short work is a forward pass or a few. It has as many places as there are cores, and never waits for long work. Long
work has its own places and a queue. It shows how far it is, pauses between two of its steps while short work needs the
cores, ends when its visitor has left, and is refused before it starts where it would cost too much.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Condition, local

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import get_script_run_ctx

from model.compute.cost import PER_SECOND
from model.compute.progress import listening
from viz.ui.progress import Progress

SHORT = 7 * 10**9  # operations, as model/compute/cost.py counts them: under a second on one core
MAX_OPERATIONS = 120 * PER_SECOND  # operations of one long computation
SECONDS = 180.0  # of a core, on however slow a machine
PAUSE = 0.25  # seconds that one step waits for short work: a full room slows long work down and does not stop it
WAITING = 16  # long computations that may wait for their turn
LOOK = 0.2  # seconds between two checks whether the visitor is still there


class TooMuch(ValueError):
    """A computation that the lab does not make. The message is one sentence for the visitor."""


class Places:
    """The places of one process. cores: how many threads can compute at once; most_long: as many places for long work,
    None: as many as the cores allow."""

    def __init__(self, cores: int, most_long: int | None = None) -> None:
        self.cores = cores
        self.most_short = max(2, cores)
        self.most_long = most_long or min(max(1, cores - 1), 4)
        self._change = Condition()
        self._short = 0  # computing
        self._asking = 0  # short work that waits for a place
        self._pages = 0  # pages that are being made just now, but for those that wait for long work
        self._long: deque[object] = deque()  # tickets in the order they came; the first `most_long` of them compute

    def begin_short(self) -> None:
        """Take a place for short work. It waits for other short work only."""
        with self._change:
            self._asking += 1
            try:
                while self._short >= self.most_short:
                    self._change.wait()
            finally:
                self._asking -= 1
            self._short += 1

    def end_short(self) -> None:
        """Give the place back."""
        with self._change:
            self._short -= 1
            self._change.notify_all()

    @contextmanager
    def long(self, wait: Callable[[int], None] = lambda ahead: None) -> Iterator[None]:
        """A place for long work, in the order of arrival.

        wait: called again and again with the number of visitors before this one. What it raises gives up the place.

        Raises:
            TooMuch: too many wait already.
        """
        ticket = object()
        with self._change:
            if len(self._long) >= self.most_long + WAITING:
                raise TooMuch("Many visitors are waiting for long computations. Try again in a minute.")
            self._long.append(ticket)
        try:
            while (ahead := self._ahead(ticket)) > 0:
                wait(ahead)
            yield
        finally:
            with self._change:
                self._long.remove(ticket)
                self._change.notify_all()

    def _ahead(self, ticket: object) -> int:
        """How many have to end before this one begins; waits a moment where there are any."""
        with self._change:
            if self._long.index(ticket) >= self.most_long:
                self._change.wait(LOOK)
            return max(0, self._long.index(ticket) - self.most_long + 1)

    def count_page(self, more: int) -> None:
        """One page more that is being made, or one less (−1)."""
        with self._change:
            self._pages += more
            self._change.notify_all()

    def give_way(self, seconds: float = PAUSE) -> None:
        """Between two steps of long work: wait, for so many seconds at most, while others need the processor.

        That is while short work needs all cores, or a page is being made: most of a flip is Python, and of two threads
        of Python one waits for the other.
        """
        end = time.monotonic() + seconds
        with self._change:
            while self._needed() and (left := end - time.monotonic()) > 0:
                self._change.wait(left)

    def _needed(self) -> bool:
        return self._pages > 0 or self._short + self._asking >= self.cores

    @property
    def busy(self) -> tuple[int, int]:
        """How many short and how many long computations have a place just now."""
        with self._change:
            return self._short, min(len(self._long), self.most_long)


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)  # not on macOS
    return max(1, len(affinity(0)) if affinity else os.cpu_count() or 1)


PLACES = Places(_cores())


class Short:
    """`with short:` takes a place for a forward pass or a few, from any thread; never for one inside another."""

    def __enter__(self) -> None:
        PLACES.begin_short()

    def __exit__(self, *error: object) -> None:
        PLACES.end_short()


short = Short()


_page = local()  # whether this thread makes a page that is counted


@contextmanager
def page() -> Iterator[None]:
    """While a page is being made: long work of others pauses."""
    with _counted():
        yield


@contextmanager
def _counted(counts: bool = True) -> Iterator[None]:
    """Within it this thread's page counts, or does not."""
    before = getattr(_page, "counts", False)
    _count(counts, before)
    try:
        yield
    finally:
        _count(before, counts)


def _count(now: bool, before: bool) -> None:
    _page.counts = now
    if now != before:
        PLACES.count_page(1 if now else -1)


@contextmanager
def long(doing: str, operations: float = 0, bar: DeltaGenerator | None = None) -> Iterator[None]:
    """A place for a long computation, whose loops go over model/compute/progress.py's `steps`.

    doing: "Removing each head in turn", beside the bar. operations: what it will cost, where that depends on the
    visitor; more than MOST is refused. bar: where to show the progress; None: here.
    """
    progress = Progress(bar)
    with _ending_page_on_refusal(progress), _counted(False):
        refuse(operations)
        with PLACES.long(lambda ahead: progress.show(None, _queue(doing, ahead))), listening(Watch(doing, progress)):
            yield
    progress.done()


def refuse(operations: float) -> None:
    """Refuse what would cost too much.

    Raises:
        TooMuch: it would.
    """
    if operations > MAX_OPERATIONS:
        raise TooMuch(
            f"This would take about {operations / PER_SECOND / 60:,.0f} minutes of one core; the lab computes up to "
            f"{MAX_OPERATIONS / PER_SECOND / 60:.0f}. Shorten the text, or choose a smaller model."
        )


def place(doing: str, operations: float) -> AbstractContextManager[None]:
    """A short place for what costs little, a long one for what costs more."""
    return short if operations <= SHORT else long(doing, operations)


class Watch:
    """Listens to the steps of one long computation: shows them, gives way to short work, and keeps the time."""

    def __init__(self, doing: str, progress: Progress, places: Places = PLACES, seconds: float = SECONDS) -> None:
        self._doing, self._progress, self._places, self._left = doing, progress, places, seconds
        self._since = time.thread_time()

    def __call__(self, share: float) -> None:
        """After a step.

        Raises:
            TooMuch: it has taken too long.
        """
        self._left -= time.thread_time() - self._since
        if self._left < 0:
            raise TooMuch(f"{self._doing}: this took too long on this machine and was stopped. Shorten the text.")
        self._places.give_way()
        self._progress.show(share, self._doing)
        self._since = time.thread_time()


def _queue(doing: str, ahead: int) -> str:
    return f"{doing}: waiting for {ahead} long computation{'s' if ahead > 1 else ''} of other visitors"


@contextmanager
def _ending_page_on_refusal(progress: Progress) -> Iterator[None]:
    """What is refused or stopped ends the page with the sentence that says why; outside a page it is raised."""
    try:
        yield
    except TooMuch as error:
        progress.done()
        if get_script_run_ctx(suppress_warning=True) is None:
            raise
        st.info(str(error))
        st.stop()
