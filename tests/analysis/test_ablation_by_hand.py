"""The numbers of a change, each worked out by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest

from model import Experiment, probability, run
from model.analysis import ablation, attribution, prediction_change
from model.tasks.passages import PASSAGES

WHOLE = Experiment(text="the dog sleeps .")


def test_how_far_a_vector_turns_is_one_minus_the_cosine():
    a = np.array([[1.0, 0.0], [1.0, 0.0], [2.0, 0.0], [1.0, 1.0]], dtype=np.float32)
    b = np.array([[3.0, 0.0], [0.0, 5.0], [-1.0, 0.0], [1.0, 0.0]], dtype=np.float32)
    assert probability.cosine_distance(a, b) == pytest.approx([0, 1, 2, 1 - math.sqrt(0.5)])
    assert probability.cosine_distance(a[None], b[None]).shape == (1, 4)


def test_a_vector_of_length_zero_turns_by_one_and_raises_nothing():
    assert probability.cosine_distance(np.zeros((1, 2)), np.ones((1, 2))).tolist() == [1]


def test_log_probabilities_are_those_of_the_softmax_whatever_is_added_to_all_logits():
    logits = np.log(np.array([[1.0, 3.0], [2.0, 2.0]]))
    expected = np.log([[0.25, 0.75], [0.5, 0.5]])
    assert probability.log_probabilities(logits) == pytest.approx(expected)
    assert probability.log_probabilities(logits + 1000) == pytest.approx(expected)
    assert probability.probabilities(logits) == pytest.approx(np.exp(expected))
    assert probability.log_probabilities(logits.astype(np.float32)).dtype == np.float64


def test_kl_of_two_pairs_of_logits_by_hand():
    a, b = np.log([[0.5, 0.5], [0.9, 0.1]]), np.log([[0.25, 0.75], [0.9, 0.1]])
    expected = [0.5 * math.log(2) + 0.5 * math.log(2 / 3), 0]
    assert probability.kl(a, b) == pytest.approx(expected)
    assert probability.kl(a[0], b[0]) == pytest.approx(expected[0])
    assert probability.kl(np.stack([a, a, a]), b) == pytest.approx(np.array([expected] * 3))


def test_without_logits_a_change_is_how_far_the_last_vectors_turn():
    trace = run(WHOLE)
    mute = replace(trace, logits=np.zeros((len(trace.tokens), 0), np.float32))
    other = replace(mute, final_norm=replace(trace.final_norm, out=-trace.final_norm.out))
    assert prediction_change.prediction_change(mute, other) == pytest.approx(np.full(len(trace.tokens), 2.0))
    assert prediction_change.prediction_change(mute, mute) == pytest.approx(np.zeros(len(trace.tokens)), abs=1e-6)


def test_the_spread_of_a_trace_is_the_mean_entropy_of_the_rows_of_all_its_heads():
    trace = run(WHOLE)
    shape = trace.layers[0].attention.weights.shape
    even, sharp = np.full(shape, 1 / shape[-1]), np.broadcast_to(np.eye(shape[-1]), shape)
    layers = [
        replace(layer, attention=replace(layer.attention, weights=weights))
        for layer, weights in zip(trace.layers, (even, sharp, sharp), strict=True)
    ]
    assert prediction_change.mean_entropy(replace(trace, layers=tuple(layers))) == pytest.approx(
        math.log(shape[-1]) / 3
    )


@pytest.mark.parametrize("layer", [0, 2])
@pytest.mark.parametrize("name", ["resid_pre", "resid_mid", "resid_post", "attention weights"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_single_broken_number_in_any_stage_is_found(layer, name, bad):
    trace = run(WHOLE)
    layer_trace = trace.layers[layer]
    if name == "attention weights":
        broken = layer_trace.attention.weights.copy()
        broken[1, 2, 0] = bad
        changed = replace(layer_trace, attention=replace(layer_trace.attention, weights=broken))
    else:
        broken = getattr(layer_trace, name).copy()
        broken[1, 3] = bad
        changed = replace(layer_trace, **{name: broken})
    layers = tuple(changed if index == layer else item for index, item in enumerate(trace.layers))
    assert prediction_change.first_nonfinite(replace(trace, layers=layers)) == f"layer {layer}, {name}"


def test_broken_logits_are_found_where_all_layers_are_whole():
    trace = run(WHOLE)
    logits = trace.logits.copy()
    logits[0, 1] = np.nan
    assert prediction_change.first_nonfinite(replace(trace, logits=logits)) == "the logits"


def test_the_loss_on_a_text_leaves_out_the_first_token_and_the_last_prediction():
    trace = run(WHOLE)
    logits = np.log(np.array([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8], [1 / 3, 1 / 3, 1 / 3]]))
    result = prediction_change.text_loss(replace(trace, logits=logits), (0, 1, 2))
    assert result == pytest.approx(-(math.log(0.25) + math.log(0.8)) / 2)


def test_rank_agreement_by_hand():
    # Ranks 0, 1, 2, 3 against 0, 2, 1, 3: 1 − 6 Σ d² / (n (n² − 1)) = 1 − 12 / 60.
    assert attribution.rank_correlation(np.array([1.0, 2, 3, 4]), np.array([10.0, 30, 20, 40])) == pytest.approx(0.8)


def test_held_out_sentences_are_the_same_number_every_time_and_every_probe_is_counted():
    result = ablation.evaluate_held_out("grammar")
    assert result.sentences == ablation.HELD_OUT
    assert set(result.n) == set(result.accuracy)
    assert all(n > 0 and 0 <= result.accuracy[kind] <= 1 for kind, n in result.n.items())


def test_the_passages_are_the_held_out_text_where_no_generator_is():
    assert ablation.evaluate_held_out("stories").sentences == len(PASSAGES)
