"""ModelConfig: frozen, and refused when it cannot be built."""

from dataclasses import FrozenInstanceError

import pytest

from model.config import ModelConfig, lookup


def test_a_config_is_frozen_and_hashable():
    assert hash(ModelConfig(5)) == hash(ModelConfig(5))
    with pytest.raises(FrozenInstanceError):
        ModelConfig(5).n_layers = 2


def test_heads_share_the_width_unless_told_otherwise():
    config = ModelConfig(5, n_heads=4, d_model=20)
    assert (config.key_width, config.value_width) == (5, 5)
    config = ModelConfig(5, n_heads=3, d_model=20, d_k=2, d_v=7)
    assert (config.key_width, config.value_width) == (2, 7)


@pytest.mark.parametrize("name", ["vocab_size", "n_layers", "n_heads", "d_model", "d_ff", "context", "d_k", "d_v"])
@pytest.mark.parametrize("size", [0, -1, 2.0, "8", True])
def test_a_size_that_is_no_positive_whole_number_is_refused(name, size):
    with pytest.raises(ValueError, match=f"{name} must be a whole number, at least 1, not {size!r}"):
        ModelConfig(**{"vocab_size": 5, name: size})


@pytest.mark.parametrize("name", ["vocab_size", "n_layers", "n_heads", "d_model", "d_ff", "context"])
def test_only_head_widths_may_be_left_open(name):
    with pytest.raises(ValueError, match=f"{name} must be a whole number"):
        ModelConfig(**{"vocab_size": 5, name: None})


def test_heads_that_cannot_share_evenly_are_refused():
    with pytest.raises(ValueError, match="3 heads cannot share a width of 64 evenly: give d_k and d_v"):
        ModelConfig(5, n_heads=3)


def test_a_place_for_the_norm_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match='norm must be "pre", "post" or "none", not "sandwich"'):
        ModelConfig(5, norm="sandwich")


def test_a_choice_is_an_entry_of_its_table_or_an_error_that_names_them_all():
    assert lookup({"a": 1, "b": 2}, "letter", "b") == 2
    with pytest.raises(ValueError, match='letter must be one of a, b, not "c"'):
        lookup({"a": 1, "b": 2}, "letter", "c")
