"""Attention averages values: its weights are not negative and sum to 1, so z is in the convex hull of the values.

Values of D' numbers are projected on the plane of their first two principal components (Pearson 1901). The projection
is linear, so a weighted mean of values becomes the same weighted mean of their points.
"""

from dataclasses import dataclass

import numpy as np

from model.run import Array


@dataclass(frozen=True)
class ValueProjection:
    """Values and their means on one plane."""

    values: Array  # (S, 2)
    means: Array  # (T, 2)
    explained_variance: float  # share of the variance of the values that the plane shows, 0 … 1


def project_values(v: Array, z: Array) -> ValueProjection:
    """Project the values v (S, D') and the outputs z (T, D') of one head."""
    centre = v.mean(axis=0)
    _, spread, directions = np.linalg.svd(v - centre, full_matrices=False)
    axes = np.zeros((2, v.shape[1]), v.dtype)
    axes[: len(directions[:2])] = directions[:2]
    total = float((spread**2).sum())
    return ValueProjection(
        (v - centre) @ axes.T, (z - centre) @ axes.T, float((spread[:2] ** 2).sum()) / total if total else 1.0
    )
