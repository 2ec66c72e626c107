"""The whole stack: against PyTorch's layers, and by the laws that hold for every config."""

import copy
from dataclasses import replace

import pytest
import torch
from equal import same_bits
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_reference import (
    assert_same,
    assert_same_gradients,
    borrowed,
    build,
    configs,
    exact,
    random_ids,
    seeds,
    twin_logits,
)
from torch import nn

from model.config import ModelConfig
from model.position import POSITIONS
from model.switches import Switches
from model.transformer import ACTIVATIONS, Transformer

sizes = st.integers(1, 3), st.integers(1, 6)  # B, T
switches = st.builds(Switches, *[st.booleans()] * 6, st.frozensets(st.tuples(st.integers(0, 2), st.integers(0, 2))))


def with_heads_of(config, switches):
    """The knock-outs among them that this model has."""
    heads = {(layer, head) for layer, head in switches.heads_off if layer < config.n_layers and head < config.n_heads}
    return replace(switches, heads_off=frozenset(heads))


def padding_for(B, T, device):
    """Some filler in every sequence, but the first word is real."""
    real = torch.rand(B, T, device=device) < 0.7
    real[:, 0] = True
    return real


# ---------------------------------------------------------------------------- PyTorch as reference


@pytest.mark.parametrize("norm_first", [True, False])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("padded", [True, False])
def test_a_stack_is_torchs_transformer_encoder(device, norm_first, activation, causal, padded):
    """Against nn.TransformerEncoder itself, with its own masks; below, on random configs, against its layers."""
    config = ModelConfig(
        11, 2, 3, 12, 7, position="none", causal=causal, norm="pre" if norm_first else "post", activation=activation
    )
    ours = build(config, 0, device)
    layer = nn.TransformerEncoderLayer(12, 3, 7, 0.0, activation, batch_first=True, norm_first=norm_first)
    theirs = nn.TransformerEncoder(layer, 2, nn.LayerNorm(12) if norm_first else None, enable_nested_tensor=False).to(
        **exact(device)
    )
    theirs.load_state_dict(
        {
            f"layers.{index}.{name}": value
            for index in range(2)
            for name, value in borrowed(ours.layers[index], True, []).items()
        }
        | ({f"norm.{name}": value for name, value in ours.final_norm.named_parameters()} if norm_first else {})
    )
    ids = random_ids(config, 3, 5, device)
    real = padding_for(3, 5, device) if padded else None
    x = ours.embedding(ids)
    future = torch.ones(5, 5, dtype=torch.bool, device=device).triu(1) if causal else None
    expected = ours.unembedding(theirs(x, mask=future, src_key_padding_mask=None if real is None else ~real))
    trace = ours(ids, real)
    assert_same(trace.logits, expected)
    assert_same_gradients(trace.logits, expected, [ours.embedding.weight])


@settings(max_examples=120)
@given(config=configs(twin=True), size=st.tuples(*sizes), padded=st.booleans(), seed=seeds)
def test_any_config_is_torchs_layers_forward_and_backward(device, config, size, padded, seed):
    ours = build(config, seed, device)
    ids = random_ids(config, *size, device)
    real = padding_for(*size, device) if padded else None
    logits, expected = ours(ids, real).logits, twin_logits(ours, ids, real)
    assert_same(logits, expected)
    assert_same_gradients(logits, expected, ours.parameters())


@settings(max_examples=120)
@given(config=configs(twin=True), size=st.tuples(*sizes), padded=st.booleans(), seed=seeds, switches=switches)
def test_any_config_minus_any_parts_is_torchs_layers_without_them(device, config, size, padded, seed, switches):
    switches = with_heads_of(config, switches)
    ours = build(config, seed, device)
    ids = random_ids(config, *size, device)
    real = padding_for(*size, device) if padded else None
    logits, expected = ours(ids, real, switches).logits, twin_logits(ours, ids, real, switches)
    assert_same(logits, expected)
    assert_same_gradients(logits, expected, ours.parameters())


# ---------------------------------------------------------------------------- laws


def normed(norm, x):
    return x if norm is None else norm(x).out


@settings(max_examples=100)
@given(config=configs(), size=st.tuples(*sizes), seed=seeds, switches=switches)
def test_the_stream_is_what_was_there_plus_what_was_added(device, config, size, seed, switches):
    switches = with_heads_of(config, switches)
    transformer = build(config, seed, device)
    trace = transformer(random_ids(config, *size, device), None, switches)
    stream = trace.embed
    for layer, weights in zip(trace.layers, transformer.layers, strict=True):
        norm1, norm2 = (weights.norm1, weights.norm2) if switches.norm else (None, None)
        assert same_bits(layer.resid_pre, stream, "copied")
        mid = layer.resid_pre + layer.attention.out if switches.residual else layer.attention.out
        if config.norm == "post":
            assert_same(layer.norm1.normalised * layer.norm1.std + layer.norm1.mean, mid)
            assert same_bits(layer.norm1.out, layer.resid_mid, "copied")
            mid = normed(norm1, mid)
        else:
            assert_same(layer.norm1.out, normed(norm1, layer.resid_pre))
            assert_same(layer.norm2.out, normed(norm2, layer.resid_mid))
        assert_same(layer.resid_mid, mid)
        if switches.mlp:
            post = mid + layer.mlp_out if switches.residual else layer.mlp_out
        else:
            assert not layer.mlp_out.any()
            post = mid
        if config.norm == "post":
            assert same_bits(layer.norm2.out, layer.resid_post, "copied")
            post = normed(norm2, post)
        assert_same(layer.resid_post, post)
        stream = layer.resid_post
    assert_same(
        trace.logits, transformer.unembedding(normed(transformer.final_norm if switches.norm else None, stream))
    )
    assert same_bits(trace.logits, transformer.unembed(stream, switches)[1], "same operation")


@settings(max_examples=100)
@given(config=configs(), size=st.tuples(*sizes), padded=st.booleans(), seed=seeds, switches=switches)
def test_rows_sum_to_one_and_the_forbidden_weighs_nothing(device, config, size, padded, seed, switches):
    switches = with_heads_of(config, switches)
    B, T = size
    real = padding_for(B, T, device) if padded else torch.ones(B, T, dtype=torch.bool, device=device)
    trace = build(config, seed, device)(random_ids(config, B, T, device), real if padded else None, switches)
    for layer in trace.layers:
        attention = layer.attention
        expected = real[:, None, None, :].expand(B, config.n_heads, T, T)
        if config.causal and switches.mask:
            expected = expected.tril()
        assert same_bits(attention.mask, expected)
        assert (attention.weights[~attention.mask] == 0).all()
        assert_same(attention.weights.sum(-1), torch.ones_like(attention.weights[..., 0]))
        assert same_bits(attention.masked.isneginf(), ~attention.mask)


@settings(max_examples=100)
@given(config=configs(), size=st.tuples(st.integers(1, 2), st.integers(2, 6)), seed=seeds, data=st.data())
def test_changing_the_future_leaves_the_past_untouched(device, config, size, seed, data):
    """Exactly, with a causal mask; without one, the future does reach the past."""
    B, T = size
    now = data.draw(st.integers(1, T - 1))
    transformer = build(config, seed, device)
    ids = random_ids(config, B, T, device)
    other = ids.clone()
    other[:, now:] = (other[:, now:] + 1) % config.vocab_size
    before, after = transformer(ids), transformer(other)
    moved = [
        (a.resid_post - b.resid_post)[:, :now].abs().max() for a, b in zip(before.layers, after.layers, strict=True)
    ]
    if config.causal:
        assert not any(moved)
        assert same_bits(before.logits[:, :now], after.logits[:, :now], "untouched")
        seen = transformer(ids, switches=Switches(mask=False)), transformer(other, switches=Switches(mask=False))
        moved = [(seen[0].layers[0].attention.out - seen[1].layers[0].attention.out)[:, :now].abs().max()]
    else:
        moved = [(before.layers[0].attention.out - after.layers[0].attention.out)[:, :now].abs().max()]
    if config.norm != "pre" or config.d_model > 2:  # two coordinates, normalised, are ±1 whatever the words
        assert all(moved)


@given(config=configs(), seed=seeds, switches=switches)
def test_a_sequence_of_filler_only_gives_no_nan_in_values_or_gradients(device, config, seed, switches):
    switches = with_heads_of(config, switches)
    transformer = build(config, seed, device)
    real = torch.tensor([[True, True, True], [False, False, False]], device=device)
    ids = random_ids(config, 2, 3, device)
    trace = transformer(ids, real, switches)
    for layer in trace.layers:
        assert not layer.attention.weights[1].any()
        assert not layer.attention.z[1].any()
    assert trace.logits.isfinite().all()
    gradients = torch.autograd.grad(trace.logits.square().sum(), list(transformer.parameters()), allow_unused=True)
    assert all(gradient.isfinite().all() for gradient in gradients if gradient is not None)
    alone = transformer(ids[:1], None, switches).logits  # the other sequence is none the worse for its company
    assert_same(trace.logits[:1], alone)


@given(config=configs(), seed=seeds, filler=st.integers(1, 4))
def test_filler_at_the_end_changes_nothing_for_the_words_before_it(device, config, seed, filler):
    transformer = build(config, seed, device)
    ids = random_ids(config, 2, 4 + filler, device)
    real = torch.arange(4 + filler, device=device).expand(2, -1) < 4
    assert_same(transformer(ids, real).logits[:, :4], transformer(ids[:, :4]).logits)


def test_without_positions_and_mask_a_sentence_is_a_bag_of_words(device):
    config = ModelConfig(11, 2, 2, 8, 8, position="none", causal=False)
    transformer, ids = build(config, 0, device), torch.tensor([[3, 1, 4, 5, 9]], device=device)
    shuffle = [4, 2, 0, 3, 1]
    assert_same(transformer(ids).logits[:, shuffle], transformer(ids[:, shuffle]).logits)


@settings(max_examples=25)
@given(config=configs(norm="pre"), seed=seeds)
def test_a_head_that_is_off_equals_a_slice_of_the_output_matrix_at_zero(device, config, seed):
    transformer, ids = build(config, seed, device), random_ids(config, 2, 4, device)
    layer, head = config.n_layers - 1, config.n_heads - 1
    cut = copy.deepcopy(transformer)
    with torch.no_grad():
        cut.layers[layer].attention.w_o.weight.unflatten(1, (config.n_heads, -1))[:, head] = 0
    assert_same(transformer(ids, switches=Switches(heads_off=frozenset({(layer, head)}))).logits, cut(ids).logits)


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("tied", [True, False])
def test_every_parameter_learns(device, position, tied):
    """None is left out of the sum, so none sits in the file for nothing."""
    config = ModelConfig(11, 2, 2, 8, 8, context=6, position=position, tied_unembedding=tied, embedding_norm=True)
    transformer = build(config, 0, device)
    transformer(random_ids(config, 3, 6, device)).logits.logsumexp(-1).sum().backward()
    for name, parameter in transformer.named_parameters():
        if not name.endswith("w_k.bias"):  # adds the same to a whole row of scores, which softmax does not see
            assert parameter.grad is not None and parameter.grad.any(), name


def test_a_tied_unembedding_is_the_embedding():
    transformer = Transformer(ModelConfig(11, tied_unembedding=True))
    assert transformer.unembedding.weight is transformer.embedding.weight


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("position", POSITIONS)
def test_any_dtype_goes_through_unchanged(device, dtype, position):
    if device.type == "mps" and dtype == torch.float64:
        pytest.skip("Apple's GPUs have no float64")
    config = ModelConfig(11, 2, 2, 8, 8, position=position)
    transformer = Transformer(config).to(device, dtype)
    trace = transformer(random_ids(config, 2, 4, device))
    assert trace.logits.dtype == dtype
    assert trace.layers[1].attention.weights.dtype == dtype
    exactly = Transformer(config).to(device)
    exactly.load_state_dict(transformer.float().state_dict())


@pytest.mark.parametrize(("choice", "table"), [("position", POSITIONS), ("activation", ACTIVATIONS)])
def test_a_part_that_does_not_exist_is_refused_by_name(choice, table):
    with pytest.raises(ValueError, match=f'{choice} must be one of {", ".join(table)}, not "nonsense"'):
        Transformer(ModelConfig(11, **{choice: "nonsense"}))


def test_a_trace_holds_no_tokens_when_the_model_was_given_bare_ids():
    assert Transformer(ModelConfig(11))(torch.tensor([[1, 2]])).tokens == ()


@pytest.mark.parametrize("tokens", [1, 2, 32, 64, 256])
def test_the_bench_compares_equals(device, tokens):
    """The rival of tests/bench/recording.py says the same as the model that records."""
    from bench.recording import CONFIG, fused  # noqa: PLC0415

    torch.manual_seed(0)
    transformer = Transformer(CONFIG).to(device).eval()
    with torch.inference_mode():
        ids = random_ids(CONFIG, 1, tokens, device)
        torch.testing.assert_close(transformer(ids).logits, fused(transformer, ids), atol=1e-4, rtol=1e-4)
