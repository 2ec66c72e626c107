"""Masks: True means may attend."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from model import mask as masks

sizes = st.integers(1, 9)


@pytest.fixture(scope="module")
def at():
    return torch.arange(4)


def test_causal_is_a_triangle(at):
    assert masks.causal(at, at).int().tolist() == [[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]]


def test_a_window_of_two_is_a_band(at):
    assert masks.window(at, at, 2).int().tolist() == [[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 1], [0, 0, 1, 1]]


def test_a_prefix_of_two_is_seen_by_all(at):
    assert masks.prefix(at, at, 2).int().tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]]


def test_filler_is_seen_by_nobody():
    real = torch.tensor([[True, True, False], [True, False, False]])
    assert masks.padding(real).shape == (2, 1, 1, 3)
    assert masks.padding(real).squeeze().tolist() == real.tolist()


@given(T=sizes, S=sizes, number=sizes)
def test_masks_say_what_their_rule_says_cell_by_cell(device, T, S, number):
    queries, keys = torch.arange(T, device=device) + 2, torch.arange(S, device=device)
    rules = {
        masks.causal(queries, keys): lambda q, k: k <= q,
        masks.everything(queries, keys): lambda q, k: True,
        masks.window(queries, keys, number): lambda q, k: abs(k - q) < number,
        masks.prefix(queries, keys, number): lambda q, k: k <= q or k < number,
    }
    for mask, rule in rules.items():
        assert mask.dtype == torch.bool
        assert mask.device.type == device.type
        assert mask.tolist() == [[rule(q, k) for k in range(S)] for q in range(2, T + 2)]


def test_a_prepared_mask_says_the_same_in_numbers(device):
    allowed = torch.tensor([[True, False], [False, False], [True, True]], device=device)
    ready = masks.prepare(allowed)
    inf = float("inf")
    assert ready.allowed is allowed
    assert ready.floor.tolist() == [[0, -inf], [-inf, -inf], [0, 0]]
    assert ready.nothing.tolist() == [[False], [True], [False]]
    assert masks.prepare(allowed[[0, 2]]).nothing is None
