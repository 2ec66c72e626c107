"""Eight position schemes, which tell a Transformer the order of its tokens.

Attention by itself does not depend on the order of the keys. A scheme is a class that overrides one of four methods:

    add     changes the embeddings, before the first layer
    rotate  changes the queries and keys of every layer
    bias    is added to the scores of every layer
    vectors are added to the keys and to the values of every layer, for each pair of a query and a key

To add a scheme, write a subclass and enter it in POSITIONS at the end of this file. The tests check every entry. The
README says under “Add to it” what the page Positions needs.
"""

import math

import torch
from torch import Tensor, nn

from model.config import ModelConfig


class Position(nn.Module):
    """No position scheme: all four methods change nothing."""

    in_attention = False  # whether it changes queries, keys, values or scores

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()

    def __init_subclass__(cls) -> None:
        cls.in_attention = any(
            getattr(cls, method) is not getattr(Position, method) for method in ("rotate", "bias", "vectors")
        )

    def add(self, x: Tensor, positions: Tensor) -> Tensor:
        """x (B, T, C): embeddings; positions (T,). Returns (B, T, C)."""
        return x

    def rotate(self, x: Tensor, positions: Tensor) -> Tensor:
        """x (B, H, T, D): queries or keys; positions (T,). Returns (B, H, T, D)."""
        return x

    def bias(self, layer: int, query_positions: Tensor, key_positions: Tensor) -> Tensor | None:
        """query_positions (T,), key_positions (S,). Returns (H, T, S) to add to the scaled scores, or None."""
        return None

    def vectors(self, layer: int, query_positions: Tensor, key_positions: Tensor) -> tuple[Tensor, Tensor] | None:
        """query_positions (T,), key_positions (S,). Returns vectors that query t adds to key s, (H, T, S, D), and to
        value s, (H, T, S, D'), or None.
        """
        return None


def sinusoid(positions: Tensor, width: int, base: float = 10000.0) -> Tensor:
    """PE(pos, 2i) = sin(pos / base^(2i/C)), PE(pos, 2i+1) = cos(same). Vaswani et al. 2017, section 3.5.

    positions (T,), of any float dtype. Returns (T, width). The wavelengths grow from 2π to base·2π.
    """
    even = torch.arange(0, width, 2, device=positions.device, dtype=positions.dtype)  # (C/2,)
    angle = positions[:, None] * base ** (-even / width)  # (T, C/2)
    return torch.stack((angle.sin(), angle.cos()), dim=-1).flatten(1)[:, :width]  # (T, C)


def _exact(positions: Tensor, x: Tensor) -> Tensor:
    """Positions in float32 or better. In half precision, 257 would be rounded to 256."""
    return positions.to(torch.promote_types(x.dtype, torch.float32))


class Sinusoidal(Position):
    """Fixed sine and cosine waves, added to the embeddings."""

    def add(self, x: Tensor, positions: Tensor) -> Tensor:
        return x + sinusoid(_exact(positions, x), x.size(-1)).to(x.dtype)  # (B, T, C)


class Learned(Position):
    """One learned vector for each position, added to the embeddings. A position beyond the table is an error."""

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

    This is the scalar bias of T5 (Raffel et al. 2020, section 2.1) without its buckets. Each layer has its own table;
    in T5 all layers share one. It is not the scheme of Shaw et al. 2018, who add vectors: see `RelativeVectors`.
    Distances are clipped as in their section 3.2: those beyond the trained context share the last entry, so that longer
    texts can be run.
    """

    # This factor raises the learning rate of the table, which has few but large entries.
    GAIN = 5.0

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.reach = config.context - 1
        self.table = nn.Parameter(torch.zeros(config.n_layers, config.n_heads, 2 * self.reach + 1))

    def bias(self, layer: int, query_positions: Tensor, key_positions: Tensor) -> Tensor:
        distance = key_positions[None, :] - query_positions[:, None]  # (T, S), negative for keys before the query
        table = self.GAIN * self.table[layer]  # (H, 2·reach + 1)
        return table[:, distance.clamp(-self.reach, self.reach) + self.reach]  # (H, T, S)


def t5_bucket(distance: Tensor, *, causal: bool, buckets: int = 32, furthest: int = 128) -> Tensor:
    """The bucket of each distance: one for each small distance, and logarithmic intervals for larger ones.

    distance (T, S) of integers, key position minus query position. If not causal, each
    direction has half of the buckets. Raffel et al. 2020, section 2.1.
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
    """Rotate each pair of coordinates of q and k by an angle that grows with the position.

    The score of two rotated vectors depends on the difference of their positions only.
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
    """2^(-8/H), 2^(-16/H), …. If H is not a power of two, the rest are every second slope of the next power of two.

    Press et al. 2022, section 3 and the authors' published code.
    """
    power = 2 ** math.floor(math.log2(n_heads))
    slopes = [2 ** (-8 * (h + 1) / power) for h in range(power)]
    between = [2 ** (-8 * (h + 0.5) / power) for h in range(power)]
    return slopes + between[: n_heads - power]


class Alibi(Position):
    """Subtract slope × distance from the scores, with a fixed slope for each head. Nothing is learned."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.register_buffer("slopes", torch.tensor(alibi_slopes(config.n_heads)), persistent=False)
        self.slopes: Tensor

    def bias(self, layer: int, query_positions: Tensor, key_positions: Tensor) -> Tensor:
        distance = (key_positions[None, :] - query_positions[:, None]).abs()  # (T, S)
        return -self.slopes[:, None, None] * distance  # (H, T, S)


class RelativeVectors(Position):
    """One learned vector for each layer, head and distance, added to the keys, and another, added to the values.

    Shaw et al. 2018, equations 3 and 4: score(t, s) = q_t · (k_s + a^K_(s−t)) / √d_k and
    z_t = Σ_s weight(t, s) (v_s + a^V_(s−t)). Distances beyond CLIP share the vector of CLIP (section 3.2). Every layer
    and head has vectors of its own, as in their base model (section 4.1).
    """

    CLIP = 16  # as in their base model

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        tables = (config.n_layers, config.n_heads, 2 * self.CLIP + 1)
        self.key_vectors = nn.Parameter(torch.empty(*tables, config.key_width))  # (L, H, 2·CLIP + 1, D)
        self.value_vectors = nn.Parameter(torch.empty(*tables, config.value_width))  # (L, H, 2·CLIP + 1, D')
        for vectors in (self.key_vectors, self.value_vectors):
            nn.init.normal_(vectors, std=0.02)

    def vectors(self, layer: int, query_positions: Tensor, key_positions: Tensor) -> tuple[Tensor, Tensor]:
        distance = key_positions[None, :] - query_positions[:, None]  # (T, S), negative for keys before the query
        entry = distance.clamp(-self.CLIP, self.CLIP) + self.CLIP  # (T, S)
        return self.key_vectors[layer][:, entry], self.value_vectors[layer][:, entry]  # (H, T, S, D), (H, T, S, D')


POSITIONS: dict[str, type[Position]] = {
    "none": Position,
    "sinusoidal": Sinusoidal,
    "learned": Learned,
    "relative": LearnedRelative,
    "t5": T5,
    "rope": Rope,
    "alibi": Alibi,
    "shaw": RelativeVectors,
}
