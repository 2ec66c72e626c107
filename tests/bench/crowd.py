"""Thirty students flip one switch at once: real websocket clients on loopback, speaking Streamlit's own protocol.

    python tests/bench/crowd.py [clients]

First one client alone flips a few times; then all flip at the same moment, once each. Wall: from the first click to the
last answer. Two classes: all on the lecturer's link (one forward pass for all), and each on a sentence of their own
(a forward pass each). Bounded: every wait ends after four minutes, and the server stops with the script.
"""

import asyncio
import json
import statistics
import sys
import time
from pathlib import Path
from random import Random

sys.path.insert(1, str(Path(__file__).parents[1] / "support"))

from protocol import Link, arrive
from served import serve

from model.tasks import TASKS

ALONE = 10  # flips of the single client


async def class_of(address: str, texts: list[str]) -> tuple[list[float], float]:
    """All students flip at once: seconds each waited, and the wall time. Each answer must be of the student's text."""
    students = [await arrive(address, Link(state={"text": text})) for text in texts]
    start = time.perf_counter()
    waits = await asyncio.gather(*(student.flip() for student in students))
    wall = time.perf_counter() - start
    for student, text in zip(students, texts, strict=True):
        tokens = json.dumps(text.split())[1:-1]  # as the figures have them
        assert student.holds(tokens), f"the answer is not about {text!r}"
        await student.leave()
    return list(waits), wall


async def measure(address: str, clients: int) -> None:
    """One student, then the two classes; print the table."""
    alone = await arrive(address)
    flips = [await alone.flip() for _ in range(ALONE)]
    single = statistics.median(flips)
    await alone.leave()
    print(f"{'':44}{'wall s':>8}{'median s':>10}{'p95 s':>8}{'ratio of p95':>14}")
    print(f"{'one client alone, median of ' + str(ALONE):44}{single:8.3f}{single:10.3f}{max(flips):8.3f}{1:14.1f}")
    draw, random = TASKS["grammar"].draw, Random(0)
    own = [draw(None, random).text for _ in range(clients)]
    shared = ["the dogs near the tree chase the cat ."] * clients
    for label, texts in (("clients, one sentence for all", shared), ("clients, a sentence each", own)):
        waits, wall = await class_of(address, texts)
        p95 = sorted(waits)[min(len(waits) - 1, int(0.95 * len(waits)))]
        label = f"{clients} {label}"
        print(f"{label:44}{wall:8.3f}{statistics.median(waits):10.3f}{p95:8.3f}{p95 / single:14.1f}", flush=True)


def main(clients: int) -> None:
    """Serve the app and let the crowd in."""
    with serve() as address:
        asyncio.run(measure(address, clients))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30)
