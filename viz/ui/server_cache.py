"""What is remembered of computations: one bound in bytes over all of it, and what was not used longest goes first.

`@cached` remembers what a function gave, for all visitors, as long as there is room. Its arguments must be small,
frozen and comparable; those whose names begin with _ do not count. Two visitors who ask the same are computed for once:
the second waits, and takes over if the first one leaves. Model weights are not here: model/run.py keeps eight of the
lab's own (10 MB at most each) and model/registry.py two of others, each under a bound of its own. Letting go of
weights to keep a map of them would make every flip load a file.
"""

import inspect
import sys
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import update_wrapper
from threading import Condition, RLock, get_ident
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, Generic, ParamSpec, TypeVar

from viz.cache_limit import limit
from viz.ui.progress import Progress

ENTRY = 500  # bytes: what an entry takes beside its key and its value
LOOK = 0.2  # seconds between two checks of a visitor who waits

Arguments = ParamSpec("Arguments")
Given = TypeVar("Given")
Key = tuple[Hashable, ...]
_NOTHING: Any = object()


class Budget:
    """What is kept, by key, the one that was used longest ago first; never more than `most` bytes together."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.held = 0
        self._lock = RLock()
        self._kept: OrderedDict[Key, tuple[Any, int]] = OrderedDict()

    def find(self, key: Key) -> Any:
        """What is kept under the key, which is now the one used last; `_NOTHING` where nothing is."""
        with self._lock:
            entry = self._kept.get(key)
            if entry is None:
                return _NOTHING
            self._kept.move_to_end(key)
            return entry[0]

    def keep(self, key: Key, value: Any) -> None:
        """Keep a value, and let go of the oldest where there would be too much. One that is too large is not kept."""
        size = ENTRY + size_of((key, value))
        with self._lock:
            self._drop(key)
            if size > self.most:
                return
            while self.held + size > self.most:  # before it is added: the bound holds at every moment
                self._drop(next(iter(self._kept)))
            self._kept[key] = value, size
            self.held += size

    def forget(self, owner: Hashable | None = None) -> None:
        """Let go of everything; of one owner's, the first of the key, where one is named."""
        with self._lock:
            for key in [key for key in self._kept if owner is None or key[0] == owner]:
                self._drop(key)

    def _drop(self, key: Key) -> None:
        entry = self._kept.pop(key, None)
        if entry is not None:
            self.held -= entry[1]

    def __len__(self) -> int:
        return len(self._kept)


def _bound() -> int:
    try:
        return limit()
    except ValueError:  # said where the server and the command line start: see viz/cache_limit.py
        return limit("")


BUDGET = Budget(_bound())


class Cached(Generic[Arguments, Given]):
    """A function whose results are remembered."""

    def __init__(self, function: Callable[Arguments, Given], budget: Budget) -> None:
        self._function, self._budget = function, budget
        self._name = f"{function.__module__}.{function.__qualname__}"
        parameters = inspect.signature(function).parameters
        self._names = tuple(parameters)
        self._defaults = {name: parameter.default for name, parameter in parameters.items()}
        self._counts = tuple(not name.startswith("_") for name in parameters)
        self._all_count = all(self._counts)
        self._change = Condition()
        self._at_it: dict[Key, _Run] = {}  # what is computed just now
        update_wrapper(self, function)

    def __call__(self, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Given:
        key = self._key(args, kwargs)
        kept = self._budget.find(key)
        if kept is not _NOTHING:
            return kept
        while True:
            with self._change:
                run = self._at_it.get(key)
                if run is None:
                    mine = self._at_it[key] = _Run()
                    break
            self._wait(run)
            if run.result is not _NOTHING:
                return run.result
        try:
            mine.result = result = self._function(*args, **kwargs)
            self._budget.keep(key, result)
            return result
        finally:
            with self._change:
                del self._at_it[key]
                self._change.notify_all()

    def _wait(self, run: "_Run") -> None:
        """Wait until another visitor's computation has ended, with a result or an error, or this visitor leaves."""
        if run.thread == get_ident():
            raise RuntimeError(f"{self._name} asks for its own result")
        progress = Progress()
        while True:
            with self._change:
                if run not in self._at_it.values():
                    break
                self._change.wait(LOOK)
            progress.show(None, "Another visitor has started the same computation; its result will appear here too")
        progress.done()

    def has(self, *args: Arguments.args, **kwargs: Arguments.kwargs) -> bool:
        """Whether the result for these arguments is kept."""
        return self._budget.find(self._key(args, kwargs)) is not _NOTHING

    def clear(self) -> None:
        """Forget what this function gave."""
        self._budget.forget(self._name)

    def _key(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Key:
        if kwargs or len(args) < len(self._names):
            missing = self._names[len(args) :]
            args = (*args, *(kwargs[name] if name in kwargs else self._defaults[name] for name in missing))
        if not self._all_count:
            args = tuple(value for value, counts in zip(args, self._counts, strict=True) if counts)
        return (self._name, *args)


@dataclass(eq=False)
class _Run:
    """One computation on its way."""

    thread: int = field(default_factory=get_ident)
    result: Any = _NOTHING


def cached(function: Callable[Arguments, Given]) -> Cached[Arguments, Given]:
    """Remember what this function gives, for all visitors, under the bound of this module."""
    return Cached(function, BUDGET)


def clear() -> None:
    """Forget everything."""
    BUDGET.forget()


_WITHOUT_SIZE = (ModuleType, type, FunctionType, BuiltinFunctionType, MethodType)


def size_of(value: object) -> int:
    """About how many bytes a value holds on to: numbers of arrays and tensors, and all Python objects in between.

    A view counts as what it keeps alive; what is reached twice counts once.
    """
    total, seen, todo = 0, set(), [value]
    while todo:
        item: Any = todo.pop()
        while isinstance(getattr(item, "nbytes", None), int) and getattr(item, "base", None) is not None:
            item = item.base  # a view: what it is a view of
        storage = getattr(item, "untyped_storage", None)  # a tensor's numbers; tensors may share them
        where = ("storage", storage().data_ptr()) if storage else id(item)
        if where in seen or item is None or isinstance(item, _WITHOUT_SIZE):
            continue
        seen.add(where)
        if storage:
            total += int(storage().nbytes())
        elif isinstance(getattr(item, "nbytes", None), int):
            total += int(item.nbytes)
        else:
            total += sys.getsizeof(item, 64)
            todo += _parts(item)
    return total


def _parts(item: object) -> Iterable[object]:
    if isinstance(item, str | bytes | int | float | complex | bool):
        return ()
    if isinstance(item, Mapping):
        return (*item.keys(), *item.values())
    if isinstance(item, list | tuple | set | frozenset):
        return item
    slots = [getattr(item, name, None) for kind in type(item).__mro__ for name in getattr(kind, "__slots__", ())]
    return (*getattr(item, "__dict__", {}).values(), *slots)
