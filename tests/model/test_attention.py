"""attend and MultiHeadAttention: by hand, against PyTorch, and by the laws of attention."""

import inspect
import math

import pytest
import torch
from equal import same_bits
from hypothesis import given
from hypothesis import strategies as st
from pytorch_reference import assert_same, assert_same_gradients, exact, seeds, stir
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F

from model import mask as masks
from model.attention import MultiHeadAttention, attend
from model.config import ModelConfig
from model.position import Position
from model.switches import Switches

# Every rule of model/mask.py, over T queries at the end of S keys; the padding leaves the first key to everybody.
RULES = {kind.rule.__name__: kind for kind in masks.MASKS.values()}
MASKS = {
    **{
        name: lambda queries, keys, kind=kind: (
            kind.rule(queries, keys, 2) if kind.parameter_label else kind.rule(queries, keys)
        )
        for name, kind in RULES.items()
    },
    "padding_mask": lambda queries, keys: masks.padding_mask((keys % 3 != 1)[None]),
}


def test_every_mask_has_a_twin():
    defined = {name for name, item in inspect.getmembers(masks, inspect.isfunction) if item.__module__ == "model.mask"}
    assert set(MASKS) == defined - {"prepare_mask", "mask_from_cells", "mask_from_hex"}


def test_weights_of_a_sum_done_by_hand():
    # q · k is 0 and √2; divided by √d_k = √2 that is 0 and 1; the softmax of (0, 1) is (1, e) / (1 + e).
    q = torch.tensor([[[[0.0, math.sqrt(2)]]]], dtype=torch.float64)
    keys = torch.eye(2, dtype=torch.float64)[None, None]
    values = torch.tensor([[[[3.0], [5.0]]]], dtype=torch.float64)
    trace = attend(q, keys, values)
    assert trace.scores.flatten().tolist() == pytest.approx([0, math.sqrt(2)])
    assert trace.scaled.flatten().tolist() == pytest.approx([0, 1])
    assert trace.weights.flatten().tolist() == pytest.approx([1 / (1 + math.e), math.e / (1 + math.e)])
    assert trace.out.item() == pytest.approx((3 + 5 * math.e) / (1 + math.e))


def test_unscaled_weights_of_a_sum_done_by_hand():
    q = torch.tensor([[[[0.0, 2.0]]]], dtype=torch.float64)
    keys = torch.eye(2, dtype=torch.float64)[None, None]
    weights = attend(q, keys, keys, scale=False).weights
    assert weights.flatten().tolist() == pytest.approx([1 / (1 + math.e**2), math.e**2 / (1 + math.e**2)])


def test_a_query_that_likes_all_keys_the_same_takes_their_mean():
    v = torch.tensor([1.0, 2.0, 6.0]).view(1, 1, 3, 1)
    assert attend(torch.zeros(1, 1, 1, 4), torch.randn(1, 1, 3, 4), v).z.item() == pytest.approx(3)


shapes = st.tuples(*(st.integers(1, 3),) * 2, *(st.integers(1, 7),) * 4)  # B, H, T, S, D of q and k, D of v


def drawn(shape, seed, device):
    torch.manual_seed(seed)
    B, H, T, S, d_k, d_v = shape
    return [
        torch.randn(*s, **exact(device), requires_grad=True) for s in ((B, H, T, d_k), (B, H, S, d_k), (B, H, S, d_v))
    ]


@pytest.mark.parametrize("kind", [None, *MASKS])
@given(shape=shapes, seed=seeds, scale=st.booleans(), bias_shape=st.sampled_from([None, "HTS", "BHTS", "TS"]))
def test_attend_is_scaled_dot_product_attention(device, kind, shape, seed, scale, bias_shape):
    q, k, v = drawn(shape, seed, device)
    B, H, T, S, _, _ = shape
    positions = torch.arange(max(T, S), device=device)
    mask = MASKS[kind](positions[-T:], positions[:S]) if kind else None
    sizes = {"B": B, "H": H, "T": T, "S": S}
    bias = None
    if bias_shape:
        bias = torch.randn(*(sizes[letter] for letter in bias_shape), **exact(device), requires_grad=True)

    both = mask
    if bias is not None:
        both = torch.zeros(B, H, T, S, **exact(device)) + bias
        both = both if mask is None else both.masked_fill(~mask, -math.inf)
    expected = F.scaled_dot_product_attention(q, k, v, attn_mask=both, scale=None if scale else 1.0)
    trace = attend(q, k, v, mask, bias, scale)
    assert_same(trace.z, expected)
    assert_same_gradients(trace.z, expected, [q, k, v] if bias is None else [q, k, v, bias])


@given(shape=shapes, seed=seeds, share=st.floats(0, 1))
def test_attend_agrees_on_any_mask_even_with_empty_rows(device, shape, seed, share):
    q, k, v = drawn(shape, seed, device)
    B, H, T, S, _, _ = shape
    mask = torch.rand(B, H, T, S, device=device) < share
    trace = attend(q, k, v, mask)
    expected = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    assert_same(trace.z, expected)
    assert_same_gradients(trace.z, expected, [q, k, v])


@given(shape=shapes, seed=seeds, share=st.floats(0, 1), scale=st.booleans())
def test_every_stage_follows_from_the_one_before(device, shape, seed, share, scale):
    q, k, v = drawn(shape, seed, device)
    B, H, T, S, d_k, _ = shape
    mask, bias = torch.rand(B, 1, T, S, device=device) < share, torch.randn(H, T, S, **exact(device))
    trace = attend(q, k, v, mask, bias, scale)
    allowed = mask.expand(B, H, T, S)
    assert_same(trace.scores, torch.einsum("bhtd,bhsd->bhts", q, k))
    assert_same(trace.scaled, trace.scores / (math.sqrt(d_k) if scale else 1))
    assert_same(trace.biased, trace.scaled + bias)
    assert same_bits(trace.mask, allowed)
    assert same_bits(trace.masked[allowed], trace.biased[allowed], "copied")
    assert (trace.masked[~allowed] == -math.inf).all()
    assert (trace.weights[~allowed] == 0).all()
    assert (trace.weights >= 0).all()
    assert_same(trace.weights.sum(-1), allowed.any(-1).to(trace.weights))  # 1, or 0 where nothing is allowed
    assert_same(trace.z, torch.einsum("bhts,bhsd->bhtd", trace.weights, v))
    assert_same(trace.out, torch.cat(trace.z.unbind(1), dim=-1))


def test_a_row_with_nothing_to_attend_to_gives_zeros_and_moves_nothing(device):
    torch.manual_seed(0)
    q, k, v = drawn((2, 2, 3, 4, 5, 6), 0, device)
    mask = torch.ones(3, 4, dtype=torch.bool, device=device)
    mask[1] = False
    trace = attend(q, k, v, mask)
    assert (trace.weights[:, :, 1] == 0).all()
    assert (trace.z[:, :, 1] == 0).all()
    gradients = torch.autograd.grad(trace.z.square().sum() + trace.weights.square().sum(), [q, k, v])
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert (gradients[0][:, :, 1] == 0).all()
    assert (gradients[0][:, :, 0] != 0).all()


def test_with_every_row_empty_all_gradients_are_zero(device):
    q, k, v = drawn((1, 2, 3, 4, 5, 6), 0, device)
    trace = attend(q, k, v, torch.zeros(3, 4, dtype=torch.bool, device=device))
    for gradient in torch.autograd.grad(trace.z.sum(), [q, k, v]):
        assert (gradient == 0).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_all_stages_keep_the_dtype_of_the_queries(device, dtype):
    q = torch.randn(1, 2, 3, 4, device=device, dtype=dtype)
    trace = attend(q, q, q, masks.causal(*[torch.arange(3, device=device)] * 2))
    for stage in ("scores", "scaled", "biased", "masked", "weights", "z", "out"):
        assert getattr(trace, stage).dtype == dtype


# ---------------------------------------------------------------------------- several heads


def two_attentions(n_heads, width, bias, seed, device):
    torch.manual_seed(seed)
    config = ModelConfig(vocab_size=2, n_heads=n_heads, d_model=n_heads * width, attention_bias=bias)
    ours = stir(MultiHeadAttention(config, 0).to(**exact(device)))
    theirs = nn.MultiheadAttention(n_heads * width, n_heads, bias=bias, batch_first=True)
    names = {"in_proj_weight": torch.cat([ours.w_q.weight, ours.w_k.weight, ours.w_v.weight])}
    names["out_proj.weight"] = ours.w_o.weight
    if bias:
        names["in_proj_bias"] = torch.cat([ours.w_q.bias, ours.w_k.bias, ours.w_v.bias])
        names["out_proj.bias"] = ours.w_o.bias
    return config, ours, lambda *args, **kwargs: functional_call(theirs, names, args, kwargs)


@given(
    n_heads=st.integers(1, 4),
    width=st.integers(1, 5),
    B=st.integers(1, 3),
    T=st.integers(1, 6),
    S=st.integers(1, 6) | st.none(),
    bias=st.booleans(),
    padded=st.booleans(),
    seed=seeds,
)
def test_multi_head_attention_is_torchs(device, n_heads, width, B, T, S, bias, padded, seed):
    """S None: self-attention; else cross-attention. padded: some keys are filler, never the first."""
    config, ours, theirs = two_attentions(n_heads, width, bias, seed, device)
    looking = torch.randn(B, T, config.d_model, **exact(device), requires_grad=True)
    looked_at = looking if S is None else torch.randn(B, S, config.d_model, **exact(device), requires_grad=True)
    real = torch.rand(B, looked_at.size(1), device=device) < (0.6 if padded else 1.1)
    real[:, 0] = True
    trace = ours(looking, looked_at, masks.padding_mask(real), Position(config), Switches())
    expected, weights = theirs(looking, looked_at, looked_at, key_padding_mask=~real, average_attn_weights=False)
    assert_same(trace.out, expected)
    assert_same(trace.weights, weights)
    assert_same_gradients(trace.out, expected, [looking, *([] if S is None else [looked_at]), *ours.parameters()])


@given(config_seed=seeds, off=st.sets(st.integers(0, 3), max_size=4))
def test_a_head_knocked_out_is_its_slice_of_the_output_matrix_set_to_zero(device, config_seed, off):
    torch.manual_seed(config_seed)
    config = ModelConfig(vocab_size=2, n_heads=4, d_model=8, d_k=3, d_v=5)
    attention = stir(MultiHeadAttention(config, layer=1).to(**exact(device)))
    x = torch.randn(2, 3, 8, **exact(device))
    mask, position = torch.ones(3, 3, dtype=torch.bool, device=device), Position(config)
    elsewhere = frozenset({(0, 0), (2, 3)})  # heads of other layers
    knocked_out = attention(x, x, mask, position, Switches(heads_off=elsewhere | {(1, head) for head in off}))
    intact = attention(x, x, mask, position, Switches())
    assert same_bits(knocked_out.weights, intact.weights, "same operation")
    for head in range(4):
        assert same_bits(knocked_out.z[:, head], intact.z[:, head] * (head not in off), "exact")
    with torch.no_grad():
        for head in off:
            attention.w_o.weight[:, 5 * head : 5 * (head + 1)] = 0
    assert_same(knocked_out.out, attention(x, x, mask, position, Switches()).out)
