"""The measures of heads, over several heads at once and in the type of the weights."""

import math

import numpy as np
import pytest

from model.analysis.attention_metrics import distance, divergence, entropy, rollout
from model.evaluation.head_scores import score_relations
from model.tasks import Relation

ROWS = np.array([[1, 0, 0], [0.5, 0.5, 0], [0.2, 0.3, 0.5]])
BACK = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0]], dtype=float)


def test_the_distance_of_every_row_of_several_heads_is_measured_on_its_own():
    result = distance(np.stack([ROWS, BACK]))
    assert result.shape == (2, 3)
    assert result == pytest.approx(np.array([[0, 0.5, 0.7], [0, 1, 1]]))


def test_the_entropy_of_every_row_of_several_heads_is_measured_on_its_own():
    result = entropy(np.stack([ROWS, BACK]))
    spread = -(0.2 * math.log(0.2) + 0.3 * math.log(0.3) + 0.5 * math.log(0.5))
    assert result == pytest.approx(np.array([[0, math.log(2), spread], [0, 0, 0]]))


def test_the_divergence_of_every_pair_of_rows_is_measured_on_its_own():
    p = np.array([[0.5, 0.5], [1.0, 0.0]])
    q = np.array([0.25, 0.75])
    assert divergence(p, q) == pytest.approx(np.array([0.5 * math.log(2) + 0.5 * math.log(2 / 3), math.log(4)]))


def test_rollout_keeps_the_precision_of_the_weights():
    for kind in (np.float32, np.float64):
        assert rollout(BACK[None, None].astype(kind)).dtype == kind


def test_scores_keep_the_precision_of_the_weights():
    score = score_relations([(BACK[None, None].astype(np.float32), [Relation("back", 1, (0,))])])["back"]
    assert score.mass.dtype == score.top1.dtype == np.float32
