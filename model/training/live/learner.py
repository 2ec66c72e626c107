"""One model that learns: its steps, what is measured of it, and the steps that are kept to wind back to."""

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from model.training.live.relations import RELATIONS, relation_scores, right_keys
from model.training.live.settings import BATCH, LiveSettings
from model.training.live.tasks import IGNORED
from model.training.optimizer import Divergence, Step, optimizer_for
from model.training.trainer import TrainingLoop
from model.transformer import Trace, Transformer

Array = np.ndarray[Any, Any]
Batch = tuple[Tensor, Tensor]  # ids (B, T) and targets (B, T)

KEPT_BYTES = 32_000_000  # of the kept steps of one model: weights and both moments of AdamW


@dataclass(frozen=True)
class Diverged:
    """The end of a training whose loss is not a finite number any more."""

    step: int  # the steps that were made before it
    place: str  # where a value that is not finite arises first, as a clause


@dataclass(frozen=True)
class Measurement:
    """A model after `step` steps. The arrays are read-only."""

    step: int
    loss: float  # nats: of the batch of the last step, before that step; at step 0 of the first batch
    rate: float  # the learning rate of the last step; at step 0 that of the first
    held_out_loss: float  # nats
    accuracy: float  # share of held-out targets that have the largest logit
    gradient: (
        Array  # (L + 2,) norm of the gradient of embedding, each layer, and read-out, for the same batch as `loss`
    )
    residual: Array  # (L + 1,) mean length of the residual stream's vectors: embedded, and after each layer
    weights: Array  # (L, H, T, T) attention weights of the first held-out sequence
    prediction: Array  # (T,) ids with the largest logit
    scores: Array  # (R, L, H) mean weight on the right keys of each of RELATIONS, on all held-out sequences

    @property
    def on_answer(self) -> Array:
        """The mean weight (L, H) of held-out queries on the keys that hold their target."""
        weights: Array = self.scores[RELATIONS.index("token that is asked for")]
        return weights


@dataclass(frozen=True)
class _Kept:
    """All that a training needs to go on from a step."""

    network: dict[str, Tensor]
    optimizer: dict[str, Any]
    factor: float
    bytes: int


class _Loop(TrainingLoop[Transformer, Batch]):
    """The training loop of the lab, for the settings of a live training."""

    def __init__(self, settings: LiveSettings) -> None:
        super().__init__(settings.task, settings)
        self.settings = settings
        self.factor = 1.0  # of the learning rate, which can be changed on the way
        self.gradient: Array | None = None  # (L + 2,) of the last step, if it is measured
        self.measures_gradient = True

    def make_network(self) -> Transformer:
        return Transformer(self.settings.config)

    def rate(self, step: int) -> float:
        return self.factor * super().rate(step)

    def loss(self, network: Transformer, batch: Batch) -> Tensor:
        ids, targets = batch
        return _loss(network(ids).logits, targets)

    def first_not_finite(self, network: Transformer, batch: Batch) -> str:
        return first_not_finite(network, batch[0])

    def first_gradient_not_finite(self, network: Transformer) -> str:
        parts = zip(part_names(len(network.layers)), gradient_norms(network), strict=True)
        names = [name for name, norm in parts if not math.isfinite(norm)]
        return f"the gradient of {_the(names[-1])} is the first that is not finite"  # it goes from the end to the start

    def on_gradient(self, network: Transformer) -> None:
        if self.measures_gradient:
            self.gradient = gradient_norms(network)


class Learner:
    """A model, its optimizer, its measurements so far, and the steps that are kept.

    batch_seed: the seed of the batches; two learners of one task with the same see the same batches in the same order;
    most_bytes: the memory that the kept steps may take.
    """

    def __init__(self, settings: LiveSettings, batch_seed: int, most_bytes: int = KEPT_BYTES) -> None:
        self.settings, self.batch_seed, self._most_bytes = settings, batch_seed, most_bytes
        self.step = 0
        self.diverged: Diverged | None = None
        self.measurements: dict[int, Measurement] = {}
        self._loop = _Loop(settings)
        self.network = self._loop.build(settings.seed)
        self._optimizer = optimizer_for(self.network, settings.lr)
        self._held_out = settings.live_task.held_out()
        self._right = right_keys(*self._held_out)
        self._kept: dict[int, _Kept] = {}
        self._last = self._first_batch()
        self._steps = self._from(0)
        self.measure()

    def _batch(self, step: int) -> Batch:
        return self.settings.live_task.batch(BATCH, 1_000_003 * self.batch_seed + step)

    def _from(self, step: int) -> Iterator[Step]:
        """The steps of the loop from this one on."""
        batches = (self._batch(number) for number in range(step, self.settings.steps))
        return self._loop.train_steps(self.network, batches, self._optimizer, step)

    def _first_batch(self) -> tuple[float, Array]:
        """Loss and gradient (L + 2,) of the untrained model on its first batch."""
        network = copy.deepcopy(self.network)  # a batch changes the running statistics of a batch norm
        loss = self._loop.loss(network, self._batch(0))
        loss.backward()
        return loss.item(), gradient_norms(network)

    def batch_loss(self, network: Transformer) -> Tensor:
        """The loss of a network, in training, on the batch of the next step."""
        return self._loop.loss(network, self._batch(self.step))

    @property
    def ended(self) -> bool:
        """Whether there is no further step."""
        return self.diverged is not None or self.step >= self.settings.steps

    @property
    def factor(self) -> float:
        """What the learning rate of the schedule is multiplied by."""
        return self._loop.factor

    @factor.setter
    def factor(self, factor: float) -> None:
        self._loop.factor = factor

    @property
    def kept_steps(self) -> tuple[int, ...]:
        """The steps that one can go back to, in their order."""
        return tuple(sorted(self._kept))

    @property
    def kept_bytes(self) -> int:
        """The memory that the kept steps take."""
        return sum(kept.bytes for kept in tuple(self._kept.values()))  # another thread may add one

    def advance(self, measure: bool = True) -> None:
        """One step, if there is one. measure: whether to measure the model after it."""
        if self.ended:
            return
        self._loop.measures_gradient = measure
        try:
            step = next(self._steps)
        except Divergence as divergence:
            self.diverged = Diverged(self.step, divergence.place)
            return
        self.step = step.number
        if self._loop.gradient is not None:
            self._last = step.loss, self._loop.gradient
        if measure:
            self.measure()

    def measure(self) -> None:
        """Measure the model as it is now, once a step, and keep the step."""
        if self.step in self.measurements:
            return
        ids, targets = self._held_out
        self.network.eval()
        with torch.inference_mode():
            trace = self.network(ids)
            held_out_loss = _loss(trace.logits, targets).item()
        self.network.train()
        prediction = trace.logits.argmax(dim=-1)
        counts = targets != IGNORED
        self.measurements[self.step] = Measurement(
            step=self.step,
            loss=self._last[0],
            rate=self._loop.rate(max(0, self.step - 1)),
            held_out_loss=held_out_loss,
            accuracy=(prediction == targets)[counts].float().mean().item(),
            gradient=self._last[1],
            residual=_read_only([_mean_length(stream) for stream in residual_streams(trace)]),
            weights=_read_only(torch.stack([layer.attention.weights[0] for layer in trace.layers]).numpy()),
            prediction=_read_only(prediction[0].numpy()),
            scores=relation_scores(torch.stack([layer.attention.weights for layer in trace.layers], 1), self._right),
        )
        self._keep()

    def _keep(self) -> None:
        network = {name: tensor.clone() for name, tensor in self.network.state_dict().items()}
        optimizer = _cloned(self._optimizer.state_dict())
        tensors = [*network.values(), *(t for s in optimizer["state"].values() for t in s.values())]
        size = sum(tensor.nbytes for tensor in tensors)
        self._kept[self.step] = _Kept(network, optimizer, self.factor, size)
        while self.kept_bytes > self._most_bytes and len(self._kept) > 2:
            older = self.kept_steps[1 : len(self._kept) // 2 + 1]  # step 0 stays: one can always begin again
            for step in older[::2]:  # every second of them, so that what is left is evenly spread
                del self._kept[step]

    def weights_of(self, step: int) -> dict[str, Tensor]:
        """The weights of a kept step.

        Raises:
            ValueError: the step is not kept.
        """
        if step not in self._kept:
            raise ValueError(f"step {step} is not kept; these are: {', '.join(map(str, self.kept_steps))}")
        return {name: tensor.clone() for name, tensor in self._kept[step].network.items()}

    def rewind(self, step: int) -> None:
        """Go back to a kept step, and forget everything after it.

        Raises:
            ValueError: the step is not kept.
        """
        weights = self.weights_of(step)
        kept = self._kept[step]
        self.network.load_state_dict(weights)
        self._optimizer = optimizer_for(self.network, self.settings.lr)
        self._optimizer.load_state_dict(_cloned(kept.optimizer))
        self.step, self.factor, self.diverged = step, kept.factor, None
        self._steps = self._from(step)
        self.measurements = {number: m for number, m in self.measurements.items() if number <= step}
        self._kept = {number: state for number, state in self._kept.items() if number <= step}
        self._last = self.measurements[step].loss, self.measurements[step].gradient


def _loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy in nats. logits (B, T, V), targets (B, T)."""
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED)


def held_out_loss_of(trace: Trace[Tensor], targets: Tensor) -> float:
    """The loss of a forward pass in nats. targets (B, T), IGNORED where nothing is asked."""
    return _loss(trace.logits, targets).item()


def residual_streams(trace: Trace[Tensor]) -> list[Tensor]:
    """The residual stream (B, T, C) as it is embedded, and after each layer."""
    return [trace.embed, *(layer.resid_post for layer in trace.layers)]


def _mean_length(stream: Tensor) -> float:
    return stream.norm(dim=-1).mean().item()


def part_names(layers: int) -> tuple[str, ...]:
    """The parts whose gradient is measured: the embedding, each layer, and the read-out."""
    return ("embedding", *(f"layer {layer}" for layer in range(layers)), "read-out")


def gradient_norms(network: Transformer) -> Array:
    """The norm of the gradient of each part (L + 2,), in the order of `part_names`."""
    parts: list[list[torch.nn.Module | None]] = [[network.embedding, network.position]]
    parts += [[layer] for layer in network.layers]
    parts += [[network.final_norm, network.unembedding]]
    return _read_only([_norm([module for module in part if module is not None]) for part in parts])


def _norm(modules: Sequence[torch.nn.Module]) -> float:
    gradients = [p.grad for module in modules for p in module.parameters() if p.grad is not None]
    return math.hypot(*torch._foreach_norm(gradients)) if gradients else 0.0


def first_not_finite(network: Transformer, ids: Tensor) -> str:
    """Where a weight, or else a value of the forward pass on `ids` (B, T), is not finite first, as a clause."""
    parts = part_names(len(network.layers))
    modules = [network.embedding, *network.layers, network.unembedding]
    for name, module in zip(parts, modules, strict=True):
        if any(not weight.isfinite().all() for weight in module.parameters()):
            return f"the weights of {_the(name)} are the first that are not finite"
    with torch.inference_mode():
        trace = network(ids)
    for name, stream in zip(parts, residual_streams(trace), strict=False):
        if not stream.isfinite().all():
            return f"the output of {_the(name)} is the first that is not finite"
    return "the logits are the first values that are not finite"


def _the(part: str) -> str:
    return part if part.startswith("layer") else f"the {part}"


def _read_only(values: Any) -> Array:
    array = np.array(values)
    array.flags.writeable = False
    return array


def _cloned(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.clone()
    if isinstance(value, dict):
        return {key: _cloned(entry) for key, entry in value.items()}
    return [_cloned(entry) for entry in value] if isinstance(value, list) else value
