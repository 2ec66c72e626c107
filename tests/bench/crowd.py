"""Thirty students flip one switch at once: real websocket clients on loopback, speaking Streamlit's own protocol.

    python tests/bench/crowd.py [clients]

First one client alone flips a few times; then all flip at the same moment, once each. Wall: from the first click to the
last answer. Two classes: all on the lecturer's link (one forward pass for all), and each on a sentence of their own
(a forward pass each). Bounded: every wait ends after two minutes, and the server stops with the script.
"""

import asyncio
import statistics
import sys
import time
from pathlib import Path
from random import Random
from urllib.parse import urlencode

sys.path.insert(1, str(Path(__file__).parents[1]))

from served import serve
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from model.tasks import TASKS

PATIENCE = 120  # seconds
ALONE = 10  # flips of the single client


class Student:
    """One browser tab, without the browser."""

    def __init__(self, socket: ClientConnection, query: str) -> None:
        self.socket, self.query = socket, query
        self.toggle = ""  # the id of the switch, learnt from the first run
        self.page = ""
        self.on = True
        self.came = 0

    async def run(self) -> float:
        """Ask for a run of the script with the switch as it is; seconds until it has finished."""
        ask = BackMsg()
        ask.rerun_script.query_string = self.query
        ask.rerun_script.page_script_hash = self.page
        if self.toggle:
            state = ask.rerun_script.widget_states.widgets.add()
            state.id, state.bool_value = self.toggle, self.on
        start = time.perf_counter()
        await self.socket.send(ask.SerializeToString())
        async with asyncio.timeout(PATIENCE):
            while True:
                message = ForwardMsg.FromString(await self.socket.recv(decode=False))
                self.came += message.ByteSize()
                kind = message.WhichOneof("type")
                if kind == "new_session":
                    self.page = message.new_session.page_script_hash
                elif kind == "delta":
                    element = message.delta.new_element
                    if element.WhichOneof("type") == "checkbox" and element.checkbox.id.endswith("-scale"):
                        self.toggle = element.checkbox.id
                    assert element.WhichOneof("type") != "exception", element.exception.message
                elif kind == "script_finished" and message.script_finished in (
                    ForwardMsg.FINISHED_SUCCESSFULLY,
                    ForwardMsg.FINISHED_WITH_COMPILE_ERROR,
                ):
                    assert message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY
                    return time.perf_counter() - start

    async def flip(self) -> float:
        """Flip the switch; seconds until the page has answered."""
        self.on = not self.on
        return await self.run()


async def enrol(address: str, query: str) -> Student:
    """A student with the page open."""
    url = address.replace("http", "ws") + "/_stcore/stream"
    socket = await connect(url, subprotocols=["streamlit"], max_size=None, open_timeout=PATIENCE)  # type: ignore[list-item]
    student = Student(socket, query)
    await student.run()
    assert student.toggle, "the page has its switch"
    return student


async def class_of(address: str, queries: list[str]) -> tuple[list[float], float]:
    """All students flip at once: seconds each waited, and the wall time."""
    students = [await enrol(address, query) for query in queries]
    start = time.perf_counter()
    waits = await asyncio.gather(*(student.flip() for student in students))
    wall = time.perf_counter() - start
    for student in students:
        await student.socket.close()
    return list(waits), wall


async def measure(address: str, clients: int) -> None:
    """One student, then the two classes; print the table."""
    alone = await enrol(address, "")
    flips = [await alone.flip() for _ in range(ALONE)]
    single = statistics.median(flips)
    await alone.socket.close()
    print(f"{'':44}{'wall s':>8}{'median s':>10}{'p95 s':>8}{'ratio of p95':>14}")
    print(f"{'one client alone, median of ' + str(ALONE):44}{single:8.3f}{single:10.3f}{max(flips):8.3f}{1:14.1f}")
    draw, random = TASKS["grammar"].draw, Random(0)
    own = [urlencode({"text": draw(None, random).text}) for _ in range(clients)]
    shared = [urlencode({"text": "the dogs near the tree chase the cat ."})] * clients
    for label, queries in (("clients, one sentence for all", shared), ("clients, a sentence each", own)):
        waits, wall = await class_of(address, queries)
        p95 = sorted(waits)[min(len(waits) - 1, int(0.95 * len(waits)))]
        label = f"{clients} {label}"
        print(f"{label:44}{wall:8.3f}{statistics.median(waits):10.3f}{p95:8.3f}{p95 / single:14.1f}", flush=True)


def main(clients: int) -> None:
    """Serve the app and let the crowd in."""
    with serve() as address:
        asyncio.run(measure(address, clients))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30)
