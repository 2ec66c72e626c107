"""What keeping every stage costs: our forward pass against the same weights with nothing kept.

    python tests/bench/recording.py [device]

The rival is as fast as PyTorch makes it: F.scaled_dot_product_attention (fused, causal) and F.layer_norm. Between the
two stands the least that keeping can cost: the same stages written out one after the other and put into a list. All run
in turn, many times, on one thread; the table shows medians. Targets: 1.25 at 64 tokens, 1.50 at 256, of fused.
"""

import math
import statistics
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from model.compute.device import keep_freed_memory
from model.config import ModelConfig
from model.mask import causal, prepare_mask
from model.transformer import Transformer

CONFIG = ModelConfig(vocab_size=512, n_layers=4, n_heads=8, d_model=128, d_ff=512, context=512, position="sinusoidal")
TARGETS = {64: 1.25, 256: 1.5}


def fused(transformer: Transformer, ids: Tensor) -> Tensor:
    """Logits (B, T, V) of a causal, pre-norm Transformer with nothing recorded on the way."""
    width = [transformer.config.d_model]
    heads = transformer.config.n_heads
    positions = torch.arange(ids.size(1), device=ids.device)  # (T,)
    x = transformer.position.add(transformer.embedding(ids), positions)  # (B, T, C)
    for layer in transformer.layers:
        y = F.layer_norm(x, width, layer.norm1.weight, layer.norm1.bias, layer.norm1.eps)
        attention = layer.attention
        q, k, v = (
            w(y).unflatten(-1, (heads, -1)).transpose(1, 2)  # (B, H, T, D)
            for w in (attention.w_q, attention.w_k, attention.w_v)
        )
        z = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + attention.w_o(z.transpose(1, 2).flatten(2))
        y = F.layer_norm(x, width, layer.norm2.weight, layer.norm2.bias, layer.norm2.eps)
        x = x + layer.mlp_out(layer.activation(layer.mlp_in(y)))
    final = transformer.final_norm
    return transformer.unembedding(F.layer_norm(x, width, final.weight, final.bias, final.eps))


def by_hand(transformer: Transformer, ids: Tensor) -> tuple[list[tuple[Tensor, ...]], Tensor]:
    """The same logits, and the stages of each layer as they come: no switch, no name, no other shape of model."""
    width, kept = [transformer.config.d_model], []
    heads = transformer.config.n_heads
    positions = torch.arange(ids.size(1), device=ids.device)  # (T,)
    ceiling = prepare_mask(causal(positions, positions)).upper_bound  # (T, T)
    x = transformer.position.add(transformer.embedding(ids), positions)  # (B, T, C)
    for layer in transformer.layers:
        read = F.layer_norm(x, width, layer.norm1.weight, layer.norm1.bias, layer.norm1.eps)
        attention = layer.attention
        q, k, v = (
            w(read).unflatten(-1, (heads, -1)).transpose(1, 2)  # (B, H, T, D)
            for w in (attention.w_q, attention.w_k, attention.w_v)
        )
        scores = q @ k.transpose(-2, -1)  # (B, H, T, S)
        scaled = scores / math.sqrt(q.size(-1))
        masked = torch.minimum(scaled, ceiling)
        weights = masked.softmax(dim=-1)
        z = weights @ v  # (B, H, T, D)
        out = attention.w_o(z.transpose(1, 2).flatten(2))  # (B, T, C)
        x = x + out
        normed = F.layer_norm(x, width, layer.norm2.weight, layer.norm2.bias, layer.norm2.eps)
        hidden = layer.activation(layer.mlp_in(normed))  # (B, T, F)
        more = layer.mlp_out(hidden)
        x = x + more
        kept.append((read, q, k, v, scores, scaled, masked, weights, z, out, normed, hidden, more, x))
    final = transformer.final_norm
    return kept, transformer.unembedding(F.layer_norm(x, width, final.weight, final.bias, final.eps))


def medians(runs: list[Callable[[], object]], repeats: int, device: torch.device) -> list[float]:
    """Median seconds of each, run in turn so that a slow moment of the machine meets all of them."""
    times: list[list[float]] = [[] for _ in runs]
    for turn in range(repeats + repeats // 10):
        for kept, go in zip(times, runs, strict=True):
            start = time.perf_counter()
            result = go()
            if device.type != "cpu":
                torch.accelerator.synchronize()
            stop = time.perf_counter()
            del result  # giving the memory back is no part of the forward pass
            if turn >= repeats // 10:  # the first tenth warms up
                kept.append(stop - start)
    return [statistics.median(kept) for kept in times]


def main() -> None:
    device = torch.device(sys.argv[1] if len(sys.argv) > 1 else "cpu")
    torch.set_num_threads(1)
    keep_freed_memory()  # as run() does
    torch.manual_seed(0)
    transformer = Transformer(CONFIG).to(device).eval()
    print(f"forward pass, {CONFIG.n_layers} layers × {CONFIG.n_heads} heads × {CONFIG.d_model} wide, B = 1, {device}")
    print("tokens  fused, ms  by hand, ms  ratio  ours, ms  ratio  target")
    with torch.inference_mode():
        for tokens, repeats in ((32, 600), (64, 400), (256, 150), (512, 60)):
            ids = torch.randint(CONFIG.vocab_size, (1, tokens), device=device)
            runs = [lambda: fused(transformer, ids), lambda: by_hand(transformer, ids), lambda: transformer(ids)]  # noqa: B023
            bare, least, ours = medians(runs, repeats, device)
            target = f"{TARGETS[tokens]:.2f}" if tokens in TARGETS else ""
            print(
                f"{tokens:6}  {bare * 1e3:9.2f}  {least * 1e3:11.2f}  {least / bare:5.2f}  "
                f"{ours * 1e3:8.2f}  {ours / bare:5.2f}  {target:>6}"
            )


if __name__ == "__main__":
    main()
