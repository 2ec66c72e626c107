"""How the next word is chosen from its odds: cooler or warmer, the best few, the likely share; then one is drawn."""

import numpy as np
from numpy.typing import NDArray

from model.probability import probabilities
from model.run import Array


def apply_temperature(logits: Array, temperature: float) -> Array:
    """logits / temperature: below 1 the likely becomes likelier, above 1 all become more alike; 0 leaves the best only.

    logits (V,). Returned as differences from the best one, which the softmax does not see: so a temperature near 0
    sends all others to −∞ and nothing to +∞. Of several best words, 0 leaves the first.
    """
    if temperature < 0:
        raise ValueError(f"a temperature cannot be below 0: {temperature}")
    if temperature == 0:
        return keep_top_k(logits, 1)
    best = np.max(logits, where=np.isfinite(logits), initial=-np.inf)  # what is no number concerns its own word only
    with np.errstate(over="ignore"):
        return (logits - (best if np.isfinite(best) else 0.0)) / temperature


def keep_top_k(logits: Array, k: int) -> Array:
    """The `k` best stay as they are, all others become −inf; 0 keeps all. Fan et al. 2018, section 5.4.

    logits (V,). Of words with equal odds the first stay.
    """
    if k < 0:
        raise ValueError(f"top-k cannot keep {k} words")
    kept = np.argsort(-logits, kind="stable")[: k or None]
    return _only(logits, kept)


def keep_top_p(logits: Array, p: float) -> Array:
    """The fewest words that together have at least probability `p` stay, all others become −inf; 1 keeps all.

    logits (V,). Holtzman et al. 2020, section 3.1: nucleus sampling. The most likely word always stays.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"top-p must lie between 0 and 1, not {p}")
    if p == 1:
        return logits
    order = np.argsort(-logits, kind="stable")
    shares = probabilities(logits)[order]
    before = np.cumsum(shares) - shares  # how much the likelier ones have already
    return _only(logits, order[before < max(p, np.finfo(float).tiny)])


def _only(logits: Array, kept: NDArray[np.intp]) -> Array:
    left = np.full_like(logits, -np.inf)
    left[kept] = logits[kept]
    return left


def sampling_probabilities(logits: Array, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0) -> Array:
    """The probabilities that a word is drawn by, (V,): first the temperature, then the best k, then the likely p."""
    return probabilities(
        keep_top_p(keep_top_k(apply_temperature(logits.astype(np.float64), temperature), top_k), top_p)
    )


def sample_token(shares: Array, seed: int, place: int) -> int:
    """One word by its probability. The same for the same seed and place, however the places before were filled."""
    return int(np.random.default_rng((seed, place)).choice(len(shares), p=shares))
