"""Operations and bytes: counted here, by PyTorch's counter, and by hand."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from model.config import ModelConfig
from model.cost.complexity import (
    LAYER_TYPES,
    Sizes,
    attention_space,
    counted_crossover,
    logarithmic_lengths,
    projection_flops,
)
from model.cost.decoding import (
    VARIANTS,
    DecoderSizes,
    cache_bytes,
    decode_bytes_read,
    decode_flops,
    decode_flops_without_cache,
    prefill_flops,
)
from model.cost.layers import build_layer
from model.transformer import Transformer


def counted(run):
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH), torch.no_grad():
        run()  # the counter does not know the fused operator of the CPU, whose parts have the same count
    return counter.get_total_flops()


sizes = st.builds(
    lambda n, heads, width, kernel, window, rank: Sizes(n, heads * width, kernel, window, heads, rank),
    *(st.integers(low, high) for low, high in ((1, 20), (1, 3), (1, 4), (2, 4), (2, 6), (1, 5))),
)


@pytest.mark.parametrize("kind", LAYER_TYPES)
@settings(max_examples=10)
@given(sizes)
def test_the_operations_are_those_of_pytorchs_counter(kind, sizes):
    assert counted(build_layer(kind, sizes)[0]) == LAYER_TYPES[kind].flops(sizes)


def test_the_terms_of_the_papers_table():
    sizes = Sizes(n=100, d=64, kernel=3, window=8)
    rows = {kind: row for kind, row in LAYER_TYPES.items() if row.vaswani}
    terms = {kind: (row.operations(sizes), row.sequential(sizes), row.path_length(sizes)) for kind, row in rows.items()}
    assert terms == {
        "attention": (100 * 100 * 64, 1, 1),
        "rnn": (100 * 64 * 64, 100, 100),
        "gru": (100 * 64 * 64, 100, 100),
        "convolution": (3 * 100 * 64 * 64, 1, 5),
        "window": (8 * 100 * 64, 1, 15),
    }


@settings(max_examples=15)
@given(sizes)
def test_the_exact_count_is_the_term_times_a_constant(sizes):
    constants = {"attention": 4, "fused": 4, "rnn": 4, "gru": 12, "convolution": 2, "linformer": 8}
    for kind, constant in constants.items():
        assert LAYER_TYPES[kind].flops(sizes) == constant * LAYER_TYPES[kind].operations(sizes)


def test_projections_and_space():
    sizes = Sizes(n=10, d=8, n_heads=2)
    attention = torch.nn.MultiheadAttention(8, 2, batch_first=True, bias=False)
    x = torch.randn(1, 10, 8)
    flops = counted(lambda: attention(x, x, x))
    assert flops == projection_flops(sizes) + LAYER_TYPES["attention"].flops(sizes)
    assert attention_space(sizes) == 2 * 100 + 80 and attention_space(replace(sizes, n_heads=1)) == 100 + 80


@pytest.mark.parametrize(("cheaper", "dearer", "n"), [("rnn", "attention", 65), ("gru", "attention", 193)])
def test_recurrence_is_cheaper_in_operations_from_a_length_on(cheaper, dearer, n):
    sizes = Sizes(d=64)
    assert counted_crossover(cheaper, dearer, sizes) == n
    first, second = LAYER_TYPES[cheaper].flops, LAYER_TYPES[dearer].flops
    assert first(replace(sizes, n=n)) < second(replace(sizes, n=n))
    assert first(replace(sizes, n=n - 1)) >= second(replace(sizes, n=n - 1))
    assert counted_crossover(dearer, cheaper, sizes) is None


@given(st.sampled_from(list(LAYER_TYPES)), st.sampled_from(list(LAYER_TYPES)), sizes)
def test_from_the_crossover_on_the_count_is_smaller_and_just_before_it_is_not(cheaper, dearer, sizes):
    first, second = LAYER_TYPES[cheaper].flops, LAYER_TYPES[dearer].flops
    wins = [first(replace(sizes, n=n)) < second(replace(sizes, n=n)) for n in range(1, 61)]
    crossover = counted_crossover(cheaper, dearer, sizes, 60)
    if crossover is None:
        assert not wins[-1]
    else:
        assert all(wins[crossover - 1 :]) and (crossover == 1 or not wins[crossover - 2])


def test_lengths_for_a_log_axis():
    assert logarithmic_lengths(64, 1024) == (64, 128, 256, 512, 1024) and logarithmic_lengths(2, 1) == ()


@pytest.mark.parametrize("wrong", [{"n": 0}, {"kernel": 1}, {"window": 1}, {"d": 6, "n_heads": 4}])
def test_sizes_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError):
        Sizes(**wrong)


# Decoding


@pytest.fixture(scope="module")
def decoder():
    torch.manual_seed(0)
    config = ModelConfig(
        11, n_layers=2, n_heads=4, d_model=8, d_ff=20, position="none", attention_bias=False, mlp_bias=False
    )
    return Transformer(config), DecoderSizes(2, 8, 4, 2, 5, 20, vocab_size=11, bytes_per_number=4)


@pytest.mark.parametrize("n", [1, 2, 9])
def test_prefill_and_decoding_cost_what_pytorch_counts_in_our_transformer(decoder, n):
    transformer, sizes = decoder
    ids = torch.arange(n)[None] % 11
    assert counted(lambda: transformer(ids)) == prefill_flops(sizes, "multi-head", n)
    past = transformer(ids)
    new = counted(lambda: transformer(ids[:, :1], kv_cache=past))
    assert new == decode_flops(sizes, "multi-head", n + 1)
    assert decode_flops_without_cache(sizes, "multi-head", n) == prefill_flops(sizes, "multi-head", n)
    kept = sum(layer.attention.k.nbytes + layer.attention.v.nbytes for layer in past.layers)
    assert kept == cache_bytes(sizes, "multi-head", n)


@given(st.integers(1, 40))
def test_shared_heads_divide_the_cache_and_a_window_ends_it(n):
    sizes = DecoderSizes(n_heads=8, n_groups=2, window=16)
    full, grouped, shared, window = (cache_bytes(sizes, variant, n) for variant in VARIANTS)
    assert full == 4 * grouped == 8 * shared
    assert window == cache_bytes(sizes, "multi-head", min(n, 16))
    assert decode_flops(sizes, "multi-query", n) < decode_flops(sizes, "grouped-query", n)
    one_group = replace(sizes, n_groups=8)
    assert prefill_flops(one_group, "grouped-query", n) == prefill_flops(sizes, "multi-head", n)


def test_a_step_with_a_cache_grows_with_n_and_without_one_with_its_square():
    sizes = DecoderSizes()
    with_cache = [decode_flops(sizes, "multi-head", n) for n in (1000, 2000, 3000)]
    assert with_cache[2] - with_cache[1] == with_cache[1] - with_cache[0] > 0
    without = [decode_flops_without_cache(sizes, "multi-head", n) for n in (1000, 2000, 3000)]
    assert without[2] - without[1] > without[1] - without[0]
    assert sum(decode_flops(sizes, "multi-head", n) for n in range(1, 51)) < prefill_flops(sizes, "multi-head", 50)
    assert decode_flops(sizes, "window", 999) == decode_flops(sizes, "window", 500)


def test_a_step_reads_every_weight_once(decoder):
    transformer, sizes = decoder
    weights = sum(p.nbytes for name, p in transformer.named_parameters() if p.dim() == 2 and "embedding.w" not in name)
    weights += transformer.unembedding.weight.nbytes
    assert decode_bytes_read(sizes, "multi-head", 3) == weights + cache_bytes(sizes, "multi-head", 3)
    with pytest.raises(ValueError, match='not "sparse"'):
        cache_bytes(sizes, "sparse", 3)
    with pytest.raises(ValueError, match="divide"):
        DecoderSizes(n_heads=4, n_groups=3)
