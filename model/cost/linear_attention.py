"""Linear attention: weights proportional to φ(q)·φ(k), with φ(x) = elu(x) + 1, so that sums over keys are shared.

Katharopoulos et al. 2020, equations 4 to 7; causal: equations 8 to 12. There is no division by √d.
"""

from torch import Tensor
from torch.nn import functional as F


def feature_map(x: Tensor) -> Tensor:
    """elu(x) + 1, which is positive. Equation 7."""
    return F.elu(x) + 1


def linear_attention(q: Tensor, k: Tensor, v: Tensor, causal: bool = True) -> Tensor:
    """The weighted means without a map of weights. q (B, H, T, D), k (B, H, S, D), v (B, H, S, D'); causal: S = T.

    Not causal, all queries share one sum over the keys. Causal, the sums are prefix sums, one for each position.
    Returns z (B, H, T, D').
    """
    q, k = feature_map(q), feature_map(k)
    if not causal:
        products, total = k.transpose(-2, -1) @ v, k.sum(dim=2)[..., None]  # (B, H, D, D'), (B, H, D, 1)
        return (q @ products) / (q @ total)
    prefix_products = (k[..., :, None] * v[..., None, :]).cumsum(dim=2)  # (B, H, T, D, D')
    prefix_total = k.cumsum(dim=2)  # (B, H, T, D)
    return (q[..., None, :] @ prefix_products).squeeze(-2) / (q * prefix_total).sum(dim=-1, keepdim=True)


def linear_attention_weights(q: Tensor, k: Tensor, causal: bool = True) -> Tensor:
    """The weights that linear attention never computes: the quadratic form, for a map. Returns (B, H, T, S)."""
    products = feature_map(q) @ feature_map(k).transpose(-2, -1)  # (B, H, T, S)
    if causal:
        products = products.tril()
    return products / products.sum(dim=-1, keepdim=True)
