"""The waves of the sinusoidal encoding: how long they are, and that a step is one rotation wherever it begins."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from model.analysis.sinusoid import rotation, rotation_error, wavelengths
from model.position import sinusoid

widths = st.integers(1, 32).map(lambda pairs: 2 * pairs)
bases = st.floats(2, 1e5)
steps = st.integers(0, 500)


def places(*positions):
    return torch.tensor(positions, dtype=torch.float64)


@given(width=widths, base=bases)
def test_wavelengths_grow_geometrically_from_2_pi_towards_base_times_2_pi(width, base):
    lengths = wavelengths(width, base)
    assert lengths[0].item() == pytest.approx(2 * math.pi)
    # One more factor would reach base · 2π: that is what "from 2π to 10000 · 2π" leaves out.
    assert (lengths[-1] * base ** (2 / width)).item() == pytest.approx(base * 2 * math.pi)
    ratios = (lengths[1:] / lengths[:-1]).numpy()
    np.testing.assert_allclose(ratios, base ** (2 / width), rtol=1e-9)


@given(width=widths, base=bases, position=st.floats(0, 100))
def test_after_its_wavelength_a_wave_stands_where_it_stood(width, base, position):
    for pair, length in enumerate(wavelengths(width, base).tolist()):
        first, later = sinusoid(places(position, position + length), width, base)[:, 2 * pair : 2 * pair + 2]
        torch.testing.assert_close(first, later, atol=1e-8, rtol=0)


@given(k=steps, width=widths, base=bases)
def test_a_step_is_the_same_rotation_from_every_place(k, width, base):
    assert rotation_error(k, 256, width, base) < 1e-11


def test_the_residual_would_show_a_wrong_step():
    positions = torch.arange(64, dtype=torch.float64)
    turned = sinusoid(positions, 16) @ rotation(3, 16).T
    assert (sinusoid(positions + 4, 16) - turned).abs().max() > 0.1


@given(j=steps, k=steps, width=widths, base=bases)
def test_rotations_keep_lengths_and_add_up(j, k, width, base):
    first, second = rotation(j, width, base), rotation(k, width, base)
    torch.testing.assert_close(first @ first.T, torch.eye(width, dtype=torch.float64))
    torch.testing.assert_close(first @ second, rotation(j + k, width, base), atol=1e-9, rtol=0)


@given(k=steps, width=widths)
def test_a_rotation_is_one_block_for_each_pair_and_zero_elsewhere(k, width):
    matrix = rotation(k, width)
    blocks = torch.block_diag(*[torch.ones(2, 2)] * (width // 2)).bool()
    assert not matrix[~blocks].any()


def test_the_rotation_of_one_pair_done_by_hand():
    # sin(a + 2) = cos 2 · sin a + sin 2 · cos a
    expected = [[math.cos(2), math.sin(2)], [-math.sin(2), math.cos(2)]]
    assert rotation(2, 2).tolist() == [pytest.approx(row) for row in expected]


def test_waves_without_a_partner_cannot_turn():
    with pytest.raises(ValueError, match="the width must be even, not 5"):
        rotation(1, 5)
