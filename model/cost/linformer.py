"""Attention to k projected keys instead of n. Wang et al. 2020 (Linformer), equation 7.

The projection mixes positions, so this attention has no causal form.
"""

import torch
from torch import Tensor

from model.attention import AttentionTrace, attend


def linformer_attention(q: Tensor, k: Tensor, v: Tensor, projection: Tensor) -> AttentionTrace[Tensor]:
    """softmax(q (E k)ᵀ / √d) E v, with one projection E (K, S) for keys and values.

    q (B, H, T, D), k and v (B, H, S, D). Returns every stage; the weights are (B, H, T, K).
    """
    return attend(q, projection @ k, projection @ v)


def random_projection(n: int, rank: int, seed: int = 0) -> Tensor:
    """Entries from N(0, 1/k), as in the proof of Theorem 2. Returns (K, S), float64.

    A trained Linformer learns its projections. A random one shows what the projection alone loses.
    """
    random = torch.Generator().manual_seed(seed)
    return torch.randn(rank, n, generator=random, dtype=torch.float64) / rank**0.5


def pooling_projection(n: int, rank: int) -> Tensor:
    """Means of neighbouring positions: section 4, "general projections". With k = n nothing changes. Returns (K, S).

    Raises:
        ValueError: there are more projected keys than keys.
    """
    if not 1 <= rank <= n:
        raise ValueError(f"{n} keys can be pooled into 1 to {n} keys, not {rank}")
    group = torch.arange(n) * rank // n  # (S,) the projected key of each key
    member = (group[None, :] == torch.arange(rank)[:, None]).to(torch.float64)  # (K, S)
    return member / member.sum(dim=1, keepdim=True)


def low_rank_weights(weights: Tensor, rank: int) -> Tensor:
    """The nearest matrix of rank k to attention weights (…, T, S), by SVD: no projection to k keys comes nearer.

    Section 3 of the paper examines these singular values. The SVD costs more than the attention itself.
    """
    u, values, v = torch.linalg.svd(weights, full_matrices=False)
    return (u[..., :rank] * values[..., None, :rank]) @ v[..., :rank, :]
