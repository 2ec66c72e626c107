"""Attention computed in three ways: by a loop over tokens, by three matrix products, and by PyTorch's operator.

The matrix products are equation 1 of Vaswani et al. 2017; the loop computes each sum of it separately.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from model.attention import AttentionTrace, attend
from model.compute.progress import steps
from model.run import Array


def attention_loop(q: Array, k: Array, v: Array, mask: Array, bias: Array, scale: bool = True) -> tuple[Array, Array]:
    """Attention by a loop over queries and keys, in the precision of q.

    q (T, D), k (S, D), v (S, D'), mask and bias (T, S). Returns weights (T, S) and z (T, D').
    """
    divisor = q.dtype.type(math.sqrt(q.shape[1]) if scale else 1.0)
    weights, z = np.zeros(mask.shape, q.dtype), np.zeros((len(q), v.shape[1]), q.dtype)
    for t, query in enumerate(steps(q)):
        allowed = np.flatnonzero(mask[t])
        if not allowed.size:
            continue  # no key is allowed, so the row stays zero
        scores = [(query * k[s]).sum() / divisor + bias[t, s] for s in allowed]
        highest = max(scores)
        odds = [np.exp(score - highest) for score in scores]
        total = sum(odds)
        for s, odd in zip(allowed, odds, strict=True):
            weights[t, s] = odd / total
            z[t] += weights[t, s] * v[s]
    return weights, z


def attention_matmul(q: Array, k: Array, v: Array, mask: Array, bias: Array, scale: bool = True) -> tuple[Array, Array]:
    """Attention by three matrix products, in `attend`. Shapes as in `attention_loop`."""
    tensors = [torch.as_tensor(np.array(array))[None, None] for array in (q, k, v, bias, mask)]  # (1, 1, …)
    trace = attend(tensors[0], tensors[1], tensors[2], mask=tensors[4], bias=tensors[3], scale=scale)
    return trace.weights[0, 0].numpy(), trace.z[0, 0].numpy()


def attention_pytorch(q: Array, k: Array, mask: Array, scale: bool = True) -> Array:
    """The weights of PyTorch's scaled_dot_product_attention, in double precision, without code of the lab.

    q (H, T, D), k (H, S, D), mask (H, T, S), True may attend, with a key in every row. Returns (H, T, S). The operator
    returns only outputs. With unit vectors as values, its outputs are its weights.
    """
    query, key = (torch.as_tensor(array.astype(np.float64)) for array in (q, k))
    unit = torch.eye(k.shape[1], dtype=torch.float64).expand(len(k), -1, -1)  # (H, S, S)
    allowed = torch.as_tensor(np.array(mask))
    out = F.scaled_dot_product_attention(query, key, unit, attn_mask=allowed, scale=None if scale else 1.0)
    weights: Array = out.numpy()
    return weights


def difference_from_pytorch(attention: AttentionTrace[Array], scale: bool = True) -> float:
    """The largest difference between the weights of a trace without position bias and those of PyTorch."""
    return float(np.abs(attention_pytorch(attention.q, attention.k, attention.mask, scale) - attention.weights).max())


@dataclass(frozen=True)
class LoopVsMatmul:
    """Loop and matrix products of one head in one precision, and their differences."""

    precision: str
    loop: Array  # (T, S)  weights of the loop
    matmul: Array  # (T, S)  weights of the matrix products
    weights_difference: float  # largest difference of a weight
    z_difference: float  # largest difference of an element of the output


def compare_head(attention: AttentionTrace[Array], head: int, scale: bool = True) -> tuple[LoopVsMatmul, LoopVsMatmul]:
    """`compare` for one head of a trace, with its mask and position bias. scale: whether the run divided by √d_k."""
    bias = attention.biased[head] - attention.scaled[head]  # (T, S)
    return compare(attention.q[head], attention.k[head], attention.v[head], attention.mask[head], bias, scale)


def compare(
    q: Array, k: Array, v: Array, mask: Array, bias: Array, scale: bool = True
) -> tuple[LoopVsMatmul, LoopVsMatmul]:
    """Loop and matrix products, in single and in double precision."""
    comparisons = []
    for precision in (np.float32, np.float64):
        lent = q.astype(precision), k.astype(precision), v.astype(precision), mask, bias.astype(precision), scale
        rows, z_rows = attention_loop(*lent)
        whole, z_whole = attention_matmul(*lent)
        differences = float(np.abs(rows - whole).max()), float(np.abs(z_rows - z_whole).max())
        comparisons.append(LoopVsMatmul(np.dtype(precision).name, rows, whole, *differences))
    return comparisons[0], comparisons[1]
