"""A student's or a lecturer's connection to a class, as the browser keeps it: a stream that is opened again."""

import asyncio
import json
import secrets
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

RETRY = 0.5  # seconds before a broken stream is opened again


class Refused(Exception):
    """The lab has refused a message: status and answer."""


def post(address: str, path: str, message: dict[str, Any]) -> Any:
    """What the lab answers to a message to a class."""
    body = json.dumps(message).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(f"{address}/_lab/class{path}", body), timeout=30) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            raise Refused(f"{error.code}: {error.read()!r}") from None


class Member:
    """What one browser sees of the class. who: its key or its member name."""

    def __init__(self, address: str, code: str, key: str = "") -> None:
        self.address, self.code = address, code
        self.who = {"key": key} if key else {"member": secrets.token_hex(16)}
        self.view: dict[str, Any] = {}
        self.opened = 0  # streams

    async def act(self, action: str, **message: Any) -> None:
        await asyncio.to_thread(post, self.address, f"/{self.code}/{action}", {**self.who, **message})

    async def show(self, page: str, query: str = "") -> None:
        """What the lecturer's browser does: it shows the page until the class has taken it."""
        while True:
            try:
                return await self.act("show", page=page, query=query)
            except Refused as refusal:
                if not refusal.args[0].startswith("503"):
                    raise
                await asyncio.sleep(RETRY)

    async def watch(self) -> None:
        """Keep the stream open until this task is cancelled."""
        while True:
            with suppress(OSError):
                await self._stream()
            await asyncio.sleep(RETRY)

    async def _stream(self) -> None:
        host = urlsplit(self.address).netloc
        reader, writer = await asyncio.open_connection(*host.split(":"))
        try:
            body = json.dumps(self.who)
            head = f"POST /_lab/class/{self.code}/watch HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write((head + body).encode())
            self.opened += b" 200 " in await reader.readline()
            while line := await reader.readline():
                if line.startswith(b'{"code"'):
                    self.view = json.loads(line)
        finally:
            writer.transport.abort()
            with suppress(OSError):
                await writer.wait_closed()


@asynccontextmanager
async def watching(members: Iterable[Member]) -> AsyncIterator[None]:
    """Meanwhile each of them has its stream open."""
    tasks = [asyncio.create_task(member.watch()) for member in members]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
