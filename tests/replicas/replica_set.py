"""Real replicas for tests and benches: `attention-lab serve` with a real HAProxy and a real Redis. Linux only."""

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import pytest
from redis_server import redis_server
from served import ROOT, serving
from server_process import STATUS, server_of

from viz.server import replica
from viz.server.deploy import proxy
from viz.server.deploy.replicas import is_ready

CHECKED = 0.5  # seconds between two checks of the proxy: `inter` in viz/server/deploy/haproxy.cfg
MISSING = "There is no HAProxy on this machine: install haproxy to run the tests of replicas."


@dataclass(frozen=True)
class ReplicaSet:
    """Replicas that run: where visitors arrive, and the process that has started everything."""

    address: str
    supervisor: int
    count: int

    def pids(self) -> dict[str, int]:
        """Name → process of each replica that runs now."""
        named = {pid: variable(pid, replica.NAME) for pid in self.children()}
        return {name: pid for pid, name in named.items() if name}

    def proxy(self) -> int:
        """The process of HAProxy."""
        return next(pid for pid in self.children() if not variable(pid, replica.NAME) and variable(pid, proxy.BIND))

    def children(self) -> list[int]:
        """The processes that `attention-lab serve` has started and that run now."""
        running = []
        for folder in STATUS.glob("[0-9]*"):
            with suppress(OSError):
                if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == self.supervisor:
                    running.append(int(folder.name))
        return running

    def wait_until_ready(self) -> None:
        """Return when the proxy sends visitors to every replica."""
        give_up = time.monotonic() + 120
        while len(ports := self.ports()) < self.count or not all(map(is_ready, ports)):
            assert time.monotonic() < give_up, "a replica has not become ready"
            time.sleep(0.1)
        time.sleep(2 * CHECKED)

    def ports(self) -> list[int]:
        """Where the replicas that run now listen."""
        words = [(STATUS / str(pid) / "cmdline").read_text().split("\0") for pid in self.pids().values()]
        return [int(line[line.index("--server.port") + 1]) for line in words if "--server.port" in line]

    def kill(self, name: str) -> None:
        """End a replica as a fault does, without a word."""
        os.kill(self.pids()[name], signal.SIGKILL)

    def restart_in_turn(self) -> None:
        """Ask for a rolling restart."""
        os.kill(self.supervisor, signal.SIGHUP)


def variable(pid: int, name: str) -> str:
    """A variable in the environment of a process; "" if it has none or has ended."""
    with suppress(OSError):
        for line in (STATUS / str(pid) / "environ").read_bytes().decode(errors="replace").split("\0"):
            if line.startswith(f"{name}="):
                return line.partition("=")[2]
    return ""


def need_haproxy() -> None:
    if shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None:
        pytest.fail(MISSING) if os.environ.get("ATTENTION_LAB_BROWSER") == "required" else pytest.skip(MISSING)


@contextmanager
def replica_set(count: int, options: Sequence[str] = ()) -> Iterator[ReplicaSet]:
    """So many replicas that share their classes. options: of `attention-lab serve`."""
    need_haproxy()
    with redis_server() as redis, pytest.MonkeyPatch.context() as patch:
        patch.setenv("ATTENTION_LAB_REDIS", redis)
        command = [sys.executable, "-m", "viz.cli", "serve", "--replicas", str(count), *options]
        with serving(command, ROOT) as address:
            process = server_of(address)
            assert process is not None
            yield ReplicaSet(address, int(process.name), count)
