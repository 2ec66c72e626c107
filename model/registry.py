"""Models from elsewhere, kept in memory by name: two at most, shared by everyone, the oldest let go for a new one.

Each has an owner: the visit that loaded it, or "" for the person who started the server. Whoever puts a model here says
which of the others may be let go for it.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any

from model.model_card import ModelCard
from model.tokenizer import Tokenizer

MAX_MODELS = 2
PREFIX = "own-"  # every name here begins so, and no name of the lab's own weights does


def is_external(name: str) -> bool:
    """Whether weights of this name are a visitor's, not the lab's."""
    return name.startswith(PREFIX)


@dataclass(frozen=True)
class LoadedModel:
    """A model, its tokenizer, and what is known of it."""

    model: Any  # our own Transformer; or, where only maps can be drawn, what `transformers` runs, here or elsewhere
    tokenizer: Tokenizer
    card: ModelCard  # as of the lab's own weights: config, and the measured roles of the heads
    maps_only: bool = False
    owner: str = ""  # of the visit that loaded it; "": the person who started the server


Evicts = Callable[[LoadedModel], bool]  # whether this one may be let go to make room


def evict_any(kept: LoadedModel) -> bool:
    """Every model may be let go: so it is where all visits are those of one person."""
    return True


class RegistryFull(ValueError):
    """There is no room, and whoever asks may let nothing go. The message is one sentence."""


class ModelRegistry:
    """Name → model. A name never comes to mean another model: what was cached under it stays true."""

    def __init__(self, most: int = MAX_MODELS) -> None:
        self._most = most
        self._kept: OrderedDict[str, LoadedModel] = OrderedDict()
        self._meant: dict[str, object] = {}  # every name that was ever given → what its files were
        self._lock = Lock()

    def add(self, name: str, files: object, kept: LoadedModel, evicts: Evicts = evict_any) -> str:
        """Keep a model, and let the oldest go where there would be too many. Returns the name it can be found under.

        The same files put again replace what is here under that name, if that may be let go; else it stays as it is.

        Raises:
            RegistryFull: there is no room, and none of the others may be let go.
        """
        with self._lock:
            given, number = name, 2
            while self._meant.setdefault(given, files) != files:
                given, number = f"{name}-{number}", number + 1
            before = self._kept.get(given)
            if before is not None and not evicts(before):
                _close(kept)
                return given
            self._drop(given)
            while len(self._kept) >= self._most:
                self._drop(self._evicted(evicts))
            self._kept[given] = kept
            return given

    def room(self, evicts: Evicts = evict_any) -> None:
        """Whether there would be room now.

        Raises:
            RegistryFull: there is none, and none of the others may be let go.
        """
        with self._lock:
            if len(self._kept) >= self._most:
                self._evicted(evicts)

    def _evicted(self, evicts: Evicts) -> str:
        """The oldest that may be let go."""
        for name, kept in self._kept.items():
            if evicts(kept):
                return name
        raise RegistryFull(
            f"There is room for {self._most} models, and other visitors have loaded as many. Wait until one of them is "
            "unloaded."
        )

    def _drop(self, name: str) -> None:
        if (kept := self._kept.pop(name, None)) is not None:
            _close(kept)

    def find(self, name: str) -> LoadedModel | None:
        """The model of that name, if it is here."""
        return self._kept.get(name)

    def names(self, maps_only: bool = False) -> tuple[str, ...]:
        """What is here, the oldest first: models that every page can run, or those of which only maps are drawn."""
        with self._lock:
            return tuple(name for name, kept in self._kept.items() if kept.maps_only == maps_only)

    def let_go(self, name: str) -> None:
        """Forget a model; whoever is running it just now can finish. A model in a process of its own ends at once."""
        with self._lock:
            self._drop(name)


def _close(kept: LoadedModel) -> None:
    """End the process of a model that has its own."""
    if (close := getattr(kept.model, "close", None)) is not None:
        close()


@cache
def registry() -> ModelRegistry:
    """The one registry of this process."""
    return ModelRegistry()
