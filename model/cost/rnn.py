"""The recurrent network without gates: the state is a tanh of the input and of the state before it. Elman 1990."""

import torch
from torch import Tensor, nn


class TanhRNN(nn.Module):
    """h_t = tanh(W x_t + b + U h_{t−1} + c): the same as nn.RNN with one layer, written step by step."""

    def __init__(self, d_input: int, d_hidden: int) -> None:
        super().__init__()
        bound = d_hidden**-0.5  # the initial weights of nn.RNN
        self.w_x = nn.Linear(d_input, d_hidden)
        self.w_h = nn.Linear(d_hidden, d_hidden)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def forward(self, x: Tensor, state: Tensor | None = None) -> Tensor:
        """x (B, T, C), state (B, C) before the first token, zero if None. Returns the state after each token."""
        projected = self.w_x(x)  # (B, T, C)  does not wait for the state, so it is computed for all tokens at once
        h = x.new_zeros(x.size(0), self.w_h.in_features) if state is None else state  # (B, C)
        hidden = []
        for t in range(x.size(1)):
            h = (projected[:, t] + self.w_h(h)).tanh()
            hidden.append(h)
        return torch.stack(hidden, dim=1)  # (B, T, C)
