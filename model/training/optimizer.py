"""One step of training, and the schedule of the learning rate."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

BETAS = (0.9, 0.98)  # of AdamW; the second is from Vaswani et al. 2017, section 5.3


def optimizer_for(network: nn.Module, lr: float, weight_decay: float = 0.01) -> torch.optim.AdamW:
    """AdamW (Loshchilov & Hutter 2019) over all parameters."""
    return torch.optim.AdamW(network.parameters(), lr=lr, betas=BETAS, weight_decay=weight_decay)


@dataclass(frozen=True)
class GradientHooks:
    """What a training does with its gradient before it is clipped, and how it names what is not finite in it."""

    on_gradient: Callable[[], None] = lambda: None
    first_not_finite: Callable[[], str] = lambda: "its gradient is the first that is not finite"


def train_step(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    loss: Tensor,
    rate: float,
    clip: float | None,
    hooks: GradientHooks = GradientHooks(),
) -> float:
    """One step of gradient descent on `loss`, with the learning rate `rate`. Returns the loss before the step.

    clip: the maximum norm of the gradient of all parameters together, None: no limit.

    Raises:
        Divergence: the gradient is not finite. The weights are those before the step.
    """
    optimizer.zero_grad()
    loss.backward()
    hooks.on_gradient()
    norm = torch.nn.utils.clip_grad_norm_(network.parameters(), math.inf if clip is None else clip)
    if not norm.isfinite():
        raise Divergence(hooks.first_not_finite())
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()
    return loss.item()


@dataclass(frozen=True, slots=True)
class Step:
    """The event of a training: one step is made."""

    number: int  # of steps that are made, this one included
    loss: float  # of its batch, before the step
    rate: float  # the learning rate


class Divergence(ArithmeticError):
    """The loss or its gradient is not finite. `place` is where a value that is not finite arises first, as a clause."""

    def __init__(self, place: str) -> None:
        super().__init__(f"The training diverged: {place}.")
        self.place = place


class RateSchedule(Protocol):
    """The learning rate of a training."""

    def rate(self, step: int) -> float:
        """The learning rate at a step, counted from 0."""


@dataclass(frozen=True)
class Schedule:
    """The learning rate of a training: a linear rise, and from some step on a fall to zero.

    By default the fall is half a cosine from the first step on. The rate is the smaller of the rise and the fall.
    """

    lr: float  # the full learning rate
    steps: int
    warmup: int  # number of steps of the rise
    decay_from: float = 0  # the step at which the fall begins
    cosine: bool = True  # False: the fall is linear

    def rate(self, step: int) -> float:
        """The learning rate at a step, counted from 0."""
        done = max(0.0, (step - self.decay_from) / max(1, self.steps - self.decay_from))
        left = 0.5 * (1 + math.cos(math.pi * done)) if self.cosine else 1 - done
        return self.lr * min((step + 1) / self.warmup, left)


@dataclass(frozen=True)
class InverseSquareRoot:
    """A linear rise, and then a fall with 1 / √step. Vaswani et al. 2017, equation 3.

    The paper has d_model^−0.5 · min(step^−0.5, step · warmup^−1.5). Both terms are equal at the end of the rise, where
    the rate is (d_model · warmup)^−0.5. Here that largest rate is given as `lr`.
    """

    lr: float  # the largest learning rate
    warmup: int  # number of steps of the rise

    @classmethod
    def of_paper(cls, d_model: int, warmup: int) -> "InverseSquareRoot":
        """The schedule with the rate of the paper."""
        return cls((d_model * warmup) ** -0.5, warmup)

    def rate(self, step: int) -> float:
        """The learning rate at a step, counted from 0."""
        number = step + 1  # the paper counts from 1
        return self.lr * min(number / self.warmup, math.sqrt(self.warmup / number))
