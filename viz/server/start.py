"""What happens when the server starts: room for many visitors, torch and the weights in memory, and its addresses."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.middleware import Middleware
from streamlit import config

from viz import cache_limit
from viz.server import activity, replica
from viz.server.errors import log_in_one_line
from viz.server.first_paint import FirstPaint
from viz.server.guard import Guard
from viz.server.hosts import EVERY_ADDRESS, room_address, started_for
from viz.server.imports import imports

FILES = 8192  # open files: a visitor has a socket, and the thread of a running page three more
# Seconds that a thread of Python keeps the interpreter while another waits for it; Python's own choice is 0.005.
# Beside two long computations the 95th percentile of 300 flips took 2.0 to 2.3 times a flip alone with 0.005, and 1.6
# to 1.7 times with this (two runs each, on two cores).
SWITCH_INTERVAL = 0.001


def middleware() -> list[Middleware]:
    """The guard, for the address that the lab was started at; and the style sheet in every page."""
    cache_limit.check()
    further = config.get_option("server.allowedHosts") or ()
    if config.is_manually_set("browser.serverAddress"):
        further = (*further, config.get_option("browser.serverAddress"))
    guard = Middleware(Guard, hosts=started_for(replica.listens_on(config.get_option("server.address") or ""), further))
    wanted = activity.reports()
    return [*([Middleware(activity.Activity, reports=wanted)] if wanted else []), guard, Middleware(FirstPaint)]


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[dict[str, Any]]:
    """From the start of the server to its end."""
    allow_many_files()
    sys.setswitchinterval(SWITCH_INTERVAL)
    log_in_one_line()
    imports.begin()
    if replica.name():  # visitors come to the address of the proxy
        preparing = asyncio.create_task(replica.readiness.prepare())
        yield {}
        preparing.cancel()
        return
    for line in addresses(config.get_option("server.address") or "", int(config.get_option("server.port"))):
        print(line, flush=True)
    yield {}


def addresses(bound: str, port: int) -> list[str]:
    """What is printed at the start: where to open the lab. Streamlit's own lines would ask another machine."""
    scheme = "https" if config.get_option("server.sslCertFile") else "http"
    path = str(config.get_option("server.baseUrlPath") or "").strip("/")
    lines = ["", "  Attention Lab"]
    if bound in EVERY_ADDRESS:
        lines += [f"  On this machine: {scheme}://localhost:{port}/{path}"]
        lines += [f"  For the room:    {scheme}://{room_address()}:{port}/{path}"]
    else:
        shown = f"[{bound}]" if ":" in bound else "localhost" if bound == "127.0.0.1" else bound
        lines += [f"  {scheme}://{shown}:{port}/{path}"]
    return [*lines, ""]


def allow_many_files(wanted: int = FILES) -> int:
    """Raise the limit of open files as far as the system lets this process. Returns the limit that holds then."""
    try:
        import resource  # noqa: PLC0415  not on Windows
    except ImportError:
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        target = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))
        except (ValueError, OSError) as error:
            logging.getLogger(__name__).warning("The limit of open files stays at %d: %s.", soft, error)
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
