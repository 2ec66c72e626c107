"""Arrays for the browser: a header in JSON, then the raw bytes, so that nothing is parsed number by number.

uint32 length of the header | header | padding to 4 | array | padding to 4 | array …
"""

import json
from typing import Any

import numpy as np

from viz.types import Array

FULL = 250  # the code of weight 1; weight 0 is code 0
NOT_A_NUMBER = 254
ABSENT = 255  # the mask does not allow this cell
MOST_PIXELS = 64  # a map of more tokens is pooled to this many cells a side


def encode_weights(weights: Array, mask: Array, most: int = MOST_PIXELS) -> Array:
    """Weights as one byte a cell, pooled where there are too many cells to see.

    weights (L, H, T, S) in 0 … 1, mask the same shape, True: may attend. Returns (L, H, N, M) uint8 with N, M at most
    `most`. A pooled cell shows the largest weight in its block, so that a single bright cell is never averaged away.
    """
    return np.stack(
        [_layer(layer, may, most) for layer, may in zip(weights, mask, strict=True)]
    )  # fits the processor's cache


def _layer(weights: Array, mask: Array, most: int) -> Array:
    # Not a number is the largest of a block, and never pooled away; not allowed is the smallest.
    shown = np.where(mask, np.where(np.isneginf(weights), np.inf, weights), -np.inf)
    shown = _block_max(_block_max(shown, 1, most), 2, most)
    code = np.round(np.clip(np.nan_to_num(shown), 0.0, 1.0) * FULL).astype(np.uint8)
    code[~np.isfinite(shown)] = NOT_A_NUMBER
    code[np.isneginf(shown)] = ABSENT
    return code


def encode_difference(difference: Array, mask: Array, most: int = MOST_PIXELS) -> Array:
    """Differences of weights as one byte a cell: −1 is code 0, no difference FULL / 2, +1 FULL.

    difference (L, H, T, S) in −1 … 1, mask the same shape. A pooled cell shows the difference farthest from zero.
    """
    code = np.round(np.clip(np.nan_to_num(difference), -1.0, 1.0) * (FULL // 2)).astype(np.int16)
    code[~mask] = 0
    most_up = _block_max(_block_max(code, 2, most), 3, most)
    most_down = -_block_max(_block_max(-code, 2, most), 3, most)
    farthest = np.where(most_up >= -most_down, most_up, most_down) + FULL // 2
    unknown = _block_max(_block_max(~np.isfinite(difference) & mask, 2, most), 3, most)
    allowed = _block_max(_block_max(mask, 2, most), 3, most)
    return np.where(~allowed, ABSENT, np.where(unknown, NOT_A_NUMBER, farthest)).astype(np.uint8)


def _block_max(code: Array, axis: int, most: int) -> Array:
    length = code.shape[axis]
    if length <= most:
        return code
    starts = (np.arange(most) * length) // most  # block i holds starts[i] … starts[i + 1] − 1
    reduced: Array = np.maximum.reduceat(code, starts, axis=axis)
    return reduced


def pack(header: dict[str, Any], **arrays: Array) -> bytes:
    """One block of bytes; `unpack` in frontend/lib/page_state.js is its inverse."""
    described, body, offset = {}, [], 0
    for name, array in arrays.items():
        raw = np.ascontiguousarray(array).tobytes()
        described[name] = {
            "dtype": array.dtype.str.lstrip("<|>"),
            "shape": array.shape,
            "at": offset,
            "bytes": len(raw),
        }
        body.append(raw + b"\0" * (-len(raw) % 4))
        offset += len(body[-1])
    head = json.dumps({**header, "arrays": described}, ensure_ascii=True).encode()
    head += b" " * (-len(head) % 4)
    return len(head).to_bytes(4, "little") + head + b"".join(body)
