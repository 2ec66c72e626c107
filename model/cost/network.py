"""A stack of layers of one type, without weights: which positions each layer connects."""

from dataclasses import dataclass

import torch
from torch import Tensor

from model import mask as masks
from model.cost.convolution import offsets
from model.cost.window_attention import window_mask

RECURRENT = ("rnn", "gru")
KINDS = {
    "rnn": "tanh RNN",
    "gru": "GRU",
    "convolution": "convolution",
    "window": "window attention",
    "attention": "self-attention",
}


@dataclass(frozen=True)
class Network:
    """The type and the sizes of a stack of layers.

    Raises:
        ValueError: there is no such type, a size is below 1, or there is not one dilation for each layer.
    """

    kind: str = "attention"  # a key of KINDS
    n_layers: int = 1  # L
    width: int = 3  # of a convolution: the taps of its kernel; of a window: the keys on one side, the query's included
    causal: bool = True  # a recurrent network is always causal
    dilations: tuple[int, ...] = ()  # of each layer, for a convolution or a window; empty: 1 everywhere
    n_global: int = 0  # first tokens that a window connects with every token

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f'a network must be one of {", ".join(KINDS)}, not "{self.kind}"')
        if self.n_layers < 1 or self.width < 1 or self.n_global < 0 or any(step < 1 for step in self.dilations):
            raise ValueError("layers, widths and dilations are at least 1, and global tokens at least 0")
        if len(self.dilations) not in (0, self.n_layers):
            raise ValueError(f"{self.n_layers} layers need {self.n_layers} dilations, not {len(self.dilations)}")

    @property
    def recurrent(self) -> bool:
        """Whether a layer passes a state from token to token."""
        return self.kind in RECURRENT

    def layer_mask(self, n: int, layer: int) -> Tensor:
        """Which inputs of one layer reach which of its outputs, the state included. layer: from 0. Returns (T, T)."""
        positions = torch.arange(n)  # (T,)
        dilation = self.dilations[layer] if self.dilations else 1
        if self.recurrent:
            return masks.causal(positions, positions)
        if self.kind == "attention":
            return (masks.causal if self.causal else masks.full)(positions, positions)
        if self.kind == "window":
            return window_mask(n, self.width, self.causal, dilation, self.n_global)
        reads = positions[:, None] + torch.tensor(offsets(self.width, dilation, self.causal))  # (T, K)
        return (reads[:, :, None] == positions).any(dim=1)
