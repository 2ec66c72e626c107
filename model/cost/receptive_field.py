"""Which inputs can reach an output after each layer: the receptive field, as a product of masks."""

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
