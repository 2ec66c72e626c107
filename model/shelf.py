"""Models from elsewhere, kept in memory by name: two at most, shared by everyone, the oldest let go for a new one."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any

from model.tokenizer import Tokenizer

MOST = 2
OWN = "own-"  # every name here begins so, and no name of the lab's own weights does


def from_elsewhere(name: str) -> bool:
    """Whether weights of this name are a visitor's, not the lab's."""
    return name.startswith(OWN)


@dataclass(frozen=True)
class Kept:
    """A model, its tokenizer, and what is known of it."""

    model: Any  # our own Transformer; or, where only maps can be drawn, what `transformers` runs
    tokenizer: Tokenizer
    card: Mapping[str, Any]  # as of the lab's own weights: config, and the measured roles of the heads
    maps_only: bool = False


class Shelf:
    """Name → model. A name never comes to mean another model: what was cached under it stays true."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._meant: dict[str, object] = {}  # every name that was ever given → what its files were
        self._lock = Lock()

    def put(self, name: str, files: object, kept: Kept) -> str:
        """Keep a model, and let the oldest go where there would be too many. Returns the name it can be found under."""
        with self._lock:
            given, number = name, 2
            while self._meant.setdefault(given, files) != files:
                given, number = f"{name}-{number}", number + 1
            self._kept.pop(given, None)
            self._kept[given] = kept
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
            return given

    def find(self, name: str) -> Kept | None:
        """The model of that name, if it is here."""
        return self._kept.get(name)

    def names(self, maps_only: bool = False) -> tuple[str, ...]:
        """What is here, the oldest first: models that every page can run, or those of which only maps are drawn."""
        with self._lock:
            return tuple(name for name, kept in self._kept.items() if kept.maps_only == maps_only)

    def let_go(self, name: str) -> None:
        """Forget a model; whoever is running it just now can finish."""
        with self._lock:
            self._kept.pop(name, None)


@cache
def shelf() -> Shelf:
    """The one shelf of this process."""
    return Shelf()
