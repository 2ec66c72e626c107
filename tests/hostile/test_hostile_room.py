"""A room that comes and goes: pages opened and closed, flips; no file stays open for nobody, and memory stays flat."""

import asyncio
import resource
import time
import urllib.request

import pytest
from protocol import alone, arrive
from served import serve
from server_process import memory, open_files, server_of

SOFT = 256  # open files that a process on macOS may have, if it does not ask for more
PAGES = 300
FLIPS = 500
FLAT = 60_000_000  # bytes


@pytest.fixture(scope="module")
def lab():
    """A server that was started with few open files allowed: (address, its process)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (SOFT, hard))
    try:
        with serve() as address:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            yield address
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_three_hundred_pages_one_after_another_are_all_answered_with_few_files_allowed(lab, outcome):
    async def visits():
        for _ in range(PAGES):
            page = await arrive(lab)
            await page.leave()

    alone(visits())
    with urllib.request.urlopen(f"{lab}/_stcore/health", timeout=20) as answer:
        assert answer.read() == b"ok"
    outcome("page opened and closed", PAGES)


def test_the_files_of_closed_pages_are_closed_soon(lab):
    process = server_of(lab)
    if process is None:
        return  # a system without /proc cannot be asked

    async def visits():
        deadline = time.monotonic() + 90
        while open_files(process) > 100 and time.monotonic() < deadline:
            page = await arrive(lab)  # Streamlit looks for closed pages when a page comes or goes
            await page.leave()
            await asyncio.sleep(2)

    alone(visits())
    assert open_files(process) <= 100


def test_memory_stays_flat_over_five_hundred_flips_and_the_pages_before(lab, outcome):
    process = server_of(lab)

    async def visit():
        page = await arrive(lab)
        for _ in range(50):  # both answers are in the caches by now
            await page.flip()
        before = memory(process) if process else 0
        for _ in range(FLIPS):
            await page.flip()
        after = memory(process) if process else 0
        await page.leave()
        assert after - before < FLAT

    alone(visit())
    outcome("flip", FLIPS)
