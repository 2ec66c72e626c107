"""Attention tile by tile, with a softmax that is corrected as it goes. The map of weights never exists as a whole.

The online softmax: Milakov and Gimelshein 2018, algorithm 3. Tiles: Dao et al. 2022 (FlashAttention), algorithm 1.
"""

import math
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.attention import attend

A = TypeVar("A")  # torch.Tensor here, numpy.ndarray after read_only()


@dataclass(frozen=True, slots=True)
class TileStep(Generic[A]):
    """One tile: Q of the queries, from query_start on, and K of the keys, from key_start on; and what is kept after it.

    new maximum m' = max(m, max of the tile); correction c = exp(m − m');
    new sum = c · sum + Σ exp(scores − m'); new output = c · output + exp(scores − m') v.
    """

    query_start: int
    key_start: int
    scores: A  # (B, H, Q, K)  scaled and masked
    exponentials: A  # (B, H, Q, K)  exp(scores − running maximum)
    correction: A  # (B, H, Q)  exp(old maximum − new maximum): what the old sum and output are multiplied by
    running_maximum: A  # (B, H, Q)  −∞ while every key was forbidden
    running_sum: A  # (B, H, Q)
    running_output: A  # (B, H, Q, D')  not yet divided by the sum


@dataclass(frozen=True, slots=True)
class TiledTrace(Generic[A]):
    """The result, and every tile in the order of computation."""

    z: A  # (B, H, T, D')  equal to that of `attend`
    steps: tuple[TileStep[A], ...]
    skipped: tuple[tuple[int, int], ...]  # query_start and key_start of the tiles in which every key is forbidden


def tiled_attention(
    q: Tensor, k: Tensor, v: Tensor, tile: tuple[int, int], mask: Tensor | None = None, scale: bool = True
) -> TiledTrace[Tensor]:
    """Attention with tiles of `tile` queries and keys; the last tile of a row or column may be smaller.

    q (B, H, T, D), k (B, H, S, D), v (B, H, S, D'); mask: boolean, broadcastable to (B, H, T, S), True may attend.

    Raises:
        ValueError: a side of the tile is below 1.
    """
    height, width = tile
    if height < 1 or width < 1:
        raise ValueError(f"a tile has at least one query and one key, not {height} × {width}")
    n_queries, n_keys = q.size(2), k.size(2)
    shape = (*q.shape[:3], n_keys)
    allowed = (torch.ones((), dtype=torch.bool, device=q.device) if mask is None else mask).expand(shape)
    factor = 1 / math.sqrt(q.size(-1)) if scale else 1.0
    steps: list[TileStep[Tensor]] = []
    skipped: list[tuple[int, int]] = []
    rows: list[Tensor] = []
    for query_start in range(0, n_queries, height):
        queries = slice(query_start, query_start + height)
        tile_q = q[:, :, queries] * factor  # (B, H, Q, D)
        maximum = tile_q.new_full(tile_q.shape[:3], -math.inf)  # (B, H, Q)
        total = torch.zeros_like(maximum)  # (B, H, Q)
        output = tile_q.new_zeros(*tile_q.shape[:3], v.size(-1))  # (B, H, Q, D')
        for key_start in range(0, n_keys, width):
            keys = slice(key_start, key_start + width)
            tile_mask = allowed[:, :, queries, keys]  # (B, H, Q, K)
            if not tile_mask.any():
                skipped.append((query_start, key_start))
                continue
            scores = (tile_q @ k[:, :, keys].transpose(-2, -1)).masked_fill(~tile_mask, -math.inf)  # (B, H, Q, K)
            old, maximum = maximum, torch.maximum(maximum, scores.amax(dim=-1))
            shift = maximum.masked_fill(maximum == -math.inf, 0.0)  # −∞ − (−∞) has no value; exp(−∞ − 0) is 0
            exponentials, correction = (scores - shift[..., None]).exp(), (old - shift).exp()
            total = correction * total + exponentials.sum(dim=-1)
            output = correction[..., None] * output + exponentials @ v[:, :, keys]
            steps.append(TileStep(query_start, key_start, scores, exponentials, correction, maximum, total, output))
        rows.append(output / total.masked_fill(total == 0, 1.0)[..., None])
    return TiledTrace(torch.cat(rows, dim=2), tuple(steps), tuple(skipped))


@dataclass(frozen=True)
class TiledHead:
    """The N tiles of one head, in the order of computation. Rows that a smaller last tile does not have are NaN.

    A masked score is −∞.
    """

    tile: tuple[int, int]  # queries and keys of a tile
    places: NDArray[np.int64]  # (N, 2)  the first query and the first key of each tile
    skipped: NDArray[np.int64]  # (M, 2)  the same of the tiles in which every key is forbidden
    scores: NDArray[np.float64]  # (T, T)  scaled and masked
    correction: NDArray[np.float64]  # (N, Q)
    running_maximum: NDArray[np.float64]  # (N, Q)
    running_sum: NDArray[np.float64]  # (N, Q)
    running_output: NDArray[np.float64]  # (N, Q, D')  not yet divided by the sum
    output: NDArray[np.float64]  # (T, D')
    difference: float  # the largest from the output of `attend`


def tiled_head(
    q: NDArray[np.floating], k: NDArray[np.floating], v: NDArray[np.floating], tile: tuple[int, int], causal: bool
) -> TiledHead:
    """Tiled attention of one head, in float64, beside `attend`. q and k (T, D), v (T, D').

    Raises:
        ValueError: a side of the tile is below 1.
    """
    query, key, value = (torch.tensor(x, dtype=torch.float64)[None, None] for x in (q, k, v))  # (1, 1, T, D)
    mask = torch.ones(len(q), len(k), dtype=torch.bool)  # (T, T)
    mask = mask.tril() if causal else mask
    trace, exact = tiled_attention(query, key, value, tile, mask), attend(query, key, value, mask=mask)

    def padded(name: str) -> NDArray[np.float64]:
        rows = [getattr(step, name)[0, 0] for step in trace.steps]
        filled = torch.full((len(rows), tile[0], *rows[0].shape[1:]), math.nan, dtype=torch.float64)
        for place, row in enumerate(rows):
            filled[place, : len(row)] = row
        return filled.numpy()

    scores = exact.scaled[0, 0].masked_fill(~mask, -math.inf)
    return TiledHead(
        tile=tile,
        places=np.array([(step.query_start, step.key_start) for step in trace.steps]),
        skipped=np.array(trace.skipped, dtype=np.int64).reshape(-1, 2),
        scores=scores.numpy(),
        correction=padded("correction"),
        running_maximum=padded("running_maximum"),
        running_sum=padded("running_sum"),
        running_output=padded("running_output"),
        output=trace.z[0, 0].numpy(),
        difference=float((trace.z - exact.z).abs().max()),
    )
