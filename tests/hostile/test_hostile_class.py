"""A room that comes and goes: pages opened and closed, flips; no file stays open for nobody, and memory stays flat."""

import asyncio
import resource
import time
import tomllib
import urllib.request

import pytest
from protocol import alone, arrive
from served import ROOT, serve
from server_process import memory, open_files, server_of

SOFT = 256  # open files that a process on macOS may have, if it does not ask for more
PAGES, AT_ONCE = 300, 100  # a page takes three files or more, so that many at once need more files than SOFT
FLIPS = 500
FLAT = 60_000_000  # bytes
KEPT = 4  # seconds that this server keeps a closed page, so that the test need not wait for the setting of the lab


@pytest.fixture(scope="module")
def lab():
    """The address of a server that was started with few open files allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (SOFT, hard))
    try:
        with serve(options=("--server.disconnectedSessionTTL", str(KEPT))) as address:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            yield address
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_three_hundred_pages_a_hundred_of_them_open_at_once_are_all_answered_with_few_files_allowed(lab, outcome):
    process = server_of(lab)

    async def visits():
        most = 0
        for _ in range(PAGES // AT_ONCE):
            pages = []
            while len(pages) < AT_ONCE:
                pages += await asyncio.gather(arrive(lab), arrive(lab))
            most = max(most, open_files(process) if process else 0)
            for page in pages:
                await page.leave()
        assert most > SOFT or process is None, "so many pages need more files than the process was allowed at first"

    alone(visits())
    with urllib.request.urlopen(f"{lab}/_stcore/health", timeout=20) as answer:
        assert answer.read() == b"ok"
    outcome("page opened and closed", PAGES)


def test_the_files_of_closed_pages_are_closed_soon(lab):
    settings = tomllib.loads((ROOT / ".streamlit/config.toml").read_text(encoding="utf-8"))
    assert settings["server"]["disconnectedSessionTTL"] <= 20
    process = server_of(lab)
    if process is None:
        return  # a system without /proc cannot be asked

    async def visits():
        deadline = time.monotonic() + 90
        while open_files(process) > 100 and time.monotonic() < deadline:
            page = await arrive(lab)  # Streamlit looks for closed pages when a page comes or goes
            await page.leave()
            await asyncio.sleep(0.5)

    alone(visits())
    assert open_files(process) <= 100


def test_memory_stays_flat_over_five_hundred_flips_and_the_pages_before(lab, outcome):
    process = server_of(lab)

    async def flips(page, times):
        for _ in range(times):
            await page.flip()

    async def visit():
        pages = [await arrive(lab), await arrive(lab)]
        await asyncio.gather(*(flips(page, 25) for page in pages))  # both answers are in the caches by now
        before = memory(process) if process else 0
        await asyncio.gather(*(flips(page, FLIPS // 2) for page in pages))
        after = memory(process) if process else 0
        for page in pages:
            await page.leave()
        assert after - before < FLAT

    alone(visit())
    outcome("flip", FLIPS)
