"""One step of training, and the schedule of the learning rate."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

BETAS = (0.9, 0.98)  # of AdamW; the second is from Vaswani et al. 2017, section 5.3


def optimizer_for(network: nn.Module, lr: float, weight_decay: float = 0.01) -> torch.optim.AdamW:
    """AdamW (Loshchilov & Hutter 2019) over all parameters."""
    return torch.optim.AdamW(network.parameters(), lr=lr, betas=BETAS, weight_decay=weight_decay)


def train_step(network: nn.Module, optimizer: torch.optim.Optimizer, loss: Tensor, rate: float, clip: float) -> float:
    """One step of gradient descent on `loss`, with the learning rate `rate`. Returns the loss before the step.

    clip: the maximum norm of the gradient of all parameters together.
    """
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), clip)
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()
    return loss.item()


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
