"""What the dearest link of each page takes, and what a third visitor's flip takes while two of them run.

    python tests/bench/dearest.py [flips]

For each link of tests/support/heavy.py: seconds alone on an empty server, what it said, and how many flips of another
visitor were answered meanwhile, at what multiple of their time alone. Then every two neighbours of the list together.
The law is a multiple of 3 at most, for 95 of 100 flips; clocks on a shared machine are no test, so it is printed, not
asserted. Bounded:
every wait ends after four minutes, and the server stops with the script.
"""

import asyncio
import statistics
import sys
from itertools import pairwise
from pathlib import Path

sys.path.insert(1, str(Path(__file__).parents[1] / "support"))

from heavy import LINKS
from protocol import Link, Visitor, arrive, begin
from served import serve

LAW = 3


async def alone(address: str, flips: int) -> tuple[Visitor, float]:
    """The third visitor, and the median of its flips while nobody else is there."""
    third = await arrive(address)
    for _ in range(2):
        await third.flip()  # both states are remembered now, as in a lecture
    return third, statistics.median([await third.flip() for _ in range(flips)])


async def beside(address: str, links: tuple[Link, ...], third: Visitor) -> tuple[list[float], list[float], list[str]]:
    """While these links are computed: the flips of the third visitor; seconds of each link; what the pages said."""
    busy = [await begin(address, link) for link in links]
    waits = []
    while not all(task.done() for _, task in busy) and len(waits) < 2000:
        waits.append(await third.flip())
    took = [await task for _, task in busy]
    notes = [note for visitor, _ in busy for note in visitor.notes]
    for visitor, _ in busy:
        await visitor.leave()
    return waits, took, notes


def line(name: str, waits: list[float], took: list[float], usual: float) -> str:
    """A line of the table."""
    if not waits:
        return f"| {name} | {' and '.join(f'{seconds:.1f}' for seconds in took)} | 0 | | | |"
    middle, worst = statistics.median(waits) / usual, max(waits) / usual
    most = sorted(waits)[int(0.95 * len(waits))] / usual
    taken = " and ".join(f"{seconds:.1f}" for seconds in took)
    verdict = "" if most <= LAW else "  above the law"
    return f"| {name} | {taken} | {len(waits)} | {middle:.2f} | {most:.2f}{verdict} | {worst:.2f} |"


async def measure(flips: int) -> None:
    """Each link on a server of its own, so that nothing is remembered; then pairs."""
    print(
        "| dearest link | seconds | flips meanwhile | median × alone | 95 % × alone | largest × alone |\n"
        "|---|--:|--:|--:|--:|--:|"
    )
    cases = [((name,), (link,)) for name, link in LINKS.items()]
    cases += [(names, tuple(LINKS[name] for name in names)) for names in list(pairwise(LINKS))[:3]]
    for names, links in cases:
        with serve() as address:
            third, usual = await alone(address, flips)
            waits, took, _ = await beside(address, links, third)
            print(line(" + ".join(names), waits, took, usual), flush=True)
            await third.leave()


if __name__ == "__main__":
    asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 10))
