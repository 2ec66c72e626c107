"""Everything that determines a live training, in one frozen record."""

import math
from dataclasses import dataclass, fields, replace
from typing import Any

from model.config import ModelConfig, lookup
from model.switches import Switches
from model.training.live.tasks import LIVE_TASKS, LiveTask
from model.training.optimizer import InverseSquareRoot, RateSchedule, Schedule

BATCH = 32  # sequences of one step
# The largest values, so that a training of two models takes seconds on one core.
MOST = {"layers": 12, "heads": 8, "width": 128, "warmup": 1000, "steps": 1000, "seed": 9999}
MOST_RATE = 1.0
PAPER = "Vaswani 2017"  # equation 3, which determines the rate from the width and the warm-up alone
DECAYS = ("constant", "linear", "cosine", "inverse root", PAPER)


@dataclass(frozen=True)
class LiveSettings:
    """A model and its training.

    Raises:
        ValueError: a size is out of its bounds, the heads cannot share the width, or a choice is unknown. Names of
            positions and norms are checked when the model is built, and raise the same error there.
    """

    task: str = "reverse"  # a key of LIVE_TASKS
    layers: int = 2
    heads: int = 2
    width: int = 32  # C; the feed-forward network is four times as wide
    position: str = "sinusoidal"  # a key of model.position.POSITIONS
    norm: str = "pre"  # "pre", "post" or "none"
    norm_kind: str = "layer"  # a key of model.norm.NORMS
    scale: bool = True  # whether the scores are divided by √d_k
    mask: bool = True  # whether a decoder has its causal mask
    residual: bool = True
    mlp: bool = True
    activation: str = "gelu"  # of the feed-forward network, a key of model.transformer.ACTIVATIONS
    lr: float = 3e-3  # the full learning rate; without effect with the decay PAPER
    decay: str = "constant"  # one of DECAYS: the learning rate after the warm-up
    warmup: int = 10  # steps of the linear rise; 0: none
    clip: float | None = 1.0  # largest norm of the gradient; None: it is not clipped
    seed: int = 0  # of the initial weights, and of the batches
    steps: int = 200

    def __post_init__(self) -> None:
        lookup(LIVE_TASKS, "task", self.task)
        for name, most in MOST.items():
            least = 0 if name in ("warmup", "seed") else 1
            if not (type(size := getattr(self, name)) is int and least <= size <= most):
                raise ValueError(f"{name} must be a whole number from {least} to {most}, not {size!r}")
        if self.width % self.heads:
            raise ValueError(f"{self.heads} heads cannot share a width of {self.width} evenly")
        if not 0 < self.lr <= MOST_RATE:
            raise ValueError(f"lr must be above 0 and at most {MOST_RATE}, not {self.lr!r}")
        if not (self.clip is None or 0 < self.clip < math.inf):
            raise ValueError(f"clip must be a positive number or None, not {self.clip!r}")
        if self.decay not in DECAYS:
            raise ValueError(f'decay must be one of {", ".join(DECAYS)}, not "{self.decay}"')

    @property
    def live_task(self) -> LiveTask:
        """The task that the settings name."""
        return LIVE_TASKS[self.task]

    @property
    def d_k(self) -> int:
        """The width of queries and keys."""
        return self.width // self.heads

    @property
    def config(self) -> ModelConfig:
        """The architecture."""
        task = self.live_task
        parts = {"scale": self.scale, "mask": self.mask, "residual": self.residual, "mlp": self.mlp}
        return ModelConfig(
            vocab_size=len(task.tokenizer.vocabulary),
            n_layers=self.layers,
            n_heads=self.heads,
            d_model=self.width,
            d_ff=4 * self.width,
            context=task.tokens,
            causal=task.causal,
            position=self.position,
            norm=self.norm,
            norm_kind=self.norm_kind,
            activation=self.activation,
            trained=Switches().without(*(name for name, present in parts.items() if not present)),
        )

    @property
    def schedule(self) -> RateSchedule:
        """The learning rate of every step."""
        if self.decay == PAPER:
            return InverseSquareRoot.of_paper(self.width, max(1, self.warmup))
        if self.decay == "inverse root":
            return InverseSquareRoot(self.lr, max(1, self.warmup))
        decay_from = self.steps if self.decay == "constant" else self.warmup
        return Schedule(self.lr, self.steps, max(1, self.warmup), decay_from, cosine=self.decay == "cosine")

    def changed(self, name: str, value: object) -> "LiveSettings":
        """The same settings with another value of one of them."""
        changes: dict[str, Any] = {name: value}
        return replace(self, **changes)

    def differences(self, other: "LiveSettings") -> tuple[str, ...]:
        """The names of the settings that have another value in `other`."""
        return tuple(f.name for f in fields(self) if getattr(self, f.name) != getattr(other, f.name))
