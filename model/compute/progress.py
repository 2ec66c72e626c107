"""How a long computation tells how far it is, and where it can be stopped.

A loop over `steps(items)` says after every item how much is done. Whoever waits for the result listens: it may show the
share, wait a moment, or raise, and what it raises ends the computation. Where nobody listens, `steps` is `iter`.
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
    open: list[list[int]] = field(default_factory=list)  # [done, of] of each loop, the outermost first

    @property
    def share(self) -> float:
        """0 to 1: a loop inside another counts for one item of it."""
        share, part = 0.0, 1.0
        for done, of in self.open:
            share += part * min(done, of) / of
            part /= of
        return min(share, 1.0)


# Of this thread: two computations at once are told apart.
_listening: ContextVar[_Listening | None] = ContextVar("listening", default=None)


@contextmanager
def listening(tell: Callable[[float], None] | None) -> Iterator[None]:
    """Within it, `tell` hears after every step the share that is done, 0 to 1. None: nobody listens."""
    token = _listening.set(None if tell is None else _Listening(tell))
    try:
        yield
    finally:
        _listening.reset(token)


def steps(items: Iterable[Item], of: int | None = None) -> Iterator[Item]:
    """The items; after each, the listener is told. of: how many there are, where `items` does not know."""
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
    """For what is timed: within it no step of a pass tells anything; what is given back tells a share of this whole."""
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
