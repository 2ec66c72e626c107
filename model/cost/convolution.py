"""Convolution over positions, and a stack of them.

Gehring et al. 2017; dilated and causal: van den Oord et al. 2016.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def offsets(kernel: int, dilation: int = 1, causal: bool = True) -> list[int]:
    """The positions that a kernel reads, relative to its own: [−2, −1, 0] for 3 causal taps, [−1, 0, 1] for two sides.

    Two sides are split as by nn.Conv1d with padding="same": an even kernel reads one position more on the right.
    """
    span = dilation * (kernel - 1)
    left = span if causal else span // 2
    return [dilation * tap - left for tap in range(kernel)]


def convolve(x: Tensor, weight: Tensor, bias: Tensor | None, dilation: int = 1, causal: bool = True) -> Tensor:
    """One convolution: a matrix for each tap of the kernel, applied to the positions that the tap reads, and summed.

    x (B, T, C), weight (C', C, K) as in nn.Conv1d, bias (C',). Beyond both ends x is zero. Returns (B, T, C').
    """
    n, kernel = x.size(1), weight.size(2)
    reads = offsets(kernel, dilation, causal)
    padded = F.pad(x, (0, 0, -reads[0], reads[-1]))  # (B, T + span, C)
    taps = (padded[:, start - reads[0] : start - reads[0] + n] @ weight[..., tap].T for tap, start in enumerate(reads))
    out = sum(taps, start=torch.zeros((), dtype=x.dtype, device=x.device))  # (B, T, C')
    return out if bias is None else out + bias


class Convolution(nn.Module):
    """One convolution from C to C, with the initial weights of nn.Conv1d."""

    def __init__(self, width: int, kernel: int, dilation: int = 1, causal: bool = True) -> None:
        super().__init__()
        initial = nn.Conv1d(width, width, kernel)
        self.weight, self.bias = initial.weight, initial.bias  # (C, C, K), (C,)
        self.dilation = dilation
        self.causal = causal

    def forward(self, x: Tensor) -> Tensor:
        """x (B, T, C). Returns (B, T, C)."""
        return convolve(x, self.weight, self.bias, self.dilation, self.causal)


class ConvolutionStack(nn.Module):
    """L convolutions with a tanh after each, as the tanh RNN has, so that only the way of the signal differs.

    Raises:
        ValueError: there is not one dilation for each layer.
    """

    def __init__(
        self, width: int, kernel: int = 3, n_layers: int = 4, dilations: Sequence[int] = (), causal: bool = True
    ) -> None:
        super().__init__()
        dilations = tuple(dilations) or (1,) * n_layers
        if len(dilations) != n_layers:
            raise ValueError(f"{n_layers} layers need {n_layers} dilations, not {len(dilations)}")
        self.convolutions = nn.ModuleList(Convolution(width, kernel, dilation, causal) for dilation in dilations)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, T, C). Returns (B, T, C)."""
        for convolution in self.convolutions:
            x = convolution(x).tanh()
        return x
