"""What a flip costs behind a real HAProxy, and how many visitors 1, 2 and 4 replicas serve.

    python tests/bench/replicas.py [REPLICAS …]

Each visitor speaks Streamlit's own protocol, has a sentence of their own, and flips one of the page's switches every
four seconds or so. Visitors are added until the 95th percentile of a flip is above one second. The processor time is
that of the replicas and of HAProxy, divided by the flips; the visitors of this bench take their own share of the cores.
"""

import asyncio
import os
import statistics
import sys
import time
from itertools import chain
from pathlib import Path
from random import Random

sys.path.insert(1, str(Path(__file__).parents[1] / "support"))
sys.path.insert(1, str(Path(__file__).parents[1] / "classroom"))
sys.path.insert(1, str(Path(__file__).parents[1] / "replicas"))

from protocol import Link, Visitor, arrive
from replica_set import ReplicaSet, replica_set

from model.tasks import TASKS

STEPS = (16, 32, 48, 64, 96, 128, 192, 256)  # visitors
PERIOD = 4.0  # seconds between two flips of one visitor, on average
SECONDS = 12.0  # of each step
SLOW = 1.0  # seconds


async def flips(visitor: Visitor, random: Random, until: float) -> list[float]:
    """Flip every few seconds. Returns how long each flip took."""
    waits = []
    await asyncio.sleep(random.uniform(0, PERIOD))
    while time.monotonic() < until:
        waits.append(await visitor.flip(random.choice(visitor.switches)))
        await asyncio.sleep(random.uniform(0.5, 1.5) * PERIOD)
    return waits


def used(pids: list[int]) -> float:
    """Seconds of a core that these processes have taken."""
    ticks = os.sysconf("SC_CLK_TCK")
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(field[11]) + int(field[12]) for field in fields) / ticks


async def measure(replicas: ReplicaSet) -> None:
    """Add visitors until a flip is slow; one line for each step."""
    draw, random = TASKS["grammar"].draw, Random(0)
    visitors: list[Visitor] = []
    pids = [*replicas.pids().values(), replicas.proxy()]
    for step in STEPS:
        while len(visitors) < step:
            visitors.append(await arrive(replicas.address, Link(state={"text": draw(None, random).text})))
            await visitors[-1].flip()
        before, start = used(pids), time.monotonic()
        rounds = await asyncio.gather(*(flips(visitor, random, start + SECONDS) for visitor in visitors))
        waits, cpu, wall = sorted(chain.from_iterable(rounds)), used(pids) - before, time.monotonic() - start
        p95 = waits[int(0.95 * (len(waits) - 1))]
        print(
            f"{replicas.count:8}{step:10}{len(waits) / wall:10.1f}{1000 * cpu / len(waits):10.0f}"
            f"{cpu / wall:10.2f}{statistics.median(waits):10.3f}{p95:8.3f}",
            flush=True,
        )
        if p95 > SLOW:
            break
    for visitor in visitors:
        await visitor.leave()


def main(counts: list[int]) -> None:
    """Measure each number of replicas."""
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{'replicas':>8}{'visitors':>10}{'flips/s':>10}{'ms/flip':>10}{'cores':>10}{'median s':>10}{'p95 s':>8}")
    for count in counts:
        with replica_set(count) as replicas:
            replicas.wait_until_ready()
            asyncio.run(measure(replicas))


if __name__ == "__main__":
    main(list(map(int, sys.argv[1:])) or [1, 2, 4])
