"""A class at work for minutes on one server, later with a hostile visitor among them: memory, open files, flips.

    python tests/bench/soak.py [--students 30] [--minutes 10] [--pause 4] [--seed 0]

Each student opens a page on a sentence of their own, flips its switches with a pause between two flips of `pause`
seconds on average, and goes on to another page after some flips. In the first third of the time the room is honest.
Then one hostile client joins it: it asks for the dearest links and leaves in the middle, floods the switch of a page,
and sends requests and messages that no browser sends. At the end of every minute the same number of students flip the
one switch of a bare Streamlit app in the same way for some seconds. So both meet the same machine, and a flip of the
lab is told in seconds and as a multiple of the median flip of the bare app.

It prints, and fails by no clock. Bounded: a wait ends after four minutes, and the servers stop with the script.
"""

import argparse
import asyncio
import contextlib
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(1, str(Path(__file__).parents[1] / "support"))

from attacks import ATTACKS
from browser import BARE
from protocol import Link, arrive
from served import serve
from server_process import memory, open_files, server_of

from model.tasks import TASKS

PAGES = ("", "inside", "masks", "positions", "remove", "")  # those with switches; the first page twice, as in a class
FLIPS = (4, 12)  # of one page, before a student goes on to another
BARE_SHARE = 6  # one part in so many of every minute belongs to the bare app
MEGABYTE = 10**6


@dataclass
class Room:
    """What has been seen."""

    pause: float
    waits: dict[str, list[float]] = field(default_factory=lambda: {"honest": [], "hostile": [], "bare": []})  # seconds
    kind: str = "honest"  # what the room is now
    opened: int = 0  # pages
    attacks: int = 0
    errors: Counter[str] = field(default_factory=Counter)


async def rest(random: Random, pause: float) -> None:
    await asyncio.sleep(random.uniform(0.5, 1.5) * pause)


async def student(address: str, room: Room, seed: int) -> None:
    """One student, until cancelled. Whoever meets an error opens another page."""
    random = Random(seed)
    await asyncio.sleep(random.random() * room.pause)
    while True:
        text = TASKS["grammar"].draw(None, random).text
        visitor = None
        try:
            visitor = await arrive(address, Link(random.choice(PAGES), {"text": text}))
            room.opened += 1
            for _ in range(random.randint(*FLIPS)):
                await rest(random, room.pause)
                kind = room.kind
                room.waits[kind].append(await visitor.flip(random.choice(visitor.switches)))
        except Exception as error:  # what happened to a student is counted, and the class goes on
            room.errors[f"{type(error).__name__}: {error}"[:120]] += 1
            await asyncio.sleep(1)
        finally:
            if visitor is not None:
                await visitor.leave()


async def at_the_bare_app(address: str, room: Room, seed: int) -> None:
    """One student at the bare app, until cancelled."""
    random = Random(seed)
    visitor = await arrive(address)
    try:
        while True:
            await rest(random, room.pause)
            room.waits["bare"].append(await visitor.flip())
    finally:
        await visitor.leave()


async def hostile(address: str, room: Room, seed: int) -> None:
    """The hostile client, until cancelled. What the server does to it is no error of the room."""
    random = Random(seed)
    while True:
        attack = random.choice(ATTACKS)
        with contextlib.suppress(Exception):
            await asyncio.wait_for(attack(address, random), 60)
        room.attacks += 1


async def for_a_while(seconds: float, who: list[Awaitable[Any]]) -> None:
    """Let them all go on for so long, and send them home."""
    tasks = [asyncio.ensure_future(outcome) for outcome in who]
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            print(f"a visitor was sent home with {outcome!r}")


def shares(waits: list[float]) -> tuple[float, float, float]:
    """Median, 95th percentile and worst, in seconds."""
    if len(waits) < 2:
        return (float("nan"),) * 3
    return statistics.median(waits), statistics.quantiles(waits, n=20, method="inclusive")[-1], max(waits)


async def soak(address: str, bare: str, students: int, minutes: float, room: Room, seed: int) -> None:
    """All of it; prints a line at the start and after every minute, and a table at the end."""
    process = server_of(address)

    def line(when: str) -> None:
        took = (
            f"{memory(process, 'VmRSS') / MEGABYTE:10.0f}{memory(process) / MEGABYTE:10.0f}{open_files(process):8d}"
            if process
            else f"{'':28}"
        )
        flips = sum(len(room.waits[kind]) for kind in ("honest", "hostile"))
        print(f"{when:12}{room.kind:>8}{took}{room.opened:8d}{flips:8d}{room.attacks:9d}{sum(room.errors.values()):8d}")

    print(
        f"{'':12}{'room':>8}{'RSS MB':>10}{'own MB':>10}{'files':>8}{'pages':>8}{'flips':>8}{'attacks':>9}{'errors':>8}"
    )
    line("start")
    begun = time.monotonic()
    for minute in range(max(1, round(minutes))):
        length = 60 * minutes / max(1, round(minutes))
        crowd: list[Awaitable[Any]] = [
            student(address, room, 10_000 * seed + 100 * minute + number) for number in range(students)
        ]
        if time.monotonic() - begun >= 20 * minutes - 1:
            room.kind = "hostile"
            crowd.append(hostile(address, room, seed + minute))
        await for_a_while(length * (1 - 1 / BARE_SHARE), crowd)
        await for_a_while(length / BARE_SHARE, [at_the_bare_app(bare, room, number) for number in range(students)])
        line(f"minute {minute + 1}")
    await asyncio.sleep(25)  # longer than the server keeps what a closed page had
    visitor = await arrive(address)  # Streamlit looks for closed pages when a page comes or goes
    await visitor.leave()
    line("all gone")
    table(room)


def table(room: Room) -> None:
    """Flips in seconds and as multiples of the median of the bare app."""
    usual = shares(room.waits["bare"])[0]
    print(f"\n{'':28}{'flips':>7}{'median s':>10}{'p95 s':>8}{'worst s':>9}{'median ×':>10}{'p95 ×':>8}{'worst ×':>9}")
    for kind, name in (("bare", "bare Streamlit app"), ("honest", "lab, honest room"), ("hostile", "lab, one hostile")):
        three = shares(room.waits[kind])
        print(
            f"{name:28}{len(room.waits[kind]):7d}{three[0]:10.3f}{three[1]:8.3f}{three[2]:9.3f}"
            f"{three[0] / usual:10.1f}{three[1] / usual:8.1f}{three[2] / usual:9.1f}"
        )
    honest, beside = shares(room.waits["honest"])[1], shares(room.waits["hostile"])[1]
    print(f"95th percentile beside a hostile client: {beside / honest:.2f} of that of the honest room (aim: 3 at most)")
    print(f"errors: {sum(room.errors.values())}")
    for what, times in room.errors.most_common():
        print(f"  {times} × {what}")


def main() -> None:
    """Serve both apps and let the class in."""
    wants = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name, kind, usual in (("students", int, 30), ("minutes", float, 10), ("pause", float, 4), ("seed", int, 0)):
        wants.add_argument(f"--{name}", type=kind, default=usual)
    arguments = wants.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "bare.py"
        script.write_text(BARE, encoding="utf-8")
        with serve() as address, serve(script) as bare:
            asyncio.run(
                soak(address, bare, arguments.students, arguments.minutes, Room(arguments.pause), arguments.seed)
            )


if __name__ == "__main__":
    main()
