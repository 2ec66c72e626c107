"""Every module of the pages is imported by one thread, before the first page runs.

Two threads that import modules of one package at the same time can wait for each other. Python then lets one of them go
on with a module that is half imported, and its page ends in an ImportError.
"""

import asyncio
import importlib
import pkgutil
from threading import Thread


def import_pages() -> None:
    """Import everything that a page imports: torch, the model, the figures, and the parts of all pages."""
    names = ["viz.app.shell"]
    for room in ("viz.ui", "viz.pages"):
        package = importlib.import_module(room)
        names += [module.name for module in pkgutil.walk_packages(package.__path__, f"{room}.")]
    for name in names:
        if name.rpartition(".")[2] != "page":  # the scripts of pages are run and not imported
            importlib.import_module(name)


class Imports:
    """The thread that imports, and the requests that wait for it."""

    def __init__(self) -> None:
        self._thread: Thread | None = None

    def begin(self) -> None:
        """Start importing. The server answers meanwhile: a browser fetches its scripts."""
        self._thread = Thread(target=import_pages, name="imports", daemon=True)
        self._thread.start()

    @property
    def have_begun(self) -> bool:
        """Whether everything is imported, or will be."""
        return self._thread is not None

    @property
    def are_done(self) -> bool:
        """Whether everything is imported. Never where nothing was begun."""
        return self._thread is not None and not self._thread.is_alive()

    async def done(self) -> None:
        """Return when everything is imported, or at once if no import has started."""
        if self._thread is not None and self._thread.is_alive():
            await asyncio.to_thread(self._thread.join)


imports = Imports()
