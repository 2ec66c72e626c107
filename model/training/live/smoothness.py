"""How smooth the loss is along its gradient, with each kind of norm and without. Santurkar et al. 2018, figure 4."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from model.compute.progress import steps
from model.training.live.learner import Array, Learner
from model.training.live.settings import LiveSettings
from model.transformer import Transformer

RATES = tuple(0.1 * factor for factor in (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0))  # the range of the paper
PROBED = (0, 5, 10, 20, 30, 40, 60, 80)  # training steps
NORMS = ("layer norm", "batch norm", "no norm")


@dataclass(frozen=True)
class Smoothness:
    """One model, at each of N training steps; NaN after the training has diverged."""

    steps: tuple[int, ...]  # N
    losses: Array  # (N, R) loss of a batch at w − η · gradient, for each of R rates η
    gradient_change: (
        Array  # (N,) the largest ‖gradient(w − η · gradient) − gradient(w)‖ / ‖η · gradient‖ over the rates
    )

    @property
    def loss_range(self) -> Array:
        """The largest loss along the gradient minus the smallest (N,)."""
        return np.asarray(self.losses.max(axis=1) - self.losses.min(axis=1))


def norm_settings(settings: LiveSettings) -> dict[str, LiveSettings]:
    """The same settings with layer norm, with batch norm, and without norm."""
    placed = settings if settings.norm != "none" else settings.changed("norm", "pre")
    kinds = placed.changed("norm_kind", "layer"), placed.changed("norm_kind", "batch"), settings.changed("norm", "none")
    return dict(zip(NORMS, kinds, strict=True))


def smoothness(
    settings: LiveSettings, probed: Sequence[int] = PROBED, rates: Sequence[float] = RATES
) -> dict[str, Smoothness]:
    """Train the three models on the same batches, and follow the gradient of the next batch at the probed steps.

    A step along the gradient is only tried; the training goes on from where it was.
    """
    result = {}
    for name, own in norm_settings(settings).items():
        learner = Learner(own.changed("steps", max(1, *probed)), own.seed)
        losses, change = np.full((len(probed), len(rates)), np.nan), np.full(len(probed), np.nan)
        for row, step in enumerate(steps(probed)):
            while learner.step < step and not learner.ended:
                learner.advance(measure=False)
            if learner.diverged is None:
                losses[row], change[row] = _along_gradient(learner, rates)
        result[name] = Smoothness(tuple(probed), losses, change)
    return result


def _along_gradient(learner: Learner, rates: Sequence[float]) -> tuple[list[float], float]:
    """Loss at each rate, and the largest change of the gradient per distance."""
    network = copy.deepcopy(learner.network)  # trying a step changes the running statistics of a batch norm
    origin = [weight.detach().clone() for weight in network.parameters()]
    _, gradient = _loss_and_gradient(learner, network)
    distance = _norm(gradient)
    losses, changes = [], []
    for rate in rates:
        with torch.no_grad():
            for weight, start, slope in zip(network.parameters(), origin, gradient, strict=True):
                weight.copy_(start - rate * slope)
        loss, moved = _loss_and_gradient(learner, network)
        losses.append(loss)
        apart = _norm([after - before for after, before in zip(moved, gradient, strict=True)])
        changes.append(apart / (rate * distance) if distance else 0.0)
    return losses, max(changes)


def _loss_and_gradient(learner: Learner, network: Transformer) -> tuple[float, list[torch.Tensor]]:
    loss = learner.batch_loss(network)
    gradients = torch.autograd.grad(loss, list(network.parameters()), allow_unused=True, materialize_grads=True)
    return loss.item(), list(gradients)


def _norm(tensors: Sequence[torch.Tensor]) -> float:
    return float(torch.stack(torch._foreach_norm(list(tensors))).norm())
