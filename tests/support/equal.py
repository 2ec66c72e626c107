"""When numbers in a test count as equal: bit by bit, up to the rounding of float32, or not at all.

Two computations of one number differ in the last bits from one processor to the next: a product of other shapes is
summed in another order. So a test asks for equal bits only through `same_bits`, and says why it may;
tests/house/test_house.py lets no other way stand.
"""

from typing import Any

import numpy as np
import torch

WHY = {
    "copied": "one is the other, stored, sent, cut, masked or printed in full, and nothing was computed again",
    "same operation": "the same function ran twice on arguments of the same shapes, on one machine",
    "untouched": "the same operation on the same shapes, and nothing that reaches these numbers differs",
    "exact": "every intermediate number is one that floating point holds exactly: × 0, × 1, ÷ 1, + 0",
}


def same_bits(a: Any, b: Any, why: str = "") -> bool:
    """Whether two arrays hold the same numbers of the same shape; NaN equals NaN.

    why: the key of WHY that holds. Integers and truth values need none.

    Raises:
        ValueError: floats are compared and `why` is no key of WHY.
    """
    a, b = _array(a), _array(b)
    floats = a.dtype.kind == b.dtype.kind == "f"
    if floats and why not in WHY:
        raise ValueError(f"floats are equal bit by bit only for a reason, one of {', '.join(WHY)}; else use `close`")
    return bool(np.array_equal(a, b, equal_nan=floats))


def close(a: Any, b: Any, relative: float = 1e-5, absolute: float = 1e-6) -> bool:
    """Whether two arrays are equal up to rounding: `absolute`, and `relative` to the largest finite number of b.

    NaN and infinity must stand in the same places. The defaults are for float32.
    """
    a, b = np.asarray(_array(a), dtype=np.float64), np.asarray(_array(b), dtype=np.float64)
    largest = float(np.abs(b[np.isfinite(b)]).max(initial=0.0))
    return a.shape == b.shape and np.allclose(a, b, rtol=0, atol=absolute + relative * largest, equal_nan=True)


def differ(a: Any, b: Any) -> bool:
    """Whether some number differs by more than rounding."""
    a, b = _array(a), _array(b)
    return not (close(a, b, 1e-9, 1e-9) if a.dtype == np.float64 else close(a, b))


def _array(values: Any) -> np.ndarray[Any, Any]:
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu()
        return (values.float() if values.dtype == torch.bfloat16 else values).numpy()
    return np.asarray(values)
