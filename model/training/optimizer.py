"""One step of every training here: how far each number was to blame for the loss, and a small move against it."""

import math

import torch
from torch import Tensor, nn


def optimizer_for(network: nn.Module, lr: float, weight_decay: float = 0.01) -> torch.optim.AdamW:
    """AdamW (Loshchilov & Hutter 2019) with the second moment of Vaswani et al. 2017, section 5.3."""
    return torch.optim.AdamW(network.parameters(), lr=lr, betas=(0.9, 0.98), weight_decay=weight_decay)


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


def warmup_cosine(step: int, steps: int, warmup: int) -> float:
    """The share of the full learning rate at a step: a straight line for `warmup` steps, under half a cosine."""
    return min((step + 1) / warmup, 0.5 * (1 + math.cos(math.pi * step / steps)))
