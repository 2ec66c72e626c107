"""Attention: queries and keys give scores, a softmax gives weights, and the output is a weighted mean of values.

attend(q, k, v) = softmax(q kᵀ / √d_k) v                              Vaswani et al. 2017, equation 1
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

from model.config import ModelConfig
from model.mask import PreparedMask, prepare_mask
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
    z: A  # (B, H, T, D)  weights · v
    out: A  # (B, T, C) the concatenated heads times W_O; (B, T, H·D) without an output projection


def masked_softmax(scores: Tensor, fully_masked: Tensor | None) -> Tensor:
    """Softmax over the last axis. A row with nothing to attend to gives zeros, not NaN, also in its gradient.

    scores (…, T, S), −inf where the mask forbids; fully_masked (…, T, 1), True for rows that are masked everywhere,
    None if there is no such row.
    Returns (…, T, S).
    """
    if fully_masked is None:
        return scores.softmax(dim=-1)
    # exp(−inf) / 0 has no value and no gradient, so such a row is computed from zeros and then set to zero.
    return scores.masked_fill(fully_masked, 0.0).softmax(dim=-1).masked_fill(fully_masked, 0.0)


def attend(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    mask: Tensor | PreparedMask | None = None,
    bias: Tensor | None = None,
    scale: bool = True,
    output_projection: Callable[[Tensor], Tensor] = lambda heads: heads,
    value_vectors: Tensor | None = None,
) -> AttentionTrace[Tensor]:
    """Scaled dot-product attention with every stage kept.

    q (B, H, T, D), k (B, H, S, D), v (B, H, S, D'); D' may differ from D, and S from T.
    mask: boolean, True may attend; bias: added to the scaled scores; both broadcast to (B, H, T, S).
    output_projection: applied to the concatenated heads (B, T, H·D').
    value_vectors: (H, T, S, D'), added to value s in the mean of query t.
    """
    if mask is None:
        mask = torch.ones(q.size(-2), k.size(-2), dtype=torch.bool, device=q.device)  # (T, S)
    if isinstance(mask, Tensor):
        mask = prepare_mask(mask)
    scores = q @ k.transpose(-2, -1)  # (B, H, T, S)
    scaled = scores / math.sqrt(q.size(-1)) if scale else scores
    biased = scaled if bias is None else scaled + bias
    # The same as adding −∞, and also correct if a forbidden score is ∞, where ∞ − ∞ would be NaN.
    masked = torch.minimum(biased, mask.upper_bound.to(biased.dtype))  # (B, H, T, S)
    weights = masked_softmax(masked, mask.fully_masked)  # (B, H, T, S)
    z = average(weights, v, value_vectors)  # (B, H, T, D)
    out = output_projection(_side_by_side(z))  # (B, T, H·D), or what the output projection makes of it
    allowed = mask.allowed.expand_as(scores)  # (B, H, T, S)
    return AttentionTrace(q, k, v, scores, scaled, biased, allowed, masked, weights, z, out)


def average(weights: Tensor, v: Tensor, value_vectors: Tensor | None = None) -> Tensor:
    """Σ_s weights[t, s] (v[s] + value_vectors[t, s]): the output of each head before its projection.

    weights (B, H, T, S), v (B, H, S, D), value_vectors (H, T, S, D) or None. Returns (B, H, T, D).
    """
    z = weights @ v  # (B, H, T, D)
    return z if value_vectors is None else z + torch.einsum("bhts,htsd->bhtd", weights, value_vectors)


def _side_by_side(z: Tensor) -> Tensor:
    return z.transpose(1, 2).flatten(2)  # (B, H, T, D) → (B, T, H·D)


@dataclass(frozen=True)
class AttentionOverride:
    """Attention weights that replace those of the model in one row. Everything after them is computed from them."""

    layer: int
    head: int
    row: int
    weights: Sequence[float] | Sequence[Sequence[float]] | Tensor  # (S,), or (B, S) with one row for each sequence


def renormalise(weights: Sequence[float]) -> tuple[float, ...]:
    """Non-negative weights (S,) scaled to sum to 1. If all are zero they stay zero, and the row attends to nothing.

    Raises:
        ValueError: a weight is negative or not a number.
    """
    if not all(0 <= weight < float("inf") for weight in weights):
        raise ValueError("A weight is a number from 0 upwards.")
    total = sum(weights)
    return tuple(weight / total if total else 0.0 for weight in weights)


class MultiHeadAttention(nn.Module):
    """H attention heads, each with its own projections of the input; W_O combines their outputs.

    Vaswani et al. 2017, section 3.2.2. Self-attention if both inputs are the same, otherwise cross-attention.
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
        x_query: Tensor,
        x_kv: Tensor,
        mask: Tensor | PreparedMask,
        position: Position,
        switches: Switches,
        override: AttentionOverride | None = None,
        kv_cache: AttentionTrace[Tensor] | None = None,
    ) -> AttentionTrace[Tensor]:
        """x_query (B, T, C), x_kv (B, S, C), mask broadcastable to (B, H, T, S).

        kv_cache: the trace of this attention over the earlier tokens. Its keys and values precede the new ones.
        """
        q = self._split(self.w_q(x_query))  # (B, H, T, D)
        k = self._split(self.w_k(x_kv))  # (B, H, S, D)
        v = self._split(self.w_v(x_kv))  # (B, H, S, D)
        n_cached = 0 if kv_cache is None else kv_cache.k.size(2)
        position_acts = switches.position and position.in_attention
        if position_acts:
            query_positions = torch.arange(n_cached, n_cached + q.size(2), device=q.device)  # (T,)
            key_positions = torch.arange(n_cached, n_cached + k.size(2), device=q.device)  # (S,)
            q, k = position.rotate(q, query_positions), position.rotate(k, key_positions)
        if kv_cache is not None:
            k, v = (
                torch.cat((kv_cache.k, k), dim=2),
                torch.cat((kv_cache.v, v), dim=2),
            )  # S now counts all tokens so far
        bias = value_vectors = None
        if position_acts:
            all_positions = torch.arange(k.size(2), device=q.device)  # (S,)
            bias = position.bias(self.layer, query_positions, all_positions)  # (H, T, S)
            vectors = position.vectors(self.layer, query_positions, all_positions)
            if vectors is not None:  # q · (k + a) = q · k + q · a, so what the keys get is a bias
                key_vectors, value_vectors = vectors
                bias = torch.einsum("bhtd,htsd->bhts", q, key_vectors)  # (B, H, T, S)
                bias = bias / math.sqrt(q.size(-1)) if switches.scale else bias
        trace = attend(q, k, v, mask, bias, switches.scale, self.w_o, value_vectors)
        if override is not None and override.layer == self.layer:
            weights = trace.weights.clone()  # (B, H, T, S)
            weights[:, override.head, override.row] = torch.as_tensor(override.weights).to(weights)
            z = average(weights, trace.v, value_vectors)  # (B, H, T, D)
            trace = replace(trace, weights=weights, z=z, out=self.w_o(_side_by_side(z)))
        ablated = [head for layer, head in switches.heads_off if layer == self.layer]
        if ablated:
            z = trace.z.index_fill(1, torch.tensor(ablated, device=q.device), 0.0)  # (B, H, T, D)
            trace = replace(trace, z=z, out=self.w_o(_side_by_side(z)))
        return trace

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)  # (B, T, H·D) → (B, H, T, D)
