"""External models in memory, by name: at most two, shared by all visitors. A new one replaces the oldest.

Each has an owner: the visit that loaded it, or "" for the person who started the server. The caller that adds a model
says which of the others may be removed for it.
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
PREFIX = "own-"  # every name here starts with this, and no name of the lab's own weights does
SESSION_PREFIX = "mine-"  # the same for models that a visitor has kept from a live training
MOST_SESSION_MODELS = 32
MOST_SESSION_BYTES = 200_000_000


def is_external(name: str) -> bool:
    """Whether weights of this name belong to an external model, not to the lab."""
    return name.startswith((PREFIX, SESSION_PREFIX))


@dataclass(frozen=True)
class LoadedModel:
    """A model, its tokenizer and its card."""

    model: Any  # our own Transformer; for a maps-only model, the model of `transformers` or its RemoteModel
    tokenizer: Tokenizer
    card: ModelCard  # config and measured head roles, as in the cards of the lab's own weights
    maps_only: bool = False
    owner: str = ""  # the visit that loaded it; "": the person who started the server


Evicts = Callable[[LoadedModel], bool]  # whether this model may be removed to make room


def evict_any(kept: LoadedModel) -> bool:
    """Every model may be removed. This is the rule if all visits are those of one person."""
    return True


class RegistryFull(ValueError):
    """There is no room, and the caller may not remove any model. The message is one sentence."""


class ModelRegistry:
    """Name → model. A name never changes its model, so that results cached under the name stay valid."""

    def __init__(self, most: int = MAX_MODELS) -> None:
        self._most = most
        self._kept: OrderedDict[str, LoadedModel] = OrderedDict()
        self._meant: dict[str, object] = {}  # every name that was ever used → the identity of its files
        self._lock = Lock()

    def add(self, name: str, files: object, kept: LoadedModel, evicts: Evicts = evict_any) -> str:
        """Add a model, and remove the oldest if there would be too many. Returns the name under which it can be found.

        If the same files are added again, the new model replaces the old one, if that may be removed.

        Raises:
            RegistryFull: there is no room, and none of the others may be removed.
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
        """Check that there is room for another model.

        Raises:
            RegistryFull: there is none, and none of the others may be removed.
        """
        with self._lock:
            if len(self._kept) >= self._most:
                self._evicted(evicts)

    def _evicted(self, evicts: Evicts) -> str:
        """The name of the oldest model that may be removed."""
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
        """The model of that name; None if it is not loaded."""
        return self._kept.get(name)

    def names(self, maps_only: bool = False) -> tuple[str, ...]:
        """The names of the models that all pages can run, oldest first. maps_only: those that only show maps."""
        with self._lock:
            return tuple(name for name, kept in self._kept.items() if kept.maps_only == maps_only)

    def let_go(self, name: str) -> None:
        """Remove a model. A computation that is using it can finish. A model in its own process ends immediately."""
        with self._lock:
            self._drop(name)


def _close(kept: LoadedModel) -> None:
    """End the process of a model that runs in its own process."""
    if (close := getattr(kept.model, "close", None)) is not None:
        close()


@cache
def registry() -> ModelRegistry:
    """The one registry of this process."""
    return ModelRegistry()


class SessionModels:
    """Small models that visitors keep from live trainings: name → model. When there are too many, the oldest go first.

    A name contains a hash of the weights, so it never changes its model.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[LoadedModel, int]] = OrderedDict()
        self._lock = Lock()

    def add(self, name: str, kept: LoadedModel, size: int) -> None:
        """Keep a model of `size` bytes."""
        with self._lock:
            self._kept.pop(name, None)
            self._kept[name] = kept, size
            while len(self._kept) > MOST_SESSION_MODELS or self.bytes > MOST_SESSION_BYTES:
                self._kept.popitem(last=False)

    @property
    def bytes(self) -> int:
        """The memory that all of them take."""
        return sum(size for _, size in self._kept.values())

    def find(self, name: str) -> LoadedModel | None:
        """The model of that name; None if it is not kept."""
        kept = self._kept.get(name)
        return kept[0] if kept else None


@cache
def session_models() -> SessionModels:
    """The one store of this process."""
    return SessionModels()
