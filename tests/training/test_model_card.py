"""A model card becomes one frozen record, or one sentence that says what is wrong with it."""

import json
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from model import checkpoint
from model.checkpoint import CheckpointError, load_card, load_transformer, names, read_card
from model.config import ModelConfig
from model.model_card import CoreferenceCard, FirstDigitCard, LanguageCard, Seq2SeqCard, parse_card
from model.recurrent import RecurrentConfig
from model.training.recipes import RECIPES

KIND = {"grammar": LanguageCard, "order": FirstDigitCard, "resolver": CoreferenceCard, "stories": LanguageCard}


@pytest.mark.parametrize("name", names())
def test_every_shipped_card_is_parsed_with_the_numbers_of_its_file(name):
    card, written = load_card(name), read_card(name)
    assert type(card.measured) is KIND.get(card.task, Seq2SeqCard)
    assert (card.name, card.task, card.seed) == (name, written["task"], written["seed"])
    assert card.context == written["config"]["context"]
    assert card.splits_words == ("tokenizer" in written)
    assert [seed.seed for seed in card.measured.seeds] == [seed["seed"] for seed in written["seeds"]]
    assert isinstance(card.config, RecurrentConfig if card.architecture == "recurrent" else ModelConfig)


def test_the_relations_of_a_language_model_are_arrays_by_layer_and_head_that_nobody_can_change():
    card, written = load_card("grammar").language, read_card("grammar")["exam"]
    assert card.relations.keys() == written["relations"].keys()
    for name, scores in card.relations.items():
        assert np.allclose(scores.mass, written["relations"][name]["mass"]) and scores.mass.shape == (3, 4)
        with pytest.raises(ValueError, match="read-only"):
            scores.mass[0, 0] = 1
    with pytest.raises(FrozenInstanceError):
        card.sentences = 1


def test_learning_curves_are_those_of_every_seed():
    curves = load_card("grammar").language.learning_curves()
    accuracy = load_card("grammar").language.learning_curves("induction")
    written = [seed["curve"] for seed in read_card("grammar")["seeds"]]
    assert np.allclose(curves, [[point["loss"] for point in curve] for curve in written])
    assert np.allclose(accuracy, [[point["accuracy"]["induction"] for point in curve] for curve in written])


def test_a_measurement_that_a_card_does_not_hold_is_refused_by_its_name():
    for name, kind in (("translate", "language"), ("grammar", "seq2seq"), ("dates", "first_digit")):
        with pytest.raises(CheckpointError, match=f'^The card of "{name}" holds no'):
            getattr(load_card(name), kind)
    with pytest.raises(CheckpointError, match=r'^"translate-gru" is no Transformer'):
        _ = load_card("translate-gru").model_config
    with pytest.raises(CheckpointError, match=r'^"translate" is a sequence-to-sequence model'):
        load_transformer("translate")
    assert load_card("grammar").alignment == {}


BROKEN = {
    "an evaluation that is a list": {"exam": [1]},
    "relations without weights": {"exam": {"sentences": 1, "relations": {"a": {"n": 1}}}},
    "a map with rows of two lengths": {"exam": {"sentences": 1, "relations": {"a": {"n": 1, "mass": [[1], [1, 2]]}}}},
    "a curve of numbers": {"curve": [1, 2]},
    "seeds without numbers": {"seeds": [{}]},
    "another tokenizer": {"tokenizer": "letters"},
    "a seed in words": {"seed": "first"},
    "no config": {"config": None},
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_card_with_a_broken_entry_gives_one_sentence_and_is_left_out(fault, tmp_path):
    card = read_card("grammar") | BROKEN[fault]
    with pytest.raises(CheckpointError, match=r'^The card of "broken" does not describe a model: .+\.$') as caught:
        parse_card("broken", card)
    assert "\n" not in str(caught.value)
    (tmp_path / "broken.json").write_text(json.dumps(card), encoding="utf-8")
    assert names(tmp_path) == () and checkpoint.faults(tmp_path) == (str(caught.value),)


def test_every_shipped_model_has_a_recipe_and_every_recipe_is_shipped():
    assert set(names()) == set(RECIPES)
