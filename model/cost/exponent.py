"""The exponent of a power law: value ∝ n^p is a line of slope p on two log axes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Exponent:
    """A least-squares line through log n and log value."""

    exponent: float  # p
    standard_error: float  # of p, from the residuals; infinite with two points
    factor: float  # value = factor · n^p

    def predict(self, n: float) -> float:
        """The value of the line at n."""
        return self.factor * n**self.exponent


def fit_exponent(lengths: Sequence[float], values: Sequence[float]) -> Exponent:
    """Fit value = factor · n^p.

    Raises:
        ValueError: there are fewer than two different lengths, or a length or value is not positive.
    """
    if len(lengths) != len(values) or len(set(lengths)) < 2:
        raise ValueError("an exponent needs two different lengths, and one value for each")
    if min(*lengths, *values) <= 0:
        raise ValueError("a logarithm needs positive numbers")
    x, y = np.log(np.asarray(lengths, dtype=float)), np.log(np.asarray(values, dtype=float))
    spread = float(((x - x.mean()) ** 2).sum())
    slope = float(((x - x.mean()) * (y - y.mean())).sum()) / spread
    start = float(y.mean() - slope * x.mean())
    residual = float(((y - start - slope * x) ** 2).sum())
    error = math.sqrt(residual / (len(x) - 2) / spread) if len(x) > 2 else math.inf
    return Exponent(slope, error, math.exp(start))


def measured_crossover(lengths: Sequence[float], cheaper: Sequence[float], dearer: Sequence[float]) -> float | None:
    """The length from which on `cheaper` stays below `dearer`, between two measured lengths on log axes.

    None if it is not below at the last length. If it is below everywhere, the first length.
    """
    if len(lengths) == 0 or cheaper[-1] >= dearer[-1]:
        return None
    gap = np.log(np.asarray(cheaper, dtype=float)) - np.log(np.asarray(dearer, dtype=float))  # (N,) below 0: cheaper
    above = np.flatnonzero(gap >= 0)
    if not len(above):
        return float(lengths[0])
    i = int(above[-1])
    share = gap[i] / (gap[i] - gap[i + 1])
    return float(math.exp(math.log(lengths[i]) + share * (math.log(lengths[i + 1]) - math.log(lengths[i]))))
