"""Long computations in a background thread, with progress, which can be stopped."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

from model.checkpoint import CheckpointError
from model.compute.device import choose_device
from model.evaluation.head_roles import find_roles, roles_card
from model.importers.free_memory import free
from model.importers.inspect import ModelInfo, inspect_folder, make_card
from model.importers.load import Imported, read
from model.importers.transformers_backend import load_with_transformers
from model.registry import Evicts, LoadedModel, RegistryFull, evict_any, registry
from model.tasks.passages import PASSAGES

Progress = Callable[[float], None]  # called with the share that is done; can raise Stopped


READ = 0.5  # share of the time; the rest is for the roles of the heads
TEXTS = 6  # number of our own passages
REPEATS = 4  # number of repeated random sequences


class Stopped(Exception):
    """A person has stopped the work."""


def load(offer: ModelInfo, progress: Progress, owner: str = "", evicts: Evicts = evict_any) -> str:
    """Load a model into the registry, in this process. Returns its name there.

    owner, evicts: the owner of the model, and which other models may be removed for it; see model.registry.

    Raises:
        CheckpointError: it cannot be loaded, or there is no room.
    """
    if offer.config is None:
        kept = replace(load_with_transformers(offer), owner=owner)
    else:
        imported = read(offer, lambda share: progress(READ * share))
        imported.transformer.to(choose_device())
        roles = measure_roles(imported, lambda share: progress(READ + (1 - READ) * share))
        kept = LoadedModel(imported.transformer, imported.tokenizer, make_card(offer, roles), owner=owner)
    return register(offer, kept, progress, evicts)


def register(offer: ModelInfo, kept: LoadedModel, progress: Progress, evicts: Evicts) -> str:
    """Add a loaded model to the registry.

    Raises:
        CheckpointError: there is no room.
    """
    progress(1.0)  # the last chance to stop, before the model is in the registry
    try:
        name = registry().add(offer.name, offer.folder.stamp, kept, evicts)
    except RegistryFull as error:
        raise CheckpointError(str(error)) from error
    free()  # the memory of the model that was removed for it
    return name


def bring(place: str | Path, called: str = "") -> str:
    """Load a model from a folder at once. Returns the name under which `run` finds it.

    Raises:
        CheckpointError: it cannot be loaded.
    """
    return load(inspect_folder(place, called), lambda share: None)


def measure_roles(imported: Imported, progress: Progress) -> dict[str, Any]:
    """The roles of all heads, as entries of a card; empty for a model that is too small to be measured."""
    tokenizer, config = imported.tokenizer, imported.transformer.config
    read, room = {text: tokenizer.encode(text).ids for text in PASSAGES[:TEXTS]}, config.context
    texts = [text for text, ids in read.items() if len(ids) <= room and config.padding_id not in ids]
    n = min(16, room // 2 - 1)
    # Random tokens are not special ones, so a RoBERTa whose padding token is a word cannot be measured.
    padding_is_a_word = config.padding_id is not None and config.padding_id not in tokenizer.special_ids
    if not texts or n < 4 or padding_is_a_word:
        return {}
    roles = find_roles(imported.transformer, tokenizer, texts, repeats=REPEATS, n=n, progress=progress)
    return {"exam": roles_card(roles)}


class BackgroundJob:
    """A computation in a thread. `share` grows from 0 to 1; then there is a `result`, or an `error` with the reason."""

    def __init__(self, what: str, do: Callable[[Progress], Any], owner: str = "") -> None:
        self.what = what
        self.owner = owner
        self.share = 0.0
        self.result: Any = ""
        self.error = ""
        self._do = do
        self._stop = Event()
        self._thread = Thread(target=self._run, name=what, daemon=True)

    def start(self) -> "BackgroundJob":
        """Start the computation. Returns self."""
        self._thread.start()
        return self

    @property
    def running(self) -> bool:
        """Whether the computation is still running."""
        return self._thread.is_alive()

    @property
    def stopped(self) -> bool:
        """Whether it was stopped."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Stop the computation and discard its result."""
        self._stop.set()

    def wait(self, seconds: float | None = None) -> None:
        """Wait until it is done, for at most `seconds`."""
        self._thread.join(seconds)

    def _watch(self, share: float) -> None:
        self.share = share
        if self.stopped:
            raise Stopped

    def _run(self) -> None:
        try:
            self.result = self._do(self._watch)
        except Stopped:
            pass
        except CheckpointError as error:
            self.error = str(error)
        except MemoryError:
            self.error = "There is not enough memory on this machine for this model."
        except Exception as error:  # without this, the error of the thread would not be shown
            self.error = f"This did not work: {type(error).__name__}."


class JobSlot:
    """A place for one computation at a time."""

    def __init__(self) -> None:
        self.now: BackgroundJob | None = None
        self._lock = Lock()

    def start(self, work: BackgroundJob) -> bool:
        """Start the computation. False if another one is running; then nothing is started."""
        with self._lock:
            if self.now is not None and self.now.running:
                return False
            self.now = work.start()
            return True
