"""Streams of events: what a long computation sends to a browser while it goes on, without a run of the page.

A run of a page costs some 40 ms of the server; an event costs less than one. The format is that of server-sent events
(HTML standard, 9.2).
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from streamlit import config

PATH = "_lab/streams"
PAUSE = 0.12  # seconds between two checks for messages: eight updates a second
LONGEST = 3600.0  # seconds of one stream; a browser that is still there connects again
REST = "rest"  # the name of the event after which nothing more comes


class Channel(Protocol):
    """What sends messages. Its methods are called by the thread of the server, and must not wait."""

    def touch(self) -> None:
        """A browser is still there."""

    def messages(self, after: int) -> Sequence[tuple[int, str]]:
        """The number and the text, one line of JSON, of every message with a number above `after`."""

    def status(self) -> str:
        """One line of JSON: what else changes while the work goes on, such as a place in a queue."""

    @property
    def rests(self) -> bool:
        """Whether no further message will come."""


_channels: dict[str, Channel] = {}


def open_channel(name: str, channel: Channel) -> None:
    """Open the channel under this name. The name must not be guessable."""
    _channels[name] = channel


def close_channel(name: str) -> None:
    """Close the channel."""
    _channels.pop(name, None)


def routes() -> list[Route]:
    """The routes of the streams, below the base path of the server."""
    base = str(config.get_option("server.baseUrlPath") or "").strip("/")
    return [Route(f"{f'/{base}' if base else ''}/{PATH}/{{name}}", answer, methods=["GET"])]


async def answer(request: Request) -> Response:
    """The stream of one channel. `after` in the query: the number of the last message that the browser has."""
    channel = _channels.get(request.path_params["name"])
    if channel is None:
        return PlainTextResponse("Nothing is sent under this name.", 404)
    after = request.query_params.get("after", "-1")
    number = int(after) if after.lstrip("-").isdecimal() and len(after) < 10 else -1
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}  # a proxy must not collect the events
    return StreamingResponse(events(channel, number), media_type="text/event-stream", headers=headers)


async def events(channel: Channel, after: int) -> AsyncIterator[str]:
    """The events of a channel until it rests. When the browser leaves, the server stops asking for more."""
    status = ""
    for _ in range(int(LONGEST / PAUSE)):
        channel.touch()
        rests = channel.rests  # before the messages, so that none is left behind
        for number, text in channel.messages(after):
            after = number
            yield f"id: {number}\ndata: {text}\n\n"
        if (now := channel.status()) != status:
            status = now
            yield f"event: status\ndata: {status}\n\n"
        if rests:
            yield f"event: {REST}\ndata: {status}\n\n"
            return
        await asyncio.sleep(PAUSE)
