"""Attention tile by tile, with a softmax that is corrected as it goes. The map of weights never exists as a whole.

The online softmax: Milakov and Gimelshein 2018, algorithm 3. Tiles: Dao et al. 2022 (FlashAttention), algorithm 1.
"""

import math
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import Tensor

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
