"""The layers beside self-attention, each against PyTorch's own or against its quadratic form."""

import pytest
import torch
from equal import close, differ
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_reference import assert_same, assert_same_gradients, seeds, stir
from torch import nn
from torch.nn import functional as F

from model import mask as masks
from model.attention import attend
from model.cost.convolution import ConvolutionStack, convolve, offsets
from model.cost.linear_attention import feature_map, linear_attention, linear_attention_weights
from model.cost.linformer import linformer_attention, low_rank_weights, pooling_projection, random_projection
from model.cost.rnn import TanhRNN
from model.cost.window_attention import window_attention, window_mask

sizes = st.integers(1, 5)
lengths = st.integers(1, 12)


def vectors(seed, n, heads=2, width=3):
    torch.manual_seed(seed)
    return [torch.randn(2, heads, n, width, dtype=torch.float64) for _ in range(3)]


@given(seeds, sizes, sizes, lengths, st.booleans())
def test_the_tanh_rnn_is_pytorchs(seed, d_input, d_hidden, n, with_state):
    torch.manual_seed(seed)
    ours = stir(TanhRNN(d_input, d_hidden).double())
    theirs = nn.RNN(d_input, d_hidden, batch_first=True).double()
    pairs = {"weight_ih_l0": ours.w_x.weight, "weight_hh_l0": ours.w_h.weight}
    theirs.load_state_dict(pairs | {"bias_ih_l0": ours.w_x.bias, "bias_hh_l0": ours.w_h.bias})
    x = torch.randn(2, n, d_input, dtype=torch.float64, requires_grad=True)
    state = torch.randn(2, d_hidden, dtype=torch.float64) if with_state else None
    reference = theirs(x, None if state is None else state[None])[0]
    assert_same(ours(x, state), reference)
    assert_same_gradients(ours(x, state), reference, [x])


def test_the_tanh_rnn_starts_with_weights_as_large_as_pytorchs():
    torch.manual_seed(0)
    ours, theirs = (torch.cat([p.flatten() for p in net.parameters()]) for net in (TanhRNN(64, 64), nn.RNN(64, 64)))
    assert ours.numel() == theirs.numel()
    assert ours.std().item() == pytest.approx(theirs.std().item(), rel=0.03)
    assert ours.abs().max() <= 1 / 8


@pytest.mark.filterwarnings("ignore:Using padding='same'")  # with an even kernel PyTorch pads a copy
@given(seeds, sizes, sizes, lengths, st.integers(1, 5), st.integers(1, 3), st.booleans())
def test_a_convolution_is_pytorchs(seed, d_in, d_out, n, kernel, dilation, causal):
    torch.manual_seed(seed)
    padding = 0 if causal else "same"
    with torch.no_grad():
        theirs = nn.Conv1d(d_in, d_out, kernel, dilation=dilation, padding=padding).double()
        x = torch.randn(2, n, d_in, dtype=torch.float64)
        padded = F.pad(x, (0, 0, dilation * (kernel - 1), 0)) if causal else x
        reference = F.conv1d(
            padded.transpose(1, 2), theirs.weight, theirs.bias, padding=padding, dilation=dilation
        ).transpose(1, 2)
        assert_same(convolve(x, theirs.weight, theirs.bias, dilation, causal), reference)
        assert_same(convolve(x, theirs.weight, None, dilation, causal), reference - theirs.bias)


def test_a_kernel_reads_these_positions():
    assert offsets(3) == [-2, -1, 0] and offsets(3, causal=False) == [-1, 0, 1]
    assert offsets(2, 3) == [-3, 0] and offsets(4, causal=False) == [-1, 0, 1, 2]


def test_a_stack_is_one_convolution_after_another():
    stack, x = ConvolutionStack(4, 3, 3, (1, 2, 4)), torch.randn(1, 20, 4)
    first, second, third = stack.convolutions
    by_hand = x
    for layer, dilation in ((first, 1), (second, 2), (third, 4)):
        by_hand = convolve(by_hand, layer.weight, layer.bias, dilation).tanh()
    assert_same(stack(x), by_hand)
    assert len(list(stack.parameters())) == 6
    with pytest.raises(ValueError, match="3 layers need 3 dilations, not 2"):
        ConvolutionStack(4, 3, 3, (1, 2))


@given(seeds, st.integers(1, 14), st.integers(1, 9), st.booleans())
def test_window_attention_is_attention_with_the_mask(seed, n, width, causal):
    q, k, v = vectors(seed, n)
    assert_same(window_attention(q, k, v, width, causal), attend(q, k, v, window_mask(n, width, causal)).z)


@given(st.integers(1, 10), st.integers(1, 5))
def test_the_window_is_that_of_the_masks(n, width):
    positions = torch.arange(n)
    assert (window_mask(n, width, False) ^ masks.window(positions, positions, width)).sum() == 0
    assert (window_mask(n, width, True) ^ masks.sliding(positions, positions, width)).sum() == 0


@given(st.integers(1, 10), st.integers(1, 4), st.booleans(), st.integers(1, 3), st.integers(0, 3))
def test_the_window_cell_by_cell(n, width, causal, dilation, n_global):
    allowed = window_mask(n, width, causal, dilation, n_global)
    for t in range(n):
        for s in range(n):
            in_window = abs(t - s) in range(0, width * dilation, dilation)
            expected = (in_window or s < n_global or t < n_global) and (s <= t or not causal)
            assert bool(allowed[t, s]) == expected


@pytest.mark.parametrize("wrong", [(0, 1, 0), (1, 0, 0), (1, 1, -1)])
def test_a_window_without_keys_is_refused(wrong):
    width, dilation, n_global = wrong
    with pytest.raises(ValueError, match="at least 1"):
        window_mask(4, width, True, dilation, n_global)


@settings(max_examples=20)
@given(seeds, lengths, st.booleans())
def test_linear_attention_is_its_quadratic_form(seed, n, causal):
    q, k, v = vectors(seed, n)
    weights = linear_attention_weights(q, k, causal)
    assert close(weights.sum(-1), torch.ones(weights.shape[:-1]), 1e-12, 1e-12)
    assert not causal or (weights.triu(1) == 0).all()
    assert_same(linear_attention(q, k, v, causal), weights @ v)


def test_the_weights_of_linear_attention_by_hand():
    q, k, _ = vectors(3, 4, heads=1)
    phi = torch.where(q[0, 0] > 0, q[0, 0] + 1, q[0, 0].exp())
    assert_same(feature_map(q)[0, 0], phi)
    key = feature_map(k)[0, 0]
    expected = [[float(phi[t] @ key[s] / (phi[t] @ key[: t + 1].sum(0))) for s in range(t + 1)] for t in range(4)]
    weights = linear_attention_weights(q, k)[0, 0]
    assert all(weights[t, : t + 1].tolist() == pytest.approx(row, rel=1e-12) for t, row in enumerate(expected))


@given(seeds, lengths)
def test_linformer_with_as_many_keys_as_before_is_exact(seed, n):
    q, k, v = vectors(seed, n)
    assert_same(linformer_attention(q, k, v, pooling_projection(n, n)).z, attend(q, k, v).z)


def test_linformer_attends_to_projected_keys():
    q, k, v = vectors(0, 6)
    projection = pooling_projection(6, 2)
    trace = linformer_attention(q, k, v, projection)
    means = k.unflatten(2, (2, 3)).mean(dim=3)
    assert trace.weights.shape == (2, 2, 6, 2) and close(trace.k, means, 1e-12, 1e-12)
    with pytest.raises(ValueError, match="1 to 6 keys, not 7"):
        pooling_projection(6, 7)


def test_a_random_projection_keeps_lengths_on_average():
    projection = random_projection(400, 100)
    assert projection.var().item() == pytest.approx(1 / 100, rel=0.05)
    vector = torch.randn(400, dtype=torch.float64)
    assert (projection @ vector).norm().item() == pytest.approx(vector.norm().item(), rel=0.2)
    assert differ(projection, random_projection(400, 100, seed=1))


def test_the_nearest_weights_of_a_rank_have_that_rank_and_the_error_of_the_singular_values():
    weights = torch.randn(2, 6, 6, dtype=torch.float64).softmax(-1)
    near, values = low_rank_weights(weights, 2), torch.linalg.svdvals(weights)
    assert torch.linalg.matrix_rank(near).tolist() == [2, 2]
    assert_same((weights - near).norm(dim=(1, 2)), values[:, 2:].norm(dim=1))
    assert_same(low_rank_weights(weights, 6), weights)
