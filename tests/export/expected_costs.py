"""Readings of the figures of costs, of approximation errors and of tiles, from the papers' formulas and plain NumPy."""

import math
from typing import Any

import numpy as np
from expected_files import Reading, Seen, named, reads, softmax

from model import Experiment, run
from model.cost.linformer import random_projection
from model.run import encode

LENGTHS = (64, 128, 256, 512, 1024, 2048)
LABELS = {
    "attention": "self-attention",
    "rnn": "tanh RNN",
    "gru": "GRU",
    "convolution": "convolution",
    "window": "restricted self-attention",
    "fused": "fused self-attention",
    "linformer": "Linformer",
    "linear": "linear attention",
}


def layer_counts(kind: str, n: int, d: int, k: int, r: int, h: int, rank: int) -> tuple[float, ...]:
    """Operations of Table 1, sequential operations, path length and FLOPs."""
    blocks = math.ceil(n / r)
    return {
        "attention": (n * n * d, 1, 1, 4 * n * n * d),
        "fused": (n * n * d, 1, 1, 4 * n * n * d),
        "rnn": (n * d * d, n, n, 2 * 2 * n * d * d),
        "gru": (n * d * d, n, n, 2 * 6 * n * d * d),
        "convolution": (k * n * d * d, 1, math.ceil(math.log(n, k) - 1e-9), 2 * k * n * d * d),
        "window": (r * n * d, 1, math.ceil((n - 1) / (r - 1)), blocks * 4 * r * (2 * r) * d),
        "linformer": (rank * n * d, 1, 1, 8 * rank * n * d),
        "linear": (n * d * d, 1, 1, 4 * n * d * d // h + 2 * n * d),
    }[kind]


def costs(seen: Seen, kinds: tuple[str, ...]) -> Reading:
    """Before anything is measured."""
    n, d, h, r = (int(seen.control(f"cost_{name}")) for name in ("n", "d", "heads", "window"))
    k, rank = int(seen.control("cost_kernel", 3)), int(seen.control("cost_rank", 64))
    lengths = sorted({*LENGTHS, n})
    counts = np.array([[layer_counts(kind, length, d, k, r, h, rank) for length in lengths] for kind in kinds])
    flat = counts.reshape(-1, 4).T
    nothing = [np.nan] * flat.shape[1]
    table = {
        "layer type": [LABELS[kind] for kind in kinds for _ in lengths],
        "n": lengths * len(kinds),
        **dict(zip(("operations, Table 1", "sequential operations", "longest path", "FLOPs"), flat, strict=True)),
        "seconds": nothing,
        "peak bytes": nothing,
        "time exponent": nothing,
        "time exponent, standard error": nothing,
        "memory exponent": nothing,
        "memory exponent, standard error": nothing,
        "not measured because": [""] * flat.shape[1],
    }
    axes = {"layer_type": kinds, "n": lengths}
    names = ("operations", "sequential", "path_length", "flops")
    return Reading(table, {name: (axes, counts[:, :, place]) for place, name in enumerate(names)})


@reads("layer_costs")
def layer_costs(seen: Seen) -> Reading:
    return costs(seen, ("attention", "rnn", "gru", "convolution", "window"))


@reads("escape_costs")
def escape_costs(seen: Seen) -> Reading:
    return costs(seen, ("attention", "fused", "window", "linformer", "linear"))


def vectors(seen: Seen) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """q, k, v (H, T, D) of the layer on the screen, its mask (T, T), and the words."""
    layer = int(seen.control("layer"))
    if seen.control("weights", "grammar") == "translate":
        text = seen.control("text")
        encoder = run(Experiment("translate", text)).encoder
        attention, words = encoder.layers[layer].attention, list(encoder.tokens)
        mask = np.ones((len(words), len(words)), bool)
    else:
        attention = run(seen.experiment).layers[layer].attention
        words = list(encode(seen.experiment).surface)
        mask = np.tri(len(words), dtype=bool)
    return *(np.asarray(x, dtype=np.float64) for x in (attention.q, attention.k, attention.v)), mask, words


@reads("approximation")
def approximation(seen: Seen) -> Reading:
    """Errors by NumPy alone. A random projection is drawn by the model's own function."""
    q, k, v, mask, _ = vectors(seen)
    heads, n, width = q.shape
    sizes = range(1, n + 1)
    scores = q @ k.transpose(0, 2, 1) / math.sqrt(width)
    weights = softmax(scores, mask)
    exact = weights @ v

    def error(z: np.ndarray) -> np.ndarray:
        return np.linalg.norm(z - exact, axis=(1, 2)) / np.linalg.norm(exact, axis=(1, 2))

    def projected(e: np.ndarray) -> np.ndarray:
        return softmax(q @ (e @ k).transpose(0, 2, 1) / math.sqrt(width)) @ (e @ v)

    def pooled(size: int) -> np.ndarray:
        e = np.array([[key * size // n == row for key in range(n)] for row in range(size)], dtype=float)
        return e / e.sum(axis=1, keepdims=True)

    def low_rank(size: int) -> np.ndarray:
        u, s, vt = np.linalg.svd(weights)
        return (u[:, :, :size] * s[:, None, :size]) @ vt[:, :size]

    near = np.abs(np.arange(n)[:, None] - np.arange(n))
    features = [np.where(x > 0, x + 1, np.exp(np.minimum(x, 0))) for x in (q, k)]
    kernel = (features[0] @ features[1].transpose(0, 2, 1)) * mask
    errors = {"window": np.stack([error(softmax(scores, mask & (near < size)) @ v) for size in sizes])}
    if mask.all():
        errors["pooling"] = np.stack([error(projected(pooled(size))) for size in sizes])
        errors["random"] = np.stack([random_error(error, projected, n, size) for size in sizes])
    errors["svd"] = np.stack([error(low_rank(size) @ v) for size in sizes])
    errors["linear"] = error(kernel / kernel.sum(axis=-1, keepdims=True) @ v)[None]
    names = {
        "window": "window",
        "pooling": "Linformer, means",
        "random": "Linformer, random",
        "svd": "rank k (SVD)",
        "linear": "linear attention",
    }
    lines = [
        (names[method], size, head, of[row, head])
        for method, of in errors.items()
        for row, size in enumerate(sizes if len(of) > 1 else (0,))
        for head in range(heads)
    ]
    columns = ("method", "k", "head", "relative error")
    arrays = {
        method: ({"k": sizes, "head": range(heads)} if len(of) > 1 else {"no_k": (0,), "head": range(heads)}, of)
        for method, of in errors.items()
    }
    return Reading(dict(zip(columns, zip(*lines, strict=True), strict=True)), arrays)


def random_error(error: Any, projected: Any, n: int, size: int) -> Any:
    return np.mean([error(projected(random_projection(n, size, seed).numpy())) for seed in range(8)], axis=0)


@reads("tiles")
def tiles(seen: Seen) -> Reading:
    """A softmax over the keys so far needs no correction: what is kept must agree with it."""
    q, k, v, mask, words = vectors(seen)
    head = int(seen.control("head"))
    q, k, v = q[head], k[head], v[head]
    high, wide = int(seen.control("tile_queries")), int(seen.control("tile_keys"))
    n = len(words)
    scores = np.where(mask, q @ k.T / math.sqrt(q.shape[1]), -np.inf)
    places = [
        (query, key)
        for query in range(0, n, high)
        for key in range(0, n, wide)
        if mask[query : query + high, key : key + wide].any()
    ]
    correction, maximum, total = (np.full((len(places), high), np.nan) for _ in range(3))
    output = np.full((len(places), high, v.shape[1]), np.nan)
    for step, (query, key) in enumerate(places):
        for row in range(min(high, n - query)):
            so_far, before = scores[query + row, : key + wide], scores[query + row, :key]
            maximum[step, row] = so_far.max()
            exponentials = np.exp(so_far - so_far.max())
            total[step, row] = exponentials.sum()
            output[step, row] = exponentials @ v[: key + wide]
            correction[step, row] = np.exp(before.max() - so_far.max()) if key else 0
    step, row = np.nonzero(np.isfinite(total))
    first = np.array(places)
    table = {
        "step": step + 1,
        "query": first[step, 0] + row,
        "first key": first[step, 1],
        "correction": correction[step, row],
        "running maximum": maximum[step, row],
        "running sum": total[step, row],
        "length of the running output": np.linalg.norm(output[step, row], axis=-1),
    }
    by_row = {"step": range(len(places)), "row": range(high)}
    channels, tokens = range(v.shape[1]), named(words)
    arrays = {
        "scores": ({"query": tokens, "key": tokens}, scores),
        "correction": (by_row, correction),
        "running_maximum": (by_row, maximum),
        "running_sum": (by_row, total),
        "running_output": ({**by_row, "channel": channels}, output),
        "output": ({"query": tokens, "channel": channels}, softmax(scores) @ v),
    }
    return Reading(table, arrays)


@reads("decoding_costs")
def decoding_costs(seen: Seen) -> Reading:
    n, layers, heads, width, groups, window, size = (
        int(seen.control(f"cache_{name}"))
        for name in ("n", "layers", "heads", "head_width", "groups", "window", "bytes")
    )
    lengths, d = sorted({*(2**power for power in range(7, 18)), n}), heads * width
    names = ("multi-head", "grouped-query", "multi-query", "window")
    key_heads = dict(zip(names, (heads, min(heads, groups), 1, heads), strict=True))
    lines = []
    for name in names:
        keys = key_heads[name] * width
        weights = layers * (2 * d * d + 2 * d * keys + 2 * d * 4 * d)
        for length in lengths:
            kept = min(length, window) if name == "window" else length
            cache = size * layers * kept * keys * 2
            prefill = length * (2 * weights + layers * kept * d * 4)
            lines.append((cache, weights * size + cache, prefill, 2 * weights + layers * kept * d * 4, prefill))
    values = np.array(lines, dtype=float)
    columns = (
        "cache bytes",
        "bytes read for a token",
        "prefill FLOPs",
        "FLOPs of a token with the cache",
        "FLOPs of a token without",
    )
    table = {
        "variant": [name for name in names for _ in lengths],
        "n": lengths * 4,
        "key heads": [key_heads[name] for name in names for _ in lengths],
        **dict(zip(columns, values.T, strict=True)),
        **{f"seconds of a token {end}": [np.nan] * len(lines) for end in ("with the cache", "without")},
    }
    axes = {"variant": names, "n": lengths}
    arrays = ("cache_bytes", "bytes_read", "prefill_flops", "decode_flops", "flops_without_cache")
    return Reading(table, {name: (axes, values[:, place].reshape(4, -1)) for place, name in enumerate(arrays)})
