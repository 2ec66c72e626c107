"""Long work in the background: a thread does it, whoever waits sees how far it is, and can stop it."""

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

Progress = Callable[[float], None]  # is told the share that is done; may raise Stopped


READ = 0.5  # of the time; the rest goes into finding out what the heads do
TEXTS = 6  # passages of our own
REPEATS = 4  # rows of random tokens said twice


class Stopped(Exception):
    """Somebody has stopped the work."""


def load(offer: ModelInfo, progress: Progress, owner: str = "", evicts: Evicts = evict_any) -> str:
    """Load a model onto the shelf, in this process. Returns the name it is found under.

    owner, evicts: whose it will be, and which of the others may be let go for it; see model.registry.

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
    """Put what was loaded onto the shelf.

    Raises:
        CheckpointError: there is no room.
    """
    progress(1.0)  # the last moment to stop: nothing half-loaded stays
    try:
        name = registry().add(offer.name, offer.folder.stamp, kept, evicts)
    except RegistryFull as error:
        raise CheckpointError(str(error)) from error
    free()  # the one that was let go for it
    return name


def bring(place: str | Path, called: str = "") -> str:
    """Load a model from a folder, here and now; `run` finds it under the name that is returned.

    Raises:
        CheckpointError: it cannot be loaded.
    """
    return load(inspect_folder(place, called), lambda share: None)


def measure_roles(imported: Imported, progress: Progress) -> dict[str, Any]:
    """What each head does, as a card tells it. A model too small to be asked gets no names for its heads."""
    tokenizer, config = imported.tokenizer, imported.transformer.config
    read, room = {text: tokenizer.encode(text).ids for text in PASSAGES[:TEXTS]}, config.context
    texts = [text for text, ids in read.items() if len(ids) <= room and config.padding_id not in ids]
    n = min(16, room // 2 - 1)
    # Random tokens are drawn from all but the special ones: a RoBERTa whose padding token is a word cannot be asked.
    padding_is_a_word = config.padding_id is not None and config.padding_id not in tokenizer.special_ids
    if not texts or n < 4 or padding_is_a_word:
        return {}
    roles = find_roles(imported.transformer, tokenizer, texts, repeats=REPEATS, n=n, progress=progress)
    return {"exam": roles_card(roles)}


class BackgroundJob:
    """Something on its way. `share` grows from 0 to 1; then there is a `result`, or an `error` that says why not."""

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
        """Begin. Returns itself."""
        self._thread.start()
        return self

    @property
    def running(self) -> bool:
        """Whether it is still on its way."""
        return self._thread.is_alive()

    @property
    def stopped(self) -> bool:
        """Whether somebody has stopped it."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Give up; nothing of what was done stays."""
        self._stop.set()

    def wait(self, seconds: float | None = None) -> None:
        """Until it is done, at most so long."""
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
        except Exception as error:  # a thread that dies in silence would leave whoever waits without a word
            self.error = f"This did not work: {type(error).__name__}."


class JobSlot:
    """Room for one work at a time, whoever asks."""

    def __init__(self) -> None:
        self.now: BackgroundJob | None = None
        self._lock = Lock()

    def start(self, work: BackgroundJob) -> bool:
        """Start it. False, and nothing happens, while another is on its way."""
        with self._lock:
            if self.now is not None and self.now.running:
                return False
            self.now = work.start()
            return True
