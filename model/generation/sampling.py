"""Sampling of the next token: temperature, top-k and top-p, then a random draw."""

import numpy as np
from numpy.typing import NDArray

from model.probability import probabilities
from model.run import Array


def apply_temperature(logits: Array, temperature: float) -> Array:
    """logits / temperature. Below 1 the distribution is sharper, above 1 it is flatter; 0 keeps only the best token.

    logits (V,). The best logit is subtracted first, which does not change the softmax. So at a temperature near 0 the
    others become −∞ and none becomes +∞. If several tokens are best, 0 keeps the first.
    """
    if temperature < 0:
        raise ValueError(f"temperature must be at least 0, not {temperature}")
    if temperature == 0:
        return keep_top_k(logits, 1)
    best = np.max(logits, where=np.isfinite(logits), initial=-np.inf)  # a NaN affects only its own token
    with np.errstate(over="ignore"):
        return (logits - (best if np.isfinite(best) else 0.0)) / temperature


def keep_top_k(logits: Array, k: int) -> Array:
    """The `k` largest logits; all others become −inf. 0 keeps all. Fan et al. 2018, section 5.4.

    logits (V,). Among equal logits the first are kept.
    """
    if k < 0:
        raise ValueError(f"top_k must be at least 0, not {k}")
    kept = np.argsort(-logits, kind="stable")[: k or None]
    return _only(logits, kept)


def keep_top_p(logits: Array, p: float) -> Array:
    """The smallest set of tokens with at least probability `p`; all other logits become −inf. 1 keeps all.

    logits (V,). Holtzman et al. 2020, section 3.1: nucleus sampling. The most likely token is always kept.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"top_p must be between 0 and 1, not {p}")
    if p == 1:
        return logits
    order = np.argsort(-logits, kind="stable")
    shares = probabilities(logits)[order]
    before = np.cumsum(shares) - shares  # total probability of the more likely tokens
    return _only(logits, order[before < max(p, np.finfo(float).tiny)])


def _only(logits: Array, kept: NDArray[np.intp]) -> Array:
    left = np.full_like(logits, -np.inf)
    left[kept] = logits[kept]
    return left


def sampling_probabilities(logits: Array, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0) -> Array:
    """The probabilities (V,) for the draw: first the temperature is applied, then top-k, then top-p."""
    return probabilities(
        keep_top_p(keep_top_k(apply_temperature(logits.astype(np.float64), temperature), top_k), top_p)
    )


def sample_token(shares: Array, seed: int, place: int) -> int:
    """One random token. It depends on the probabilities, the seed and the place, not on earlier draws."""
    return int(np.random.default_rng((seed, place)).choice(len(shares), p=shares))
