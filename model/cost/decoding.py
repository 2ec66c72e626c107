"""What one new token costs, counted and timed, and what the key–value cache holds. Shazeer 2019; Ainslie et al. 2023.

Prefill reads a whole prompt at once. Decoding then adds one token after another. What is timed is a decoder of random
weights with pre-norm layers, without positions and biases.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from model.compute.memory import free_bytes
from model.compute.progress import steps
from model.cost.measure import MARGIN, SECONDS, SHARE_OF_MEMORY, Measurement, time_passes
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


MEASURED = DecoderSizes(n_layers=4, d=128, n_heads=8, n_groups=2, window=256, d_ff=512, bytes_per_number=4)
MEASURED_LENGTHS = (128, 256, 512, 1024, 2048)
NO_CACHE = "no cache"  # the whole text is read again, by multi-head attention
KINDS = (*VARIANTS, NO_CACHE)

Cache = list[tuple[Tensor, Tensor]]  # keys and values (G, S, D) of each layer


class RandomDecoder:
    """A decoder of these sizes and one of VARIANTS. G heads of keys, H of queries, each of width D; C is H·D.

    Raises:
        ValueError: there is no such variant.
    """

    def __init__(self, sizes: DecoderSizes, variant: str, seed: int = 0) -> None:
        self.sizes, self.variant, self.groups = sizes, variant, sizes.key_heads(variant)
        random = torch.Generator().manual_seed(seed)
        keys = self.groups * sizes.d // sizes.n_heads
        shapes = [(sizes.d, sizes.d), (sizes.d, keys), (sizes.d, keys), (sizes.d, sizes.d)]
        shapes += [(sizes.d, sizes.d_ff), (sizes.d_ff, sizes.d)]
        self.layers = [
            [torch.randn(shape, generator=random) / shape[0] ** 0.5 for shape in shapes] for _ in range(sizes.n_layers)
        ]

    def read(self, x: Tensor) -> tuple[Tensor, Cache]:
        """x (T, C), the vectors of a text. Returns the output (T, C), and what a cache keeps of the text."""
        cache, n = [], len(x)
        for w_q, w_k, w_v, w_o, up, down in self.layers:
            normed = F.layer_norm(x, x.shape[-1:])
            q, k, v = self._heads(normed @ w_q), self._heads(normed @ w_k), self._heads(normed @ w_v)
            x = x + _causal(q, k, v, self.sizes.kept(self.variant, n)) @ w_o
            x = x + F.relu(F.layer_norm(x, x.shape[-1:]) @ up) @ down
            cache.append((k, v))
        return x, self._kept(cache)

    def step(self, x: Tensor, cache: Cache) -> tuple[Tensor, Cache]:
        """x (1, C), the vector of one more token. Returns its output (1, C), and the cache with it."""
        after = []
        for (w_q, w_k, w_v, w_o, up, down), (keys, values) in zip(self.layers, cache, strict=True):
            normed = F.layer_norm(x, x.shape[-1:])
            k = torch.cat([keys, self._heads(normed @ w_k)], dim=1)
            v = torch.cat([values, self._heads(normed @ w_v)], dim=1)
            kept = self.sizes.kept(self.variant, k.shape[1])
            k, v = k[:, -kept:], v[:, -kept:]
            q = self._heads(normed @ w_q).unflatten(0, (self.groups, -1))[:, :, 0]  # (G, H / G, D)
            weights = (q @ k.transpose(1, 2) / q.shape[-1] ** 0.5).softmax(dim=-1)  # (G, H / G, S)
            x = x + (weights @ v).reshape(1, -1) @ w_o
            x = x + F.relu(F.layer_norm(x, x.shape[-1:]) @ up) @ down
            after.append((k, v))
        return x, after

    def random_cache(self, n: int) -> Cache:
        """A cache after n tokens, of random numbers: reading a text would take longer than what is measured."""
        random = torch.Generator().manual_seed(0)
        shape = (self.groups, self.sizes.kept(self.variant, n), self.sizes.d // self.sizes.n_heads)
        return [(torch.randn(shape, generator=random), torch.randn(shape, generator=random)) for _ in self.layers]

    def _heads(self, x: Tensor) -> Tensor:
        """(T, heads · D) → (heads, T, D)"""
        return x.unflatten(-1, (-1, self.sizes.d // self.sizes.n_heads)).transpose(0, 1)

    def _kept(self, cache: Cache) -> Cache:
        kept = self.sizes.kept(self.variant, cache[0][0].shape[1])
        return [(k[:, -kept:], v[:, -kept:]) for k, v in cache]


def _causal(q: Tensor, k: Tensor, v: Tensor, reach: int) -> Tensor:
    """Each query (H, T, D) attends to the last `reach` keys (G, T, D) up to its own. Returns (T, C)."""
    q = q.unflatten(0, (len(k), -1))  # (G, H / G, T, D)
    may = torch.ones(q.shape[-2], q.shape[-2], dtype=torch.bool).tril().triu(1 - reach)  # (T, T)
    scores = (q @ k[:, None].transpose(2, 3) / q.shape[-1] ** 0.5).masked_fill(~may, -torch.inf)
    return (scores.softmax(dim=-1) @ v[:, None]).flatten(0, 1).transpose(0, 1).flatten(1)


def measure_decoding(
    sizes: DecoderSizes = MEASURED, lengths: Sequence[int] = MEASURED_LENGTHS, seconds: float = SECONDS
) -> Iterator[Measurement]:
    """Measure token n of each variant with a cache of the n − 1 before it, and without a cache; short lengths first.

    The kind of a result is one of KINDS. As `measure`, it refuses what would not fit or not end in time, reports its
    progress, and takes at most `seconds`, or longer by a part of one pass.
    """
    end = time.perf_counter() + seconds
    decoders = {variant: RandomDecoder(sizes, variant) for variant in VARIANTS}
    random = torch.Generator().manual_seed(0)
    took: dict[str, tuple[float, int]] = {}  # kind → the seconds of its last length, and the operations
    plan = [(n, kind) for n in sorted(lengths) for kind in KINDS]
    for place, (n, kind) in enumerate(steps(plan)):
        cached, left = kind != NO_CACHE, end - time.perf_counter()
        variant = kind if cached else next(iter(VARIANTS))
        decoder = decoders[variant]
        operations = (decode_flops if cached else decode_flops_without_cache)(sizes, variant, n)
        before, counted = took.get(kind, (0.0, 1))
        refused = _refusal(sizes, n, left, before * operations / counted)
        if refused:
            yield Measurement(kind, n, False, refused=refused)
            continue
        x = torch.randn(n, sizes.d, generator=random)  # (T, C)
        cache = decoder.random_cache(n - 1) if cached else []

        def run(decoder: RandomDecoder = decoder, x: Tensor = x, cache: Cache = cache, cached: bool = cached) -> None:
            decoder.step(x[-1:], cache) if cached else decoder.read(x)

        result, expense = time_passes(Measurement(kind, n, False), run, end, left / (len(plan) - place))
        took[kind] = expense, operations
        yield result


def _refusal(sizes: DecoderSizes, n: int, left: float, expected: float) -> str:
    """Why token n is not measured; "" where it is."""
    needed, free = 4 * 3 * sizes.n_heads * n**2, free_bytes()  # scores, weights, and one of both masked
    if needed > SHARE_OF_MEMORY * free:
        return f"needs about {needed / 2**20:,.0f} MiB, and {free / 2**20:,.0f} MiB are free"
    if MARGIN * expected >= left:
        return f"would take about {expected:.1f} s, and {max(left, 0):.1f} s are left"
    return ""
