"""One of several replicas behind a proxy: its name, where its proxy listens, and when it is ready for visitors.

A replica answers every request with 503 until a page of the lab has been run, and so torch and the weights are loaded.
The proxy asks for its health, which says the same, and sends visitors to another replica meanwhile.
"""

import asyncio
import os

from viz.server.imports import imports
from viz.server.preview.first_run import first_run

NAME = "ATTENTION_LAB_REPLICA"  # the name of this replica; "": the lab is one process
PROXY = "ATTENTION_LAB_PROXY"  # the address at which the proxy in front listens; "": there is none
NOT_READY = "This replica of the lab is starting. Try again in a few seconds."
RUN_SECONDS = 60.0  # that the first run of a page may take
PAUSE = 1.0  # seconds until a run that has failed is tried again


def name() -> str:
    """The name of this replica; "" for a lab of one process."""
    return os.environ.get(NAME, "")


def listens_on(bound: str) -> str:
    """The address at which visitors reach this lab. bound: the one that this process is bound to."""
    return os.environ.get(PROXY, "") or bound


class Readiness:
    """Whether this process is ready for visitors. A lab of one process is: its visitors wait where they must."""

    def __init__(self) -> None:
        self._has_run = False

    @property
    def is_ready(self) -> bool:
        """Whether visitors may come."""
        return self._has_run or not name()

    async def prepare(self) -> None:
        """Run the page that opens first, until it succeeds. It loads the weights, and runs of torch are fast then."""
        await imports.done()
        while not await first_run("", "", RUN_SECONDS):
            await asyncio.sleep(PAUSE)
        self._has_run = True


readiness = Readiness()
