"""The cost of attention: shapes, parameters, operations and maps, from the sizes alone.

Vaswani et al. 2017, section 3.2.2: h heads of width d/h cost what one head of width d costs. A multiplication and the
addition after it count as two operations; softmax, scaling and biases are not counted.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from model.attention import AttentionTrace, attend
from model.run import Array


@dataclass(frozen=True)
class AttentionCost:
    """Widths, heads and lengths of one attention."""

    queries: int = 6  # T
    keys: int = 6  # S
    n_heads: int = 4  # H
    d_k: int = 16
    d_v: int = 16
    d_model: int = 64  # C

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of every stage, in the order of computation."""
        t, s, h = self.queries, self.keys, self.n_heads
        return {
            "x (queries)": (t, self.d_model),
            "x (keys and values)": (s, self.d_model),
            "q": (h, t, self.d_k),
            "k": (h, s, self.d_k),
            "v": (h, s, self.d_v),
            "scores, scaled, masked": (h, t, s),
            "weights": (h, t, s),
            "z": (h, t, self.d_v),
            "heads concatenated": (t, h * self.d_v),
            "out": (t, self.d_model),
        }

    @property
    def parameters(self) -> int:
        """The number of parameters of W_Q, W_K, W_V and W_O, without biases."""
        return 2 * self.d_model * self.n_heads * (self.d_k + self.d_v)

    @property
    def operations(self) -> int:
        """Multiplications and additions of one pass."""
        projections = self.queries * self.d_k + self.keys * (self.d_k + self.d_v) + self.queries * self.d_v
        products = self.queries * self.keys * (self.d_k + self.d_v)
        return 2 * self.n_heads * (self.d_model * projections + products)

    @property
    def weights(self) -> int:
        """The number of attention weights in all maps."""
        return self.n_heads * self.queries * self.keys

    def shared_by(self, n_heads: int) -> "AttentionCost":
        """The same total width, split among `n_heads` heads."""
        k, v = self.n_heads * self.d_k, self.n_heads * self.d_v
        return AttentionCost(self.queries, self.keys, n_heads, k // n_heads, v // n_heads, self.d_model)


@dataclass(frozen=True)
class OperatorCheck:
    """One attention of these sizes, as `attend` and PyTorch computed it."""

    weights: Array  # (H, T, S)
    difference: float  # largest difference from PyTorch's operator in any element of z


def run_random(sizes: AttentionCost, seed: int = 0) -> OperatorCheck:
    """Random q, k and v of these sizes through `attend`, and through PyTorch's scaled_dot_product_attention."""
    random = torch.Generator().manual_seed(seed)
    q = torch.randn(1, sizes.n_heads, sizes.queries, sizes.d_k, generator=random)  # (1, H, T, D)
    k = torch.randn(1, sizes.n_heads, sizes.keys, sizes.d_k, generator=random)  # (1, H, S, D)
    v = torch.randn(1, sizes.n_heads, sizes.keys, sizes.d_v, generator=random)  # (1, H, S, D')
    return _both_ways(q, k, v)


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
