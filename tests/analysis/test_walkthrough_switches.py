"""A walk through a head whose model lacks a part or turns its vectors; and the two forms at their limits."""

import numpy as np
import pytest
from equal import differ, same_bits

from model import Experiment, Switches, run
from model.analysis.head_walkthrough import walk_through_row
from model.analysis.loop_attention import attention_loop, compare

TEXT = "the dog sleeps ."


def walked(experiment):
    trace = run(experiment)
    return trace, walk_through_row(experiment, trace, 1, 2, 3)


def test_without_the_norm_attention_reads_the_stream_as_it_is():
    trace, layer_trace = walked(Experiment(text=TEXT, switches=Switches(norm=False)))
    assert (layer_trace.mean, layer_trace.std) == (0, 1)
    assert same_bits(layer_trace.x, trace.layers[1].resid_pre, "copied")


def test_with_the_norm_mean_and_spread_are_those_of_the_stream():
    trace, layer_trace = walked(Experiment(text=TEXT))
    stream = trace.layers[1].resid_pre[3].astype(np.float64)
    assert layer_trace.mean == pytest.approx(stream.mean(), abs=1e-5)
    assert layer_trace.std == pytest.approx(stream.std(), rel=1e-3)
    assert differ(layer_trace.x, trace.layers[1].resid_pre)


@pytest.mark.parametrize(
    ("weights", "switches", "turned"),
    [
        ("grammar", Switches(), False),
        ("order-decoder-rope", Switches(), True),
        ("order-decoder-rope", Switches(position=False), False),
        ("order-decoder-alibi", Switches(), False),
    ],
)
def test_only_rope_turns_queries_and_keys_and_only_where_positions_are_there(weights, switches, turned):
    experiment = Experiment(weights, TEXT if weights == "grammar" else "3 a 7 b ?", switches=switches)
    assert walk_through_row(experiment, run(experiment), 1, 2, 3).rotated == turned


def test_rows_of_very_large_scores_still_sum_to_one():
    q, k, v = np.array([[1000.0]]), np.array([[2.0], [1.0], [-3.0]]), np.array([[1.0], [2.0], [4.0]])
    weights, z = attention_loop(q, k, v, np.ones((1, 3), bool), np.zeros((1, 3)))
    assert weights.tolist() == [[1, 0, 0]] and z.tolist() == [[1]]


def test_both_forms_agree_in_their_weights_and_in_their_outputs():
    draws = np.random.default_rng(0)
    q, k, v = draws.normal(size=(4, 3)), draws.normal(size=(5, 3)), 3 + draws.normal(size=(5, 2))
    single, double = compare(q, k, v, np.ones((4, 5), bool), np.zeros((4, 5)))
    assert single.weights_difference < 1e-6 and single.z_difference < 1e-5
    assert double.weights_difference < 1e-14 and double.z_difference < 1e-13
    assert (
        attention_loop(*(x.astype(np.float32) for x in (q, k, v)), np.ones((4, 5), bool), np.zeros((4, 5), np.float32))[
            1
        ].dtype
        == np.float32
    )
