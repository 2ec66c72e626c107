"""What one new token costs, and what the key–value cache holds. Shazeer 2019; Ainslie et al. 2023.

Prefill reads a whole prompt at once. Decoding then adds one token after another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from model.run import Array

VARIANTS = {
    "multi-head": "Every query head has keys and values of its own.",
    "grouped-query": "A group of query heads shares one head of keys and values.",
    "multi-query": "All query heads share one head of keys and values.",
    "window": "Every head has its own keys and values, and keeps those of the last tokens only.",
}


@dataclass(frozen=True)
class DecoderSizes:
    """The sizes of a decoder-only Transformer without biases.

    Raises:
        ValueError: a size is below 1, or the heads of keys do not divide the heads of queries, or these the width.
    """

    n_layers: int = 4  # L
    d: int = 64  # width
    n_heads: int = 4  # query heads
    n_groups: int = 2  # heads of keys and values with grouped queries
    window: int = 128  # keys that a window keeps
    d_ff: int = 256
    vocab_size: int = 0  # 0: without unembedding
    bytes_per_number: int = 2  # 2: half precision, 4: float32

    def __post_init__(self) -> None:
        sizes = (self.n_layers, self.d, self.n_heads, self.n_groups, self.window, self.d_ff, self.bytes_per_number)
        if min(sizes) < 1 or self.vocab_size < 0:
            raise ValueError("sizes are at least 1")
        if self.d % self.n_heads or self.n_heads % self.n_groups:
            raise ValueError("heads of keys divide the heads of queries, and these divide the width")

    def key_heads(self, variant: str) -> int:
        """The heads of keys and values of a variant. Raises ValueError if there is no such variant."""
        if variant not in VARIANTS:
            raise ValueError(f'a variant must be one of {", ".join(VARIANTS)}, not "{variant}"')
        return {"grouped-query": self.n_groups, "multi-query": 1}.get(variant, self.n_heads)

    def kept(self, variant: str, n: int) -> int:
        """The tokens of n that the cache holds."""
        return min(n, self.window) if variant == "window" else n


def cache_bytes(sizes: DecoderSizes, variant: str, n: int) -> int:
    """Bytes of the cache after n tokens of one text: keys and values, of every layer and head of keys."""
    width = sizes.key_heads(variant) * (sizes.d // sizes.n_heads)
    return 2 * sizes.n_layers * sizes.kept(variant, n) * width * sizes.bytes_per_number


def _linear_flops(sizes: DecoderSizes, variant: str, n: int) -> int:
    """Of what works on each of n tokens alone: W_Q, W_O, W_K, W_V, the feed-forward network and the unembedding."""
    keys = sizes.key_heads(variant) * (sizes.d // sizes.n_heads)
    a_layer = 4 * sizes.d**2 + 4 * sizes.d * keys + 4 * sizes.d * sizes.d_ff
    return n * (sizes.n_layers * a_layer + 2 * sizes.d * sizes.vocab_size)


def prefill_flops(sizes: DecoderSizes, variant: str, n: int) -> int:
    """Operations to read a prompt of n tokens at once. Every score is computed, also those that the mask forbids.

    With a window, each token meets `window` keys at most.
    """
    return _linear_flops(sizes, variant, n) + sizes.n_layers * 4 * n * sizes.kept(variant, n) * sizes.d


def decode_flops(sizes: DecoderSizes, variant: str, n: int) -> int:
    """Operations to compute token n with a cache of the n − 1 before it: the count is linear in n."""
    return _linear_flops(sizes, variant, 1) + sizes.n_layers * 4 * sizes.kept(variant, n) * sizes.d


def decode_flops_without_cache(sizes: DecoderSizes, variant: str, n: int) -> int:
    """Operations to compute token n without a cache: the whole text is read again."""
    return prefill_flops(sizes, variant, n)


def decode_bytes_read(sizes: DecoderSizes, variant: str, n: int) -> int:
    """Bytes that one decoding step reads: all weights of the layers, and the cache. This often decides the time."""
    return _linear_flops(sizes, variant, 1) // 2 * sizes.bytes_per_number + cache_bytes(sizes, variant, n)


class DecodingCounts(NamedTuple):
    """What each of the V variants costs after each of N lengths, (V, N) each, in the order of VARIANTS."""

    cache_bytes: Array
    bytes_read: Array
    prefill_flops: Array
    decode_flops: Array
    flops_without_cache: Array


def count_decoding(sizes: DecoderSizes, lengths: Sequence[int]) -> DecodingCounts:
    """The counts of all variants after these numbers of tokens. As float64, because a prefill takes many operations."""
    counts = (cache_bytes, decode_bytes_read, prefill_flops, decode_flops, decode_flops_without_cache)
    return DecodingCounts(
        *(
            np.array([[count(sizes, variant, n) for n in lengths] for variant in VARIANTS], dtype=float)
            for count in counts
        )
    )
