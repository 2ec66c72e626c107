"""Operations, sequential operations and path length of each type of layer, counted from the sizes alone.

Vaswani et al. 2017, Table 1. Its terms leave out constants; `flops` counts our implementations exactly, as PyTorch's
counter does: a multiplication and an addition are two operations, and softmax, gates and masks are not counted.
"""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Sizes:
    """The sizes of one layer.

    Raises:
        ValueError: a size is below 1, a kernel or window is below 2, or the heads do not divide the width.
    """

    n: int = 256  # positions
    d: int = 64  # width
    kernel: int = 3  # k: taps of a convolution
    window: int = 32  # r: keys of one query in restricted attention, itself and those before it
    n_heads: int = 4  # h, each of width d / h
    rank: int = 64  # projected keys of Linformer

    def __post_init__(self) -> None:
        if min(self.n, self.d, self.n_heads, self.rank) < 1 or min(self.kernel, self.window) < 2:
            raise ValueError("sizes are at least 1, and a kernel and a window at least 2")
        if self.d % self.n_heads:
            raise ValueError(f"{self.n_heads} heads cannot share a width of {self.d}")


Count = Callable[[Sizes], int]


@dataclass(frozen=True)
class LayerType:
    """One row of the table. The three formulas are texts; each stands before the function that computes it."""

    label: str
    operations_formula: str
    operations: Count  # the term of Table 1, without constants
    sequential_formula: str
    sequential: Count  # operations that wait for each other
    path_formula: str
    path_length: Count  # layers or steps between the two tokens that are furthest apart
    flops: Count  # exact, of the implementation in `layers`; projections of attention are not in it
    peak_elements: Count  # numbers in memory during a forward pass, estimated: what decides whether it fits
    vaswani: bool = True  # whether the row is in the paper's table


def _constant(sizes: Sizes) -> int:
    return 1


def _length(sizes: Sizes) -> int:
    return sizes.n


def _window_path(sizes: Sizes) -> int:
    """The layers of a window between the first token and the last: n / r in the paper."""
    return max(1, -(-(sizes.n - 1) // (sizes.window - 1)))


def _padded(sizes: Sizes) -> int:
    return -(-sizes.n // sizes.window) * sizes.window  # the last block is filled with zeros


def _map_cells(sizes: Sizes) -> int:
    return sizes.n_heads * sizes.n**2


def contiguous_path(sizes: Sizes) -> int:
    """The layers of a convolution without dilation between the first token and the last: n / k in the paper."""
    return max(1, -(-(sizes.n - 1) // (sizes.kernel - 1)))


def dilated_path(sizes: Sizes) -> int:
    """The same if layer ℓ has the dilation kˡ: log_k n in the paper."""
    layers, reached = 1, sizes.kernel
    while reached < sizes.n:
        layers, reached = layers + 1, reached * sizes.kernel
    return layers


LAYER_TYPES: dict[str, LayerType] = {
    "attention": LayerType(
        "self-attention",
        *("n²·d", lambda s: s.n**2 * s.d, "1", _constant, "1", _constant),
        flops=lambda s: 4 * s.n**2 * s.d,
        peak_elements=lambda s: 4 * _map_cells(s) + 3 * s.n**2 + 4 * s.n * s.d,  # scores, scaled, masked, weights
    ),
    "rnn": LayerType(
        "tanh RNN",
        *("n·d²", lambda s: s.n * s.d**2, "n", _length, "n", _length),
        flops=lambda s: 4 * s.n * s.d**2,  # two matrices
        peak_elements=lambda s: 4 * s.n * s.d + 4 * s.d,
    ),
    "gru": LayerType(
        "GRU",
        *("n·d²", lambda s: s.n * s.d**2, "n", _length, "n", _length),
        flops=lambda s: 12 * s.n * s.d**2,  # two matrices for each of three parts
        peak_elements=lambda s: 6 * s.n * s.d + 24 * s.d,
    ),
    "convolution": LayerType(
        "convolution",
        *("k·n·d²", lambda s: s.kernel * s.n * s.d**2, "1", _constant, "⌈log_k n⌉, dilated", dilated_path),
        flops=lambda s: 2 * s.kernel * s.n * s.d**2,
        peak_elements=lambda s: 4 * s.n * s.d,
    ),
    "window": LayerType(
        "restricted self-attention",
        *("r·n·d", lambda s: s.window * s.n * s.d, "1", _constant, "⌈(n−1) / (r−1)⌉", _window_path),
        flops=lambda s: 8 * s.window * _padded(s) * s.d,  # a block of r queries meets two blocks of keys
        peak_elements=lambda s: 10 * s.window * _padded(s) * s.n_heads + 8 * _padded(s) * s.d,
    ),
    "fused": LayerType(
        "fused self-attention",
        *("n²·d", lambda s: s.n**2 * s.d, "1", _constant, "1", _constant),
        flops=lambda s: 4 * s.n**2 * s.d,
        peak_elements=lambda s: 2 * s.n * s.d,
        vaswani=False,
    ),
    "linformer": LayerType(
        "Linformer",
        *("k·n·d", lambda s: s.rank * s.n * s.d, "1", _constant, "1", _constant),
        flops=lambda s: 8 * s.rank * s.n * s.d,  # project keys and values, score, mix
        peak_elements=lambda s: 4 * s.rank * s.n * s.n_heads + 3 * s.rank * s.n + 2 * s.n * s.d,
        vaswani=False,
    ),
    "linear": LayerType(
        "linear attention",
        *("n·d²", lambda s: s.n * s.d**2, "1", _constant, "1", _constant),
        flops=lambda s: 4 * s.n * s.d * (s.d // s.n_heads) + 2 * s.n * s.d,
        peak_elements=lambda s: 5 * s.n * s.d + s.d**2,
        vaswani=False,
    ),
}


def projection_flops(sizes: Sizes) -> int:
    """The operations of W_Q, W_K, W_V and W_O, which Table 1 leaves out: 8 n d²."""
    return 8 * sizes.n * sizes.d**2


def attention_space(sizes: Sizes) -> int:
    """Numbers that attention keeps: h·n² weights and n·d outputs. One head: n² + n·d."""
    return _map_cells(sizes) + sizes.n * sizes.d


def counted_crossover(cheaper: str, dearer: str, sizes: Sizes, longest: int = 1 << 13) -> int | None:
    """The smallest n from which on `cheaper` takes fewer operations than `dearer`, up to `longest`; None if there is
    none.

    For the tanh RNN beside self-attention it is d + 1: 4 n d² against 4 n² d. The n of `sizes` plays no part.
    """
    # Every n is counted at once: blocks that are filled up make steps, so a bisection could miss one.
    lengths: Any = SimpleNamespace(**{**asdict(sizes), "n": np.arange(1, longest + 1)})
    behind = np.flatnonzero(LAYER_TYPES[cheaper].flops(lengths) >= LAYER_TYPES[dearer].flops(lengths))
    crossover = int(behind[-1]) + 2 if len(behind) else 1
    return crossover if crossover <= longest else None


def logarithmic_lengths(shortest: int, longest: int) -> tuple[int, ...]:
    """Powers of two from `shortest` to `longest`, for a log axis."""
    count = int(math.log2(longest / shortest)) + 1 if longest >= shortest else 0
    return tuple(shortest << power for power in range(count))
