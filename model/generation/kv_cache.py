"""The KV cache: keys and values of earlier tokens are kept, and only the last token is computed."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from model.run import Array
from model.switches import Switches
from model.transformer import Trace, Transformer


def is_cacheable(transformer: Transformer, switches: Switches = Switches()) -> bool:
    """Whether the stages of a token stay the same when tokens follow it, so that its keys and values can be kept."""
    return transformer.config.causal and (switches & transformer.config.trained).mask


def decode_with_cache(
    transformer: Transformer, ids: Tensor, switches: Switches = Switches()
) -> Iterator[Trace[Tensor]]:
    """Read ids (B, T) one token at a time; each step has one query (B, H, 1, D) and all keys so far.

    Raises:
        ValueError: the model is not causal, so earlier tokens would have to be computed again.
    """
    if not is_cacheable(transformer, switches):
        raise ValueError(
            "A model that is not causal has no cache: every new word changes the vectors of all other words."
        )
    kv_cache: Trace[Tensor] | None = None
    for position in range(ids.size(1)):
        kv_cache = transformer(ids[:, position : position + 1], switches=switches, kv_cache=kv_cache)
        yield kv_cache


def decode_without_cache(
    transformer: Transformer, ids: Tensor, switches: Switches = Switches()
) -> Iterator[Trace[Tensor]]:
    """The same without a cache: for every token, all tokens up to it are computed again."""
    for position in range(ids.size(1)):
        yield transformer(ids[:, : position + 1], switches=switches)


class _Rows:
    """The results of the steps of one method: for every step, the rows of its new tokens."""

    def __init__(self) -> None:
        self.logits: list[Array] = []  # (new, V) each
        self.weights: list[Array] = []  # (L, H, new, S) each

    def add(self, trace: Trace[Tensor], new: int) -> None:
        """Add copies of the rows of `new` tokens. A view would keep the whole trace in memory."""
        self.logits.append(trace.logits[0, -new:].float().cpu().numpy().copy())
        maps = [layer.attention.weights[0, :, -new:] for layer in trace.layers]
        self.weights.append(torch.stack(maps).float().cpu().numpy())

    def stacked(self, tokens: int) -> tuple[Array, Array]:
        """The logits (T, V) and the weights (L, H, T, T) of all steps."""
        weights = np.zeros((*self.weights[0].shape[:2], tokens, tokens), dtype=np.float32)
        row = 0
        for rows in self.weights:
            new = rows.shape[2]
            weights[:, :, row : row + new, : rows.shape[3]] = rows
            row += new
        return np.concatenate(self.logits), weights
