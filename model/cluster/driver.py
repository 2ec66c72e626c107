"""The child process that is connected to a Ray cluster: requests from standard input, answers on standard output.

`ray_place` starts it as `python -m model.cluster.driver ADDRESS`. If the cluster is gone, this process ends. Forward
passes wait in one queue. A worker takes the first one and all others of the same model, length and options, and makes
them as one batch. A worker that dies is replaced, and its work is done again.
"""

import asyncio
import importlib
import json
import os
import socket
import sys
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Any

import numpy as np

from model.cluster.workers import ForwardWorker, train_seed
from model.importers.child.messages import Message, receive, send

USAGE = "RAY_USAGE_STATS_ENABLED"
MOST_WAITING = 64  # forward passes
MOST_TOGETHER = 16  # forward passes of one batch
MOST_TOKENS = 256  # of all texts of a batch, unless it is a single text: their traces must fit into memory
MOST_WORKERS = 8  # with the weights of a model each
TRIES = 3  # of the same work, before it is given up
PASS_SECONDS = 120.0  # until a batch is done, the start of its worker and the way of the weights included
IDLE_SECONDS = 60.0  # after which a worker without forward passes gives its core back
IDLE_CHECK = 1.0  # seconds between two checks whether a worker is idle; the same where trainings want its core
ALIVE_SECONDS = 1.0  # between two checks of the cluster
PROBE_SECONDS = 5.0  # for the first answer of a cluster
STORE_BYTES = 512 << 20  # of the object store of a cluster that is started here


@dataclass
class Pass:
    """One forward pass that waits."""

    id: int
    model: str
    ids: list[int]
    options: str
    tries: int = 0

    @property
    def key(self) -> tuple[str, int, str]:
        """Passes with the same key can be one batch."""
        return self.model, len(self.ids), self.options


class PassQueue:
    """Forward passes in the order of their arrival."""

    def __init__(self, moved: Callable[[int, int], None]) -> None:
        """moved: called with the number of a pass and the number of passes before it, whenever that changes."""
        self._moved = moved
        self._waiting: deque[Pass] = deque()
        self._change = asyncio.Condition()

    async def put(self, entry: Pass) -> bool:
        """Whether there was room for it."""
        async with self._change:
            if len(self._waiting) >= MOST_WAITING:
                return False
            self._waiting.append(entry)
            self._moved(entry.id, len(self._waiting) - 1)
            self._change.notify()
            return True

    async def put_back(self, entries: list[Pass]) -> None:
        """Passes that were taken and not made: they are the next ones."""
        async with self._change:
            self._waiting.extendleft(reversed(entries))
            self._change.notify()

    async def remove(self, number: int) -> None:
        """The visitor of this pass has left."""
        async with self._change:
            self._waiting = deque(entry for entry in self._waiting if entry.id != number)

    async def take(self) -> list[Pass]:
        """The first pass, and those that can be made with it."""
        async with self._change:
            while not self._waiting:
                await self._change.wait()
            first = self._waiting[0]
            most = max(1, min(MOST_TOGETHER, MOST_TOKENS // len(first.ids)))
            batch = [entry for entry in self._waiting if entry.key == first.key][:most]
            taken = {entry.id for entry in batch}
            self._waiting = deque(entry for entry in self._waiting if entry.id not in taken)
            for ahead, entry in enumerate(self._waiting):
                self._moved(entry.id, ahead)
            return batch


class Driver:
    """Gives the requests to the workers, and sends what they answer."""

    def __init__(self, ray: Any, answer: Callable[..., None]) -> None:
        self._ray, self._answer = ray, answer
        resources = ray.cluster_resources()
        gpus, cpus = int(resources.get("GPU", 0)), int(resources.get("CPU", 1))
        self.workers = max(1, min(gpus or cpus, MOST_WORKERS))
        self._trainings: dict[int, asyncio.Task[None]] = {}
        self._cores = asyncio.Semaphore(max(1, cpus))
        need = {"num_gpus": 1} if gpus else {"num_cpus": 1}
        self._worker = ray.remote(ForwardWorker).options(**need, max_restarts=0)
        self._train = ray.remote(train_seed).options(num_cpus=1, num_returns="streaming", max_retries=0)
        self._queue = PassQueue(lambda number, ahead: answer({"id": number, "ahead": ahead}))
        self._models: dict[str, Any] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        for _ in range(self.workers):
            self.begin(self._make_passes())

    def begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do this from now on, beside everything else."""
        task = asyncio.create_task(work)
        self._tasks.add(task)  # the loop itself keeps no task alive
        task.add_done_callback(self._tasks.discard)
        return task

    async def take(self, message: Message) -> None:
        """One request."""
        request, content = message
        if request["do"] == "model":
            while len(self._models) > 1:  # the lab keeps two
                del self._models[next(iter(self._models))]
            self._models[request["model"]] = self._ray.put(np.frombuffer(content, np.uint8))
        elif request["do"] == "run":
            entry = Pass(request["id"], request["model"], request["ids"], request["options"])
            if not await self._queue.put(entry):
                self._answer({"id": entry.id, "full": MOST_WAITING})
        elif request["do"] == "leave":
            await self._queue.remove(request["id"])
            if training := self._trainings.get(request["id"]):
                training.cancel()
        elif request["do"] == "train":
            number = request["id"]
            self._trainings[number] = self.begin(self._train_one(number, request["seed"]))
            self._trainings[number].add_done_callback(lambda task: self._trainings.pop(number))

    async def _make_passes(self) -> None:
        """One worker, as long as this process lives. It is started for the first pass."""
        worker, idle = None, 0.0
        while True:
            try:
                batch = await asyncio.wait_for(self._queue.take(), IDLE_CHECK)
                idle = 0.0
            except TimeoutError:
                idle += IDLE_CHECK
                if worker is not None and (self._trainings or idle >= IDLE_SECONDS):
                    self._ray.kill(worker)
                    worker = None
                continue
            try:
                if worker is None:
                    worker = self._worker.remote()
                await asyncio.wait_for(self._make_batch(worker, batch), PASS_SECONDS)
            except self._ray.exceptions.RayTaskError as error:  # the model refuses this text
                for entry in batch:
                    self._answer({"id": entry.id, "refused": str(error.cause)})
            except (self._ray.exceptions.RayError, TimeoutError) as error:  # the worker is dead, or as good as dead
                if worker is not None:
                    self._ray.kill(worker)
                worker = None
                await self._again(batch, error)
            except KeyError as error:  # the lab has sent two other models since
                for entry in batch:
                    self._answer({"id": entry.id, "failed": f"no model {error}"})

    async def _make_batch(self, worker: Any, batch: list[Pass]) -> None:
        first = batch[0]
        if not await worker.has.remote(first.model):
            await worker.load.remote(first.model, self._models[first.model])
        texts = [entry.ids for entry in batch]
        run = worker.run.options(num_returns=len(batch))
        traces = run.remote(first.model, texts, first.options)
        pid = await worker.start.remote()
        for entry, trace in zip(batch, traces if len(batch) > 1 else [traces], strict=True):
            content = await trace
            content = content[0] if isinstance(content, list) else content
            self._answer({"id": entry.id, "pid": pid, "together": len(batch)}, content.data)

    async def _again(self, batch: list[Pass], error: Exception) -> None:
        for entry in batch:
            entry.tries += 1
        for entry in [entry for entry in batch if entry.tries >= TRIES]:
            self._answer({"id": entry.id, "failed": type(error).__name__})
        await self._queue.put_back([entry for entry in batch if entry.tries < TRIES])

    async def _train_one(self, number: int, seed: list[Any]) -> None:
        async with self._cores:
            for tries in range(1, TRIES + 1):
                reports = self._train.remote(*seed)
                try:
                    async for report in reports:
                        content = await report
                        if isinstance(content, str):
                            pid, *step = json.loads(content)
                            self._answer({"id": number, "step": step, "pid": pid, "try": tries})
                        else:
                            self._answer({"id": number}, content.data)
                    return
                except self._ray.exceptions.RayTaskError as error:
                    self._answer({"id": number, "refused": str(error.cause)})
                    return
                except self._ray.exceptions.RayError as error:
                    if tries == TRIES:
                        self._answer({"id": number, "failed": type(error).__name__})
                except asyncio.CancelledError:  # its result is no longer wanted
                    self._ray.cancel(reports, force=True)
                    raise

    async def watch(self, address: str) -> None:
        """End this process when the head of the cluster does not answer any more."""
        host, _, port = address.rpartition(":")
        while True:
            try:
                _, writer = await asyncio.wait_for(asyncio.open_connection(host, int(port)), 5)
                writer.close()
            except (OSError, TimeoutError):
                os._exit(3)
            await asyncio.sleep(ALIVE_SECONDS)


async def serve(ray: Any, answer: Callable[..., None]) -> None:
    """Take requests until the lab ends."""
    loop = asyncio.get_running_loop()
    messages: asyncio.Queue[Message] = asyncio.Queue()

    def read() -> None:
        while (message := receive(sys.stdin.buffer)) is not None:
            loop.call_soon_threadsafe(messages.put_nowait, message)
        os._exit(0)  # Ray ends what this process has started

    driver = Driver(ray, answer)
    driver.begin(driver.watch(ray.get_runtime_context().gcs_address))
    answer({"ready": driver.workers})
    Thread(target=read, daemon=True).start()
    while True:
        await driver.take(await messages.get())


def _probe(address: str) -> None:
    """Raise OSError if an address of the form HOST:PORT does not answer. Ray itself would try for a minute."""
    host, _, port = address.rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host, int(port)), PROBE_SECONDS).close()


def main() -> None:
    """Connect, and serve."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what Ray prints must not stand between the messages
    os.environ.setdefault(USAGE, "0")
    lock = Lock()

    def answer(message: dict[str, Any], content: bytes | memoryview = b"") -> None:
        with lock:
            send(answers, message, content)

    address = sys.argv[1]
    try:
        _probe(address)
        ray: Any = importlib.import_module("ray")  # only a cluster needs it
        started = {"num_cpus": os.cpu_count(), "include_dashboard": False, "object_store_memory": STORE_BYTES}
        more = started if address == "local" else {}
        ray.init(address=address, log_to_driver=False, namespace="attention-lab", **more)
    except Exception as error:  # whatever is wrong with the cluster, the lab says so and goes on
        answer({"refused": f"{type(error).__name__}: {error}".partition("\n")[0]})
        return
    asyncio.run(serve(ray, answer))


if __name__ == "__main__":
    main()
