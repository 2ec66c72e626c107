"""The encoder–decoder: PyTorch's own modules with our weights, and the laws that hold for every config."""

import math
from dataclasses import replace

import pytest
import torch
from equal import same_bits
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_reference import assert_same, assert_same_gradients, borrowed, configs, exact, random_ids, seeds, stir
from torch import nn
from torch.func import functional_call

from model.config import ModelConfig
from model.encoder_decoder import EncoderDecoder
from model.mask import causal
from model.position import POSITIONS
from model.switches import PARTS, Switches
from model.transformer import ACTIVATIONS

shapes = st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 6))  # B, T, S


def build(config, seed, device, std=0.3):
    torch.manual_seed(seed)
    return stir(EncoderDecoder(config).to(**exact(device)), std)


def some_padding(B, S, device):
    real = torch.rand(B, S, device=device) < 0.7
    real[:, 0] = True
    return real


def borrowed_cross(layer, scale=True, silent=(), silent_cross=()):
    """The parameters of nn.TransformerDecoderLayer, made of ours: its norm2 is before or after the cross-attention."""
    own = borrowed(layer, scale, silent)
    attention = layer.attention
    layer.attention = layer.cross  # the same three projections, put together in the same way
    cross = borrowed(layer, scale, silent_cross)
    layer.attention = attention
    renamed = {name.replace("norm2.", "norm3."): value for name, value in own.items()}
    crossing = {name.replace("self_attn", "multihead_attn"): v for name, v in cross.items() if "self_attn" in name}
    norm = {f"norm2.{name}": value for name, value in (layer.norm_cross.named_parameters() if layer.norm_cross else ())}
    return renamed | crossing | norm


def twin_decoder_layer(layer, config, x, source, mask, source_mask, **silent):
    """x (B, T, C) and source (B, S, C) through PyTorch's layer; both masks are added to the scores."""
    twin = nn.TransformerDecoderLayer(
        config.d_model, config.n_heads, config.d_ff, 0.0, ACTIVATIONS[config.activation], config.norm_eps,
        batch_first=True, norm_first=config.norm != "post",
    )  # fmt: skip
    if config.norm == "none":
        twin.norm1, twin.norm2, twin.norm3 = (nn.Identity() for _ in range(3))
    elif config.norm_kind == "rms":
        twin.norm1, twin.norm2, twin.norm3 = (nn.RMSNorm(config.d_model, config.norm_eps) for _ in range(3))
    weights = borrowed_cross(layer, **silent)
    wanted = {name: weights[name] for name, _ in twin.named_parameters()}
    return functional_call(twin, wanted, (x, source, mask, source_mask))


# ---------------------------------------------------------------------------- PyTorch as reference


@settings(max_examples=60)
@given(config=configs(twin=True, position="none", n_layers=2), shape=shapes, seed=seeds, scale=st.booleans())
def test_a_decoder_layer_is_torchs_forward_and_backward(device, config, shape, seed, scale):
    B, T, S = shape
    layer = build(config, seed, device).decoder[1]
    x, source = (torch.randn(B, n, config.d_model, requires_grad=True, **exact(device)) for n in (T, S))
    positions = torch.arange(T, device=device)
    real = some_padding(B, S, device)[:, None, None, :]
    off = {(1, 0)} if config.n_heads > 1 else set()
    switches = Switches(scale=scale, cross_off=frozenset(off))
    ours = layer(x, source, causal(positions, positions), real, POSITIONS["none"](config), switches).resid_post
    heads = B * config.n_heads
    mask, source_mask = (
        torch.zeros(*allowed.shape, **exact(device)).masked_fill(~allowed, -math.inf)
        for allowed in (causal(positions, positions), real.expand(B, config.n_heads, T, S).reshape(heads, T, S))
    )
    theirs = twin_decoder_layer(
        layer, config, x, source, mask, source_mask, scale=scale, silent_cross=[head for _, head in off]
    )
    assert_same(ours, theirs)
    assert_same_gradients(ours, theirs, [x, source, *layer.parameters()])


@pytest.mark.parametrize("norm_first", [True, False])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("padded", [True, False])
def test_the_whole_is_torchs_transformer(device, norm_first, activation, padded):
    """Against nn.Transformer itself, with its own masks. Post-norm, it adds a last norm that the paper has not."""
    config = ModelConfig(
        11, 2, 3, 12, 7, position="sinusoidal", norm="pre" if norm_first else "post", activation=activation
    )
    ours = build(config, 0, device)
    layer = nn.TransformerEncoderLayer(12, 3, 7, 0.0, activation, batch_first=True, norm_first=norm_first)
    encoder = nn.TransformerEncoder(layer, 2, nn.LayerNorm(12), enable_nested_tensor=False)
    theirs = nn.Transformer(
        12, 3, 2, 2, 7, 0.0, activation, custom_encoder=encoder, batch_first=True, norm_first=norm_first
    ).to(**exact(device))
    weights = {}
    for layer_index in range(2):
        of_encoder, of_decoder = (
            borrowed(ours.encoder[layer_index], True, []),
            borrowed_cross(ours.decoder[layer_index]),
        )
        weights |= {f"encoder.layers.{layer_index}.{name}": value for name, value in of_encoder.items()}
        weights |= {f"decoder.layers.{layer_index}.{name}": value for name, value in of_decoder.items()}
    if norm_first:
        weights |= {f"encoder.norm.{name}": value for name, value in ours.encoder_norm.named_parameters()}
        weights |= {f"decoder.norm.{name}": value for name, value in ours.decoder_norm.named_parameters()}
    else:
        theirs.encoder.norm = theirs.decoder.norm = None
    source, target = random_ids(config, 3, 6, device), random_ids(config, 3, 4, device)
    real = some_padding(3, 6, device) if padded else None
    positions = torch.arange(6, device=device)
    embedded = ours.source_position.add(ours.embedding(source), positions)
    begun = ours.target_position.add(ours.embedding(target), positions[:4])
    hidden = None if real is None else ~real
    future = torch.ones(4, 4, dtype=torch.bool, device=device).triu(1)
    masks = {"tgt_mask": future, "src_key_padding_mask": hidden, "memory_key_padding_mask": hidden}
    expected = ours.unembedding(functional_call(theirs, weights, (embedded, begun), masks))
    logits = ours(source, target, real).decoder.logits
    assert_same(logits, expected)
    assert_same_gradients(logits, expected, ours.parameters())


# ---------------------------------------------------------------------------- laws

off = st.frozensets(st.tuples(st.integers(0, 2), st.integers(0, 2)))
switches = st.builds(Switches, *[st.booleans()] * 6, off, off, off)


@settings(max_examples=60)
@given(config=configs(), shape=shapes, seed=seeds, switches=switches)
def test_every_row_of_every_map_sums_to_one(device, config, shape, seed, switches):
    B, T, S = shape
    ours = build(config, seed, device)
    keep = {(layer, head) for layer in range(config.n_layers) for head in range(config.n_heads)}
    switches = replace(
        switches,
        **{name: getattr(switches, name) & keep for name in ("heads_off", "cross_off", "encoder_off")},
    )
    real = some_padding(B, S, device)
    trace = ours(random_ids(config, B, S, device), random_ids(config, B, T, device), real, switches)
    assert len(trace.encoder.layers) == len(trace.decoder.layers) == config.n_layers
    for read, wrote in zip(trace.encoder.layers, trace.decoder.layers, strict=True):
        for attention, T_, S_ in ((read.attention, S, S), (wrote.attention, T, T), (wrote.cross, T, S)):
            assert attention.weights.shape == (B, config.n_heads, T_, S_)
            assert_same(attention.weights.sum(-1), torch.ones_like(attention.weights[..., 0]))
        assert not wrote.cross.weights.masked_select(~real[:, None, None, :]).any(), "nobody looks at filler"
        if config.norm != "post" and switches.residual:
            assert_same(wrote.resid_mid, wrote.resid_pre + wrote.attention.out)
            assert_same(wrote.resid_cross, wrote.resid_mid + wrote.cross.out)
            assert_same(wrote.resid_post, wrote.resid_cross + wrote.mlp_out)
    assert trace.decoder.logits.shape == (B, T, config.vocab_size)
    assert same_bits(
        ours.unembed(trace.decoder.layers[-1].resid_post, switches)[1], trace.decoder.logits, "same operation"
    )


@settings(max_examples=40)
@given(config=configs(), shape=shapes, cut=st.integers(0, 4), seed=seeds)
def test_the_future_of_the_target_leaves_its_past_and_the_source_untouched(device, config, shape, cut, seed):
    B, T, S = shape
    cut = min(cut, T - 1)
    ours = build(config, seed, device)
    source, target = random_ids(config, B, S, device), random_ids(config, B, T, device)
    other = target.clone()
    other[:, cut:] = (other[:, cut:] + 1) % config.vocab_size
    first, second = ours(source, target), ours(source, other)
    assert same_bits(first.decoder.logits[:, :cut], second.decoder.logits[:, :cut], "untouched")
    assert same_bits(first.encoder.final_norm.out, second.encoder.final_norm.out, "untouched"), (
        "the encoder never sees the target"
    )
    for a, b in zip(first.decoder.layers, second.decoder.layers, strict=True):
        assert same_bits(a.cross.weights[:, :, :cut], b.cross.weights[:, :, :cut], "untouched")
    # Whether the logits change too depends on the weights: a layer norm over two channels can hide it.
    unmasked = ours(source, target, switches=Switches(mask=False)).decoder.layers[0].attention.weights  # (B, H, T, T)
    assert (unmasked[:, :, :cut, cut:] > 0).all(), "without the mask the past attends to the future"


@settings(max_examples=40)
@given(config=configs(), shape=shapes, seed=seeds)
def test_filler_after_the_source_changes_nothing(device, config, shape, seed):
    B, T, S = shape
    ours = build(config, seed, device)
    source, target = random_ids(config, B, S, device), random_ids(config, B, T, device)
    longer = torch.cat((source, random_ids(config, B, 3, device)), dim=1)
    real = torch.arange(S + 3, device=device).expand(B, -1) < S
    assert_same(ours(longer, target, real).decoder.logits, ours(source, target).decoder.logits)


@pytest.mark.parametrize("position", POSITIONS)
@given(config=configs(), shape=shapes, seed=seeds, data=st.data())
@settings(max_examples=15)
def test_word_by_word_with_kept_keys_and_values_is_one_parallel_pass(device, position, config, shape, seed, data):
    B, T, S = shape
    ours = build(replace(config, position=position), seed, device)
    gone = data.draw(st.sets(st.sampled_from([part.name for part in PARTS if part.name != "mask"])))
    switches = Switches().without(*gone)
    source, target = random_ids(config, B, S, device), random_ids(config, B, T, device)
    whole = ours(source, target, switches=switches).decoder
    read, past = ours.encode(source, None, switches), None
    for t in range(T):
        past = ours.decode(read, target[:, t : t + 1], None, switches, past)
        assert_same(past.logits[:, 0], whole.logits[:, t])
        for mine, theirs in zip(past.layers, whole.layers, strict=True):
            assert mine.attention.k.size(2) == t + 1, "all words so far"
            assert mine.cross.k.size(2) == S, "and the source once"
            assert_same(mine.cross.weights[:, :, 0], theirs.cross.weights[:, :, t])


# ---------------------------------------------------------------------------- switches


def model_and_ids(device, **choices):
    config = ModelConfig(11, 2, 2, 8, 12, context=8, **{"position": "sinusoidal", **choices})
    return build(config, 1, device, std=0.5), random_ids(config, 2, 6, device), random_ids(config, 2, 5, device)


@pytest.mark.parametrize("part", [part.name for part in PARTS])
def test_every_part_matters_here_too(device, part):
    ours, source, target = model_and_ids(device)
    intact = ours(source, target).decoder.logits
    assert (intact - ours(source, target, switches=Switches().without(part)).decoder.logits).abs().max() > 0.01


def test_without_scaling_the_cross_scores_are_not_divided(device):
    ours, source, target = model_and_ids(device)
    for layer in ours(source, target, switches=Switches(scale=False)).decoder.layers:
        assert same_bits(layer.cross.scaled, layer.cross.scores, "exact")
    for layer in ours(source, target).decoder.layers:
        assert_same(layer.cross.scaled, layer.cross.scores / 2)  # d_k = 4


@pytest.mark.parametrize("field", ["heads_off", "cross_off", "encoder_off"])
def test_each_of_the_three_places_has_heads_of_its_own_to_silence(device, field):
    ours, source, target = model_and_ids(device)
    trace = ours(source, target, switches=Switches(**{field: frozenset({(1, 0)})}))
    places = {
        "heads_off": [layer.attention for layer in trace.decoder.layers],
        "cross_off": [layer.cross for layer in trace.decoder.layers],
        "encoder_off": [layer.attention for layer in trace.encoder.layers],
    }
    for place, attentions in places.items():
        for layer, attention in enumerate(attentions):
            for head in (0, 1):
                assert attention.z[:, head].any().item() is not (place == field and (layer, head) == (1, 0))


def test_a_source_and_a_target_have_no_distance_whatever_the_scheme(device):
    for position in POSITIONS:
        ours, source, target = model_and_ids(device, position=position)
        for layer in ours(source, target).decoder.layers:
            assert same_bits(layer.cross.biased, layer.cross.scaled, "exact")


def test_a_layer_holds_the_three_parts_in_their_order(device):
    """G3: masked self-attention, attention to the encoder, feed-forward; each starts from what the one before left."""
    ours, source, target = model_and_ids(device)
    trace = ours(source, target)
    for layer, weights in zip(trace.decoder.layers, ours.decoder, strict=True):
        assert not layer.attention.weights.triu(1).any()
        assert_same(layer.cross.q.transpose(1, 2).flatten(2), weights.cross.w_q(layer.norm_cross.out))
        assert_same(layer.cross.k.transpose(1, 2).flatten(2), weights.cross.w_k(trace.encoder.final_norm.out))
        assert_same(layer.norm_cross.out, weights.norm_cross(layer.resid_mid).out)
        assert_same(layer.norm2.out, weights.norm2(layer.resid_cross).out)
