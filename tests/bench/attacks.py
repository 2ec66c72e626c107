"""What the hostile client of tests/bench/soak.py does to a server: each attack takes seconds and leaves nothing."""

import asyncio
import contextlib
from random import Random

from heavy import LINKS
from protocol import Link, arrive, begin
from websockets.asyncio.client import connect


async def ask_and_leave(address: str, random: Random) -> None:
    """Begin one of the dearest computations, and close the page in the middle."""
    visitor, task = await begin(address, LINKS[random.choice(list(LINKS))])
    try:
        await asyncio.sleep(random.uniform(0.2, 8))
    finally:
        task.cancel()
        await visitor.leave()


async def flood(address: str, random: Random) -> None:
    """Ask for a hundred runs without waiting for any."""
    visitor = await arrive(address, Link(state={"weights": "stories", "text": "dog " * random.randint(1, 200)}))
    try:
        for _ in range(100):
            await visitor.ask()
        await visitor.wait()
    finally:
        await visitor.leave()


async def garbage(address: str, random: Random) -> None:
    """Messages that are none, on a socket of Streamlit's."""
    url = address.replace("http", "ws") + "/_stcore/stream"
    async with connect(url, subprotocols=["streamlit"], max_size=None) as socket:
        for size in (0, 1, 1000, 10**6):
            await socket.send(random.randbytes(size))


async def requests(address: str, random: Random) -> None:
    """Requests that the server refuses, and one that never ends."""
    port = int(address.rpartition(":")[2])
    long = "a" * random.randint(1, 60_000)
    for headers in (
        f"GET /?text={long} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: evil.example\r\n\r\n",
        f"PUT /_stcore/upload_file/a/b HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-length: {10**12}\r\n\r\n",
        f"GET / HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n",
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(headers.encode())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(reader.read(1000), 2)
        writer.close()


ATTACKS = (ask_and_leave, ask_and_leave, flood, garbage, requests)
