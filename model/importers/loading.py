"""Loading in the background: a thread reads, whoever waits can see how far it is, and stop it."""

from threading import Event, Lock, Thread

from model.checkpoint import CheckpointError
from model.importers.look import Offer, card
from model.importers.maps import open_foreign
from model.importers.read import read
from model.run import model
from model.shelf import Kept, shelf


class Stopped(Exception):
    """Somebody has stopped the loading."""


class Loading:
    """One model on its way. `share` grows from 0 to 1; then `name` says how it is called, or `error` what is wrong."""

    def __init__(self, offer: Offer) -> None:
        self.offer = offer
        self.share = 0.0
        self.name = ""
        self.error = ""
        self._stop = Event()
        self._thread = Thread(target=self._work, name=f"loading {offer.name}", daemon=True)

    def start(self) -> "Loading":
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
        """Give up; nothing of what was read stays."""
        self._stop.set()

    def wait(self, seconds: float | None = None) -> None:
        """Until it is done, at most so long."""
        self._thread.join(seconds)

    def _watch(self, share: float) -> None:
        self.share = share
        if self.stopped:
            raise Stopped

    def _work(self) -> None:
        try:
            if self.offer.config is None:
                kept = open_foreign(self.offer)
            else:
                imported = read(self.offer, self._watch)
                kept = Kept(imported.transformer, imported.tokenizer, card(self.offer))
            self._watch(1.0)
            self.name = shelf().put(self.offer.name, self.offer.folder.stamp, kept)
            model.cache_clear()  # it may hold the one that was let go
        except Stopped:
            pass
        except CheckpointError as error:
            self.error = str(error)
        except MemoryError:
            self.error = "There is not enough memory on this machine for this model."
        except Exception as error:  # a thread that dies in silence would leave whoever waits without a word
            self.error = f"The model could not be loaded: {type(error).__name__}."


class Slot:
    """Room for one loading at a time, whoever asks."""

    def __init__(self) -> None:
        self.now: Loading | None = None
        self._lock = Lock()

    def load(self, offer: Offer) -> bool:
        """Start loading. False, and nothing happens, while another is on its way."""
        with self._lock:
            if self.now is not None and self.now.running:
                return False
            self.now = Loading(offer).start()
            return True
