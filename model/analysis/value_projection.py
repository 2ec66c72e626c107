"""Attention only averages: with weights that are never negative and sum to 1, z lies in the convex hull of the values.

To be seen, values of D' numbers are laid on the plane of their two widest directions (principal components, Pearson
1901). A projection is linear, so a mean of values lands on the same mean of their points.
"""

from dataclasses import dataclass

import numpy as np

from model.run import Array


@dataclass(frozen=True)
class ValueProjection:
    """Values and their means on one plane."""

    values: Array  # (S, 2)
    means: Array  # (T, 2)
    explained_variance: float  # of the spread of the values that the plane shows, 0 … 1


def project_values(v: Array, z: Array) -> ValueProjection:
    """v (S, D') values, z (T, D') outputs of one head."""
    centre = v.mean(axis=0)
    _, spread, directions = np.linalg.svd(v - centre, full_matrices=False)
    axes = np.zeros((2, v.shape[1]), v.dtype)
    axes[: len(directions[:2])] = directions[:2]
    total = float((spread**2).sum())
    return ValueProjection(
        (v - centre) @ axes.T, (z - centre) @ axes.T, float((spread[:2] ** 2).sum()) / total if total else 1.0
    )
