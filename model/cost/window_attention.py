"""Attention to a window: as a mask, and computed block by block so that its cost grows with n and not with n².

Beltagy et al. 2020 (Longformer), section 3.1: sliding window, dilation, and a few global tokens.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from model import mask as masks
from model.attention import attend


def window_mask(n: int, width: int, causal: bool = True, dilation: int = 1, n_global: int = 0) -> Tensor:
    """Which keys a query may attend to. Returns (T, T).

    width: the keys on one side, the query's own included, as in `model.mask`; dilation: the distance between two keys.
    n_global: the first tokens, to which every query attends, and which attend to every key. A causal mask forbids
    later keys to these as well.

    Raises:
        ValueError: the width or the dilation is below 1, or the number of global tokens below 0.
    """
    if width < 1 or dilation < 1 or n_global < 0:
        raise ValueError("a window has a width and a dilation of at least 1, and no negative number of global tokens")
    positions = torch.arange(n)  # (T,)
    distance = positions[:, None] - positions[None, :]  # (T, T)
    near = masks.window(positions, positions, (width - 1) * dilation + 1)
    is_global = positions < n_global
    allowed = (near & (distance % dilation == 0)) | is_global[None, :] | is_global[:, None]
    return allowed & masks.causal(positions, positions) if causal else allowed


def window_attention(q: Tensor, k: Tensor, v: Tensor, width: int, causal: bool = True) -> Tensor:
    """The same as `attend` with a window mask, without the map of n² scores.

    Queries are cut into blocks of `width`; a block attends to the keys of its own block and of the block before, and
    of the block after if not causal. q, k, v (B, H, T, D). Returns z (B, H, T, D).
    """
    n = q.size(2)
    n_blocks = -(-n // width)
    rest = n_blocks * width - n
    after = 0 if causal else width
    blocks = F.pad(q, (0, 0, 0, rest)).unflatten(2, (n_blocks, width))  # (B, H, N, W, D)
    near_k, near_v = (
        F.pad(x, (0, 0, width, rest + after)).unfold(2, 2 * width + after, width).transpose(-2, -1) for x in (k, v)
    )  # (B, H, N, 2W or 3W, D)
    query = torch.arange(n_blocks * width, device=q.device).view(n_blocks, width, 1)  # (N, W, 1)
    start = torch.arange(n_blocks, device=q.device).view(n_blocks, 1, 1) * width - width  # (N, 1, 1)
    key = start + torch.arange(2 * width + after, device=q.device)  # (N, 1, 2W or 3W)
    allowed = ((key - query).abs() < width) & (key >= 0) & (key < n)  # (N, W, 2W or 3W)
    if causal:
        allowed = allowed & (key <= query)
    # The blocks take the place of the heads.
    z = attend(
        blocks.flatten(1, 2), near_k.flatten(1, 2), near_v.flatten(1, 2), allowed.repeat(q.size(1), 1, 1)
    ).z  # (B, H·N, W, D)
    return z.unflatten(1, (q.size(1), n_blocks)).flatten(2, 3)[:, :, :n]
