"""Every part that can be taken away: what is left is PyTorch's model built without it."""

from dataclasses import FrozenInstanceError, fields, replace

import pytest
from equal import same_bits
from hypothesis import given
from hypothesis import strategies as st
from pytorch_reference import REMOVABLE, assert_same, assert_same_gradients, build, random_ids, twin_logits

from model.config import ModelConfig
from model.position import POSITIONS
from model.switches import HEAD_FIELDS, PARTS, Switches

NAMES = [part.name for part in PARTS]
some_switches = st.builds(
    Switches,
    **{name: st.booleans() for name in NAMES},
    **{field: st.frozensets(st.tuples(st.integers(0, 3), st.integers(0, 3))) for field in HEAD_FIELDS},
)


def config_with(norm: str, position: str = "sinusoidal") -> ModelConfig:
    return ModelConfig(11, 2, 2, 8, 12, context=8, norm=norm, position=position, embedding_norm=True)


def test_every_part_has_a_twin_without_it():
    assert set(NAMES) == REMOVABLE
    assert {f.name for f in fields(Switches)} == REMOVABLE | set(HEAD_FIELDS)


@pytest.mark.parametrize("norm", ["pre", "post", "none"])
@pytest.mark.parametrize("removed", NAMES)
def test_removing_a_part_gives_torchs_model_built_without_it(device, removed, norm):
    config = config_with(norm)
    transformer, ids = build(config, 1, device), random_ids(config, 2, 5, device)
    switches = Switches(**{removed: False})
    logits, expected = transformer(ids, switches=switches).logits, twin_logits(transformer, ids, switches=switches)
    assert_same(logits, expected)
    assert_same_gradients(logits, expected, transformer.parameters())


@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize("removed", NAMES)
def test_every_part_matters(device, removed, norm):
    config = config_with(norm)
    transformer, ids = build(config, 1, device, std=0.5), random_ids(config, 2, 5, device)
    intact, ablated = transformer(ids).logits, transformer(ids, switches=Switches(**{removed: False})).logits
    assert (intact - ablated).abs().max() > 0.01


@pytest.mark.parametrize("position", POSITIONS)
def test_removing_the_position_leaves_the_model_that_never_had_one(device, position):
    config = config_with("pre", position)
    transformer, ids = build(config, 1, device), random_ids(config, 2, 5, device)
    bare = build(replace(config, position="none"), 1, device)
    bare.load_state_dict({k: v for k, v in transformer.state_dict().items() if not k.startswith("position.")})
    assert_same(transformer(ids, switches=Switches(position=False)).logits, bare(ids).logits)
    if position != "none":
        assert (transformer(ids).logits - bare(ids).logits).abs().max() > 1e-3


@pytest.mark.parametrize("removed", NAMES)
def test_trained_without_a_part_runs_without_it_whatever_the_switches_say(device, removed):
    without = Switches(**{removed: False})
    config = config_with("pre")
    ordinary, trained = build(config, 1, device), build(replace(config, trained=without), 1, device)
    ids = random_ids(config, 2, 5, device)
    expected = ordinary(ids, switches=without)
    assert_same(trained(ids).logits, expected.logits)
    assert_same(trained.unembed(expected.layers[-1].resid_post)[1], expected.logits)


@given(first=some_switches, second=some_switches, third=some_switches)
def test_removals_add_up_in_any_order(first, second, third):
    assert first & second == second & first
    assert (first & second) & third == first & (second & third)
    assert first & first == first
    assert first & Switches() == first
    assert set((first & second).removed) == {*first.removed, *second.removed}
    for field in HEAD_FIELDS:
        assert getattr(first & second, field) == getattr(first, field) | getattr(second, field)


def test_the_intact_model_is_switches_with_nothing_said():
    assert Switches().removed == ()
    assert not Switches().heads_off
    assert Switches(mlp=False, scale=False).removed == ("scale", "mlp")  # in the order of declaration


def test_switches_are_frozen_and_hashable():
    assert len({Switches(), Switches(), Switches(mask=False), Switches(heads_off=frozenset({(0, 1)}))}) == 3
    with pytest.raises(FrozenInstanceError):
        Switches().scale = False


def test_every_part_says_what_it_is_and_what_to_watch():
    for part in PARTS:
        assert part.label and part.label[0].isupper() and not part.label.endswith(".")
        assert part.hint.endswith(".")
    assert len({part.label for part in PARTS}) == len(PARTS)


def test_a_layer_with_all_its_heads_off_adds_only_the_output_bias(device):
    config = config_with("pre")
    transformer, ids = build(config, 1, device), random_ids(config, 1, 5, device)
    off = frozenset((1, head) for head in range(config.n_heads))
    trace = transformer(ids, switches=Switches(heads_off=off))
    assert same_bits(trace.layers[1].attention.out, transformer.layers[1].attention.w_o.bias.expand(1, 5, -1), "exact")
