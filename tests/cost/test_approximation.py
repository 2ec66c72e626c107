"""How far the approximations are from exact attention."""

import numpy as np
import pytest
import torch

from model import Experiment, run
from model.attention import attend
from model.cost.approximation import METHODS, approximation_errors, layer_vectors
from model.cost.linear_attention import linear_attention_weights

TEXT = "the person who the dogs near the trees chase was tired ."
ENGLISH = "the cat near the box did not cross the street because it was too tired ."


@pytest.fixture(scope="module")
def causal():
    return layer_vectors(Experiment(text=TEXT), 1)


@pytest.fixture(scope="module")
def both_sides():
    return layer_vectors(Experiment("order-encoder-none", "( ) ( ( ) ) ( )"), 0)


def test_the_vectors_are_those_of_the_trace(causal):
    q, k, v, is_causal = causal
    trace = run(Experiment(text=TEXT)).layers[1].attention
    assert is_causal and q is not None and np.shares_memory(v, v)
    assert all(ours.shape == theirs.shape for ours, theirs in ((q, trace.q), (k, trace.k), (v, trace.v)))


@pytest.mark.parametrize("method", ["window", "svd"])
def test_with_all_keys_nothing_is_lost_and_with_more_keys_less(causal, method):
    q, k, v, is_causal = causal
    n = q.shape[1]
    result = approximation_errors(method, q, k, v, [1, 3, n], is_causal)
    assert result.errors.shape == (3, q.shape[0]) and result.sizes == (1, 3, n)
    assert (result.errors[0] > result.errors[-1]).all() and result.errors[-1].max() < 1e-9


def test_a_projection_of_means_loses_nothing_with_all_keys(both_sides):
    q, k, v, is_causal = both_sides
    n = q.shape[1]
    assert not is_causal
    assert approximation_errors("pooling", q, k, v, [1, n], False).errors[1].max() < 1e-9
    random = approximation_errors("random", q, k, v, [2, n], False).errors
    assert (random[1] > 1e-3).all(), "a random projection is not exact, however many keys it keeps"


def test_the_error_by_hand(causal):
    q, k, v, _ = (torch.tensor(x[:1], dtype=torch.float64)[None] if isinstance(x, np.ndarray) else x for x in causal)
    mask = torch.ones(q.size(2), q.size(2), dtype=torch.bool).tril()
    exact = attend(q, k, v, mask).z
    near = linear_attention_weights(q, k) @ v
    by_hand = float((near - exact).norm() / exact.norm())
    arrays = [x[0].numpy() for x in (q, k, v)]
    result = approximation_errors("linear", *arrays, [], True)
    assert result.sizes == (0,) and result.errors[0].tolist() == pytest.approx([by_hand], rel=1e-9)


def test_what_cannot_be_computed_is_refused(causal):
    q, k, v, _ = causal
    with pytest.raises(ValueError, match="no causal form"):
        approximation_errors("pooling", q, k, v, [2], True)
    with pytest.raises(ValueError, match="k is 1 to"):
        approximation_errors("window", q, k, v, [0], True)
    with pytest.raises(ValueError, match='not "nystrom"'):
        approximation_errors("nystrom", q, k, v, [1], True)
    with pytest.raises(ValueError, match="recurrent network"):
        layer_vectors(Experiment("copy-gru", "a b"), 0)
    with pytest.raises(ValueError, match="layers 0 to"):
        layer_vectors(Experiment(text=TEXT), 99)
    assert set(METHODS) == {"window", "pooling", "random", "svd", "linear"}
