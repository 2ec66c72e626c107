"""A real Redis for a test: a process on a free port, in memory only."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis

MISSING = "There is no redis-server on this machine: install redis-server to run the tests of a shared class."


@contextmanager
def redis_server(port: int = 0) -> Iterator[str]:
    """Its address. port: 0 for a free one."""
    executable = shutil.which("redis-server") or shutil.which("valkey-server")
    if executable is None:
        pytest.fail(MISSING) if os.environ.get("ATTENTION_LAB_BROWSER") == "required" else pytest.skip(MISSING)
    if not port:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
    command = [executable, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        client = redis.Redis(port=port)
        give_up = time.monotonic() + 20
        while True:
            try:
                client.ping()
                break
            except redis.exceptions.ConnectionError:
                assert time.monotonic() < give_up and server.poll() is None, "Redis has not started"
                time.sleep(0.05)
        client.close()
        yield f"redis://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)
