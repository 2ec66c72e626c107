"""A Ray cluster as the place for heavy work. It is connected in a child process, so it cannot end the lab."""

import contextlib
import fcntl
import json
import os
import subprocess
import sys
from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from time import monotonic
from typing import IO, Any
from weakref import finalize

from model.cluster.packing import to_plain, unpack
from model.cluster.place import (
    ClusterFull,
    ClusterUnavailable,
    OnSeedStep,
    Place,
    Seed,
    TrainingFailed,
    Waiting,
    may_leave,
)
from model.cluster.workers import pack_model, unpack_run
from model.importers.child.messages import Message, receive, send
from model.run import Array, Experiment, InputTextError, check_ids, encode, get_transformer
from model.training.optimizer import Step
from model.training.trainer import Run
from model.transformer import Trace

ROOT = Path(__file__).parents[2]
CONNECT = 60.0  # seconds for the connection to a cluster, or for the start of one on this machine
PATIENCE = 20.0  # seconds of these that a visitor waits
ANSWER = 400.0  # seconds for one forward pass with all its tries, and for its turn
AGAIN = 30.0  # seconds until a cluster that was gone is tried again
TICK = 0.2  # seconds between two checks whether the visitor is still there
MODELS = 2  # models that the child keeps
GONE = "The cluster does not answer, so this machine computes by itself."


Answers = SimpleQueue[Message | None]


class Connection:
    """The child process, and the answers that it owes."""

    def __init__(self, address: str) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, "-P", "-m", "model.cluster.driver", address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))},
            start_new_session=True,  # Ctrl-C is for the lab, which then closes the child
        )
        assert self._popen.stdin and self._popen.stdout
        for pipe in (self._popen.stdin, self._popen.stdout):
            _widen(pipe)
        self._requests: IO[bytes] = self._popen.stdin
        self._answers: dict[int, Answers] = {}
        self._lock = Lock()
        self._number = 0
        self._sent: OrderedDict[str, None] = OrderedDict()  # the names of the models that the child keeps
        self.began = monotonic()
        self.known = Event()  # whether it is known that the cluster answers or does not
        self.workers = 0  # 0: no cluster
        self.processes: deque[int] = deque(maxlen=64)  # of the workers that answered last
        self.largest_batch = 0  # forward passes that were made together
        self.closed = finalize(self, _end, self._popen)
        Thread(target=self._read, args=(self._popen.stdout,), daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether requests can be sent."""
        return self.workers > 0 and self._popen.poll() is None

    def _read(self, answers: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError), answers:
            while (message := receive(answers)) is not None:
                if "ready" in message[0]:
                    self.workers = int(message[0]["ready"])
                    self.known.set()
                elif "id" not in message[0]:
                    print(f"No connection to the cluster: {message[0]['refused']}", file=sys.stderr)
                elif (waiting := self._answers.get(message[0]["id"])) is not None:
                    self._note(message[0])
                    waiting.put(message)
        with self._lock:
            self.workers = 0
            for waiting in self._answers.values():
                waiting.put(None)
        self.known.set()

    def _note(self, answer: dict[str, Any]) -> None:
        if "pid" in answer:
            self.processes.append(answer["pid"])
            self.largest_batch = max(self.largest_batch, answer.get("together", 0))

    @property
    def open_requests(self) -> int:
        """How many requests have not been answered."""
        return len(self._answers)

    def send_model(self, name: str) -> None:
        """Send a model, unless the child has it. Raises OSError if the child has ended."""
        with self._lock:
            if name in self._sent:
                return
            send(self._requests, {"do": "model", "model": name}, pack_model(get_transformer(name)[0]).data)
            while len(self._sent) >= MODELS:
                self._sent.popitem(last=False)
            self._sent[name] = None

    def ask(self, request: dict[str, Any], answers: Answers) -> int:
        """Send a request; its answers come into this queue, and None at the end of the child. Returns its number.

        Raises:
            ClusterUnavailable: the child has ended.
        """
        with self._lock:
            self._number += 1
            number = self._number
            self._answers[number] = answers
        self._send(request | {"id": number})
        return number

    def leave(self, number: int) -> None:
        """The answer to this request is no longer wanted."""
        with self._lock:
            self._answers.pop(number, None)
        with contextlib.suppress(ClusterUnavailable):
            self._send({"do": "leave", "id": number})

    def _send(self, request: dict[str, Any]) -> None:
        try:
            with self._lock:
                send(self._requests, request)
        except (OSError, ValueError):
            raise ClusterUnavailable(GONE) from None

    def close(self) -> None:
        """End the child, and with it what it has started in the cluster."""
        self.closed()


def _widen(pipe: IO[bytes]) -> None:
    """Let the pipe hold a megabyte, where the system can: a trace is sent in fewer turns of the two processes."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 1 << 20)


def _end(child: subprocess.Popen[bytes]) -> None:
    assert child.stdin
    with contextlib.suppress(OSError, ValueError):
        child.stdin.close()  # it ends by itself, and Ray ends its workers
    try:
        child.wait(5)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


class RayPlace(Place):
    """The workers of a cluster. While it is gone, it is tried again from time to time, and nothing waits for that."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._lock = Lock()
        self._connection: Connection | None = None
        self._next = 0.0  # when the cluster may be tried again

    def connect(self, waiting: Waiting = lambda ahead: None, seconds: float = CONNECT) -> Connection:
        """The connection; it is made if there is none, and goes on in the background where it takes longer.

        waiting: called again and again, with 0. seconds: from its beginning.

        Raises:
            ClusterUnavailable: there is none now.
        """
        with self._lock:
            connection = self._connection
            if connection is None or (connection.known.is_set() and not connection.alive):
                if monotonic() < self._next:
                    raise ClusterUnavailable(GONE)
                self._next = monotonic() + AGAIN
                if connection is not None:
                    connection.close()
                connection = self._connection = Connection(self._address)
        while not connection.known.wait(TICK) and monotonic() < connection.began + seconds:
            waiting(0)
        if not connection.alive:
            if not connection.known.is_set() and monotonic() > connection.began + CONNECT:
                connection.close()
            raise ClusterUnavailable(GONE)
        return connection

    def close(self) -> None:
        """End the connection."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def takes(self, weights: str) -> bool:
        return may_leave(weights)

    def run(self, experiment: Experiment, waiting: Waiting = lambda ahead: None) -> Trace[Array]:
        encoding = encode(experiment)
        check_ids(experiment, encoding.ids)
        changes = (experiment.switches, experiment.override, experiment.mask_spec)
        request = {"do": "run", "model": experiment.weights, "ids": list(encoding.ids)}
        connection = self.connect(waiting, PATIENCE)
        try:
            connection.send_model(experiment.weights)
        except OSError:
            raise ClusterUnavailable(GONE) from None
        answers: Answers = SimpleQueue()
        number = connection.ask(request | {"options": json.dumps(to_plain(changes, {}))}, answers)
        try:
            content = _one(answers, waiting)
        finally:
            connection.leave(number)
        trace: Trace[Array] = unpack(content)
        return replace(trace, tokens=encoding.tokens)

    def train(self, seeds: Sequence[Seed], on_step: OnSeedStep) -> Iterator[tuple[Seed, Run[Any, Any]]]:
        try:
            connection = self.connect()
        except ClusterUnavailable:
            raise ClusterUnavailable("The cluster does not answer.") from None
        answers: Answers = SimpleQueue()
        pending = {
            connection.ask({"do": "train", "seed": [seed.recipe, seed.seed, seed.steps]}, answers): seed
            for seed in seeds
        }
        try:
            yield from _finished(pending, answers, on_step)
        finally:
            for number in pending:
                connection.leave(number)


def _finished(pending: dict[int, Seed], answers: Answers, on_step: OnSeedStep) -> Iterator[tuple[Seed, Run[Any, Any]]]:
    """The trainings of these requests as they end. Raises as `RayPlace.train`."""
    left = set(pending)
    while left:
        message = answers.get()
        if message is None:
            raise ClusterUnavailable("The cluster does not answer any more.")
        about, content = message
        seed = pending[about["id"]]
        if "step" in about:
            number, loss, rate = about["step"]
            on_step(seed, Step(int(number), loss, rate))
        elif "refused" in about:
            raise TrainingFailed(f"{seed.recipe}, seed {seed.seed}: {about['refused']}")
        elif "failed" in about:
            raise ClusterUnavailable(f"The workers of {seed.recipe}, seed {seed.seed}, died: {about['failed']}.")
        else:
            left.discard(about["id"])
            yield seed, unpack_run(seed.training(), content)


def _one(answers: Answers, waiting: Waiting) -> bytes:
    """The answer to one forward pass. Raises as `RayPlace.run`."""
    end, ahead = monotonic() + ANSWER, 0
    while monotonic() < end:
        try:
            message = answers.get(timeout=TICK)
        except Empty:
            waiting(ahead)
            continue
        if message is None or "failed" in message[0]:
            raise ClusterUnavailable(GONE)
        about, content = message
        if "ahead" in about:
            ahead = about["ahead"]
        elif "full" in about:
            raise ClusterFull(f"{about['full']} forward passes wait in the cluster already. Try again in a minute.")
        elif "refused" in about:
            raise InputTextError(about["refused"])
        else:
            return content
    raise ClusterUnavailable(GONE)
