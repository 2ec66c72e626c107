"""Attention: every query scores every key, a softmax turns scores into weights, weights average values.

attend(q, k, v) = softmax(q kᵀ / √d_k) v                              Vaswani et al. 2017, equation 1
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

from model.attention_override import Overwrite
from model.config import ModelConfig
from model.mask import Mask, prepare
from model.position import Position
from model.switches import Switches

A = TypeVar("A")  # torch.Tensor inside the model, numpy.ndarray after run()


@dataclass(frozen=True, slots=True)
class AttentionTrace(Generic[A]):
    """Every stage of one attention, in the order it happens."""

    q: A  # (B, H, T, D)
    k: A  # (B, H, S, D)
    v: A  # (B, H, S, D)
    scores: A  # (B, H, T, S)  q · k
    scaled: A  # (B, H, T, S)  scores / √d_k
    biased: A  # (B, H, T, S)  scaled + position bias
    mask: A  # (B, H, T, S)  True: may attend
    masked: A  # (B, H, T, S)  −inf where the mask forbids
    weights: A  # (B, H, T, S)  softmax over S: rows sum to 1
    z: A  # (B, H, T, D)  weights · v, each head by itself
    out: A  # (B, T, C) the heads side by side, mixed by W_O; (B, T, H·D) where nothing mixes them


def softmax_over_allowed(masked: Tensor, nothing: Tensor | None) -> Tensor:
    """Softmax over the last axis. A row with nothing to attend to gives zeros, not NaN, also in its gradient.

    masked (…, T, S), −inf where a query may not look; nothing (…, T, 1), True for those rows, None when there are none.
    Returns (…, T, S).
    """
    if nothing is None:
        return masked.softmax(dim=-1)
    # exp(−inf) / 0 has no value and no gradient: such a row is computed on zeros and then emptied.
    return masked.masked_fill(nothing, 0.0).softmax(dim=-1).masked_fill(nothing, 0.0)


def attend(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    mask: Tensor | Mask | None = None,
    bias: Tensor | None = None,
    scale: bool = True,
    mix: Callable[[Tensor], Tensor] = lambda heads: heads,
) -> AttentionTrace[Tensor]:
    """Scaled dot-product attention with every stage kept.

    q (B, H, T, D), k (B, H, S, D), v (B, H, S, D'); D' may differ from D, and S from T.
    mask: boolean, True may attend; bias: added to the scaled scores; both broadcast to (B, H, T, S).
    mix: what is done to the heads side by side (B, T, H·D').
    """
    if mask is None:
        mask = torch.ones(q.size(-2), k.size(-2), dtype=torch.bool, device=q.device)  # (T, S)
    if isinstance(mask, Tensor):
        mask = prepare(mask)
    scores = q @ k.transpose(-2, -1)  # (B, H, T, S)
    scaled = scores / math.sqrt(q.size(-1)) if scale else scores
    biased = scaled if bias is None else scaled + bias
    # As good as adding −∞, and right also where a forbidden score is ∞ itself: ∞ − ∞ would be no number.
    masked = torch.minimum(biased, mask.ceiling.to(biased.dtype))  # (B, H, T, S)
    weights = softmax_over_allowed(masked, mask.nothing)  # (B, H, T, S)
    z = weights @ v  # (B, H, T, D)
    out = mix(_side_by_side(z))  # (B, T, H·D), or what `mix` makes of it
    allowed = mask.allowed.expand_as(scores)  # (B, H, T, S)
    return AttentionTrace(q, k, v, scores, scaled, biased, allowed, masked, weights, z, out)


def _side_by_side(z: Tensor) -> Tensor:
    return z.transpose(1, 2).flatten(2)  # (B, H, T, D) → (B, T, H·D)


class MultiHeadAttention(nn.Module):
    """H attentions side by side, each on its own projection of the input; W_O mixes their outputs.

    Vaswani et al. 2017, section 3.2.2. Self-attention when both inputs are the same, cross-attention when not.
    """

    def __init__(self, config: ModelConfig, layer: int) -> None:
        super().__init__()
        self.layer = layer
        self.n_heads = config.n_heads
        width, bias = config.d_model, config.attention_bias
        self.w_q = nn.Linear(width, config.n_heads * config.key_width, bias=bias)
        self.w_k = nn.Linear(width, config.n_heads * config.key_width, bias=bias)
        self.w_v = nn.Linear(width, config.n_heads * config.value_width, bias=bias)
        self.w_o = nn.Linear(config.n_heads * config.value_width, width, bias=bias)

    def forward(
        self,
        looking: Tensor,
        looked_at: Tensor,
        mask: Tensor | Mask,
        position: Position,
        switches: Switches,
        overwrite: Overwrite | None = None,
        past: AttentionTrace[Tensor] | None = None,
    ) -> AttentionTrace[Tensor]:
        """looking (B, T, C), looked_at (B, S, C), mask broadcastable to (B, H, T, S).

        past: what this attention did with the words before these: its keys and values stand in front of the new ones.
        """
        q = self._split(self.w_q(looking))  # (B, H, T, D)
        k = self._split(self.w_k(looked_at))  # (B, H, S, D)
        v = self._split(self.w_v(looked_at))  # (B, H, S, D)
        before = 0 if past is None else past.k.size(2)
        placed = switches.position and position.in_attention
        if placed:
            queries_at = torch.arange(before, before + q.size(2), device=q.device)  # (T,)
            keys_at = torch.arange(before, before + k.size(2), device=q.device)  # (S,)
            q, k = position.rotate(q, queries_at), position.rotate(k, keys_at)
        if past is not None:
            k, v = torch.cat((past.k, k), dim=2), torch.cat((past.v, v), dim=2)  # S is now all words so far
        bias = None
        if placed:
            bias = position.bias(self.layer, queries_at, torch.arange(k.size(2), device=q.device))  # (H, T, S)
        trace = attend(q, k, v, mask, bias, switches.scale, self.w_o)
        if overwrite is not None and overwrite.layer == self.layer:
            weights = trace.weights.clone()  # (B, H, T, S)
            weights[:, overwrite.head, overwrite.row] = torch.as_tensor(overwrite.weights).to(weights)
            z = weights @ trace.v  # (B, H, T, D)
            trace = replace(trace, weights=weights, z=z, out=self.w_o(_side_by_side(z)))
        silent = [head for layer, head in switches.heads_off if layer == self.layer]
        if silent:
            z = trace.z.index_fill(1, torch.tensor(silent, device=q.device), 0.0)  # (B, H, T, D)
            trace = replace(trace, z=z, out=self.w_o(_side_by_side(z)))
        return trace

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)  # (B, T, H·D) → (B, H, T, D)
