"""Norms: by hand, against PyTorch, and what the record says."""

import pytest
import torch
from equal import same_bits
from hypothesis import given
from hypothesis import strategies as st
from pytorch_reference import assert_same, assert_same_gradients, exact, seeds, stir
from torch import nn
from torch.func import functional_call

from model.config import ModelConfig
from model.norm import NORMS, make_norm, normalise

TWINS = {"layer": nn.LayerNorm, "rms": nn.RMSNorm}
OUTSIDE = "layer ε outside"
OWN_TESTS = {OUTSIDE, "batch"}


def test_every_norm_has_a_twin_or_tests_of_its_own():
    assert set(NORMS) == set(TWINS) | OWN_TESTS


def test_batch_norm_trains_and_evaluates_as_torchs_with_running_statistics():
    torch.manual_seed(0)
    ours, theirs = NORMS["batch"](6).double(), nn.BatchNorm1d(6).double()
    for _ in range(3):
        x = 2 * torch.randn(4, 5, 6, dtype=torch.float64) + 1
        assert_same(ours(x).out, theirs(x.flatten(0, 1)).view_as(x))
    assert_same(ours.running_mean, theirs.running_mean)
    assert_same(ours.running_var, theirs.running_var)
    ours.eval(), theirs.eval()
    trace = ours(x)
    assert_same(trace.out, theirs(x.flatten(0, 1)).view_as(x))
    assert_same(trace.normalised * trace.std + trace.mean, x)
    assert same_bits(ours(x[:1]).out, trace.out[:1], "untouched"), "in evaluation the rest of the batch does not count"
    assert_same(ours.running_mean, theirs.running_mean)


def test_epsilon_outside_the_root_matters_only_where_the_spread_is_small():
    torch.manual_seed(0)
    x = torch.randn(1, 3, 8, dtype=torch.float64)
    inside, outside = NORMS["layer"](8, eps=1e-2).double(), NORMS[OUTSIDE](8, eps=1e-2).double()
    spread = x - x.mean(-1, keepdim=True)
    assert_same(outside(x).out, spread / (x.std(-1, correction=0, keepdim=True) + 1e-2))
    wide = (inside(1000 * x).out - outside(1000 * x).out).abs().max()
    narrow = (inside(1e-3 * x).out - outside(1e-3 * x).out).abs().max()
    assert wide < 1e-3 < 0.05 < narrow


def test_a_constant_vector_has_a_finite_gradient_with_epsilon_outside_the_root():
    x = torch.full((1, 1, 4), 2.0, requires_grad=True)
    out = NORMS[OUTSIDE](4)(x).out
    out.square().sum().backward()
    assert out.tolist() == [[[0.0] * 4]] and x.grad.isfinite().all()


def test_layer_norm_of_a_vector_done_by_hand():
    # (1, 3, 5, 7): mean 4, variance (9 + 1 + 1 + 9) / 4 = 5.
    trace = NORMS["layer"](4, eps=0.0)(torch.tensor([1.0, 3.0, 5.0, 7.0]))
    assert trace.mean.item() == pytest.approx(4)
    assert trace.std.item() == pytest.approx(5**0.5)
    assert trace.out.tolist() == pytest.approx([-3 / 5**0.5, -1 / 5**0.5, 1 / 5**0.5, 3 / 5**0.5])


def test_rms_norm_of_a_vector_done_by_hand():
    # (1, 7): mean square (1 + 49) / 2 = 25.
    trace = NORMS["rms"](2, eps=0.0)(torch.tensor([1.0, 7.0]))
    assert trace.mean.item() == 0
    assert trace.std.item() == pytest.approx(5)
    assert trace.out.tolist() == pytest.approx([0.2, 1.4])


@pytest.mark.parametrize("kind", TWINS)
@given(
    shape=st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 9)),
    eps=st.sampled_from([1e-12, 1e-5, 1e-1]),
    seed=seeds,
)
def test_a_norm_is_torchs_forward_and_backward(device, kind, shape, eps, seed):
    torch.manual_seed(seed)
    norm = stir(NORMS[kind](shape[-1], eps).to(**exact(device)))
    x = torch.randn(shape, **exact(device), requires_grad=True)
    trace, expected = norm(x), functional_call(TWINS[kind](shape[-1], eps=eps), dict(norm.named_parameters()), (x,))
    assert_same(trace.out, expected)
    if shape[-1] > 2:  # with two coordinates or one, the gradient of a layer norm is all cancellation
        assert_same_gradients(trace.out, expected, [x, *norm.parameters()])


@pytest.mark.parametrize("kind", TWINS)
@given(shape=st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(2, 9)), seed=seeds)
def test_the_record_of_a_norm_leads_back_to_its_input(device, kind, shape, seed):
    torch.manual_seed(seed)
    norm = stir(NORMS[kind](shape[-1]).to(**exact(device)))
    x = torch.randn(shape, **exact(device))
    trace = norm(x)
    assert_same(trace.normalised * trace.std + trace.mean, x)
    assert_same(trace.out, trace.normalised * norm.weight + getattr(norm, "bias", 0))
    spread = x - x.mean(-1, keepdim=True) if kind == "layer" else x
    assert_same(trace.std, (spread.square().mean(-1, keepdim=True) + 1e-5).sqrt())


def test_no_norm_leaves_the_vector_alone_and_says_so(device):
    x = torch.randn(2, 3, 4, device=device)
    trace = normalise(x, None)
    assert same_bits(trace.out, x, "copied")
    assert same_bits(trace.normalised, x, "copied")
    assert trace.mean.tolist() == [[[0]] * 3] * 2
    assert trace.std.tolist() == [[[1]] * 3] * 2


def test_a_norm_that_does_not_exist_is_refused_by_name():
    with pytest.raises(ValueError, match='norm_kind must be one of layer, layer ε outside, rms, batch, not "none"'):
        make_norm(ModelConfig(vocab_size=2, norm_kind="none"))
