"""Gradients of untrained Transformers: how much reaches the embedding of a deep one, and each of its layers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.nn import functional as F

from model.compute.progress import steps
from model.config import ModelConfig
from model.training.live.learner import Array, gradient_norms
from model.training.live.settings import BATCH, LiveSettings
from model.training.live.tasks import IGNORED
from model.transformer import Transformer

DEPTHS = (1, 2, 3, 4, 6, 8, 12, 16, 20, 24)
DEEP = 12  # layers of the models whose layers are compared
MOST_LAYERS = 24  # of a depth that one can choose
SEEDS = 3


@dataclass(frozen=True)
class InitialGradients:
    """Gradient norms of untrained models, for S seeds of weights and batches."""

    depths: tuple[int, ...]  # K
    embedding: dict[tuple[str, bool], Array]  # norm ("pre", "post", "none"), residual connections → (S, K)
    layers: dict[str, Array]  # "pre" or "post" norm → (S, L) norm of the second matrix of each feed-forward network


def initial_gradients(
    settings: LiveSettings, depths: Sequence[int] = DEPTHS, deep: int = DEEP, seeds: int = SEEDS
) -> InitialGradients:
    """The gradients of the loss of the first batch, before any training: at the embedding, and by layer.

    depths: of the models whose embedding is measured; deep: the layers of those whose every layer is.
    """
    return InitialGradients(
        tuple(depths), embedding_gradients(settings, depths, seeds), layer_gradients(settings, deep, seeds)
    )


def embedding_gradients(
    settings: LiveSettings, depths: Sequence[int], seeds: int = SEEDS
) -> dict[tuple[str, bool], Array]:
    """At the embedding: norm ("pre", "post", "none") and residual connections → (S, K) for K depths.

    The models have the settings apart from depth and residual connections, once with their norm and once with none.
    """
    config, numbers = settings.config, range(settings.seed, settings.seed + seeds)
    placed = config.norm if config.norm != "none" else "pre"
    cases = [(norm, residual) for norm in (placed, "none") for residual in (True, False)]
    embedding = {case: np.zeros((seeds, len(depths))) for case in cases}
    every = [(*case, row, column) for case in cases for row in range(seeds) for column in range(len(depths))]
    for norm, residual, row, column in steps(every):
        trained = replace(config.trained, residual=residual)
        changed = replace(config, n_layers=depths[column], norm=norm, trained=trained)
        embedding[norm, residual][row, column] = gradient_norms(_with_gradient(changed, settings, numbers[row]))[0]
    return embedding


def layer_gradients(settings: LiveSettings, deep: int, seeds: int = SEEDS) -> dict[str, Array]:
    """By layer: "pre" or "post" norm → (S, L) for models of L = `deep` layers. Xiong et al. 2020, figure 3.

    The models have the settings apart from depth and place of the norm. The matrix is that of the figure, the second
    one of each feed-forward network.
    """
    config, numbers = settings.config, range(settings.seed, settings.seed + seeds)
    layers = {norm: np.zeros((seeds, deep)) for norm in ("pre", "post")}
    for norm, row in steps([(norm, row) for norm in layers for row in range(seeds)]):
        trained = replace(config.trained, residual=True, mlp=True)
        network = _with_gradient(replace(config, n_layers=deep, norm=norm, trained=trained), settings, numbers[row])
        layers[norm][row] = [_gradient_norm(layer.get_parameter("mlp_out.weight")) for layer in network.layers]
    return layers


def _gradient_norm(weight: torch.Tensor) -> float:
    return 0.0 if weight.grad is None else weight.grad.norm().item()


def _with_gradient(config: ModelConfig, settings: LiveSettings, seed: int) -> Transformer:
    """An untrained model with the gradient of its first batch."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Transformer(config)
    ids, targets = settings.live_task.batch(BATCH, seed)
    logits = network(ids).logits
    F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED).backward()
    return network
