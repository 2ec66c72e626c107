"""Weights on disk: what is written comes back; what does not fit is refused in one sentence."""

import json
import pickle
from dataclasses import replace

import pytest
import torch
from equal import same_bits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytorch_reference import build, configs, random_ids, seeds
from safetensors.torch import load_file, save_file

from model import checkpoint
from model.checkpoint import (
    EXAMS,
    CheckpointError,
    load,
    load_card,
    names,
    read_card,
    save,
    save_exams,
    save_step,
    saved_steps,
    split_step,
    step_name,
)
from model.config import ModelConfig
from model.switches import Switches
from model.tokenizer import WordTokenizer

WORDS = ("the", "dog", "dogs", "bark", "barks", ".", "ß", "“")
CONFIG = ModelConfig(11, 2, 2, 8, 8, context=6)
CPU = torch.device("cpu")


@pytest.fixture
def shelf(tmp_path):
    """A folder with one model in it."""
    save("tiny", build(CONFIG, 0, CPU).float(), WordTokenizer(WORDS), {"task": "none"}, tmp_path)
    return tmp_path


def edit_card(folder, change):
    path = folder / "tiny.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    change(card)
    path.write_text(json.dumps(card), encoding="utf-8")


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(config=configs(), removed=st.frozensets(st.sampled_from(["scale", "mask", "norm"])), seed=seeds)
def test_what_is_saved_comes_back_to_the_last_digit(tmp_path, config, removed, seed):
    trained = Switches(**{name: False for name in removed}, heads_off=frozenset({(0, 0)}))
    config = replace(config, trained=trained)
    transformer = build(config, seed, CPU).float()
    save("any", transformer, WordTokenizer(WORDS), {"task": "none"}, tmp_path)
    loaded, tokenizer = load("any", tmp_path)
    assert loaded.config == config
    assert tokenizer.vocabulary[3:] == WORDS
    assert not loaded.training
    assert loaded.state_dict().keys() == transformer.state_dict().keys()
    for name, tensor in transformer.state_dict().items():
        assert same_bits(loaded.state_dict()[name], tensor, "copied"), name
    ids = random_ids(config, 2, 4, CPU)
    assert same_bits(loaded(ids).logits, transformer(ids).logits, "same operation")


def test_a_tied_unembedding_is_stored_once_and_comes_back_tied(tmp_path):
    save("tied", build(replace(CONFIG, tied_unembedding=True), 0, CPU), WordTokenizer(WORDS), {}, tmp_path)
    assert "unembedding.weight" not in load_file(tmp_path / "tied.safetensors")
    transformer, _ = load("tied", tmp_path)
    assert transformer.unembedding.weight is transformer.embedding.weight


def test_the_card_keeps_what_was_measured(shelf):
    values = read_card("tiny", shelf)
    assert values["task"] == "none"
    assert values["words"] == list(WORDS)
    assert values["config"]["d_model"] == 8


def test_snapshots_come_back_in_half_precision_and_in_order(shelf):
    by_step = {step: build(CONFIG, step, CPU) for step in (1000, 5, 40)}
    for step, transformer in by_step.items():
        save_step("tiny", transformer, step, shelf)
    assert saved_steps("tiny", shelf) == (5, 40, 1000)
    for step, transformer in by_step.items():
        loaded, _ = load(f"tiny@{step:06d}", shelf)
        assert loaded.unembedding.weight.dtype == torch.float32
        for name, tensor in transformer.state_dict().items():
            assert same_bits(loaded.state_dict()[name], tensor.half().float(), "copied")
    with pytest.raises(CheckpointError, match='"tiny" was kept at steps 5, 40, 1000, not at 6'):
        load("tiny@000006", shelf)
    assert names(shelf) == ("tiny",)  # a folder of snapshots is no model


def test_without_snapshots_any_step_is_refused(shelf):
    assert saved_steps("tiny", shelf) == ()
    with pytest.raises(CheckpointError, match='"tiny" was kept at steps none, not at 5'):
        load("tiny@000005", shelf)


def test_no_folder_means_the_trained_one_at_the_time_of_asking(shelf, monkeypatch):
    monkeypatch.setattr(checkpoint, "TRAINED", shelf)
    assert names() == ("tiny",)
    assert load("tiny")[0].config == CONFIG
    assert read_card("tiny")["task"] == "none"
    assert saved_steps("tiny") == ()


def test_an_empty_or_missing_folder_holds_no_weights(tmp_path):
    assert names(tmp_path) == names(tmp_path / "nowhere") == ()
    with pytest.raises(CheckpointError, match='There are no weights called "tiny"'):
        load("tiny", tmp_path / "nowhere")


OUTSIDE = [
    "../tiny",
    "/etc/passwd",
    "shelf/tiny",
    "..",
    ".",
    "",
    "tiny.json",
    "a\x00b",
    "tiny\n",
    "c:\\tiny",
    "a b",
    "~",
]


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_name_never_leads_out_of_the_folder(tmp_path, name):
    save("tiny", build(CONFIG, 0, CPU), WordTokenizer(WORDS), {}, tmp_path)
    (tmp_path / "shelf").mkdir()
    inside = tmp_path / "shelf"
    with pytest.raises(CheckpointError, match="There are no weights called"):
        load(name, inside)
    with pytest.raises(CheckpointError, match="Weights cannot be called"):
        save(name, build(CONFIG, 0, CPU), WordTokenizer(WORDS), {}, inside)
    with pytest.raises(CheckpointError, match="Weights cannot be called"):
        save_step(name, build(CONFIG, 0, CPU), 1, inside)
    with pytest.raises(CheckpointError, match="Weights cannot be called"):
        saved_steps(name, inside)
    assert not list(inside.iterdir())


class Trap:
    """Unpickling it would leave a mark."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return (open, (str(self.mark), "w"))


def test_a_pickle_that_calls_itself_safetensors_is_refused_and_not_run(shelf, tmp_path):
    mark = tmp_path / "mark"
    (shelf / "tiny.safetensors").write_bytes(pickle.dumps(Trap(mark)))
    with pytest.raises(CheckpointError, match=r'The file tiny\.safetensors of "tiny" cannot be read'):
        load("tiny", shelf)
    torch.save({"embedding.weight": torch.zeros(3)}, shelf / "tiny.safetensors")
    with pytest.raises(CheckpointError, match="cannot be read"):
        load("tiny", shelf)
    assert not mark.exists()


@pytest.mark.parametrize("kept", [0, 4, 100, -1])
def test_a_truncated_file_is_refused(shelf, kept):
    path = shelf / "tiny.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(CheckpointError, match=r'The file tiny\.safetensors of "tiny" cannot be read'):
        load("tiny", shelf)


def test_a_missing_file_is_refused(shelf):
    (shelf / "tiny.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r'The file tiny\.safetensors of "tiny" cannot be read'):
        load("tiny", shelf)


def test_a_wrong_shape_is_refused_with_both_shapes(shelf):
    weights = load_file(shelf / "tiny.safetensors")
    weights["embedding.weight"] = torch.zeros(3, 8)
    save_file(weights, shelf / "tiny.safetensors")
    with pytest.raises(CheckpointError, match=r"embedding\.weight of shape \(11, 8\), the file has \(3, 8\)"):
        load("tiny", shelf)


@pytest.mark.parametrize("tied", [True, False])
def test_a_tensor_too_few_or_too_many_is_refused(tmp_path, tied):
    save("tiny", build(replace(CONFIG, tied_unembedding=tied), 0, CPU), WordTokenizer(WORDS), {}, tmp_path)
    path = tmp_path / "tiny.safetensors"
    weights = load_file(path)
    save_file({**weights, "extra": torch.zeros(2)}, path)
    with pytest.raises(CheckpointError, match=r"extra of shape None, the file has \(2,\)"):
        load("tiny", tmp_path)
    weights.pop("layers.1.mlp_in.bias")
    save_file(weights, path)
    with pytest.raises(CheckpointError, match=r"layers\.1\.mlp_in\.bias of shape \(8,\), the file has None"):
        load("tiny", tmp_path)


LIES = {
    "another width": {"d_model": 16},
    "more layers": {"n_layers": 3},
    "a size no machine holds": {"d_ff": 10**12},
    "a size that overflows": {"d_ff": 10**30},
    "a size in words": {"d_model": "8"},
    "no size": {"n_heads": None},
    "a negative size": {"context": -6},
    "a scheme nobody wrote": {"position": "nonsense"},
    "a scheme without weights": {"position": "rope"},
    "an activation nobody wrote": {"activation": "nonsense"},
    "a norm nobody wrote": {"norm": "nonsense"},
    "a norm of another kind": {"norm_kind": "rms"},
    "a list for a name": {"norm_kind": ["layer"]},
    "another vocabulary": {"vocab_size": 12},
    "an unknown field": {"colour": "red"},
    "no switches": {"trained": None},
    "unknown switches": {"trained": {"colour": False}},
    "heads that are no pairs": {"trained": {"heads_off": [1]}},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_config_that_lies_is_refused_in_one_sentence(shelf, lie):
    edit_card(shelf, lambda card: card["config"].update(LIES[lie]))
    with pytest.raises(CheckpointError, match=r'^The card of "tiny" ') as caught:
        load("tiny", shelf)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("kind", ["nonsense", "recurrent", "encoder-decoder", None, ["transformer"]])
def test_a_kind_that_it_is_not_is_refused_in_one_sentence(shelf, kind):
    edit_card(shelf, lambda card: card.update(kind=kind))
    with pytest.raises(CheckpointError, match=r'^The card of "tiny" ') as caught:
        load("tiny", shelf)
    assert "\n" not in str(caught.value)


def test_a_card_that_names_no_kind_is_of_the_first(shelf):
    edit_card(shelf, lambda card: card.pop("kind"))
    assert load("tiny", shelf)[0].config == CONFIG


@pytest.mark.parametrize(
    "text", ["", "not json", "[]", "null", '{"words": []}', '{"config": 3, "words": []}', "\udcff"]
)
def test_a_card_that_is_no_card_is_refused_in_one_sentence(shelf, text):
    (shelf / "tiny.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(CheckpointError, match=r'^The card of "tiny" '):
        load("tiny", shelf)


@pytest.mark.parametrize("words", [None, WORDS[:-1], [*WORDS, "more"], [*WORDS[:-1], "the"], [1, 2]])
def test_words_that_do_not_fit_the_model_are_refused(shelf, words):
    edit_card(shelf, lambda card: card.update(words=words))
    with pytest.raises(CheckpointError, match=r'^The card of "tiny" '):
        load("tiny", shelf)


# Steps of training


def test_a_step_is_a_model_with_its_own_measurements(shelf):
    relations = {"previous token": {"n": 3, "mass": [[0.25]], "top1": [[0.5]]}}
    save_step("tiny", build(CONFIG, 7, CPU), 40, shelf)
    assert load_card("tiny@000040", shelf).language.relations == {}  # nothing was measured yet
    save_exams("tiny", {40: {"sentences": 9, "relations": relations}}, shelf)
    card = load_card("tiny@000040", shelf)
    assert card.name == "tiny@000040"
    assert card.config == CONFIG
    assert card.language.sentences == 9
    assert card.language.relations["previous token"].mass == pytest.approx(0.25)
    assert read_card("tiny@000040", shelf)["step"] == 40
    assert split_step("tiny@000040") == ("tiny", 40)
    assert step_name("tiny", 40) == "tiny@000040"


STEP_NAMES = [
    "tiny@40",
    "tiny@0000040",
    "tiny@00004０",
    "tiny@-00040",
    "tiny@000040\n",
    "../tiny@000040",
    "@000040",
    "tiny@",
]


@pytest.mark.parametrize("name", STEP_NAMES)
def test_the_name_of_a_step_has_six_digits_and_is_no_path(shelf, name):
    save_step("tiny", build(CONFIG, 7, CPU), 40, shelf)
    with pytest.raises(CheckpointError, match="There are no weights called"):
        load(name, shelf)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"40": 3}', '{"40": {"sentences": 1}}'])
def test_measurements_of_steps_that_cannot_be_read_are_refused(shelf, text):
    save_step("tiny", build(CONFIG, 7, CPU), 40, shelf)
    (shelf / "tiny.steps" / EXAMS).write_text(text, encoding="utf-8")
    with pytest.raises(CheckpointError):
        load_card("tiny@000040", shelf)
