"""The gradient that arrives: against a Jacobian of PyTorch, and what it shows."""

import numpy as np
import pytest
import torch
from equal import close, same_bits
from torch import nn

from model.cost.gradient import (
    INITIAL,
    gradients_of_ids,
    initial_gradients,
    jacobian_norms,
    mean_by_distance,
    trained_and_untrained,
    trained_gradients,
    with_inputs,
)
from model.recurrent import Recurrent
from model.run import get_model


@pytest.mark.parametrize("position", [0, 3, 4])
def test_the_norms_are_those_of_pytorchs_jacobian(position):
    torch.manual_seed(0)
    gru, x = nn.GRU(3, 4, batch_first=True).double(), torch.randn(5, 3, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(lambda y: gru(y[None])[0][0, position], x)  # (C', T, C)
    assert close(jacobian_norms(lambda y: gru(y)[0], x, position), jacobian.norm(dim=(0, 2)), 1e-12, 1e-12)


def test_distances_are_counted_from_the_output_back_and_seeds_repeat():
    two = initial_gradients("rnn", [0, 1, 5], seeds=[3, 4], width=8)
    again = initial_gradients("rnn", [5, 1], seeds=[4], width=8)
    assert two.norms.shape == (2, 3) and same_bits(two.norms[1, [2, 1]], again.norms[0], "same operation")
    assert (two.norms[:, 0] > two.norms[:, 2]).all()


def test_recurrence_forgets_exponentially_a_convolution_has_an_end_and_attention_has_none():
    far, near = 32, 2
    norms = {
        kind: initial_gradients(kind, [near, far], seeds=range(2), width=16, n_layers=layers).norms.mean(0)
        for kind, layers in (
            ("rnn", 1),
            ("gru", 1),
            ("gru_kept", 1),
            ("convolution", 4),
            ("window", 4),
            ("attention", 1),
        )
    }
    assert norms["rnn"][1] / norms["rnn"][0] < 1e-5 and norms["gru"][1] / norms["gru"][0] < 1e-3
    assert norms["gru_kept"][1] > 100 * norms["gru"][1], "a bias that keeps the state carries the signal further"
    assert norms["convolution"][1] == 0 < norms["convolution"][0]
    assert norms["window"][1] == 0 < norms["window"][0]
    tiny = initial_gradients("rnn", [100], seeds=range(2), width=16).norms
    assert (tiny > 0).all() and (tiny < 1e-25).all(), "a tiny gradient is not zero: there is a path"
    assert 0.5 < norms["attention"][1] / norms["attention"][0] < 2


@pytest.mark.parametrize("kind", INITIAL)
def test_every_network_gives_a_causal_gradient(kind):
    network, x = INITIAL[kind][1](8, 2), torch.randn(5, 8, dtype=torch.float64)
    gradient = jacobian_norms(network, x, 2)
    assert (gradient[3:] == 0).all() and (gradient[:3] > 0).all()


@pytest.mark.parametrize("weights", ["translate-gru", "translate", "grammar"])
def test_the_gradients_of_a_trained_model_are_those_of_its_inputs(weights):
    network, _ = get_model(weights)
    ids = [5, 9, 11, 6]
    norms = gradients_of_ids(network, ids)
    assert norms.shape == (4, 4) and (norms.diagonal() > 0).all()
    assert ((np.triu(norms, 1) == 0).all()) == (weights != "translate"), "an encoder sees both sides"
    assert close(gradients_of_ids(network, ids, [3, 1]), norms[[3, 1]])
    x = network.embedding(torch.tensor([ids]))
    numbers = torch.tensor([ids])

    def last(changed):
        stream = changed(numbers) if weights == "grammar" else changed.encode(numbers)
        return (stream.hidden if weights == "translate-gru" else stream.final_norm.out)[0, 2]

    with torch.inference_mode():
        assert close(last(with_inputs(network, x)), last(network)), "the given embeddings are those of the ids"
    jacobian = torch.autograd.functional.jacobian(lambda y: last(with_inputs(network, y)), x)[:, 0]  # (C, T, C)
    assert close(norms[2], jacobian.norm(dim=(0, 2)), 1e-4)


def test_a_gru_that_must_remember_has_learned_to_and_with_attention_it_has_not():
    digits = [4, 9, 6, 12, 7, 5, 10, 8, 11, 4, 6, 13, 9, 5, 7, 12]

    def kept(network):
        row = gradients_of_ids(network, digits, [15])[0]
        return row[3] / row[15]

    alone, attentive = (get_model(weights)[0] for weights in ("copy-gru", "copy-gru-attention"))
    torch.manual_seed(0)
    untrained = Recurrent(alone.config).requires_grad_(False)
    assert kept(alone) > 0.2 > 0.02 > kept(attentive) and kept(untrained) < 0.01


def test_a_trained_model_stands_beside_the_same_network_with_new_weights():
    trained, untrained = trained_and_untrained("copy-gru", [1, 20], seeds=[0, 1])
    assert trained.norms.shape == untrained.norms.shape == (2, 2)
    kept, lost = (np.median(each.norms[:, 1] / each.norms[:, 0]) for each in (trained, untrained))
    assert kept > 0.1 and lost < 0.01, "training taught this network to remember"
    again, _ = trained_and_untrained("copy-gru", [1, 20], seeds=[1])
    assert close(again.norms[0], trained.norms[1], 1e-4)
    with pytest.raises(ValueError, match="distances"):
        trained_and_untrained("copy-gru", [-1])


def test_a_text_is_read_by_its_tokens_and_a_pair_counts_by_its_distance():
    norms = trained_gradients("grammar", "the dog was tired .")
    assert norms.shape[0] == norms.shape[1] >= 5
    means = mean_by_distance(norms)
    assert means.distances.tolist() == list(range(len(norms)))
    assert means.norms[0, 1] == pytest.approx(np.mean(np.diagonal(norms, -1)))
    assert means.norms[0, -1] == pytest.approx(norms[-1, 0])
    with pytest.raises(ValueError, match="distances"):
        initial_gradients("rnn", [])
    with pytest.raises(ValueError, match='not "elman"'):
        initial_gradients("elman", [1])
