"""The sentences of Why attention hold the numbers that they are made from."""

import numpy as np

from model.cost.network import KINDS
from viz.captions.why import (
    describe_initial_gradients,
    describe_path,
    describe_region,
    describe_schedule,
    describe_trained_gradients,
    describe_training_speed,
)
from viz.pages.why import compute


def test_a_path_is_given_in_steps_and_a_network_whose_layers_are_too_few_is_named():
    steps = {label: float(compute.path_steps(kind, 13, 2)[2, 10]) for kind, label in KINDS.items()}
    missing = float("nan")
    expected = [9, 9, missing, missing, 1]  # two layers of three taps reach four positions
    np.testing.assert_allclose(list(steps.values()), expected)
    assert describe_path("person", "was", 8, steps) == (
        "A signal from **person** to **was**, 8 positions later, passes this number of steps: tanh RNN 9; GRU 9; "
        "self-attention 1. It does not arrive through convolution and window attention: their layers are too few."
    )
    assert "no signal arrives" in describe_path("was", "person", -8, steps)
    itself = describe_path("was", "was", 0, {"GRU": 1.0, "convolution": missing})
    assert itself == (
        "A signal from **was** to **was**, 0 positions later, passes this number of steps: GRU 1. "
        "It does not arrive through convolution: its layers are too few."
    )


def test_a_gradient_is_given_as_a_ratio_of_medians_and_an_exact_zero_as_such():
    norms = {
        "falls": np.array([[1.0, 0.5, 0.001], [2.0, 0.5, 0.002], [4.0, 0.5, 0.004]]),
        "stays": np.array([[0.5, 0.5, 0.25]] * 3),
        "equal": np.array([[0.5, 0.5, 0.5]] * 3),
        "ends": np.array([[1.0, 0.5, 0.0]] * 3),
        "one large": np.array([[1.0, 0.5, 0.5], [1.0, 0.5, 0.5], [1.0, 0.5, 50.0]]),
    }
    assert describe_initial_gradients((1, 8, 64), norms) == (
        "Medians of 3 seeds. The gradient at distance 64, divided by that at distance 1: falls 0.001; "
        "stays 0.5; equal 1; ends exactly 0 beyond distance 8; one large 0.5."
    )
    nothing = describe_initial_gradients((1, 64), {"nothing": np.zeros((3, 2))})
    assert nothing.endswith("nothing exactly 0 everywhere.")


def test_a_bias_that_keeps_the_state_is_given_beside_none():
    norms = {"GRU": np.array([[1.0, 2e-9]]), "GRU, update-gate bias 1": np.array([[1.0, 4e-5]])}
    sentence = describe_initial_gradients((1, 64), norms)
    assert sentence.endswith("With the bias of 1, the GRU's gradient at distance 64 is 20,000 times as large.")
    norms["GRU"] = np.zeros((1, 2))
    assert "times as large" not in describe_initial_gradients((1, 64), norms), "nothing can be divided by 0"


def test_a_trained_recurrent_network_that_carries_the_gradient_is_named_and_a_fading_network_is_not():
    trained = {"GRU a": np.array([[2.0, 1.0]] * 3), "GRU b": np.array([[1.0, 0.01]] * 3)}
    untrained = {name: np.array([[4.0, 0.0004]] * 3) for name in trained}
    assert describe_trained_gradients((1, 20), trained, untrained) == (
        "Medians of 3 random texts. The gradient at distance 20, divided by that at distance 1: GRU a 0.5, "
        "untrained 0.0001; GRU b 0.01, untrained 0.0001. The textbook's "
        "exponential decay holds for untrained weights. Training removed it from GRU a."
    )
    large_before = describe_trained_gradients(
        (1, 20), trained, {name: values * 0.5 for name, values in trained.items()}
    )
    assert "removed" not in large_before, "an untrained network that carries it has no decay to remove"
    other = {"Transformer": trained["GRU a"]}
    assert "removed" not in describe_trained_gradients((1, 20), other, {"Transformer": untrained["GRU a"]})
    outlier = {"GRU": np.array([[1.0, 0.5], [1.0, 0.5], [1.0, 90.0]])}
    assert "GRU 0.5, untrained 0.5." in describe_trained_gradients((1, 20), outlier, outlier)
    faded = describe_trained_gradients((1, 20), {"GRU b": trained["GRU b"]}, untrained)
    assert "removed" not in faded
    weak = {"GRU b": np.array([[1.0, 0.05]] * 3)}
    assert "removed" not in describe_trained_gradients((1, 20), weak, untrained), "a twentieth is still a decay"


def test_a_region_is_given_with_what_full_attention_would_reach():
    assert describe_region("was", 9, 11, 4, True) == (
        "**was** can receive a signal from 9 of 11 tokens up to it through 4 layers. "
        "Full attention reaches all of them in one layer."
    )
    assert (
        describe_region("was", 13, 13, 1, False) == "**was** can receive a signal from all 13 tokens through 1 layer."
    )
    assert describe_region("was", 1, 1, 4, True) == "**was** is the only token up to it."


def test_a_schedule_is_given_in_cells_and_steps():
    assert describe_schedule(4, {"a": 10, "b": 52}, 52, {"a": 16, "b": 4}) == (
        "Of 52 cells these are computed after 4 steps: a 10; b 52. All cells need this number of steps: a 16; b 4."
    )


def test_speeds_are_given_at_the_shortest_and_the_longest_length_that_was_measured():
    speeds = {
        "GRU": np.array([1e4, 1e4, 1e4]),
        "attention": np.array([4e4, 5e3, np.nan]),
        "fused": np.array([2e4, 2e4, 2e4]),
    }
    assert describe_training_speed((64, 512, 1024), speeds) == (
        "At 64 tokens, tokens per second of training: GRU 10,000; attention 40,000; fused 20,000. At 512 tokens, "
        "tokens per second of training: GRU 10,000; attention 5,000; fused 20,000. Attention is faster than both "
        "recurrent layers at 64 tokens. At every length fused is faster than both recurrent layers."
    )
    slower = describe_training_speed((64,), {"GRU": np.array([2.0]), "attention": np.array([1.0])})
    assert slower.endswith("At no length is attention faster than both recurrent layers.")
    assert slower.count("At 64 tokens") == 1
    mixed = {"GRU": np.array([1.0, 1.0]), "tanh RNN": np.array([9.0, 1.0]), "attention": np.array([5.0, 5.0])}
    assert "Attention is faster than both recurrent layers at 128 tokens." in describe_training_speed((64, 128), mixed)
    assert describe_training_speed((64,), {"GRU": np.array([np.nan])}, begun=False) == (
        "Nothing was measured with these sizes yet."
    )
    assert "too little time" in describe_training_speed((64,), {"GRU": np.array([np.nan])})
