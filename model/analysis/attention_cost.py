"""The cost of attention: shapes, parameters, operations and maps, from the sizes alone.

Vaswani et al. 2017, section 3.2.2: h heads of width d/h cost what one head of width d costs. A multiplication and the
addition after it count as two operations; softmax, scaling and biases are not counted.

The vectors that queries are made of may have another width than those of keys and values, as in cross-attention: W_Q is
d_model × h·d_k, W_K is d_source × h·d_k. PyTorch's multi-head attention calls this second width kdim and vdim.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from model.attention import AttentionTrace, attend
from model.run import Array


@dataclass(frozen=True)
class AttentionCost:
    """Widths, heads and lengths of one attention.

    Raises:
        ValueError: a size is below 1.
    """

    queries: int = 6  # T
    keys: int = 6  # S
    n_heads: int = 4  # H
    d_k: int = 16
    d_v: int = 16
    d_model: int = 64  # C, of the vectors that queries are made of, and of the output
    d_source: int = 0  # of the vectors that keys and values are made of; 0: as d_model

    def __post_init__(self) -> None:
        if not self.d_source:
            object.__setattr__(self, "d_source", self.d_model)
        if min(vars(self).values()) < 1:
            raise ValueError("sizes are at least 1")

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of every stage, in the order of computation."""
        t, s, h = self.queries, self.keys, self.n_heads
        return {
            "x (queries)": (t, self.d_model),
            "x (keys and values)": (s, self.d_source),
            "W_Q": (self.d_model, h * self.d_k),
            "W_K": (self.d_source, h * self.d_k),
            "W_V": (self.d_source, h * self.d_v),
            "q": (h, t, self.d_k),
            "k": (h, s, self.d_k),
            "v": (h, s, self.d_v),
            "scores, scaled, masked": (h, t, s),
            "weights": (h, t, s),
            "z": (h, t, self.d_v),
            "heads concatenated": (t, h * self.d_v),
            "W_O": (h * self.d_v, self.d_model),
            "out": (t, self.d_model),
        }

    @property
    def parameters(self) -> int:
        """The number of parameters of W_Q, W_K, W_V and W_O, without biases."""
        return self.n_heads * (self.d_model + self.d_source) * (self.d_k + self.d_v)

    @property
    def operations(self) -> int:
        """Multiplications and additions of one pass."""
        projections = self.queries * self.d_model + self.keys * self.d_source
        return 2 * self.n_heads * (projections + self.queries * self.keys) * (self.d_k + self.d_v)

    @property
    def weights(self) -> int:
        """The number of attention weights in all maps."""
        return self.n_heads * self.queries * self.keys

    def shared_by(self, n_heads: int) -> "AttentionCost":
        """The same total width, split among `n_heads` heads."""
        k, v = self.n_heads * self.d_k, self.n_heads * self.d_v
        return replace(self, n_heads=n_heads, d_k=k // n_heads, d_v=v // n_heads)


@dataclass(frozen=True)
class OperatorCheck:
    """One attention of these sizes, as `attend` and PyTorch computed it."""

    weights: Array  # (H, T, S)
    difference: float  # largest difference from PyTorch's operator in any element of z


def run_random(sizes: AttentionCost, seed: int = 0) -> OperatorCheck:
    """Random vectors through random W_Q, W_K and W_V; q, k and v through `attend` and PyTorch's own operator."""
    x, source, *matrices = random_layer(sizes, seed)
    q, k, v = (
        (vectors @ matrix).unflatten(-1, (sizes.n_heads, -1)).transpose(0, 1)[None]  # (1, H, T or S, D)
        for vectors, matrix in zip((x, source, source), matrices, strict=True)
    )
    return _both_ways(q, k, v)


def random_layer(sizes: AttentionCost, seed: int = 0) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """What queries are made of (T, C), what keys and values are made of (S, C'), and W_Q, W_K, W_V.

    W_Q is (C, H·D), W_K (C', H·D), W_V (C', H·D'). Numbers of q, k and v have variance 1.
    """
    random = torch.Generator().manual_seed(seed)
    shapes = sizes.shapes
    x, source = (torch.randn(shapes[name], generator=random) for name in ("x (queries)", "x (keys and values)"))
    w_q, w_k, w_v = (
        torch.randn(shapes[name], generator=random) / shapes[name][0] ** 0.5 for name in ("W_Q", "W_K", "W_V")
    )
    return x, source, w_q, w_k, w_v


def run_head(q: Array, k: Array, v: Array, mask: Array, bias: Array, scale: bool) -> OperatorCheck:
    """The same for q (H, T, D), k (H, S, D) and v (H, S, D') of a trained layer; mask and bias (H, T, S)."""
    tensors = [torch.as_tensor(array.copy())[None] for array in (q, k, v, mask, bias)]  # (1, H, …)
    return _both_ways(tensors[0], tensors[1], tensors[2], tensors[3], tensors[4], scale)


def run_layer(attention: AttentionTrace[Array], queries: int, keys: int, scale: bool = True) -> OperatorCheck:
    """The same for the first `queries` queries and `keys` keys of a trace. scale: whether the run divided by √d_k."""
    q, k, v = attention.q[:, :queries], attention.k[:, :keys], attention.v[:, :keys]  # (H, T or S, D)
    bias = attention.biased - attention.scaled  # (H, T, S)
    return run_head(q, k, v, attention.mask[:, :queries, :keys], bias[:, :queries, :keys], scale)


def _both_ways(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None, bias: Tensor | None = None, scale: bool = True
) -> OperatorCheck:
    trace = attend(q, k, v, mask=mask, bias=bias, scale=scale)
    floor = torch.zeros_like(trace.scores).masked_fill(~trace.mask, -torch.inf) + (0.0 if bias is None else bias)
    reference = F.scaled_dot_product_attention(q, k, v, attn_mask=floor, scale=None if scale else 1.0)  # (1, H, T, D')
    has_key = trace.mask.any(
        dim=-1, keepdim=True
    )  # (1, H, T, 1)  a row without a key is zero here, and undefined in PyTorch
    return OperatorCheck(trace.weights[0].numpy(), float(torch.where(has_key, trace.z - reference, 0.0).abs().max()))
