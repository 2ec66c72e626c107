"""What the lab reports about its work: one line of JSON for each request that matters, and counts for Prometheus.

Both are off by default. Neither holds a text, a code of a class or an address: a request is named by its kind, a page
by its own name, and an action of a class by its own. A run is timed from the message of the browser until the page has
been sent, so the time includes what the visitor waited in a queue.
"""

import json
import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from viz.server import replica
from viz.server.class_routes import ACTIONS, PATH
from viz.server.uploads import ROUTE

LOG = "ATTENTION_LAB_LOG"  # "on": a line for each request that matters
METRICS = "ATTENTION_LAB_METRICS"  # "9100" or "10.0.0.5:9100": where Prometheus reads; "": nowhere
LOOPBACK = "127.0.0.1"
SMALL = 20_000  # bytes; the messages that begin and end a run are smaller
PAGES = frozenset(path.name.replace("_", "-") for path in (Path(__file__).parents[1] / "pages").glob("[a-z]*"))
CLASS_ACTIONS = frozenset({*ACTIONS, "watch"})
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # the limits of the histogram
FINISHED = {
    ForwardMsg.FINISHED_SUCCESSFULLY: "ok",
    ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY: "ok",
    ForwardMsg.FINISHED_WITH_COMPILE_ERROR: "error",
}

Report = Callable[[str, str, str, float], None]  # kind, name, status and seconds of a request


@cache
def reports() -> tuple[Report, ...]:
    """Where requests are reported, by the environment of this process.

    Raises:
        SystemExit: a setting means nothing, or the package `prometheus-client` is not installed.
    """
    chosen: list[Report] = []
    if os.environ.get(LOG, "").strip().lower() in ("on", "1", "true"):
        chosen.append(logged())
    if setting := os.environ.get(METRICS, "").strip():
        chosen.append(counted(*address_of(setting)))
    return tuple(chosen)


def address_of(setting: str) -> tuple[str, int]:
    """Address and port of the setting. Without an address, only this machine can read.

    Raises:
        SystemExit: the setting names no port.
    """
    address, _, port = setting.rpartition(":")
    if not port.isdecimal() or not 0 < int(port) < 2**16:
        raise SystemExit(f"{METRICS} is “{setting[:40]}”; it is a port such as 9100, or an address and a port.")
    return address.strip("[]") or LOOPBACK, int(port)


def logged() -> Report:
    """Reports one line of JSON on the standard output."""
    log = logging.getLogger("attention_lab.activity")
    log.propagate = False
    log.setLevel(logging.INFO)
    log.handlers = [logging.StreamHandler(sys.stdout)]

    def report(kind: str, name: str, status: str, seconds: float) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = {"time": now, "replica": replica.name(), "kind": kind, "name": name, "status": status}
        log.info(json.dumps({**line, "ms": round(1000 * seconds, 1)}))

    return report


def counted(address: str, port: int) -> Report:
    """Serves counts and times at this address, in the format that Prometheus reads.

    Raises:
        SystemExit: the package `prometheus-client` is not installed, or the address cannot be used.
    """
    try:
        from prometheus_client import Histogram, start_http_server  # noqa: PLC0415  only where it is wanted
    except ImportError as error:
        raise SystemExit(f'{METRICS} is set. Install what it needs: pip install -e ".[metrics]"') from error
    labels = ("kind", "name", "status")
    seconds_of = Histogram("attention_lab_request_seconds", "Seconds of each request.", labels, buckets=SECONDS)
    try:
        start_http_server(port, address)
    except OSError as error:
        raise SystemExit(f"{METRICS}: nothing can listen on {address}, port {port}: {error.strerror}.") from error

    def report(kind: str, name: str, status: str, seconds: float) -> None:
        seconds_of.labels(kind, name, status).observe(seconds)

    return report


class Activity:
    """ASGI middleware: reports requests. It changes nothing."""

    def __init__(self, app: ASGIApp, reports: Sequence[Report]) -> None:
        self.app, self.reports = app, reports

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and report it when it has ended."""
        if scope["type"] == "websocket":
            runs = Runs(receive, send, self._report)
            start = time.perf_counter()
            await self.app(scope, runs.receive, runs.send)
            self._report("session", "", "ended" if runs.is_open else "refused", time.perf_counter() - start)
            return
        request = kind_of(scope) if scope["type"] == "http" else None
        if request is None:
            await self.app(scope, receive, send)
            return
        status, start = "broken", time.perf_counter()

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self.app(scope, receive, noted)
        finally:
            self._report(*request, status, time.perf_counter() - start)

    def _report(self, kind: str, name: str, status: str, seconds: float) -> None:
        for report in self.reports:
            report(kind, name, status, seconds)


def kind_of(scope: Scope) -> tuple[str, str] | None:
    """Kind and name of a request that matters. None: for a file or the health, which do not."""
    path, method = str(scope["path"]), scope["method"]
    if f"/{PATH}" in path:
        action = path.rpartition("/")[2]
        return "class", action if action in CLASS_ACTIONS else "start" if path.endswith(f"/{PATH}") else "other"
    if ROUTE in path:
        return "upload", ""
    if method == "GET" and "text/html" in Headers(scope=scope).get("accept", ""):
        page = path.strip("/").rpartition("/")[2]
        return "document", page if page in PAGES else "heads" if not page else "other"
    return None


def asks_for_a_run(data: bytes) -> bool:
    """Whether a message of a browser asks for a run. The message may be anything."""
    try:
        return BackMsg.FromString(data).WhichOneof("type") == "rerun_script"
    except DecodeError:
        return False


class Runs:
    """The messages of one session, from which the time of each run is taken."""

    def __init__(self, receive: Receive, send: Send, report: Report) -> None:
        self._receive, self._send, self._report = receive, send, report
        self._began: float | None = None  # when the browser requested the run that goes on
        self._page = ""
        self.is_open = False

    async def receive(self) -> Any:
        """One message of the browser."""
        message = await self._receive()
        if self._began is None and asks_for_a_run(message.get("bytes") or b""):
            self._began = time.perf_counter()
        return message

    async def send(self, message: Message) -> None:
        """One message to the browser."""
        await self._send(message)
        self.is_open = self.is_open or message["type"] == "websocket.accept"
        data = message.get("bytes") or b""
        if not data or len(data) > SMALL:
            return
        sent = ForwardMsg.FromString(data)
        kind = sent.WhichOneof("type")
        if kind == "navigation":
            paths = {page.page_script_hash: page.url_pathname for page in sent.navigation.app_pages}
            self._page = paths.get(sent.navigation.page_script_hash, "")
        elif kind == "script_finished" and self._began is not None and sent.script_finished in FINISHED:
            self._report("run", self._page, FINISHED[sent.script_finished], time.perf_counter() - self._began)
            self._began = None
