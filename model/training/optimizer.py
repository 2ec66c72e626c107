"""One step of every training here: how far each number was to blame for the loss, and a small move against it."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

BETAS = (0.9, 0.98)  # of AdamW: the second is that of Vaswani et al. 2017, section 5.3


def optimizer_for(network: nn.Module, lr: float, weight_decay: float = 0.01) -> torch.optim.AdamW:
    """AdamW (Loshchilov & Hutter 2019) over all parameters."""
    return torch.optim.AdamW(network.parameters(), lr=lr, betas=BETAS, weight_decay=weight_decay)


def train_step(network: nn.Module, optimizer: torch.optim.Optimizer, loss: Tensor, rate: float, clip: float) -> float:
    """Move every number of the network against `loss`, at this learning rate. Returns the loss before the move.

    clip: the longest that the gradient of all numbers together may be.
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
    """The learning rate of a training: it rises in a straight line, and from some step on it falls to zero.

    The default falls along half a cosine from the first step on, under the rising line.
    """

    lr: float  # the full learning rate
    steps: int
    warmup: int  # steps of the rise
    decay_from: float = 0  # the step at which the fall begins
    cosine: bool = True  # False: the fall is a straight line

    def rate(self, step: int) -> float:
        """The learning rate at a step, counted from 0."""
        done = max(0.0, (step - self.decay_from) / max(1, self.steps - self.decay_from))
        left = 0.5 * (1 + math.cos(math.pi * done)) if self.cosine else 1 - done
        return self.lr * min((step + 1) / self.warmup, left)
