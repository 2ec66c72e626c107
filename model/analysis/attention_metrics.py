"""Summaries of a trace: entropy, distance and rollout of its attention, and the size of its residual stream."""

import numpy as np
from numpy.typing import NDArray

from model.transformer import Trace

Array = NDArray[np.floating]


def stack_weights(trace: Trace[Array]) -> Array:
    """The attention weights of every head, (L, H, T, S)."""
    return np.stack([layer.attention.weights for layer in trace.layers])


def stream_sizes(trace: Trace[Array]) -> dict[str, Array]:
    """Length, standard deviation and mean of every vector of the residual stream, (N, T) each, in float64.

    N = 2 L + 1: the embedding, then the stream after the attention and after the feed-forward network of each layer.
    """
    vectors = [trace.layers[0].resid_pre]
    for layer in trace.layers:
        vectors += [layer.resid_mid, layer.resid_post]
    stack = np.stack(vectors).astype(np.float64)  # (N, T, C)
    return {
        "length": np.linalg.norm(stack, axis=-1),
        "standard deviation": stack.std(axis=-1),
        "mean": stack.mean(axis=-1),
    }


def entropy(weights: Array) -> Array:
    """Entropy of each row in nats, −Σ p ln p: 0 if all weight is on one token, ln n if it is equal on n tokens."""
    weights = np.asarray(weights)
    log = np.log(weights, where=weights > 0, out=np.zeros_like(weights))  # 0 ln 0 is 0
    return -(weights * log).sum(-1)  # (..., T)


def distance(weights: Array) -> Array:
    """Mean attended distance of each row in tokens, Σ p(s) |t − s|, for self-attention."""
    T, S = weights.shape[-2:]
    if T != S:
        raise ValueError(f"a distance needs as many queries as keys, not {T} and {S}")
    apart = np.abs(np.arange(T)[:, None] - np.arange(S))  # (T, S)
    return (weights * apart).sum(-1)  # (..., T)


def rollout(weights: Array, residual: bool = True) -> Array:
    """Attention rollout: how much each position depends on each input token, through all layers.

    Abnar & Zuidema 2020. With A_l the mean over the heads of layer l, half of every position comes from itself
    through the residual connection, and layers multiply:

        Ã_l = (A_l + I) / 2        rollout = Ã_L ⋯ Ã_2 Ã_1

    Arguments:
        weights: (L, H, T, T), all heads of all layers.
        residual: False if the model has no residual connection, or runs without it; then Ã_l = A_l.
    Returns:
        (T, T); its rows sum to 1 because the rows of every Ã_l do.
    """
    rolled = np.eye(weights.shape[-1], dtype=weights.dtype)  # (T, T)
    for layer in weights.mean(1):  # (T, T)
        step = (layer + np.eye(len(layer), dtype=layer.dtype)) / 2 if residual else layer  # (T, T)
        rolled = step @ rolled  # (T, T)
    return rolled


def reachable(mask: NDArray[np.bool_], residual: bool = True) -> NDArray[np.bool_]:
    """The cells of a rollout that can be non-zero: those with a path through the masks of the layers.

    The masks of the layers can differ, so the mask of the rollout is not that of any single layer.

    Arguments:
        mask: (L, H, T, T), True where attention is allowed.
        residual: as in `rollout`; with it every position reaches itself.
    Returns:
        (T, T); the rollout is exactly 0 where this is False.
    """
    own = np.eye(mask.shape[-1], dtype=bool)  # (T, T)
    reached = own
    for layer in np.asarray(mask.any(1)):  # (T, T)
        step = layer | own if residual else layer
        reached = step.astype(np.float32) @ reached.astype(np.float32) > 0  # (T, T)
    return reached


def divergence(p: Array, q: Array) -> Array:
    """Kullback–Leibler divergence KL(p ‖ q) = Σ p ln(p / q) in nats, over the last axis.

    It is infinite if `q` is 0 where `p` is not.
    """
    p, q = np.broadcast_arrays(p, q)
    with np.errstate(divide="ignore"):
        ratio = np.log(p, where=p > 0, out=np.zeros_like(p)) - np.log(q, where=p > 0, out=np.zeros_like(q))
    return (p * ratio).sum(-1)  # (...)
