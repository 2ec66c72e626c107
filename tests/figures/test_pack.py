"""From arrays to one block of bytes for the browser, and back."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from equal import same_bits
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from unpack import unpack

from viz.canvas.machine import encode_vectors
from viz.pack import ABSENT, FULL, MOST_PIXELS, NOT_A_NUMBER, encode_weights, pack

FRONTEND = Path(__file__).parents[2] / "viz/canvas/frontend"


def everything(shape):
    return np.ones(shape, dtype=bool)


def test_what_is_packed_comes_out():
    weights = np.arange(6, dtype=np.float32).reshape(2, 3) / 7
    cells = np.array([[[1, 2, 255]]], dtype=np.uint8)
    header, arrays = unpack(
        pack({"tokens": ["a", "שלום", "👩🏽\u200d🚀", "<b>"], "row": 3}, weights=weights, cells=cells)
    )
    assert header == {"tokens": ["a", "שלום", "👩🏽\u200d🚀", "<b>"], "row": 3}
    assert same_bits(arrays["weights"], weights, "copied")
    assert same_bits(arrays["cells"], cells)


def test_a_block_may_hold_no_array():
    assert unpack(pack({"file": "x"})) == ({"file": "x"}, {})


def test_half_a_character_in_a_token_still_packs():
    assert pack({"tokens": ["\ud800"]})


@settings(deadline=None)
@given(
    st.dictionaries(
        st.text(min_size=1).filter(lambda name: name != "arrays"), st.text() | st.integers() | st.booleans()
    ),
    arrays.arrays(np.uint8, arrays.array_shapes(max_dims=4, max_side=7)),
    arrays.arrays(np.float32, arrays.array_shapes(max_dims=2, max_side=7), elements=st.floats(-1, 1, width=32)),
)
def test_anything_packed_comes_out(header, bytes_, floats):
    values, result = unpack(pack(header, bytes_=bytes_, floats=floats))
    assert values == header
    assert same_bits(result["bytes_"], bytes_)
    assert same_bits(result["floats"], floats, "copied")


def test_every_array_begins_at_a_multiple_of_four():
    block = pack({"odd": "x"}, a=np.zeros(3, np.uint8), b=np.zeros(5, np.uint8), c=np.zeros(2, np.float32))
    length = int.from_bytes(block[:4], "little")
    starts = [array["at"] for array in json.loads(block[4 : 4 + length])["arrays"].values()]
    assert [(4 + length + start) % 4 for start in starts] == [0, 0, 0]
    assert len(block) % 4 == 0


def test_the_browser_knows_the_same_codes():
    scripts = "\n".join(path.read_text(encoding="utf-8") for path in FRONTEND.glob("**/*.js"))
    values = set(re.findall(r"const (FULL|NOT_A_NUMBER|ABSENT) = (\d+);", scripts))
    assert values == {("FULL", str(FULL)), ("NOT_A_NUMBER", str(NOT_A_NUMBER)), ("ABSENT", str(ABSENT))}


def test_each_kind_of_cell_has_its_code():
    weights = np.array([[[[0.0, 1.0, 0.5, np.nan, np.inf, 0.9]]]])
    mask = np.array([[[[True, True, True, True, True, False]]]])
    assert encode_weights(weights, mask).ravel().tolist() == [0, FULL, FULL // 2, NOT_A_NUMBER, NOT_A_NUMBER, ABSENT]


def test_a_weight_that_is_nought_is_not_an_absent_one():
    code = encode_weights(np.zeros((1, 1, 2, 2)), np.tril(everything((1, 1, 2, 2))))
    assert code[0, 0].tolist() == [[0, ABSENT], [0, 0]]


@settings(deadline=None)
@given(arrays.arrays(np.float64, (1, 1, 4, 4), elements=st.floats(0, 1)))
def test_a_code_is_the_weight_to_one_part_in_five_hundred(weights):
    code = encode_weights(weights, everything(weights.shape))
    assert np.abs(code / FULL - weights).max() <= 0.5 / FULL + 1e-12


@pytest.mark.parametrize("n", [1, 2, 63, 64])
def test_a_map_that_fits_is_not_pooled(n):
    assert encode_weights(np.zeros((2, 3, n, n)), everything((2, 3, n, n))).shape == (2, 3, n, n)


@pytest.mark.parametrize("n", [65, 100, 128, 129, 512])
def test_a_larger_map_is_pooled_to_the_most(n):
    assert encode_weights(np.zeros((1, 2, n, n)), everything((1, 2, n, n))).shape == (1, 2, MOST_PIXELS, MOST_PIXELS)


def blocks(n, most):
    """Which block each of n positions falls into, as in the browser (blockOf in head_grid.js)."""
    return ((np.arange(n) + 1) * most - 1) // n


@pytest.mark.parametrize(("rows", "columns"), [(65, 65), (100, 70), (70, 130), (512, 512)])
def test_a_pooled_cell_shows_the_largest_weight_of_its_block(rows, columns):
    weights = np.random.default_rng(rows).random((1, 1, rows, columns)) ** 8
    code = encode_weights(weights, everything(weights.shape))[0, 0]
    blocks_of = np.meshgrid(blocks(rows, 64), blocks(columns, 64), indexing="ij")
    largest = np.zeros((64, 64))
    np.maximum.at(largest, tuple(blocks_of), weights[0, 0])
    assert same_bits(code, np.round(largest * FULL))


def test_one_bright_cell_among_a_quarter_million_is_seen():
    for row, column in [(0, 0), (511, 0), (511, 511), (255, 256)]:
        weights = np.zeros((1, 1, 512, 512))
        weights[0, 0, row, column] = 1
        code = encode_weights(weights, everything(weights.shape))[0, 0]
        assert np.argwhere(code == FULL).tolist() == [[blocks(512, 64)[row], blocks(512, 64)[column]]]


def test_a_pooled_cell_is_absent_only_where_its_whole_block_is():
    n = 200
    mask = np.tril(everything((1, 1, n, n)))
    code = encode_weights(np.zeros((1, 1, n, n)), mask)[0, 0]
    blocks_of = np.meshgrid(blocks(n, 64), blocks(n, 64), indexing="ij")
    some = np.zeros((64, 64), dtype=bool)
    np.logical_or.at(some, tuple(blocks_of), mask[0, 0])
    assert same_bits(code == ABSENT, ~some)


def test_a_value_that_is_no_number_is_not_pooled_away():
    weights = np.zeros((1, 1, 300, 300))
    weights[0, 0, 299, 7] = np.nan
    assert (encode_weights(weights, everything(weights.shape)) == NOT_A_NUMBER).sum() == 1


def test_twelve_layers_of_twelve_heads_stay_small():
    block = pack({}, cells=encode_weights(np.zeros((12, 12, 256, 256), np.float32), everything((12, 12, 256, 256))))
    assert len(block) < 600_000


def test_a_strip_shows_the_number_farthest_from_zero_on_the_scale_of_its_own_place():
    small = np.array([[[0.0, 0.1, -0.4, 0.2], [0.1, 0.0, 0.1, 0.4]]])  # (1, 2, 4)
    codes = encode_vectors(np.concatenate([small, 100 * small]), cells=2)
    half = FULL // 2
    assert codes.shape == (2, 2, 2) and codes.dtype == np.uint8
    assert codes[0].tolist() == codes[1].tolist(), "each place has its own limit"
    root = half * np.sqrt(0.1 / 0.4)
    assert codes[0].tolist() == [[round(half + root), 0], [round(half + root), FULL]]


def test_a_strip_of_zeros_or_of_no_numbers_is_zero_everywhere():
    for nothing in (0.0, np.nan, np.inf):
        assert set(encode_vectors(np.full((1, 2, 30), nothing)).ravel().tolist()) == {FULL // 2}
