"""The shortest way of a signal between two tokens through a network. Vaswani et al. 2017, section 4, "path length"."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch

from model.cost.network import Network
from model.run import Array

Node = tuple[int, int]  # layer and position; layer 0 holds the inputs


@dataclass(frozen=True)
class Path:
    """The nodes of a shortest path, the input first; none if the signal does not arrive in these layers."""

    nodes: tuple[Node, ...]

    @property
    def steps(self) -> int | None:
        """The computations that the signal passes one after another; None if it does not arrive."""
        return len(self.nodes) - 1 if self.nodes else None


def shortest_path(network: Network, n: int, source: int, target: int) -> Path:
    """From the input at `source` to the output at `target`, of the first layer that it reaches in the fewest steps.

    A recurrent layer passes a signal from the layer below at the same position, and from the position before in the
    same layer: k positions need k + 1 steps. Other layers pass it from the layer below, from each position they read.

    Raises:
        ValueError: a position is not one of the n.
    """
    if not (0 <= source < n and 0 <= target < n):
        raise ValueError(f"positions are 0 to {n - 1}, not {source} and {target}")
    successors = _successors(network, n)
    before: dict[Node, Node] = {}
    queue = deque([(0, source)])
    while queue:
        node = queue.popleft()
        if node[0] > 0 and node[1] == target:
            nodes = [node]
            while nodes[-1] in before:
                nodes.append(before[nodes[-1]])
            return Path(tuple(reversed(nodes)))
        for following in successors(node):
            if following not in before and following[0] > 0:
                before[following] = node
                queue.append(following)
    return Path(())


def _successors(network: Network, n: int) -> Callable[[Node], Iterator[Node]]:
    @cache
    def readers(layer: int, position: int) -> list[int]:
        return torch.nonzero(masks(layer)[:, position]).flatten().tolist()

    @cache
    def masks(layer: int) -> torch.Tensor:
        return network.layer_mask(n, layer)

    def successors(node: Node) -> Iterator[Node]:
        layer, position = node
        if network.recurrent:
            if layer < network.n_layers:
                yield layer + 1, position
            if layer > 0 and position + 1 < n:
                yield layer, position + 1
        elif layer < network.n_layers:
            yield from ((layer + 1, reader) for reader in readers(layer, position))

    return successors


def layers_needed(network: Network, distance: int) -> int:
    """The layers after which a signal from `distance` positions before arrives, without dilation and global tokens.

    1 for recurrent networks and full attention; otherwise distance divided by what a layer adds, rounded up.

    Raises:
        ValueError: a layer that reads only its own position never moves a signal.
    """
    if network.recurrent or network.kind == "attention" or distance == 0:
        return 1
    span = network.width - 1
    if network.kind == "convolution" and not network.causal:
        span //= 2
    if span == 0:
        raise ValueError("a layer of this width reads no earlier position")
    return -(-distance // span)


def path_lengths(network: Network, n: int) -> Array:
    """The steps of a signal from each of n tokens (rows) to each (columns); NaN where it does not arrive."""
    lengths = np.full((n, n), np.nan)
    for source in range(n):
        for target in range(n):
            steps = shortest_path(network, n, source, target).steps
            if steps is not None:
                lengths[source, target] = steps
    return lengths
