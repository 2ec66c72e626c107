"""How each position scheme depends on distance: one number for every pair of positions, without any token."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from model.config import ModelConfig
from model.position import Alibi, Learned, Position, RelativeVectors, Rope, sinusoid
from model.run import Array
from model.transformer import Transformer


@dataclass(frozen=True)
class PositionSimilarity:
    """One number of a position scheme for position t (rows) and position s (columns)."""

    values: Array  # (T, S); NaN beyond the end of a learned table
    quantity: str  # what the number means
    is_similarity: bool  # a similarity of −1 … 1; otherwise what is added to the score

    def by_distance(self) -> Array:
        """The mean over all pairs with a key 0, 1, 2, … positions before the query: (T,)."""
        T = len(self.values)
        return np.array(
            [np.nanmean(np.diagonal(self.values, -apart)) if _any(self, apart) else np.nan for apart in range(T)]
        )


def _any(sight: PositionSimilarity, apart: int) -> bool:
    return bool(np.isfinite(np.diagonal(sight.values, -apart)).any())


def compare_schemes(
    transformers: Mapping[str, Transformer], T: int, layer: int, head: int, width: int
) -> dict[str, PositionSimilarity]:
    """`position_similarity` of several trained models, each under the name of its position scheme."""
    return {
        name: position_similarity(name, transformer, T, layer, head, width)
        for name, transformer in transformers.items()
    }


def similarity(vectors: Tensor) -> Tensor:
    """Cosine of every pair: (T, C) → (T, T)."""
    unit = F.normalize(vectors, dim=-1)
    return unit @ unit.T


def position_similarity(
    name: str, transformer: Transformer, T: int, layer: int, head: int, width: int
) -> PositionSimilarity:
    """The numbers of the scheme `name` of this trained model for T positions.

    Added vectors: the cosine of PE(t) and PE(s). A bias: what it adds to the scores of one head. RoPE: q·k / (|q| |k|)
    for q = k with all coordinates equal, rotated to their positions, which is the mean over the pairs of the cosine of
    their angle. Vectors added to the keys: the most that they add to the score of a query of length 1, |a^K| / √d_k, in
    one head. Sinusoidal waves and RoPE are not learned, so they have the width `width`.
    """
    scheme: Position = transformer.position
    positions = torch.arange(T)
    with torch.inference_mode():
        if name == "sinusoidal":
            return PositionSimilarity(
                similarity(sinusoid(positions.double(), width)).numpy(), "cosine of PE(t) and PE(s)", True
            )
        if isinstance(scheme, Learned):
            table = scheme.table.weight[:T].double()
            values = torch.full((T, T), torch.nan, dtype=torch.float64)
            values[: len(table), : len(table)] = similarity(table)
            return PositionSimilarity(values.numpy(), "cosine of the two learned vectors", True)
        if isinstance(scheme, Rope):
            rope = Rope(ModelConfig(1, n_heads=1, d_model=width))
            rotated = rope.rotate(torch.full((1, 1, T, width), width**-0.5, dtype=torch.float64), positions)[
                0, 0
            ]  # (T, D)
            return PositionSimilarity(
                (rotated @ rotated.T).numpy(),
                "q·k of one vector rotated to t and to s; the same map as for the waves, because the angles are the "
                "same",
                True,
            )
        if isinstance(scheme, RelativeVectors):
            key_vectors = scheme.vectors(layer, positions, positions)[0][head].double()  # (T, S, D)
            lengths = key_vectors.norm(dim=-1) / key_vectors.size(-1) ** 0.5
            return PositionSimilarity(lengths.numpy(), "the most added to the score of a query of length 1", False)
        bias = scheme.bias(layer, positions, positions)
        if bias is None and name != "none":
            raise ValueError(f'There is no rule yet for how "{name}" depends on distance.')
        if bias is None:
            return PositionSimilarity(np.zeros((T, T)), "nothing", False)
        fixed = " (not learned)" if isinstance(scheme, Alibi) else ""
        return PositionSimilarity(bias[head].double().numpy(), f"added to the score{fixed}", False)
