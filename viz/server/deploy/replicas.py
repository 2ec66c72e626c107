"""`attention-lab serve --replicas N`: N replicas of the lab and HAProxy in front of them, which are kept running.

Each replica is one process with a port of its own on the loopback interface. A replica that ends is started again.
Ctrl-C or SIGTERM stops everything; SIGHUP restarts one replica after the other, each when the one before is ready.
"""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory

from viz import cache_limit
from viz.server import activity, class_routes, launch, replica, start
from viz.server.deploy import proxy

MOST = 64
DEFAULT_PORT = 8501  # Streamlit's own
COOKIE_SECRET = "server.cookieSecret"
READY_SECONDS = 180.0  # in which a replica must be ready
STOP_SECONDS = 5.0  # in which a process must end; an open stream of a class would hold it for hours
POLL = 0.1
SHORT_LIFE = 10.0  # seconds; a process that lived shorter is started again only after a pause
LONGEST_PAUSE = 30.0
ONE_REPLICA_CLASSES = (
    f"  Each class lives in one replica, because {class_routes.SETTING} is not set: a room cannot share it."
)


@dataclass
class Child:
    """A process that is started again when it ends. pause: seconds before it is started again."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = 0.0

    def start(self) -> None:
        """Start the process."""
        self.process = subprocess.Popen(self.command, env={**os.environ, **self.environment})
        self.started = time.monotonic()

    @property
    def has_ended(self) -> bool:
        """Whether it has been started and runs no more."""
        return self.process is not None and self.process.poll() is not None

    def start_again(self) -> None:
        """Start the process where it has ended. A process that ends again and again waits longer each time."""
        lived = time.monotonic() - self.started
        if not self.has_ended or lived < self.pause:
            return
        self.pause = min(max(2 * self.pause, 1.0), LONGEST_PAUSE) if lived < SHORT_LIFE else 0.0
        status = self.process.returncode if self.process else 0
        print(f"  {self.name} has ended (status {status}) and is started again.", flush=True)
        self.start()

    def stop(self) -> None:
        """Ask the process to end."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def wait(self) -> None:
        """Return when it has ended. A process that does not end in time is killed."""
        if self.process is None:
            return
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Replicas:
    """The replicas of one machine, and their proxy."""

    def __init__(self, count: int, address: str, port: int, options: Sequence[str]) -> None:
        self.address, self.port = address, port
        self.ports = free_ports(count)
        self._is_stopping = self._is_restarting = False
        shared = shared_environment(address, count)
        self.replicas = [
            Child(f"Replica {i}", command(own, options), {**shared, **own_environment(i)})
            for i, own in enumerate(self.ports, start=1)
        ]

    def serve(self) -> int:
        """Serve until a signal. Returns the exit status."""
        executable = proxy.executable()
        signal.signal(signal.SIGINT, self._stop)
        signal.signal(signal.SIGTERM, self._stop)
        if hasattr(signal, "SIGHUP"):  # not on Windows
            signal.signal(signal.SIGHUP, self._restart)
        with TemporaryDirectory() as folder:
            file = Path(folder) / "haproxy.cfg"
            file.write_text(proxy.configuration(self.ports), encoding="utf-8")
            front = Child(
                "HAProxy", [executable, "-db", "-q", "-f", str(file)], proxy.environment(self.address, self.port)
            )
            children = [*self.replicas, front]
            try:
                if answers(self.address, self.port):
                    return self._failed(f"Something else listens on port {self.port} already.")
                for child in self.replicas:
                    child.start()
                if not self._wait_until(lambda: all(map(is_ready, self.ports)), READY_SECONDS, or_ended=self.replicas):
                    return 0 if self._is_stopping else self._failed("A replica has not become ready.")
                front.start()
                if not self._wait_until(lambda: answers(self.address, self.port), STOP_SECONDS, or_ended=[front]):
                    return 0 if self._is_stopping else self._failed(f"HAProxy cannot listen on port {self.port}.")
                print("\n".join(self.lines()), flush=True)
                while not self._is_stopping:
                    for child in children:
                        child.start_again()
                    if self._is_restarting:
                        self._is_restarting = False
                        self._restart_in_turn()
                    time.sleep(POLL)
                return 0
            finally:
                for child in children:
                    child.stop()
                for child in children:
                    child.wait()

    def lines(self) -> list[str]:
        """What is printed when everything is ready."""
        *head, _ = start.addresses(self.address, self.port)
        shared = bool(os.environ.get(class_routes.SETTING, ""))
        return [*head, f"  {len(self.ports)} replicas are ready.", *([] if shared else [ONE_REPLICA_CLASSES]), ""]

    def _restart_in_turn(self) -> None:
        """Restart each replica when the one before is ready again, so that the others take its visitors."""
        for child, port in zip(self.replicas, self.ports, strict=True):
            if self._is_stopping:
                return
            child.stop()
            child.wait()
            child.start()
            self._wait_until(partial(is_ready, port), READY_SECONDS, or_ended=[child])
        print("  All replicas have been restarted.", flush=True)

    def _wait_until(self, holds: Callable[[], bool], seconds: float, or_ended: Sequence[Child]) -> bool:
        """Whether it holds within so many seconds, while none of the processes ends and no signal comes."""
        give_up = time.monotonic() + seconds
        while time.monotonic() < give_up and not self._is_stopping:
            if holds():
                return True
            if any(child.has_ended for child in or_ended):
                return False
            time.sleep(POLL)
        return False

    def _stop(self, _number: int, _frame: object) -> None:
        self._is_stopping = True

    def _restart(self, _number: int, _frame: object) -> None:
        self._is_restarting = True

    @staticmethod
    def _failed(sentence: str) -> int:
        print(sentence, file=sys.stderr)
        return 1


def serve(count: int, options: Sequence[str]) -> int:
    """Serve the lab with so many replicas. Returns the exit status.

    options: of Streamlit; address and port are those of the proxy.
    """
    environment, words = dict(os.environ), list(options)
    launch.hand_over({"server.port": DEFAULT_PORT, **launch.settings()}, environment)
    address = taken(words, "--server.address") or environment[launch.variable("server.address")]
    port = taken(words, "--server.port") or environment[launch.variable("server.port")]
    if not 1 <= count <= MOST or not port.isdecimal():
        raise SystemExit(f"attention-lab serve starts 1 to {MOST} replicas, behind a port that is a number.")
    return Replicas(count, address, int(port), words).serve()


def taken(words: list[str], option: str) -> str:
    """Take the option and its value out of the words of a command line. Returns the value; "" where it is not there."""
    for i, word in enumerate(words):
        if word == option and i + 1 < len(words):
            _, value = words.pop(i), words.pop(i)
            return value
        if word.startswith(f"{option}="):
            return words.pop(i).partition("=")[2]
    return ""


def command(port: int, options: Sequence[str]) -> list[str]:
    """The command line of one replica."""
    own = ["--server.address", "127.0.0.1", "--server.port", str(port), "--server.headless", "true"]
    program, *words = launch.command([*own, *options])
    return [sys.executable, "-m", program, *words]


def shared_environment(address: str, count: int) -> dict[str, str]:
    """What all replicas have in their environment: the settings, one secret, and their share of the memory."""
    environment = dict(os.environ)
    launch.hand_over({**launch.settings(), COOKIE_SECRET: secrets.token_hex(32)}, environment)
    environment.setdefault(cache_limit.VARIABLE, str(max(1, cache_limit.limit() // count // cache_limit.MEGABYTE)))
    environment[replica.PROXY] = address or "0.0.0.0"
    return environment


def own_environment(number: int) -> dict[str, str]:
    """What differs between the replicas: the name, and the port at which Prometheus reads."""
    own = {replica.NAME: str(number)}
    if setting := os.environ.get(activity.METRICS, "").strip():
        address, port = activity.address_of(setting)
        own[activity.METRICS] = f"{address}:{port + number - 1}"
    return own


def free_ports(count: int) -> list[int]:
    """So many ports of the loopback interface on which nothing listens."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(opened.getsockname()[1]) for opened in sockets]
    for opened in sockets:
        opened.close()
    return ports


def is_ready(port: int) -> bool:
    """Whether the replica at this port is ready for visitors."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/_stcore/health")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def answers(address: str, port: int) -> bool:
    """Whether something listens at this address."""
    loopback = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}
    try:
        socket.create_connection((loopback.get(address, address), port), timeout=1).close()
    except OSError:
        return False
    return True
