"""Which inputs can reach an output after each layer: the receptive field, as a product of masks."""

from dataclasses import replace

import torch
from torch import Tensor

from model.cost.network import Network


def receptive_field(network: Network, n: int) -> Tensor:
    """True where input s can change output t. Returns (L + 1, T, S): row 0 before any layer, row ℓ after ℓ layers."""
    reached = torch.eye(n, dtype=torch.bool)  # (T, S)
    fields = [reached]
    for layer in range(network.n_layers):
        # A product of counts of paths could overflow, so each layer keeps only whether there is a path.
        reached = (network.layer_mask(n, layer).float() @ reached.float()) > 0
        fields.append(reached)
    return torch.stack(fields)


def field_size(network: Network) -> int | None:
    """How many inputs reach one output far from both ends; None if all do, or all earlier ones. Without global tokens.

    One layer adds (width − 1) · dilation positions; a window on two sides adds as many on the other side.
    """
    if network.recurrent or network.kind == "attention":
        return None
    sides = 2 if network.kind == "window" and not network.causal else 1
    return 1 + sides * (network.width - 1) * sum(network.dilations or (1,) * network.n_layers)


def cells_that_reach(network: Network, n: int) -> Tensor:
    """True where a cell can still change the vector of a token after the last layer.

    Returns (T, L + 1, S): the token that is reached, the layers below the cell (0: an input), the position of the cell.
    """
    above = [receptive_field(_from_layer(network, layer), n)[-1] for layer in range(network.n_layers)]
    return torch.stack([*above, torch.eye(n, dtype=torch.bool)], dim=1)


def _from_layer(network: Network, layer: int) -> Network:
    """The layers from this one on: what a signal of a cell below it still has to pass."""
    return replace(network, n_layers=network.n_layers - layer, dilations=network.dilations[layer:])
