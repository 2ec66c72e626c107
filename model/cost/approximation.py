"""How far window, Linformer and linear attention are from exact attention, on a trained model's own q, k and v.

The exact attention here is softmax(q kᵀ / √d) v with the model's mask. A position bias that the model adds to its
scores is left out on both sides, because Linformer and linear attention have no place for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from model.attention import attend
from model.compute.progress import steps
from model.cost.linear_attention import linear_attention
from model.cost.linformer import linformer_attention, low_rank_weights, pooling_projection, random_projection
from model.cost.window_attention import window_mask
from model.encoder_decoder import EncoderDecoderTrace
from model.run import Array, Experiment, encode, get_transformer, run
from model.transformer import Trace

METHODS = {
    "window": "window attention with k keys on a side, the query's own included",
    "pooling": "Linformer whose projection takes means of neighbouring keys",
    "random": "Linformer whose projection is random: N(0, 1/k)",
    "svd": "the nearest weights of rank k, by SVD: a bound, not a faster attention",
    "linear": "linear attention, φ(x) = elu(x) + 1; it has no k",
}
TWO_SIDED = ("pooling", "random")  # a projection mixes positions, so a causal mask cannot be kept


@dataclass(frozen=True)
class ApproximationError:
    """The relative error ‖z − exact z‖ / ‖exact z‖ of one method, by head."""

    method: str  # a key of METHODS
    sizes: tuple[int, ...]  # k; (0,) for a method without
    errors: Array  # (K, H)


def approximation_errors(
    method: str, q: Array, k: Array, v: Array, sizes: Sequence[int], causal: bool, seeds: Sequence[int] = range(8)
) -> ApproximationError:
    """The error of each head for each size k. q, k, v (H, T, D); causal: whether the model has a causal mask.

    seeds: a random projection is drawn once for each, and its error is the mean.

    Raises:
        ValueError: there is no such method, a size is not 1 to T, or a projection meets a causal mask.
    """
    if method not in METHODS:
        raise ValueError(f'a method must be one of {", ".join(METHODS)}, not "{method}"')
    if causal and method in TWO_SIDED:
        raise ValueError("A Linformer mixes keys of all positions, so it has no causal form.")
    if method == "linear":
        sizes = (0,)
    elif not sizes or not all(1 <= size <= q.shape[1] for size in sizes):
        raise ValueError(f"k is 1 to {q.shape[1]}, the number of keys")
    query, key, value = (torch.tensor(x, dtype=torch.float64)[None] for x in (q, k, v))  # (1, H, T, D)
    mask = torch.ones(q.shape[1], q.shape[1], dtype=torch.bool)  # (T, T)
    exact = attend(query, key, value, mask=mask.tril() if causal else mask)
    norm = exact.z[0].norm(dim=(1, 2))  # (H,)
    rows = []
    for size in sizes:
        draws = seeds if method == "random" else [0]
        near = [_approximate(method, query, key, value, exact.weights, size, causal, seed) for seed in draws]
        rows.append(torch.stack([(z - exact.z)[0].norm(dim=(1, 2)) / norm for z in near]).mean(dim=0).numpy())
    return ApproximationError(method, tuple(sizes), np.stack(rows))


def _approximate(
    method: str, q: Tensor, k: Tensor, v: Tensor, weights: Tensor, size: int, causal: bool, seed: int
) -> Tensor:
    n = q.size(2)
    if method == "window":
        return attend(q, k, v, mask=window_mask(n, size, causal)).z
    if method == "svd":
        return low_rank_weights(weights, size) @ v
    if method == "linear":
        return linear_attention(q, k, v, causal)
    projection = pooling_projection(n, size) if method == "pooling" else random_projection(n, size, seed)
    return linformer_attention(q, k, v, projection).z


def layer_vectors(experiment: Experiment, layer: int) -> tuple[Array, Array, Array, bool]:
    """q, k and v (H, T, D) of one layer, and whether it is causal. An encoder–decoder gives those of its encoder.

    Raises:
        ValueError: as `run`; a recurrent network has no self-attention, or there is no such layer.
    """
    trace = run(experiment)
    if isinstance(trace, EncoderDecoderTrace):
        layers, causal = trace.encoder.layers, False
    elif isinstance(trace, Trace):
        layers, causal = trace.layers, get_transformer(experiment.weights)[0].config.causal
    else:
        raise ValueError(f'"{experiment.weights}" is a recurrent network: it has no self-attention.')
    if not 0 <= layer < len(layers):
        raise ValueError(f"{experiment.weights} has the layers 0 to {len(layers) - 1}, not {layer}")
    attention = layers[layer].attention
    return attention.q, attention.k, attention.v, causal


def layer_tokens(experiment: Experiment) -> tuple[str, ...]:
    """The T tokens of the vectors: an encoder–decoder's source ends with a token of its own."""
    trace = run(experiment)
    return tuple(trace.encoder.tokens if isinstance(trace, EncoderDecoderTrace) else encode(experiment).surface)


def layer_errors(
    experiment: Experiment, layer: int, methods: Sequence[str], sizes: Sequence[int], most: int
) -> dict[str, Array]:
    """Method → (K, H) errors on the first `most` tokens of a text; (1, H) for a method without k.

    Raises:
        ValueError: as `layer_vectors` and `approximation_errors`.
    """
    q, k, v, causal = layer_vectors(experiment, layer)
    q, k, v = q[:, :most], k[:, :most], v[:, :most]
    return {method: approximation_errors(method, q, k, v, sizes, causal).errors for method in steps(methods)}
