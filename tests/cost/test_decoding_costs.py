"""Decoding as it is measured: a cache changes no number, and each way takes the operations that are counted."""

import time
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from model.compute.progress import listening
from model.cost import decoding
from model.cost.decoding import (
    KINDS,
    VARIANTS,
    DecoderSizes,
    RandomDecoder,
    cache_bytes,
    decode_flops,
    decode_flops_without_cache,
    measure_decoding,
)

SMALL = DecoderSizes(n_layers=2, d=16, n_heads=4, n_groups=2, window=5, d_ff=24, bytes_per_number=4)


def text(n, d=16, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(sorted(VARIANTS)), st.integers(2, 14), st.integers(1, 9))
def test_the_last_token_is_the_same_with_a_cache_and_without(variant, n, window):
    decoder, x = RandomDecoder(replace(SMALL, window=window), variant), text(n)
    out, cache = decoder.read(x)
    new, after = decoder.step(x[-1:], decoder.read(x[:-1])[1])
    assert torch.allclose(out[-1:], new, atol=1e-5)
    for ours, theirs in zip(after, cache, strict=True):
        assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("n", [3, 12])
def test_each_way_takes_the_operations_and_the_bytes_that_are_counted(variant, n):
    decoder, x = RandomDecoder(SMALL, variant), text(n)
    with FlopCounterMode(display=False) as whole:
        decoder.read(x)
    if variant != "window":  # whose whole map is computed here, and masked
        assert whole.get_total_flops() == decode_flops_without_cache(SMALL, variant, n)
    cache = decoder.read(x[:-1])[1]
    with FlopCounterMode(display=False) as step:
        _, after = decoder.step(x[-1:], cache)
    assert step.get_total_flops() == decode_flops(SMALL, variant, n)
    assert sum(4 * tensor.numel() for pair in after for tensor in pair) == cache_bytes(SMALL, variant, n)
    for ours, theirs in zip(decoder.random_cache(n), after, strict=True):
        assert [tensor.shape for tensor in ours] == [tensor.shape for tensor in theirs]


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_layer_is_attention_of_pytorch(variant):
    sizes = replace(SMALL, n_layers=1)
    decoder, x = RandomDecoder(sizes, variant), text(9)
    w_q, w_k, w_v, w_o, up, down = decoder.layers[0]
    normed = F.layer_norm(x, (16,))
    q, k, v = (
        tensor.view(9, -1, 4).transpose(0, 1)[None]  # (1, heads, T, D)
        for tensor in (normed @ w_q, normed @ w_k, normed @ w_v)
    )
    distance = torch.arange(9)[:, None] - torch.arange(9)
    mask = (distance >= 0) & (distance < (5 if variant == "window" else 9))
    k, v = (tensor.repeat_interleave(4 // tensor.shape[1], dim=1) for tensor in (k, v))
    z = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    middle = x + z[0].transpose(0, 1).reshape(9, 16) @ w_o
    expected = middle + F.relu(F.layer_norm(middle, (16,)) @ up) @ down
    assert torch.allclose(decoder.read(x)[0], expected, atol=1e-5)


def test_every_variant_is_measured_with_a_cache_and_progress_is_reported():
    shares = []
    with listening(shares.append):
        results = list(measure_decoding(SMALL, (8, 4)))
    assert [(result.n, result.kind) for result in results] == [(n, kind) for n in (4, 8) for kind in KINDS]
    assert all(result.seconds > 0 and result.peak_bytes > 0 and not result.refused for result in results)
    assert len(shares) == 10 and shares[-1] == 1


def test_what_does_not_fit_or_end_in_time_is_refused(monkeypatch):
    begin = time.perf_counter()
    results = list(measure_decoding(lengths=(16, 2048), seconds=0.3))
    assert time.perf_counter() - begin < 3
    assert any("s are left" in result.refused for result in results if result.n == 2048)
    monkeypatch.setattr(decoding, "free_bytes", lambda: 1 << 20)
    by_n = {result.n: result for result in measure_decoding(SMALL, (4, 1024))}
    assert by_n[4].seconds and "MiB are free" in by_n[1024].refused
