"""What a page shows after one more click, sent before the click: the browser answers the click from it at once.

GET _lab/lookahead?page=…&query=…  the figures of the page that this link opens, and the sentences under them

The link is run by this server as a visitor of its own, so all numbers come from the code that answers the click itself.
"""

import asyncio
import json
import time
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from streamlit import config

from viz.server.imports import imports
from viz.server.preview.first_run import first_run
from viz.server.preview.markup import COMPONENT, header_of
from viz.server.preview.page_tree import Node, page_tree
from viz.server.preview.previews import LONGEST, OWN
from viz.styles import PAGE_TOOLS

PATH = "_lab/lookahead"
PAGES = ("", "heads", "machine", "masks")  # with switches, and with their whole state in the link
OTHER_LAYOUT = ("figure", "present", "lesson", "embed", "embed_options", "class")
LARGEST = 1_000_000  # bytes that are sent for one link
MOST_BYTES = 32_000_000  # of all links that are kept
MOST = 2000  # links that are kept: those of which nothing is sent have no bytes
WAITING = 4  # requests that may wait for their turn; the others are sent nothing
RUN = 5.0  # seconds that a run may take
SHARE = 0.5  # of the time: after a run of 0.1 s, the server has 0.1 s for its visitors
NOT_KEPT = {"cache-control": "no-store"}


class Lookahead:
    """The links that were run, compressed and kept for all visitors. Used by the thread of the server only."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._kept: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._most_bytes, self.bytes_kept = most_bytes, 0
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._free = 0.0  # when the next run may begin

    @property
    def links_kept(self) -> int:
        """How many links are kept, those of which nothing is sent among them."""
        return len(self._kept)

    async def of(self, page: str, query: str) -> bytes:
        """The figures of the link as `packed` packs them, compressed; b"" where the server has no time for it."""
        link = (page, query)
        if link not in self._kept and self._waiting < WAITING:
            self._waiting += 1
            try:
                async with self._turn:
                    await self._run(link)
            finally:
                self._waiting -= 1
        if link in self._kept:
            self._kept.move_to_end(link)
        return self._kept.get(link, b"")

    async def _run(self, link: tuple[str, str]) -> None:
        if link in self._kept:  # it was run for another visitor meanwhile
            return
        await asyncio.sleep(self._free - time.monotonic())
        began = time.monotonic()
        content = packed(page_tree(await first_run(*link, seconds=RUN)))
        ended = time.monotonic()
        self._free = ended + (ended - began) * (1 / SHARE - 1)
        self._keep(link, zlib.compress(content, 1) if 0 < len(content) <= LARGEST else b"")

    def _keep(self, link: tuple[str, str], content: bytes) -> None:
        self._kept[link] = content
        self.bytes_kept += len(content)
        while self.bytes_kept > self._most_bytes or len(self._kept) > MOST:
            _, oldest = self._kept.popitem(last=False)
            self.bytes_kept -= len(oldest)


def packed(page: Node) -> bytes:
    """All figures of a page and what stands under each: a header, its length before it, and their bytes.

    The header is JSON. figures: component, key on the page and number of bytes, in the order of the page; rest: a
    digest of everything else on the page. Two links with the same `rest` differ in their figures only.
    """
    figures, parts, rest = [], [], sha256()
    for element in _elements(page):
        content = element.content
        name = content.component_name.removeprefix(COMPONENT) if element.kind == "bidi_component" else ""
        if name == "save" or (name and name not in PAGE_TOOLS):
            header = header_of(content.bytes)
            key = f"save_{header['figure']}" if name == "save" else header["key"]
            figures.append((name, key, len(content.bytes)))
            parts.append(content.bytes)
        elif not name:
            rest.update(element.kind.encode() + element.proto.SerializeToString(deterministic=True))
    if not parts:
        return b""
    head = json.dumps({"rest": rest.hexdigest(), "figures": figures}, separators=(",", ":")).encode()
    return b"".join((len(head).to_bytes(4, "little"), head, *parts))


def _elements(node: Node) -> Iterator[Node]:
    if node.kind and not node.children:
        yield node
    for child in node:
        yield from _elements(child)


def is_allowed(page: str, query: str) -> bool:
    """Whether a link may be run ahead of a click."""
    parameters = dict(parse_qsl(query, keep_blank_values=True))
    return (
        page in PAGES
        and len(query) <= LONGEST
        and not any(name in parameters for name in OTHER_LAYOUT)
        and not parameters.get("weights", "").startswith(OWN)
    )


@cache
def lookahead() -> Lookahead:
    """That of this process."""
    return Lookahead()


async def answer(request: Request) -> Response:
    """The figures of one link; nothing (204) where it is not allowed or the server has no time."""
    page, query = request.query_params.get("page", ""), request.query_params.get("query", "")
    content = b""
    if imports.have_begun and is_allowed(page, query):
        await imports.done()
        content = await lookahead().of(page, query)
    if not content:
        return Response(status_code=204, headers=NOT_KEPT)
    headers = {**NOT_KEPT, "content-encoding": "deflate"}
    return Response(content, media_type="application/octet-stream", headers=headers)


def routes() -> list[Route]:
    """The route, below the base path of the server."""
    base = str(config.get_option("server.baseUrlPath") or "").strip("/")
    return [Route(f"{f'/{base}' if base else ''}/{PATH}", answer, methods=["GET"])]
