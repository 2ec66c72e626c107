"""The child process: one request after another, each within limits of memory and time, until the server ends.

`parent` starts it as `python -m model.importers.child.main`. It runs the lab's own code on files that nobody has
checked. If a file makes a library abort, allocate or compute without end, only this process is lost.
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
    os.dup2(2, 1)  # a library that prints must not write between the messages
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
    os._exit(0)  # the server has ended: so does whatever is being computed here


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
    except Exception as error:  # whatever a hostile file makes our code raise is a refusal, not the end
        answer, payload = {"failed": type(error).__name__}, memoryview(b"")
    send(answers, answer, payload)


def _limit(request: dict[str, Any], base: int) -> None:
    """The system's own limits, where it has them: they hold between two looks of the server at this process."""
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
    """Bytes of writable memory that this process has mapped, which RLIMIT_DATA counts; 0 where nothing tells."""
    try:
        with open("/proc/self/status", encoding="ascii") as file:
            return next(int(line.split()[1]) << 10 for line in file if line.startswith("VmData:"))
    except (OSError, StopIteration):
        return 0


if __name__ == "__main__":
    main()
