"""Sentences moved and shuffled: what each scheme and the mask give away of order, in random models and shipped ones."""

from functools import cache

import numpy as np
import pytest
import torch
from equal import same_bits
from hypothesis import assume, given
from hypothesis import strategies as st
from pytorch_reference import build, configs, random_ids, seeds
from test_position import ABSOLUTE, RELATIVE

from model import Experiment, Switches, checkpoint
from model.analysis.position_shift import score_changes, scores
from model.analysis.position_similarity import position_similarity
from model.analysis.word_shuffle import SWITCH_CASES, shuffle_all, shuffle_run
from model.position import POSITIONS
from model.run import get_model
from model.training.first_digit import KINDS
from model.transformer import Transformer

CPU = torch.device("cpu")
TEXT = "the person who the dogs near the trees chase was tired ."


@cache
def order_model(kind, name):
    return checkpoint.load(f"order-{kind}-{name}")


def score_change(transformer, ids, steps, double=False):
    return score_changes(transformer, ids, [steps], double)[steps]


QUESTION = order_model("encoder", "none")[1].encode("a 7 f c 2 h ?").ids


# ---------------------------------------------------------------------------- moved


@given(config=configs(), steps=st.integers(0, 8), T=st.integers(2, 8), seed=seeds)
def test_a_moved_sentence_keeps_its_scores_if_and_only_if_the_scheme_is_relative(config, steps, T, seed):
    transformer = build(config, seed, CPU)
    change = score_change(transformer, random_ids(config, 1, T, CPU)[0].tolist(), steps)
    largest = np.nanmax(np.abs(change))
    if config.position in RELATIVE or steps == 0:
        assert largest < 1e-9 * max(1.0, scores(transformer, random_ids(config, 1, T, CPU)).nan_to_num().abs().max())
    elif config.norm != "post":  # two places may be alike by chance in a vector of two numbers
        assert largest > 1e-9


@given(config=configs(position="learned"), seed=seeds)
def test_a_sentence_moved_out_of_a_learned_table_has_no_scores(config, seed):
    transformer = build(config, seed, CPU)
    ids = random_ids(config, 1, 4, CPU)[0].tolist()
    assert score_change(transformer, ids, config.context - 4) is not None
    assert score_change(transformer, ids, config.context - 3) is None


def test_moving_a_model_leaves_it_as_it_was():
    transformer, _ = order_model("encoder", "rope")
    before = transformer.position
    assert score_change(transformer, QUESTION, 3) is not None
    assert transformer.position is before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", POSITIONS)
def test_the_trained_models_of_the_page_tell_relative_from_absolute(kind, name):
    transformer, _ = order_model(kind, name)
    for steps in (1, 5, 10):
        single, double = (
            np.nanmax(np.abs(score_change(transformer, QUESTION, steps, exact))) for exact in (False, True)
        )
        if name in RELATIVE:
            assert single < 1e-4
            assert double < 1e-12
        else:
            assert single > 1


# ---------------------------------------------------------------------------- shuffled


@given(config=configs(position="none", causal=False), T=st.integers(2, 8), seed=seeds, data=st.data())
def test_without_positions_and_mask_shuffled_words_come_out_as_the_same_vectors(config, T, seed, data):
    transformer = build(config, seed, CPU)
    order = data.draw(st.permutations(range(T)))
    result = shuffle_run(transformer, random_ids(config, 1, T, CPU)[0].tolist(), order, Switches())
    assert result.largest < 1e-9 * max(1.0, np.abs(result.before).max())


@given(name=st.sampled_from(sorted(set(POSITIONS) - {"none"})), seed=seeds)
def test_with_positions_they_do_not(name, seed):
    config = order_model("encoder", name)[0].config
    result = shuffle_run(build(config, seed, CPU), [3, 4, 5, 6, 7, 8], [5, 3, 0, 4, 1, 2], Switches())
    assert result.largest > 1e-3


@given(seed=seeds)
def test_with_the_causal_mask_alone_they_do_not_either(seed):
    config = order_model("decoder", "none")[0].config
    result = shuffle_run(build(config, seed, CPU), [3, 4, 5, 6, 7, 8], [5, 3, 0, 4, 1, 2], Switches())
    assert result.largest > 1e-3


def test_a_word_that_moved_is_compared_with_itself():
    # A model without attention between words: each vector depends on its word alone, whatever the order.
    transformer = build(order_model("encoder", "none")[0].config, 0, CPU)
    with torch.no_grad():
        for layer in transformer.layers:
            layer.attention.w_o.weight.zero_()
    ids = [3, 4, 5, 6]
    assert shuffle_run(transformer, ids, [3, 2, 1, 0], Switches()).largest < 1e-12
    wrong = shuffle_run(transformer, ids, [0, 1, 2, 3], Switches()).before[::-1]
    assert np.abs(shuffle_run(transformer, ids, [3, 2, 1, 0], Switches()).after - wrong).max() > 0.1


@given(order=st.permutations(range(1, 13)))
def test_the_grammar_model_on_a_sentence(order):
    assume(order != sorted(order))
    result = shuffle_all(Experiment(text=TEXT), [0, *order])
    assert list(result) == list(SWITCH_CASES)
    assert result["No positions, no mask"].largest < 1e-4
    assert result["Positions, no mask"].largest > 0.01
    assert result["Mask, no positions"].largest > 0.01
    first = next(place for place, token in enumerate([0, *order]) if place != token)
    for name in ("Mask, no positions", "Mask and positions"):
        assert not result[name].change[:first].any(), "what stands before the first change is exactly as it was"


def test_the_other_switches_stay_and_what_was_never_there_is_not_given_back():
    result = shuffle_all(Experiment(text=TEXT, switches=Switches(norm=False)), [*range(12), 12])
    assert not any(case.active.norm for case in result.values())
    assert [case.largest for case in result.values()] == [0.0] * 4
    never = shuffle_all(Experiment(weights="grammar-without-position", text=TEXT), [0, 2, 1, *range(3, 13)])
    assert not any(case.active.position for case in never.values())
    assert never["Positions, no mask"].largest < 1e-4


@pytest.mark.parametrize("order", [[], [0, 0, 1], [0, 1], list(range(14)), [-1, *range(12)]])
def test_an_order_that_is_none_is_refused(order):
    with pytest.raises(ValueError, match="the order must contain each of the 13 positions once"):
        shuffle_all(Experiment(text=TEXT), order)


def test_shuffling_leaves_the_shared_model_alone():
    transformer, _ = get_model("grammar")
    assert isinstance(transformer, Transformer)
    before = {name: tensor.clone() for name, tensor in transformer.state_dict().items()}
    shuffle_all(Experiment(text=TEXT), [0, 2, 1, *range(3, 13)])
    assert all(same_bits(before[name], tensor, "copied") for name, tensor in transformer.state_dict().items())


# ---------------------------------------------------------------------------- how each scheme sees distance


def seen(name, kind="encoder", T=24, layer=1, head=2, width=16):
    return position_similarity(name, order_model(kind, name)[0], T, layer, head, width)


@pytest.mark.parametrize("name", POSITIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_only_learned_vectors_see_more_than_the_distance(name, kind):
    values = seen(name, kind).values
    inside = values[:18, :18]  # the table of the learned ones ends here
    diagonals = [np.ptp(np.diagonal(inside, apart)) for apart in range(-17, 18)]
    assert (max(diagonals) > 0.01) == (name == "learned")


def test_the_similarity_of_waves_is_the_mean_of_their_cosines():
    turns = 10000.0 ** (-np.arange(0, 16, 2) / 16)
    apart = np.arange(24)[:, None] - np.arange(24)
    expected = np.cos(apart[..., None] * turns).mean(-1)
    np.testing.assert_allclose(seen("sinusoidal").values, expected, atol=1e-12)
    np.testing.assert_allclose(seen("rope").values, expected, atol=1e-12)  # it turns by the same waves


@pytest.mark.parametrize("name", sorted(RELATIVE - {"rope", "none", "shaw"}))
@pytest.mark.parametrize("kind", KINDS)
def test_a_bias_is_what_the_model_adds_to_its_scores(name, kind):
    transformer, tokenizer = order_model(kind, name)
    ids = torch.tensor([tokenizer.encode("a 7 f c 2 h ?").ids])
    with torch.inference_mode():
        attention = transformer(ids).layers[1].attention
    added = (attention.biased - attention.scaled)[0, 2].numpy()
    np.testing.assert_allclose(seen(name, kind, T=8).values, added, atol=1e-5)


def test_past_the_end_of_a_learned_table_there_is_nothing():
    values = seen("learned").values
    assert np.isfinite(values[:18, :18]).all()
    assert np.isnan(values[18:]).all() and np.isnan(values[:, 18:]).all()
    assert "learned" in ABSOLUTE and np.isnan(seen("learned").by_distance()[18:]).all()


def test_without_a_scheme_nothing_is_said():
    assert not seen("none").values.any()
