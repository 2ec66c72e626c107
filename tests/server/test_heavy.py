"""A real server: while two visitors compute long, a third one's page answers; and who leaves frees the place."""

import asyncio

import pytest
from heavy import LINKS
from protocol import alone, arrive, begin
from served import serve

from viz.ui import slots

MEASURED, SCHEMES = (LINKS[name] for name in ("with a cache and without", "every scheme, longer and longer"))


def waits(visitor):
    return any("waiting for 1 long computation of other visitors" in bar for bar in visitor.bars)


@pytest.fixture(scope="module")
def address():
    with serve() as address:
        yield address


def test_a_flip_is_answered_while_two_visitors_compute_long(address):
    async def visit():
        third = await arrive(address)
        (first, first_link), (second, other) = [await begin(address, link) for link in (MEASURED, SCHEMES)]
        async with asyncio.timeout(120):
            # One computes, the other waits for its turn: both say so. How many may compute depends on the cores.
            while not (first.bars and second.bars):
                await asyncio.sleep(0.05)
            while not (
                first_link.done() or other.done() or slots.PLACES.most_long > 1 or waits(first) or waits(second)
            ):
                await asyncio.sleep(0.05)
        for _ in range(3):
            await third.flip()
        assert not first_link.done() and not other.done(), "both were still at it when the third had its answers"
        for visitor, task in ((first, first_link), (second, other)):
            task.cancel()
            await visitor.leave()
        await third.leave()

    alone(visit())


def test_who_closes_the_page_frees_the_place_for_the_next(address):
    """The one who leaves would have computed for many seconds; the next has the place after a step."""

    async def visit():
        gone, task = await begin(address, MEASURED)
        async with asyncio.timeout(120):
            while not any("Running the text three ways" in bar for bar in gone.bars):
                await asyncio.sleep(0.05)
        task.cancel()
        await gone.leave()
        assert gone.shares[-1] < 0.9, "much was left to do"
        # The same again: nothing half done is kept, and nobody waits for the one who has left.
        patient, going = await begin(address, MEASURED)
        async with asyncio.timeout(120):
            while not any("Running the text three ways" in bar and "waiting" not in bar for bar in patient.bars):
                await asyncio.sleep(0.05)
        assert not going.done() and patient.shares[0] < 0.9, "it began anew"
        await patient.ask("stop_measuring")
        await going
        assert not patient.notes
        await patient.leave()

    alone(visit())
