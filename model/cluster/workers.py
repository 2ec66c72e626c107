"""What a worker of a cluster does. Its arguments and results are plain data, arrays of bytes, and nothing else."""

import json
import os
import time
from collections.abc import Iterator, Sequence
from queue import SimpleQueue
from threading import Thread
from typing import Any

import numpy as np
import torch

from model.cluster.packing import from_plain, pack, unpack
from model.compute.device import choose_device, keep_freed_memory, one_thread
from model.model_card import AnyNetwork
from model.registry import MAX_MODELS
from model.run import read_only
from model.training.optimizer import Step
from model.training.recipes import training_of
from model.training.trainer import Run, Training
from model.transformer import Transformer

Array = np.ndarray[Any, Any]
OFTEN = 0.5  # seconds between two reports of a training


class ForwardWorker:
    """Keeps the weights of the models that it was given last, and makes their forward passes."""

    def __init__(self) -> None:
        one_thread()
        keep_freed_memory()
        self._device = choose_device()
        self._models: dict[str, Transformer] = {}

    def start(self) -> int:
        """The number of its process."""
        return os.getpid()

    def has(self, name: str) -> bool:
        """Whether it keeps the weights of this model."""
        return name in self._models

    def load(self, name: str, content: Array) -> None:
        """Keep a model. content: its bytes, as `pack_model` makes them."""
        while len(self._models) >= MAX_MODELS:
            del self._models[next(iter(self._models))]
        self._models[name] = unpack_model(content.tobytes()).to(self._device)

    def run(self, name: str, texts: Sequence[Sequence[int]], options: str) -> list[Array]:
        """The traces of texts of one length, as arrays of bytes; of one array each.

        options: JSON of [switches, override, mask].

        Raises:
            ValueError: the model cannot read texts of this length.
        """
        switches, override, mask_spec = from_plain(json.loads(options))
        batch = torch.tensor(texts, device=self._device)  # (B, T)
        mask = None if mask_spec is None else mask_spec.build(batch.size(1)).to(batch.device)  # (T, T)
        with torch.inference_mode():
            trace = self._models[name](batch, switches=switches, override=override, mask=mask)
        return [pack(read_only(trace, item)) for item in range(len(texts))]


def pack_model(transformer: Transformer) -> Array:
    """The config and the weights of a model."""
    weights = {name: tensor.detach().cpu().numpy() for name, tensor in transformer.state_dict().items()}
    tied = transformer.unembedding is not None and transformer.unembedding.weight is transformer.embedding.weight
    if tied:
        del weights["unembedding.weight"]
    return pack((transformer.config, weights, tied))


def unpack_model(content: bytes) -> Transformer:
    """The model of which `pack_model` made this, on the CPU."""
    config, weights, tied = unpack(content)
    transformer = Transformer(config)
    transformer.load_state_dict({name: torch.tensor(array) for name, array in weights.items()}, strict=not tied)
    if tied and transformer.unembedding is not None:
        transformer.unembedding.weight = transformer.embedding.weight
    return transformer.eval().requires_grad_(False)


def train_seed(recipe: str, seed: int, steps: int | None) -> Iterator[str | Array]:
    """Train one seed. Yields reports, JSON of [process, step, loss, rate], and at the end the run as an array of bytes.

    Raises:
        ArithmeticError: the training diverged.
    """
    one_thread()
    reports: SimpleQueue[Step | Array | BaseException] = SimpleQueue()

    def work() -> None:
        try:
            run = training_of(recipe, steps).run_seed(seed, reports.put)
            reports.put(pack_run(run))
        except BaseException as error:  # it is raised in the thread that waits
            reports.put(error)

    Thread(target=work, daemon=True).start()
    last = 0.0
    while True:
        report = reports.get()
        if isinstance(report, BaseException):
            raise report
        if not isinstance(report, Step):
            yield report
            return
        if (now := time.monotonic()) - last >= OFTEN:
            last = now
            yield json.dumps([os.getpid(), report.number, report.loss, report.rate])


def pack_run(run: Run[Any, Any]) -> Array:
    """A trained seed: weights, snapshots and results."""
    numbers = (run.seed, run.scores, run.losses, run.cpu_seconds, run.wall_seconds, run.curve)
    return pack((_weights(run.network), {step: _weights(kept) for step, kept in run.snapshots.items()}, numbers))


def unpack_run(training: Training[Any, Any, Any], content: bytes) -> Run[Any, Any]:
    """The trained seed of which `pack_run` made this. Raises KeyError or ValueError if the bytes are none."""
    weights, snapshots, (seed, scores, losses, cpu, wall, curve) = unpack(content)

    def network(numbers: dict[str, Array]) -> AnyNetwork:
        built = training.build(seed)
        built.load_state_dict({name: torch.tensor(array) for name, array in numbers.items()})
        built.eval()
        return built

    kept = {step: network(numbers) for step, numbers in snapshots.items()}
    return Run(seed, network(weights), scores, losses, cpu, wall, kept, curve)


def _weights(network: AnyNetwork) -> dict[str, Array]:
    return {name: tensor.detach().cpu().numpy() for name, tensor in network.state_dict().items()}
