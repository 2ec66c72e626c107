"""From logits to probabilities, and the distance of two distributions or two vectors."""

import numpy as np

from model.run import Array


def log_probabilities(logits: Array) -> Array:
    """ln of the softmax over the last axis, in float64: finite where p itself would round to 0."""
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def probabilities(logits: Array) -> Array:
    """Softmax over the last axis, in float64."""
    return np.exp(log_probabilities(logits))


def kl(a: Array, b: Array) -> Array:
    """KL(A ‖ B) of the distributions that belong to logits a and b, (…, V) → (…), in nats."""
    ln_a, ln_b = log_probabilities(a), log_probabilities(b)
    return np.asarray((np.exp(ln_a) * (ln_a - ln_b)).sum(axis=-1))


def cosine_distance(a: Array, b: Array) -> Array:
    """1 − cosine of the angle between vectors a and b (…, C), (…): 0 for the same direction, 2 for the opposite."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    length = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    return np.asarray(1 - (a * b).sum(axis=-1) / np.maximum(length, np.finfo(np.float64).tiny))
