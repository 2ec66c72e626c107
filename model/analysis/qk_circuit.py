"""Which pairs of words a head likes is one matrix, W_Q W_Kᵀ, of rank at most d_k.

Elhage et al. 2021 call it the QK circuit.
"""

import numpy as np

from model.analysis.head_walkthrough import get_attention
from model.run import Array


def singular_values(weights: str, layer: int, head: int) -> Array:
    """(C,) in falling order, of the head's W_Q W_Kᵀ (C, C), worked out in float64.

    The product is formed before it is taken apart: nothing is told beforehand that all but d_k of them vanish.
    """
    attention = get_attention(weights, layer)
    width = attention.w_q.out_features // attention.n_heads
    mine = slice(head * width, (head + 1) * width)
    w_q, w_k = (linear.weight[mine].double().cpu().numpy() for linear in (attention.w_q, attention.w_k))  # (D, C)
    values: Array = np.linalg.svd(w_q.T @ w_k, compute_uv=False)
    return values


def numerical_rank(values: Array) -> int:
    """How many singular values are larger than rounding: C · ε · the largest, ε of float64."""
    return int((values > len(values) * np.finfo(np.float64).eps * values[0]).sum())
