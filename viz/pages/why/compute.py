"""What the page computes, once for all visitors."""

import numpy as np

from model.cost.gradient import INITIAL, GradientByDistance, initial_gradients, trained_and_untrained
from model.cost.network import Network
from model.cost.path import path_lengths, shortest_path
from model.cost.receptive_field import cells_that_reach
from viz.types import Array
from viz.ui import server_cache, slots

DISTANCES = (1, 2, 4, 8, 16, 32, 64)
SEEDS = range(5)
STACKED = ("convolution", "window")  # networks that reach further with more layers; the others have one layer
TRAINED = {  # weights → the part of the model whose gradients are shown
    "translate-gru": "GRU encoder",
    "translate-gru-attention": "GRU encoder, its decoder attends",
    "translate": "Transformer encoder",
    "grammar": "Transformer decoder",
}
TRAINED_DISTANCES = (1, 2, 4, 8, 12, 16, 20)
TRAINED_SEEDS = range(3)
WIDTH = 3  # positions that a convolution or a window reads, in the first view


def network(kind: str, n_layers: int) -> Network:
    """A network of the first view."""
    return Network(kind, n_layers if kind in STACKED else 1, WIDTH)


@server_cache.cached
def path_orders(kind: str, n: int, n_layers: int) -> Array:
    """The order of the nodes of the shortest path between each pair of tokens, from 1; 0: not on it.

    Returns (n · n, L + 1, n): first all pairs from token 0. Row 0 is the input.
    """
    stack = network(kind, n_layers)
    orders = np.zeros((n, n, stack.n_layers + 1, n), np.int16)
    for source in range(n):
        for target in range(source, n):
            for order, (layer, position) in enumerate(shortest_path(stack, n, source, target).nodes, 1):
                orders[source, target, layer, position] = order
    return orders.reshape(n * n, stack.n_layers + 1, n)


@server_cache.cached
def path_steps(kind: str, n: int, n_layers: int) -> Array:
    """The steps of a signal between each pair of tokens, (n, n) from row to column; NaN where it does not arrive."""
    return path_lengths(network(kind, n_layers), n)


@server_cache.cached
def gradients(n_layers: int) -> dict[str, GradientByDistance]:
    """Name of a network → gradient norms at initialisation."""
    with slots.long("Computing gradients at initialisation"):
        return {
            label: initial_gradients(kind, DISTANCES, SEEDS, n_layers=n_layers if kind in STACKED else 1)
            for kind, (label, _) in INITIAL.items()
        }


@server_cache.cached
def trained_gradients() -> dict[str, tuple[GradientByDistance, GradientByDistance]]:
    """Name of a trained network → its gradient norms, and those of the same network before training."""
    with slots.long("Computing gradients of trained models"):
        return {
            label: trained_and_untrained(weights, TRAINED_DISTANCES, TRAINED_SEEDS)
            for weights, label in TRAINED.items()
        }


@server_cache.cached
def fields(stack: Network, n: int) -> Array:
    """Which cells can reach each token after the last layer. Returns (n, L + 1, n) of 0 and 1; row 0 is the input."""
    reach: Array = cells_that_reach(stack, n).numpy().astype(np.float64)
    return reach
