"""Measures by sums done on paper, and by laws that hold for every map."""

import math

import numpy as np
import pytest
from equal import same_bits

from model.analysis.attention_metrics import distance, divergence, entropy, reachable, rollout
from model.evaluation.head_scores import score_relations
from model.tasks import Relation


def some_weights(*shape: int) -> np.ndarray:
    """Random causal maps whose rows sum to 1."""
    raw = np.random.default_rng(0).random(shape) * np.tri(shape[-1])
    return raw / raw.sum(-1, keepdims=True)


def test_a_look_at_one_token_has_no_entropy_and_an_even_look_has_ln_n():
    rows = np.array([[1.0, 0, 0, 0], [0.5, 0.5, 0, 0], [0.25, 0.25, 0.25, 0.25]])
    assert entropy(rows) == pytest.approx([0, math.log(2), math.log(4)])


def test_entropy_lies_between_0_and_ln_of_the_tokens_that_may_be_seen():
    result = entropy(some_weights(2, 3, 7, 7))
    assert (result >= 0).all()
    assert (result <= np.log(np.arange(1, 8)) + 1e-12).all()


def test_distance_by_hand():
    weights = np.array([[1, 0, 0], [0.5, 0.5, 0], [0.2, 0.3, 0.5]])
    assert distance(weights) == pytest.approx([0, 0.5, 0.2 * 2 + 0.3 * 1])


def test_distance_between_two_different_texts_is_refused():
    with pytest.raises(ValueError, match="not 2 and 3"):
        distance(np.ones((2, 3)) / 3)


def test_rollout_of_one_layer_is_half_attention_and_half_oneself():
    weights = np.array([[[[1, 0], [0.4, 0.6]], [[1, 0], [0.8, 0.2]]]])  # one layer, two heads; their mean: .6 and .4
    assert rollout(weights) == pytest.approx(np.array([[1, 0], [0.3, 0.7]]))


def test_rollout_of_two_layers_passes_on_what_the_first_one_heard():
    back = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0]], dtype=float)  # everybody looks one word back
    result = rollout(np.stack([back, back])[:, None])
    assert result[2] == pytest.approx([0.25, 0.5, 0.25])  # two steps, one step of either layer, none


FIRST, SECOND = (
    np.array([[1, 0, 0], [0.4, 0.6, 0], [0.1, 0.2, 0.7]]),
    np.array([[1, 0, 0], [0.9, 0.1, 0], [0.5, 0.2, 0.3]]),
)


def test_a_rollout_is_the_second_layer_times_the_first_and_not_the_other_way_round():
    result = rollout(np.stack([FIRST, SECOND])[:, None])
    # (SECOND + I) / 2 has the row .25 .1 .65; (FIRST + I) / 2 the rows 1 0 0, .2 .8 0, .05 .1 .85.
    assert result[2] == pytest.approx([0.25 + 0.1 * 0.2 + 0.65 * 0.05, 0.1 * 0.8 + 0.65 * 0.1, 0.65 * 0.85])
    other = rollout(np.stack([SECOND, FIRST])[:, None])
    assert abs(result - other).max() > 4e-3, "the order of the layers shows in these maps"


def test_a_rollout_without_the_residual_is_the_product_of_the_layers_alone():
    result = rollout(np.stack([FIRST, SECOND])[:, None], residual=False)
    assert result[2] == pytest.approx([0.5 + 0.2 * 0.4 + 0.3 * 0.1, 0.2 * 0.6 + 0.3 * 0.2, 0.3 * 0.7])
    assert result[1] == pytest.approx([0.9 + 0.1 * 0.4, 0.1 * 0.6, 0])


@pytest.mark.parametrize("residual", [True, False])
def test_a_rollout_is_exactly_zero_where_no_path_leads_and_only_there(residual):
    random = np.random.default_rng(3)
    mask = random.random((2, 2, 9, 9)) < 0.08
    mask[..., 0] = True  # no row is empty
    weights = np.where(mask, random.random(mask.shape), 0)
    weights /= weights.sum(-1, keepdims=True)
    result, reached = rollout(weights, residual), reachable(mask, residual)
    assert same_bits(result > 0, reached)
    assert not reached.all() and (reached != mask[0, 0]).any()


def test_the_cells_of_a_rollout_are_not_those_of_its_first_layer():
    back, own = np.eye(3, k=-1, dtype=bool), np.eye(3, dtype=bool)  # row t has the cell t - 1 alone; the cell t alone
    layers = np.stack([own, back])[:, None]
    assert reachable(layers).tolist() == (own | back).tolist()
    assert reachable(layers, residual=False).tolist() == back.tolist()
    assert reachable(np.stack([back, back])[:, None], residual=False).tolist() == np.eye(3, k=-2, dtype=bool).tolist()


@pytest.mark.parametrize("residual", [True, False])
def test_rows_of_a_rollout_sum_to_one_and_never_hear_the_future(residual):
    result = rollout(some_weights(4, 3, 9, 9), residual)
    assert result.sum(-1) == pytest.approx(np.ones(9))
    assert (np.triu(result, 1) == 0).all()


def test_divergence_by_hand_is_zero_only_between_equals():
    p, q = np.array([0.5, 0.5, 0]), np.array([0.25, 0.5, 0.25])
    assert divergence(p, q) == pytest.approx(0.5 * math.log(2))
    assert divergence(p, p) == 0
    assert divergence(q, p) == math.inf


def test_divergence_is_never_negative():
    p, q = some_weights(5, 5, 5), some_weights(6, 5, 5)[:5][::-1]
    assert (divergence(p, q) >= -1e-12).all()


def test_relation_scores_by_hand():
    # Two heads; the third word looks. Gold is word 0 or 1.
    weights = np.zeros((1, 2, 3, 3))
    weights[0, 0, 2] = [0.3, 0.2, 0.5]
    weights[0, 1, 2] = [0.1, 0.8, 0.1]
    score = score_relations([(weights, [Relation("either", 2, (0, 1))]), (weights, [Relation("either", 2, (0,))])])
    assert score["either"].n == 2
    assert score["either"].mass == pytest.approx(np.array([[(0.5 + 0.3) / 2, (0.9 + 0.1) / 2]]))
    assert score["either"].top1 == pytest.approx(np.array([[0, 0.5]]))


def test_a_head_that_always_finds_gold_scores_one_and_heads_stay_apart():
    T = 6
    weights = np.stack([np.eye(T, k=-1), np.eye(T)])[None]  # (L=1, H=2, T, T)
    weights[0, 0, 0, 0] = 1
    score = score_relations([(weights, [Relation("previous token", t, (t - 1,)) for t in range(1, T)])])
    assert score["previous token"].mass.tolist() == score["previous token"].top1.tolist() == [[1, 0]]
