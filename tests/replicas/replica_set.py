"""Real replicas for tests and benches: `attention-lab serve` with a real HAProxy and a real Redis. Linux only."""

import os
import shutil
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from redis_server import redis_server
from served import ROOT, serving
from server_process import STATUS, server_of

MISSING = "There is no HAProxy on this machine: install haproxy to run the tests of replicas."


@dataclass(frozen=True)
class ReplicaSet:
    """Replicas that run: where visitors arrive, and the process that has started everything."""

    address: str
    supervisor: int

    def pids(self) -> dict[str, int]:
        """Name → process of each replica that runs now."""
        running = {}
        for folder in STATUS.glob("[0-9]*"):
            try:
                variables = (folder / "environ").read_bytes().decode().split("\0")
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, UnicodeDecodeError, IndexError):
                continue
            name = next((value for value in variables if value.startswith("ATTENTION_LAB_REPLICA=")), "")
            if parent == self.supervisor and name:
                running[name.partition("=")[2]] = int(folder.name)
        return running

    def kill(self, name: str) -> None:
        """End a replica as a fault does, without a word."""
        os.kill(self.pids()[name], signal.SIGKILL)

    def restart_in_turn(self) -> None:
        """Ask for a rolling restart."""
        os.kill(self.supervisor, signal.SIGHUP)


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
            yield ReplicaSet(address, int(process.name))
