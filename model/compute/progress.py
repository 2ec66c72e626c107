"""How a long computation reports its progress and can be stopped.

A loop over `steps(items)` reports after every item which share is done. The caller passes a function to `listening`; it
can show the share, wait, or raise an exception, which ends the computation. Without a listener, `steps` is `iter`.
"""

from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TypeVar

Item = TypeVar("Item")


@dataclass
class _Listening:
    tell: Callable[[float], None]
    open: list[list[int]] = field(default_factory=list)  # [done, total] of each loop, outermost first

    @property
    def share(self) -> float:
        """The share that is done, 0 to 1. A loop inside another one counts as one item of it."""
        share, part = 0.0, 1.0
        for done, of in self.open:
            share += part * min(done, of) / of
            part /= of
        return min(share, 1.0)


# One for each thread, so that two simultaneous computations are separate.
_listening: ContextVar[_Listening | None] = ContextVar("listening", default=None)


@contextmanager
def listening(tell: Callable[[float], None] | None) -> Iterator[None]:
    """Within this context, `tell` is called after every step with the share that is done, 0 to 1. None: no listener."""
    token = _listening.set(None if tell is None else _Listening(tell))
    try:
        yield
    finally:
        _listening.reset(token)


def steps(items: Iterable[Item], of: int | None = None) -> Iterator[Item]:
    """Yield the items, and report the progress after each. of: the number of items, if `items` has no length."""
    listener = _listening.get()
    if listener is None:
        yield from items
        return
    count = len(items) if isinstance(items, Sized) else of
    loop = [0, max(1, count or 1)]
    listener.open.append(loop)
    try:
        for item in items:
            yield item
            loop[0] += 1
            listener.tell(listener.share)
    finally:
        _end(listener, loop)


def _end(listener: _Listening, loop: list[int]) -> None:
    listener.open[:] = [open_loop for open_loop in listener.open if open_loop is not loop]


@contextmanager
def undisturbed() -> Iterator[Callable[[float], None]]:
    """For timed code: within this context no step reports. The yielded function reports a share of the whole."""
    listener = _listening.get()
    loop = [0, 1000]

    def tell(share: float) -> None:
        if listener is not None:
            loop[0] = round(1000 * share)
            listener.tell(listener.share)

    if listener is not None:
        listener.open.append(loop)
    try:
        with listening(None):
            yield tell
    finally:
        if listener is not None:
            _end(listener, loop)
