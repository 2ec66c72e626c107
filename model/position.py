"""How a Transformer knows the order of its words, seven ways.

Attention by itself treats a sentence as a bag of words. Order can act in three places, and a scheme is a
class that overrides one of them:

    add     to the embeddings, before the first layer
    rotate  the queries and keys of every layer
    bias    the scores of every layer

To add a scheme: write a subclass, enter it in POSITIONS at the foot. The tests pick it up from there; what the page
Positions asks for besides stands in the README, under “Add to it”.
"""

import math

import torch
from torch import Tensor, nn

from model.config import ModelConfig


class Position(nn.Module):
    """No scheme at all: the three places, each left as it is."""

    in_attention = False  # whether it rotates or biases

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()

    def __init_subclass__(cls) -> None:
        cls.in_attention = cls.rotate is not Position.rotate or cls.bias is not Position.bias

    def add(self, x: Tensor, positions: Tensor) -> Tensor:
        """x (B, T, C) embeddings; at (T,) the position of each. Returns (B, T, C)."""
        return x

    def rotate(self, x: Tensor, positions: Tensor) -> Tensor:
        """x (B, H, T, D) queries or keys; at (T,) the position of each. Returns (B, H, T, D)."""
        return x

    def bias(self, layer: int, query_positions: Tensor, key_positions: Tensor) -> Tensor | None:
        """query_positions (T,), key_positions (S,). Returns (H, T, S) to add to the scaled scores, or None."""
        return None


def sinusoid(positions: Tensor, width: int, base: float = 10000.0) -> Tensor:
    """PE(pos, 2i) = sin(pos / base^(2i/C)), PE(pos, 2i+1) = cos(same). Vaswani et al. 2017, section 3.5.

    at (T,) positions, any float dtype. Returns (T, width): waves whose lengths grow from 2π to base·2π.
    """
    even = torch.arange(0, width, 2, device=positions.device, dtype=positions.dtype)  # (C/2,)
    angle = positions[:, None] * base ** (-even / width)  # (T, C/2)
    return torch.stack((angle.sin(), angle.cos()), dim=-1).flatten(1)[:, :width]  # (T, C)


def _exact(positions: Tensor, x: Tensor) -> Tensor:
    """Positions as floats that can tell them apart: in half precision, 257 is 256."""
    return positions.to(torch.promote_types(x.dtype, torch.float32))


class Sinusoidal(Position):
    """Fixed waves, added to the embeddings."""

    def add(self, x: Tensor, positions: Tensor) -> Tensor:
        return x + sinusoid(_exact(positions, x), x.size(-1)).to(x.dtype)  # (B, T, C)


class Learned(Position):
    """One learned vector for each position, added to the embeddings. Past the table there is nothing to add."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.table = nn.Embedding(config.context, config.d_model)
        nn.init.normal_(self.table.weight, std=0.02)

    def add(self, x: Tensor, positions: Tensor) -> Tensor:
        needed = int(positions.max()) + 1
        if needed > self.table.num_embeddings:
            raise ValueError(
                f"This model learned {self.table.num_embeddings} positions and the text has {needed} tokens. "
                "Shorten the text, or choose a model whose positions do not end."
            )
        return x + self.table(positions)  # (B, T, C)


class LearnedRelative(Position):
    """One learned number for each layer, head and distance, added to the scores: "bias per distance" on the screen.

    The scalar bias of T5 (Raffel et al. 2020, section 2.1) without its buckets, and with a table for each layer, where
    T5 shares one. It is not the scheme of Shaw et al. 2018, who add a learned vector for each distance to the keys and
    to the values; what is taken from them is that distances are clipped (their section 3.2): those beyond the trained
    context share the last entry, so longer texts still run.
    """

    # The table learns through this factor: a few large numbers must move as fast as a large matrix.
    GAIN = 5.0

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.reach = config.context - 1
        self.table = nn.Parameter(torch.zeros(config.n_layers, config.n_heads, 2 * self.reach + 1))

    def bias(self, layer: int, query_positions: Tensor, key_positions: Tensor) -> Tensor:
        distance = key_positions[None, :] - query_positions[:, None]  # (T, S), negative: looking back
        table = self.GAIN * self.table[layer]  # (H, 2·reach + 1)
        return table[:, distance.clamp(-self.reach, self.reach) + self.reach]  # (H, T, S)


def t5_bucket(distance: Tensor, *, causal: bool, buckets: int = 32, furthest: int = 128) -> Tensor:
    """Which of `buckets` a distance falls into: exact while near, logarithmic further on.

    distance (T, S) of integers, key position minus query position. Raffel et al. 2020, section 2.1. Looking
    both ways, half of the buckets serve each direction.
    """
    if causal:
        offset, distance = torch.zeros_like(distance), (-distance).clamp(min=0)
    else:
        buckets //= 2
        offset, distance = (distance > 0).long() * buckets, distance.abs()
    exact = buckets // 2
    far = exact + (distance.clamp(min=1) / exact).log() / math.log(furthest / exact) * (buckets - exact)
    return offset + torch.where(distance < exact, distance, far.long().clamp(max=buckets - 1))


class T5(Position):
    """One learned number for each head and bucket of distances, shared by all layers, added to the scores."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.causal = config.causal
        self.table = nn.Parameter(torch.zeros(config.n_heads, 32))

    def bias(self, layer: int, query_positions: Tensor, key_positions: Tensor) -> Tensor:
        distance = key_positions[None, :] - query_positions[:, None]  # (T, S)
        return self.table[:, t5_bucket(distance, causal=self.causal)]  # (H, T, S)


class Rope(Position):
    """Turn each pair of coordinates of q and k by an angle that grows with the position.

    The score of two turned vectors depends on the difference of their positions only.
    Su et al. 2021, equation 34; pairs are neighbours (0, 1), (2, 3), … as in the paper.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        if config.key_width % 2:
            raise ValueError(f"RoPE rotates pairs of coordinates: d_k must be even, not {config.key_width}")

    def rotate(self, x: Tensor, positions: Tensor) -> Tensor:
        turn = sinusoid(_exact(positions, x), x.size(-1)).to(x.dtype).unflatten(-1, (-1, 2))  # (T, D/2, 2)
        sin, cos = turn.unbind(-1)  # (T, D/2)
        first, second = x.unflatten(-1, (-1, 2)).unbind(-1)  # (B, H, T, D/2)
        turned = (first * cos - second * sin, first * sin + second * cos)
        return torch.stack(turned, dim=-1).flatten(-2)  # (B, H, T, D)


def alibi_slopes(n_heads: int) -> list[float]:
    """2^(-8/H), 2^(-16/H), …; for H that is no power of two, every second slope of the next one fills up.

    Press et al. 2022, section 3 and the authors' published code.
    """
    power = 2 ** math.floor(math.log2(n_heads))
    slopes = [2 ** (-8 * (h + 1) / power) for h in range(power)]
    between = [2 ** (-8 * (h + 0.5) / power) for h in range(power)]
    return slopes + between[: n_heads - power]


class Alibi(Position):
    """Subtract slope × distance from the scores: every head forgets, each at its own pace. Nothing is learned."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.register_buffer("slopes", torch.tensor(alibi_slopes(config.n_heads)), persistent=False)
        self.slopes: Tensor

    def bias(self, layer: int, query_positions: Tensor, key_positions: Tensor) -> Tensor:
        distance = (key_positions[None, :] - query_positions[:, None]).abs()  # (T, S)
        return -self.slopes[:, None, None] * distance  # (H, T, S)


POSITIONS: dict[str, type[Position]] = {
    "none": Position,
    "sinusoidal": Sinusoidal,
    "learned": Learned,
    "relative": LearnedRelative,
    "t5": T5,
    "rope": Rope,
    "alibi": Alibi,
}
