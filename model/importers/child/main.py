"""The child process: it answers requests, each with limits of memory and time, until the server ends.

`parent` starts it as `python -m model.importers.child.main`. It runs the code of the lab on unchecked files. If a file
makes a library abort, or use memory or time without limit, only this process ends.
"""

import os
import sys
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Any, BinaryIO

from model.importers.child import requests
from model.importers.child.messages import receive, send


def main() -> None:
    """Answer requests from standard input on standard output."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a library that prints must not write into the messages
    waiting: SimpleQueue[dict[str, Any]] = SimpleQueue()
    Thread(target=_requests, args=(sys.stdin.buffer, waiting), daemon=True).start()
    base = _data()
    send(answers, {"ready": True})
    while True:
        request = waiting.get()
        _limit(request, base)
        _answer(request, answers)


def _requests(file: BinaryIO, waiting: SimpleQueue[dict[str, Any]]) -> None:
    while (message := receive(file)) is not None:
        waiting.put(message[0])
    os._exit(0)  # the server has ended, so every computation here ends too


def _answer(request: dict[str, Any], answers: BinaryIO) -> None:
    shown = [-1.0]

    def progress(share: float) -> None:
        if share - shown[0] >= 0.01:
            shown[0] = share
            send(answers, {"share": share})

    task: Callable[..., requests.Answer] = requests.TASKS[request["task"]]
    try:
        answer, payload = task(request, progress)
    except MemoryError:
        answer, payload = {"memory": True}, memoryview(b"")
    except requests.REFUSALS as error:
        answer, payload = {"refused": str(error), "kind": type(error).__name__}, memoryview(b"")
    except Exception as error:  # any exception that a hostile file causes is an answer, not the end of the process
        answer, payload = {"failed": type(error).__name__}, memoryview(b"")
    send(answers, answer, payload)


def _limit(request: dict[str, Any], base: int) -> None:
    """Set the limits of the operating system, if it has them, because the server checks this process only at times."""
    try:
        import resource  # noqa: PLC0415  not on Windows
    except ImportError:
        return
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    _set(resource, "RLIMIT_CPU", int(used + request["seconds"]) + 1)
    _set(resource, "RLIMIT_CORE", 0)
    if base:
        _set(resource, "RLIMIT_DATA", base + request["memory"])


def _set(resource: Any, name: str, value: int) -> None:
    """Lower the soft limit; the next request may need a higher one."""
    if (kind := getattr(resource, name, None)) is not None:
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def _data() -> int:
    """The bytes of writable memory that RLIMIT_DATA counts for this process; 0 if they are not known."""
    try:
        with open("/proc/self/status", encoding="ascii") as file:
            return next(int(line.split()[1]) << 10 for line in file if line.startswith("VmData:"))
    except (OSError, StopIteration):
        return 0


if __name__ == "__main__":
    main()
