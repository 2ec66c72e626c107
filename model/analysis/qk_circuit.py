"""The QK circuit: the scores of a head depend on one matrix, W_Q W_Kᵀ, of rank at most d_k. Elhage et al. 2021."""

import numpy as np

from model.analysis.head_walkthrough import get_attention
from model.run import Array


def singular_values(weights: str, layer: int, head: int) -> Array:
    """The singular values (C,) of W_Q W_Kᵀ (C, C) of one head, largest first, in float64.

    The decomposition is that of the product itself, so it does not use that the rank is at most d_k.
    """
    attention = get_attention(weights, layer)
    width = attention.w_q.out_features // attention.n_heads
    mine = slice(head * width, (head + 1) * width)
    w_q, w_k = (linear.weight[mine].double().cpu().numpy() for linear in (attention.w_q, attention.w_k))  # (D, C)
    values: Array = np.linalg.svd(w_q.T @ w_k, compute_uv=False)
    return values


def numerical_rank(values: Array) -> int:
    """The number of singular values above the rounding error C · ε · the largest, with ε of float64."""
    return int((values > len(values) * np.finfo(np.float64).eps * values[0]).sum())
