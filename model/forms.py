"""The same attention two ways: a loop over words with nothing but sums, and three matrix products at once.

Vaswani et al. 2017, equation 1, is the second; the first is what it means.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch

from model.attention import attend
from model.run import Array
from model.steps import steps


def by_rows(q: Array, k: Array, v: Array, mask: Array, bias: Array, scale: bool = True) -> tuple[Array, Array]:
    """One word after another, one key after another, in the precision of q.

    q (T, D), k (S, D), v (S, D'), mask and bias (T, S). Returns weights (T, S) and z (T, D').
    """
    divisor = q.dtype.type(math.sqrt(q.shape[1]) if scale else 1.0)
    weights, z = np.zeros(mask.shape, q.dtype), np.zeros((len(q), v.shape[1]), q.dtype)
    for t, query in enumerate(steps(q)):
        allowed = np.flatnonzero(mask[t])
        if not allowed.size:
            continue  # nothing to look at: the row stays zero
        scores = [(query * k[s]).sum() / divisor + bias[t, s] for s in allowed]
        highest = max(scores)
        odds = [np.exp(score - highest) for score in scores]
        total = sum(odds)
        for s, odd in zip(allowed, odds, strict=True):
            weights[t, s] = odd / total
            z[t] += weights[t, s] * v[s]
    return weights, z


def at_once(q: Array, k: Array, v: Array, mask: Array, bias: Array, scale: bool = True) -> tuple[Array, Array]:
    """All words in three matrix products, by the model's own `attend`. Shapes as in `by_rows`."""
    one = [torch.as_tensor(np.array(array))[None, None] for array in (q, k, v, bias, mask)]  # (1, 1, …)
    made = attend(one[0], one[1], one[2], mask=one[4], bias=one[3], scale=scale)
    return made.weights[0, 0].numpy(), made.z[0, 0].numpy()


@dataclass(frozen=True)
class Forms:
    """Both forms of one head in one precision, and how far they are apart."""

    precision: str
    rows: Array  # (T, S)  weights by rows
    whole: Array  # (T, S)  weights at once
    weights_apart: float  # largest difference of a weight
    z_apart: float  # largest difference of a number of the output


def compare(q: Array, k: Array, v: Array, mask: Array, bias: Array, scale: bool = True) -> tuple[Forms, Forms]:
    """Both forms in single and in double precision."""
    made = []
    for precision in (np.float32, np.float64):
        lent = q.astype(precision), k.astype(precision), v.astype(precision), mask, bias.astype(precision), scale
        rows, z_rows = by_rows(*lent)
        whole, z_whole = at_once(*lent)
        apart = float(np.abs(rows - whole).max()), float(np.abs(z_rows - z_whole).max())
        made.append(Forms(np.dtype(precision).name, rows, whole, *apart))
    return made[0], made[1]
