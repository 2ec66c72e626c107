"""The previews of links, kept: each link is run once, by this server, as its own visitor."""

import asyncio
from collections import OrderedDict
from contextlib import suppress
from functools import cache
from urllib.parse import parse_qsl

from viz.server.imports import imports
from viz.server.preview.first_run import first_run
from viz.server.preview.markup import Preview, preview_of
from viz.server.preview.page_tree import page_tree

PAGES = (
    *("", "heads", "machine", "why", "inside", "masks", "positions", "remove", "training", "translate"),
    *("lessons", "your-model"),
)
# A figure alone and a lesson have their own layout; Streamlit gives a page in a frame another one.
OTHER_LAYOUT = ("figure", "present", "lesson", "embed", "embed_options")
OWN = "own-"  # the name of a model that somebody has loaded begins so: it may be replaced by another of this name
MOST = 64  # previews that are kept
LARGEST = 250_000  # bytes of one
LONGEST = 2_000  # bytes of a link that gets one
WAIT = 0.8  # seconds that an answer waits for its preview; the browser fetches Streamlit's scripts meanwhile
START = 6.0  # seconds that it waits before that, on a server that has just started, for the imports
RUN = 20.0  # seconds that a run may take; it goes on when the answer does not wait for it any more


class Previews:
    """The previews of one server. Used by its thread only: every run of a page has a thread of its own."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], Preview | None] = OrderedDict()
        self._running: asyncio.Task[None] | None = None

    async def of(self, page: str, query: str) -> Preview | None:
        """The preview of a link, or None where there is none yet.

        page: its name in the address; query: of the address. One link is run at a time; the others that come
        meanwhile are answered without.
        """
        link = (page, query)
        if not has_preview(page, query) or not imports.have_begun:
            return None
        if link not in self._kept and (self._running is None or self._running.done()):
            self._running = asyncio.create_task(self._run(link))
            with suppress(TimeoutError):
                await asyncio.wait_for(imports.done(), START)
            await asyncio.wait([self._running], timeout=WAIT)
        if link in self._kept:
            self._kept.move_to_end(link)
        return self._kept.get(link)

    async def _run(self, link: tuple[str, str]) -> None:
        await imports.done()
        preview = preview_of(page_tree(await first_run(*link, seconds=RUN)))
        self._kept[link] = preview if preview is not None and len(preview.html) <= LARGEST else None
        while len(self._kept) > MOST:
            self._kept.popitem(last=False)


def has_preview(page: str, query: str) -> bool:
    """Whether a link may get a preview."""
    parameters = parse_qsl(query, keep_blank_values=True)
    return (
        page in PAGES
        and len(query) <= LONGEST
        and not any(name in OTHER_LAYOUT or (name == "weights" and value.startswith(OWN)) for name, value in parameters)
    )


@cache
def previews() -> Previews:
    """Those of this process."""
    return Previews()
