"""Where the data of classes are kept: the interface, and the memory of this process.

What a class is, the store does not know: it keeps one text for a class and one for each of its members. The texts are
JSON, which classes.py writes and reads.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

MAX_CLASSES = 64
MAX_MEMBERS = 1000  # of one class
MAX_TEXT = 2000  # characters of what is kept of a member; a longer text is not kept


class StoreError(Exception):
    """The store cannot be reached. Its text is one sentence for a person."""


class Store(Protocol):
    """A class that does not exist has no text, no members and no version; writing to it does nothing.

    Every method may raise StoreError.
    """

    @property
    def is_remote(self) -> bool:
        """Whether an answer comes from another process, and may take a while."""

    def create(self, code: str, text: str, seconds: float) -> bool:
        """Keep a new class for so many seconds. False: there is no room, or the code is taken."""

    def delete(self, code: str) -> None:
        """Forget the class and all its members."""

    def version(self, code: str) -> int | None:
        """A number that grows with every change of a text. None: there is no such class."""

    def read(self, code: str) -> str | None:
        """The text of the class."""

    def write(self, code: str, text: str) -> None:
        """Replace the text of the class. Its time does not start anew."""

    def member(self, code: str, member: str) -> str | None:
        """The text of one member."""

    def members(self, code: str) -> dict[str, str]:
        """The text of every member."""

    def write_member(self, code: str, member: str, text: str) -> bool:
        """Add a member, or replace what is kept of one. False: the class is full, or the text is too long."""

    def remove_member(self, code: str, member: str) -> None:
        """Forget one member."""

    def touch(self, code: str, member: str) -> None:
        """Note that this member is here now. The version stays the same."""

    def last_seen(self, code: str) -> dict[str, float]:
        """When each member was here last, in seconds before now."""


@dataclass
class _Kept:
    text: str
    ends: float
    version: int = 0
    members: dict[str, str] = field(default_factory=dict)
    seen: dict[str, float] = field(default_factory=dict)


class MemoryStore:
    """Classes in the memory of this process. They are gone when it ends. Threads may share it."""

    is_remote = False

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._classes: dict[str, _Kept] = {}
        self._lock = threading.Lock()

    def create(self, code: str, text: str, seconds: float) -> bool:
        with self._lock:
            now = self._clock()
            self._classes = {name: kept for name, kept in self._classes.items() if kept.ends > now}
            if code in self._classes or len(self._classes) >= MAX_CLASSES:
                return False
            self._classes[code] = _Kept(text, now + seconds)
            return True

    def delete(self, code: str) -> None:
        with self._lock:
            self._classes.pop(code, None)

    def version(self, code: str) -> int | None:
        kept = self._find(code)
        return None if kept is None else kept.version

    def read(self, code: str) -> str | None:
        kept = self._find(code)
        return None if kept is None else kept.text

    def write(self, code: str, text: str) -> None:
        with self._lock:
            if (kept := self._find(code)) is not None:
                kept.text, kept.version = text, kept.version + 1

    def member(self, code: str, member: str) -> str | None:
        kept = self._find(code)
        return None if kept is None else kept.members.get(member)

    def members(self, code: str) -> dict[str, str]:
        with self._lock:
            kept = self._find(code)
            return {} if kept is None else dict(kept.members)

    def write_member(self, code: str, member: str, text: str) -> bool:
        with self._lock:
            kept = self._find(code)
            full = kept is None or (member not in kept.members and len(kept.members) >= MAX_MEMBERS)
            if kept is None or full or len(text) > MAX_TEXT:
                return False
            kept.members[member], kept.version = text, kept.version + 1
            return True

    def remove_member(self, code: str, member: str) -> None:
        with self._lock:
            if (kept := self._find(code)) is not None:
                kept.members.pop(member, None)
                kept.seen.pop(member, None)
                kept.version += 1

    def touch(self, code: str, member: str) -> None:
        with self._lock:
            kept = self._find(code)
            if kept is not None and member in kept.members:
                kept.seen[member] = self._clock()

    def last_seen(self, code: str) -> dict[str, float]:
        with self._lock:
            kept, now = self._find(code), self._clock()
            return {} if kept is None else {member: now - seen for member, seen in kept.seen.items()}

    def _find(self, code: str) -> _Kept | None:
        kept = self._classes.get(code)
        return kept if kept is not None and kept.ends > self._clock() else None
