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


def test_every_norm_has_a_twin():
    assert set(NORMS) == set(TWINS)


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


@pytest.mark.parametrize("kind", NORMS)
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


@pytest.mark.parametrize("kind", NORMS)
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
    with pytest.raises(ValueError, match='norm_kind must be one of layer, rms, not "batch"'):
        make_norm(ModelConfig(vocab_size=2, norm_kind="batch"))
