"""Who may look at whom. A mask is boolean and True always means "may attend".

Masks combine with `&`. Each function returns something that broadcasts to (B, H, T, S).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor


def causal(queries_at: Tensor, keys_at: Tensor) -> Tensor:
    """A query sees itself and everything before it. queries_at (T,), keys_at (S,). Returns (T, S)."""
    return keys_at[None, :] <= queries_at[:, None]


def everything(queries_at: Tensor, keys_at: Tensor) -> Tensor:
    """Every query sees every key. Returns (T, S)."""
    return torch.ones(queries_at.numel(), keys_at.numel(), dtype=torch.bool, device=queries_at.device)


def window(queries_at: Tensor, keys_at: Tensor, width: int) -> Tensor:
    """A query sees keys fewer than `width` steps away, on both sides. Returns (T, S)."""
    return (keys_at[None, :] - queries_at[:, None]).abs() < width


def prefix(queries_at: Tensor, keys_at: Tensor, length: int) -> Tensor:
    """Everybody sees the first `length` keys, and beyond them only what came before. Returns (T, S)."""
    return causal(queries_at, keys_at) | (keys_at < length)[None, :]


def padding(real: Tensor) -> Tensor:
    """Nobody looks at filler. real (B, S), True for a real token. Returns (B, 1, 1, S).

    Also the mask of cross-attention: there, S are the positions of the source.
    """
    return real[:, None, None, :]


@dataclass(frozen=True, slots=True)
class Mask:
    """A mask made ready to act on scores: worked out once, used by every layer."""

    allowed: Tensor  # (…, T, S) True: may attend
    floor: Tensor  # (…, T, S) 0 where allowed, −inf where not: what is added to the scores
    nothing: Tensor | None  # (…, T, 1) True for a query that may attend to nothing; None when there is no such query


def prepare(allowed: Tensor) -> Mask:
    """allowed (…, T, S), boolean."""
    floor = torch.where(allowed, 0.0, -math.inf)  # (…, T, S)
    nothing = ~allowed.any(dim=-1, keepdim=True)  # (…, T, 1)
    return Mask(allowed, floor, nothing if nothing.any() else None)
