"""A real Ray cluster on this machine, in a process of its own, so that a test can kill it."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
START = """
import sys
import ray
ray.init(num_cpus=int(sys.argv[2]), include_dashboard=False, object_store_memory=100 * 2**20, _temp_dir=sys.argv[1])
print(ray.get_runtime_context().gcs_address, flush=True)
sys.stdin.read()
"""


@dataclass
class Cluster:
    """A cluster that runs."""

    address: str
    process: subprocess.Popen[str]

    def kill(self) -> None:
        """End all of its processes at once, as a machine ends that loses its power."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def cluster_of(workers: int, folder: Path) -> Iterator[Cluster]:
    """folder: for its logs and sockets; a short path, because the path of a socket has at most 107 bytes."""
    environment = os.environ | {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": "disabled",  # otherwise Ray writes a token into the home directory
        "PYTHONPATH": str(ROOT),
    }
    process = subprocess.Popen(
        [sys.executable, "-c", START, str(folder), str(workers)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
        start_new_session=True,
    )
    assert process.stdin and process.stdout
    with process.stdin, process.stdout:
        cluster = Cluster(process.stdout.readline().strip(), process)
        try:
            yield cluster
        finally:
            cluster.kill()
