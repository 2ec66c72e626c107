"""Properties of the waves of `sinusoid`: their wavelengths, and that a shift is a rotation. Vaswani et al. 2017, 3.5.

The rotation is constructed. A least-squares fit would be ill-conditioned, because slow waves hardly change in a text.
"""

import math

import torch
from torch import Tensor

from model.position import sinusoid


def table(length: int, width: int, base: float = 10000.0) -> Tensor:
    """PE of the first `length` positions, (length, width) float32."""
    return sinusoid(torch.arange(float(length)), width, base)


def wavelengths(width: int, base: float = 10000.0) -> Tensor:
    """Positions in which each pair (2i, 2i + 1) turns once: 2π · base^(2i/C), (C/2,) float64.

    The first is 2π; the last is base · 2π, divided by base^(2/C).
    """
    even = torch.arange(0, width, 2, dtype=torch.float64)  # (C/2,)
    return 2 * math.pi * base ** (even / width)


def rotation(steps: int, width: int, base: float = 10000.0) -> Tensor:
    """R_k with PE(pos + k) = R_k PE(pos) for every pos: (C, C) float64, C even, with one 2 × 2 block for each pair.

        sin(a + b) =  cos(b) sin(a) + sin(b) cos(a)
        cos(a + b) = −sin(b) sin(a) + cos(b) cos(a)        a = pos / base^(2i/C), b = k / base^(2i/C)

    Raises:
        ValueError: the width is odd, so that the last wave is not part of a pair.
    """
    if width % 2:
        raise ValueError(f"waves rotate in pairs, so the width must be even, not {width}")
    sin, cos = (
        sinusoid(torch.tensor([float(steps)], dtype=torch.float64), width, base)[0].unflatten(0, (-1, 2)).unbind(1)
    )
    return torch.block_diag(*(torch.stack((c, s, -s, c)).view(2, 2) for s, c in zip(sin, cos, strict=True)))


def rotation_error(steps: int, positions: int, width: int, base: float = 10000.0) -> float:
    """The largest |PE(pos + k) − R_k PE(pos)| over the first `positions`, in float64."""
    t = torch.arange(positions, dtype=torch.float64)  # (T,)
    rotated = sinusoid(t, width, base) @ rotation(steps, width, base).T  # (T, C)
    return (sinusoid(t + steps, width, base) - rotated).abs().max().item()
