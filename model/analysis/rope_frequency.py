"""Why RoPE errs on texts longer than those it was trained on: a pair of coordinates comes round.

A pair that turns by ω a place says cos(ωd) and sin(ωd) of two words d places apart. Beyond half a turn, π/ω places,
what stands before looks as if it stood after. Chen et al. 2023, "Extending Context Window of Large Language Models via
Positional Interpolation", turn every pair more slowly; here it is one at a time, to see which is to blame.
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
    """RoPE in which one pair turns `by` times as slowly."""

    def __init__(self, config: ModelConfig, pair: int, by: float) -> None:
        super().__init__(config)
        self.pair, self.by = pair, by

    def rotate(self, x: Tensor, positions: Tensor) -> Tensor:
        usual, slow = super().rotate(x, positions), super().rotate(x, positions / self.by)  # (B, H, T, D)
        first = 2 * self.pair
        return torch.cat((usual[..., :first], slow[..., first : first + 2], usual[..., first + 2 :]), dim=-1)


def with_slowed_frequency(transformer: Transformer, pair: int, by: float) -> Transformer:
    """A copy of a model with RoPE that turns this pair `by` times as slowly; all else is as it was trained."""
    slowed = deepcopy(transformer)
    slowed.position = SlowedRope(transformer.config, pair, by)
    return slowed


def slow_each_frequency(
    transformer: Transformer, tokenizer: Tokenizer, length: int, by: float, n: int, seed: int
) -> list[float]:
    """For each pair: the share of `n` questions of this length answered rightly when only that pair is slowed."""
    pairs = range(transformer.config.key_width // 2)
    shares = [
        accuracy(with_slowed_frequency(transformer, pair, by), tokenizer, length, n, seed) for pair in steps(pairs)
    ]
    return [share for share in shares if share is not None]  # RoPE has no table that could end
