"""The server side of a child process: requests, supervision, and its end if it uses too much or is stopped."""

import atexit
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import BoundedSemaphore, Lock, Thread
from time import monotonic
from typing import IO, Any
from weakref import WeakSet

from model.checkpoint import CheckpointError
from model.importers.child.messages import Message, receive, send

ROOT = Path(__file__).parents[2]
TICK = 0.05  # seconds between two checks of the child, and the delay of a click on "Stop"
START = 120.0  # maximum seconds for the import of torch on a busy machine
MEGABYTE = 10**6


@dataclass(frozen=True)
class Limits:
    """The limits of one request."""

    memory: int = 1200 * MEGABYTE  # bytes, in addition to the interpreter and its libraries
    seconds: float = 60.0  # of processor time
    wall: float = 240.0  # of wall-clock time, because the processor is shared


class Process:
    """A running child process. Only one thread may use it at a time."""

    def __init__(self) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, "-P", "-m", "model.importers.child.main"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,
        )
        assert self._popen.stdin and self._popen.stdout
        self._messages: SimpleQueue[Message | None] = SimpleQueue()
        self._reader = Thread(target=_read, args=(self._popen.stdout, self._messages), daemon=True)
        self._reader.start()
        self._base: int | None = None  # its memory in bytes before the first request
        _living.add(self)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._popen.pid

    @property
    def alive(self) -> bool:
        """Whether the process is running."""
        return self._popen.poll() is None

    def ask(self, request: dict[str, Any], limits: Limits, progress: Callable[[float], None]) -> Message:
        """The answer to a request. progress: called often with the share that is done; if it raises, the child ends.

        Raises:
            CheckpointError: the child refused, exceeded its limits, or died. In the last two cases it has ended.
        """
        try:
            if self._base is None:
                self._wait(Limits(wall=START), progress)
                self._base = _memory(self.pid)
            assert self._popen.stdin
            send(self._popen.stdin, request | {"memory": limits.memory, "seconds": limits.seconds})
            return self._wait(limits, progress)
        except OSError:  # it died before the request
            sentence = self._died(limits)
            self.close()
            raise CheckpointError(sentence) from None
        except BaseException:
            self.close()
            raise

    def _wait(self, limits: Limits, progress: Callable[[float], None]) -> Message:
        began, share = monotonic(), 0.0
        while True:
            try:
                message = self._messages.get(timeout=TICK)
            except Empty:
                self._watch(limits, monotonic() - began)
                progress(share)
                continue
            if message is None:
                raise CheckpointError(self._died(limits))
            if "share" in message[0]:
                share = float(message[0]["share"])
                progress(share)
                continue
            if message[0].get("memory"):
                raise CheckpointError(_too_much(limits))
            return message

    def _watch(self, limits: Limits, seconds: float) -> None:
        if seconds > limits.wall:
            raise CheckpointError(
                f"This took longer than {limits.wall:,.0f} seconds, so it was ended. A valid model takes less."
            )
        if self._base is not None and _memory(self.pid) - self._base > limits.memory:
            raise CheckpointError(_too_much(limits))

    def _died(self, limits: Limits) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(5)
        code = self._popen.returncode
        if code is not None and code < 0:
            if -code == getattr(signal, "SIGXCPU", 0):
                return (
                    f"This took more than {limits.seconds:,.0f} seconds of computing, so it was ended. A valid model "
                    "takes less."
                )
            if -code == signal.SIGABRT:  # how the libraries end if they get no memory
                return _too_much(limits)
            return f"The process that reads the files was ended by the system ({signal.Signals(-code).name})."
        return "The process that reads the files has ended without an answer."

    def close(self) -> None:
        """End the process at once."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self._popen.poll() is None:
                if hasattr(os, "killpg"):
                    os.killpg(self._popen.pid, signal.SIGKILL)
                else:
                    self._popen.kill()
        self._popen.wait()
        self._reader.join(5)
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        _living.discard(self)


_living: WeakSet[Process] = WeakSet()
_idle: list[Process] = []  # at most one, which has already imported its libraries
_lock = Lock()
_room = BoundedSemaphore(2)  # number of children that inspect folders at the same time, for all visitors


@atexit.register
def close_all() -> None:
    """End every child of this process."""
    for process in list(_living):
        process.close()


def warm() -> None:
    """Start a child for the next request."""
    with _lock:
        if not _idle:
            _idle.append(Process())


def taken() -> Process:
    """A child that the caller keeps and must close."""
    with _lock:
        process = _idle.pop() if _idle else None
    if process is not None and process.alive:
        return process
    if process is not None:
        process.close()
    return Process()


@contextmanager
def borrowed(progress: Callable[[float], None]) -> Iterator[Process]:
    """A child for one request. After it, the child waits for the next request, unless it has ended."""
    while not _room.acquire(timeout=TICK):
        progress(0.0)
    try:
        process = taken()
        try:
            yield process
        except BaseException:
            process.close()
            raise
        with _lock:
            if not _idle and process.alive:
                _idle.append(process)
                return
        process.close()
    finally:
        _room.release()


def _read(file: IO[bytes], messages: SimpleQueue[Message | None]) -> None:
    try:
        while (message := receive(file)) is not None:
            messages.put(message)
    except (ValueError, OSError):
        pass
    messages.put(None)


def _environment() -> dict[str, str]:
    """The environment of the server, with the packages of the lab, one thread, no network and no GPU."""
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    return os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_OFFLINE": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }


def _memory(pid: int) -> int:
    """The bytes of memory of this process, without mapped files, which the system can drop."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
            fields = {line.split(":")[0]: line.split()[1] for line in file if line.startswith(("RssAnon", "VmRSS"))}
        return int(fields.get("RssAnon", fields.get("VmRSS", "0"))) << 10
    except (OSError, ValueError):
        pass
    try:
        told_by_ps = subprocess.run(
            ["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False, timeout=5
        ).stdout
        return int(told_by_ps.strip() or 0) << 10
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return 0  # the memory is not known here, but the child has its own limits


def _too_much(limits: Limits) -> str:
    return (
        f"Reading this took more than {limits.memory / MEGABYTE:,.0f} MB of memory, which is more than such a model "
        "needs, so it was ended. The files ask for sizes that they do not have."
    )
