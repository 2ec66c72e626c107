"""Why RoPE fails on texts longer than those of its training: the angle of a pair of coordinates repeats.

A pair that rotates by ω per position gives cos(ωd) and sin(ωd) for two tokens at distance d. Beyond half a turn, π/ω
positions, a key before the query has the same angle as one after it. Chen et al. 2023, "Extending Context Window of
Large Language Models via Positional Interpolation", slow down every pair; here one pair is slowed at a time.
"""

from copy import deepcopy

import torch
from torch import Tensor

from model.compute.progress import steps
from model.config import ModelConfig
from model.evaluation.first_digit import accuracy
from model.position import Rope
from model.tokenizer import Tokenizer
from model.transformer import Transformer


class SlowedRope(Rope):
    """RoPE in which one pair rotates `by` times as slowly."""

    def __init__(self, config: ModelConfig, pair: int, by: float) -> None:
        super().__init__(config)
        self.pair, self.by = pair, by

    def rotate(self, x: Tensor, positions: Tensor) -> Tensor:
        usual, slow = super().rotate(x, positions), super().rotate(x, positions / self.by)  # (B, H, T, D)
        first = 2 * self.pair
        return torch.cat((usual[..., :first], slow[..., first : first + 2], usual[..., first + 2 :]), dim=-1)


def with_slowed_frequency(transformer: Transformer, pair: int, by: float) -> Transformer:
    """A copy of a model with RoPE in which the pair `pair` rotates `by` times as slowly."""
    slowed = deepcopy(transformer)
    slowed.position = SlowedRope(transformer.config, pair, by)
    return slowed


def slow_each_frequency(
    transformer: Transformer, tokenizer: Tokenizer, length: int, by: float, n: int, seed: int
) -> list[float]:
    """For each pair: the accuracy on `n` questions of this length if only that pair is slowed."""
    pairs = range(transformer.config.key_width // 2)
    shares = [
        accuracy(with_slowed_frequency(transformer, pair, by), tokenizer, length, n, seed) for pair in steps(pairs)
    ]
    return [share for share in shares if share is not None]  # RoPE has no table that could end
