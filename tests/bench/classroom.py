"""What a class costs the server: students' streams while nothing moves, and how soon all of them know of a move.

python tests/bench/classroom.py [STUDENTS]
"""

import asyncio
import json
import secrets
import statistics
import sys
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from served import serve

QUIET = 10.0  # seconds in which nothing moves
MOVES = 8


def post(address, path, message):
    body = json.dumps(message).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{address}/_lab/class{path}", body), timeout=30) as answer:
        return json.loads(answer.read())


class Student:
    """One stream: when each move arrived, and how long the browser then waits before it asks for the page."""

    def __init__(self):
        self.arrived, self.spread = {}, {}

    async def watch(self, host, port, code, joined):
        reader, writer = await asyncio.open_connection(host, port)
        body = json.dumps({"member": secrets.token_hex(16)})
        head = f"POST /_lab/class/{code}/watch HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write((head + body).encode())
        while line := await reader.readline():
            if line.startswith(b"{"):
                view = json.loads(line)
                self.arrived.setdefault(view["moves"], time.monotonic())
                self.spread[view["moves"]] = view["spread"]
                joined.add(self)


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def server_of(port):
    """The process that listens at this port, from its command line."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"streamlit" in words and str(port).encode() in words:
            return int(folder.name)
    raise SystemExit("The server's process was not found.")


async def measure(address, students):
    host, port = address.removeprefix("http://").split(":")
    lecturer = post(address, "", {})
    code, key = lecturer["code"], lecturer["key"]
    post(address, f"/{code}/show", {"key": key, "page": "masks", "query": ""})
    joined = set()
    room = [Student() for _ in range(students)]
    tasks = [asyncio.create_task(student.watch(host, int(port), code, joined)) for student in room]
    while len(joined) < students:
        await asyncio.sleep(0.1)
    await asyncio.sleep(3)
    pid = server_of(port)
    before = cpu_seconds(pid)
    await asyncio.sleep(QUIET)
    busy = (cpu_seconds(pid) - before) / QUIET
    print(f"{students} students, nothing moves: {busy:.1%} of a core")
    delays = []
    for move in range(2, 2 + MOVES):
        moved = time.monotonic()
        await asyncio.to_thread(post, address, f"/{code}/show", {"key": key, "page": "masks", "query": f"layer={move}"})
        await asyncio.sleep(1.5)
        # A browser waits a random part of the spread before it asks for the page: evenly spaced parts here.
        for index, student in enumerate(room):
            delays.append(student.arrived[move] - moved + student.spread[move] * (index + 0.5) / students)
    print(
        f"{MOVES} moves, until a student's page asks for the new state: median {statistics.median(delays):.2f} s, "
        f"95th percentile {statistics.quantiles(delays, n=20)[-1]:.2f} s, largest {max(delays):.2f} s"
    )
    for task in tasks:
        task.cancel()


if __name__ == "__main__":
    with serve() as address:
        asyncio.run(measure(address, int(sys.argv[1]) if len(sys.argv) > 1 else 300))
