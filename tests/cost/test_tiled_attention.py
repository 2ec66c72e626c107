"""Attention tile by tile is attention."""

import math

import pytest
import torch
from equal import close
from hypothesis import given
from hypothesis import strategies as st
from pytorch_reference import seeds

from model.attention import attend
from model.cost.tiled_attention import tiled_attention

tiles = st.tuples(st.integers(1, 12), st.integers(1, 12))


def vectors(seed, n_queries, n_keys, spread=1.0):
    torch.manual_seed(seed)
    shapes = [(2, 2, n_queries, 3), (2, 2, n_keys, 3), (2, 2, n_keys, 4)]
    return [spread * torch.randn(shape, dtype=torch.float64) for shape in shapes]


@given(seeds, st.integers(1, 9), st.integers(1, 9), tiles, st.booleans(), st.sampled_from([1.0, 30.0]))
def test_without_a_mask_it_is_attend(seed, n_queries, n_keys, tile, scale, spread):
    q, k, v = vectors(seed, n_queries, n_keys, spread)
    trace = tiled_attention(q, k, v, tile, scale=scale)
    reference = attend(q, k, v, scale=scale).z
    assert (trace.z - reference).abs().max() < 1e-12 * max(1.0, float(reference.abs().max()))
    assert len(trace.steps) == math.ceil(n_queries / tile[0]) * math.ceil(n_keys / tile[1]) and not trace.skipped


@given(seeds, st.integers(1, 10), tiles)
def test_with_a_causal_mask_it_is_attend_and_skips_what_is_forbidden(seed, n, tile):
    q, k, v = vectors(seed, n, n)
    mask = torch.ones(n, n, dtype=torch.bool).tril()
    trace = tiled_attention(q, k, v, tile, mask)
    assert (trace.z - attend(q, k, v, mask).z).abs().max() < 1e-12
    expected = [(t, s) for t in range(0, n, tile[0]) for s in range(0, n, tile[1]) if s > min(t + tile[0], n) - 1]
    assert list(trace.skipped) == expected


@given(seeds, st.integers(1, 8), st.integers(1, 8), tiles)
def test_with_any_mask_it_is_attend_also_in_a_row_without_keys(seed, n_queries, n_keys, tile):
    q, k, v = vectors(seed, n_queries, n_keys)
    mask = torch.rand(2, 1, n_queries, n_keys) < 0.4
    mask[0, :, 0] = False
    trace = tiled_attention(q, k, v, tile, mask)
    assert (trace.z - attend(q, k, v, mask).z).abs().max() < 1e-12
    assert (trace.z[0, :, 0] == 0).all()


@given(seeds, tiles)
def test_after_each_tile_the_running_numbers_are_those_of_the_keys_so_far(seed, tile):
    q, k, v = vectors(seed, 7, 9)
    scaled = attend(q, k, v).scaled
    for step in tiled_attention(q, k, v, tile).steps:
        rows = slice(step.query_start, step.query_start + tile[0])
        seen = scaled[:, :, rows, : step.key_start + tile[1]]
        weights = (seen - seen.amax(-1, keepdim=True)).exp()
        assert close(step.running_maximum, seen.amax(-1), 1e-12, 1e-12)
        assert close(step.running_sum, weights.sum(-1), 1e-12, 1e-12)
        assert close(step.running_output, weights @ v[:, :, : seen.size(-1)], 1e-12, 1e-12)
        assert (step.correction <= 1).all() and step.exponentials.shape == step.scores.shape


def test_the_first_tile_of_a_row_has_nothing_to_correct():
    steps = tiled_attention(*vectors(0, 4, 6), (2, 3)).steps
    assert all((step.correction == 0).all() == (step.key_start == 0) for step in steps)


@pytest.mark.parametrize("tile", [(0, 1), (1, 0)])
def test_an_empty_tile_is_refused(tile):
    with pytest.raises(ValueError, match="at least one query and one key"):
        tiled_attention(*vectors(0, 2, 2), tile)
