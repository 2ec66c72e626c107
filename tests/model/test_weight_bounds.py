"""Weights that somebody brings: the sums and the sizes that a message tells, and steps of a model that writes."""

import numpy as np
import pytest
from equal import close

from viz.export.library_outputs import attention_array
from viz.export.npz import ArraysError
from viz.export.weight_values import check_values, warnings_of


def finite(weights):
    return np.ones(weights.shape, bool)


def test_sums_that_differ_are_told_from_the_least_to_the_greatest():
    weights = np.array([[[[0.25, 0.25], [0.5, 0.25], [0.5, 0.5]]]])
    (values,) = warnings_of(weights, finite(weights))
    assert values.startswith("2 of 3 rows do not sum to 1: the sums are 0.50 to 0.75.")
    assert "dropout" not in values


def test_sums_that_are_alike_are_told_once():
    weights = np.full((1, 1, 2, 2), 0.25)
    assert warnings_of(weights, finite(weights))[0].startswith("No row sums to 1: the sum is 0.50.")


def test_sums_on_both_sides_of_one_come_from_dropout():
    weights = np.array([[[[0.4, 0.4], [0.8, 0.8]]]])
    values = warnings_of(weights, finite(weights))[0]
    assert "0.80 to 1.60" in values and "model.eval()" in values


def test_a_row_without_a_cell_has_no_sum():
    weights = np.array([[[[0.0, 0.0], [0.5, 0.5]]]])
    assert warnings_of(weights, np.array([[[[False, False], [True, True]]]])) == ()


@pytest.mark.parametrize("rows", [2, 3, 5])
def test_steps_of_generate_grow_by_a_column_a_row_with_a_cache(rows):
    steps = [tuple(np.full((1, 2, 1, t + 1), t + 1.0) for _ in range(3)) for t in range(rows)]
    joined = attention_array(tuple(steps))
    assert joined.shape[-4:] == (3, 2, rows, rows)
    assert joined.dtype == np.float32
    for t in range(rows):
        assert close(joined[..., t, : t + 1], np.full((3, 2, t + 1), t + 1.0))
        assert np.isnan(joined[..., t, t + 1 :]).all()


def test_a_window_of_a_cache_is_refused_with_its_columns():
    widths = [1, 2, 2]
    steps = tuple(tuple(np.ones((1, 1, 1, width)) for _ in range(2)) for width in widths)
    with pytest.raises(ArraysError, match="have 1, 2, 2 columns"):
        attention_array(steps)


def test_dropout_is_told_only_where_sums_could_come_from_it():
    scaled = np.array([[[[1.5, 0.0], [0.0, 1.5]]]])
    with pytest.raises(ArraysError, match="Dropout"):
        check_values(scaled, finite(scaled), False)
    scores = np.array([[[[1.9, 1.9, 1.9], [1.8, 1.7, 1.9]]]])
    with pytest.raises(ArraysError, match="softmax"):
        check_values(scores, finite(scores), False)
