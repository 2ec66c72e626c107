"""The table of waves by its formula, sine and cosine by sine and cosine."""

import math

import pytest
from equal import same_bits

from model.analysis.sinusoid import table


@pytest.mark.parametrize("base", [10000.0, 100.0])
def test_the_table_holds_the_sine_and_the_cosine_of_every_place_and_pair(base):
    waves = table(5, 6, base)
    assert waves.shape == (5, 6)
    for place in range(5):
        for pair in range(3):
            angle = place / base ** (2 * pair / 6)
            assert waves[place, 2 * pair].item() == pytest.approx(math.sin(angle), abs=1e-6)
            assert waves[place, 2 * pair + 1].item() == pytest.approx(math.cos(angle), abs=1e-6)


def test_the_base_of_the_table_is_that_of_the_paper_where_none_is_given():
    assert same_bits(table(3, 4), table(3, 4, 10000.0), "same operation")
