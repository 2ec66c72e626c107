"""Folders that are broken, that lie, or that mean harm: each is refused in one sentence, and nothing stays."""

import json
import os
import pickle
import struct

import pytest
import torch
from foreign import edit, publish, random_model
from safetensors.torch import load_file, save_file

from model.checkpoint import CheckpointError
from model.importers import inspect_folder, read
from model.importers.inspect import VARIABLE, registry_name

WEIGHTS, CONFIG = "model.safetensors", "config.json"


@pytest.fixture(scope="module")
def sound():
    return {name: random_model(name) for name in ("gpt2", "bert")}


@pytest.fixture
def gpt2(sound, tmp_path):
    return publish(sound["gpt2"], tmp_path / "gpt2")


@pytest.fixture
def bert(sound, tmp_path):
    return publish(sound["bert"], tmp_path / "bert")


def refused(folder, *words):
    """Loading ends in one sentence that holds these words."""
    with pytest.raises(CheckpointError) as error:
        read(inspect_folder(folder))
    message = str(error.value)
    assert message.endswith(".") and "\n" not in message and "Traceback" not in message and len(message) < 400, message
    for word in words:
        assert word in message, message


def rewrite(folder, change):
    tensors = load_file(folder / WEIGHTS)
    change(tensors)
    save_file(tensors, folder / WEIGHTS)


def with_header(folder, header, numbers=b"", length=None):
    """A safetensors file with this header, whatever it says."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    (folder / WEIGHTS).write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + numbers)


# No folder, or not that kind of folder


@pytest.mark.parametrize("place", ["/nowhere/at/all", "", "a\0b", "~nobody-of-that-name/x", "x" * 5000, "\ud800"])
def test_what_is_no_folder(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(place or tmp_path / "gone", "is not a folder")


def test_a_file_is_no_folder(gpt2):
    refused(gpt2 / CONFIG, "is a file")


def test_an_empty_folder(tmp_path):
    refused(tmp_path, "There is no config.json")


def test_links_that_lead_in_a_circle(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    refused(tmp_path / "a", "in a circle")


def test_weights_that_are_a_circle_of_links(gpt2):
    (gpt2 / WEIGHTS).unlink()
    (gpt2 / WEIGHTS).symlink_to(gpt2 / WEIGHTS)
    refused(gpt2, "cannot be read", "links")


def test_weights_that_would_never_end_to_be_read(gpt2):
    (gpt2 / WEIGHTS).unlink()
    os.mkfifo(gpt2 / WEIGHTS)
    refused(gpt2, "not an ordinary file")


def test_no_tokenizer(gpt2):
    (gpt2 / "tokenizer.json").unlink()
    refused(gpt2, "no tokenizer")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"a": 1}', "[" * 100_000])
def test_a_tokenizer_that_is_none(gpt2, text):
    (gpt2 / "tokenizer.json").write_text(text)
    refused(gpt2, "tokenizer.json")


def test_a_tokenizer_of_another_model(gpt2):
    settings = json.loads((gpt2 / "tokenizer.json").read_text())
    settings["model"]["vocab"] |= {f"extra{index}": 21 + index for index in range(10)}
    (gpt2 / "tokenizer.json").write_text(json.dumps(settings))
    refused(gpt2, "31 tokens", "the model 24")


# Pickles


class Bomb:
    def __reduce__(self):
        return os.system, ("touch pwned",)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "weights.ckpt", "a.pkl"])
def test_a_pickle_is_refused_with_a_reason(gpt2, name):
    (gpt2 / WEIGHTS).rename(gpt2 / name)
    refused(gpt2, name, "a pickle", "can run any program", "save the model again as safetensors")


def pickled(path):
    path.write_bytes(pickle.dumps(Bomb()))


def zipped(path):
    torch.save({"a": torch.zeros(2)}, path)


@pytest.mark.parametrize("write", [pickled, zipped])
def test_a_pickle_under_the_name_of_a_safetensors_file_is_never_opened(gpt2, write, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(gpt2 / WEIGHTS)
    refused(gpt2, "is a pickle, whatever its name says")
    assert not (tmp_path / "pwned").exists()


# Files of weights


@pytest.mark.parametrize("keep", [0, 5, 8, 100, 900, -1])
def test_a_file_that_is_cut_short(gpt2, keep):
    (gpt2 / WEIGHTS).write_bytes((gpt2 / WEIGHTS).read_bytes()[:keep])
    refused(gpt2, WEIGHTS, "cut short")


def test_a_file_that_goes_on_after_its_numbers(gpt2):
    with (gpt2 / WEIGHTS).open("ab") as file:
        file.write(b"more")
    refused(gpt2, "too long")


def test_a_header_of_a_hundred_gigabytes(gpt2):
    with_header(gpt2, {}, length=100 << 30)
    refused(gpt2, "107,374,182,400 bytes")


def test_a_header_that_is_really_too_long(gpt2):
    with (gpt2 / WEIGHTS).open("wb") as file:
        file.write(struct.pack("<Q", 200 << 20) + b"{")
        file.truncate(300 << 20)  # a file with a hole: it takes no room
    refused(gpt2, "209,715,200 bytes", "are allowed")


FLOAT = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    "header",
    [
        b"{not json",
        b"{" + b'"a":{' * 50_000,
        b"{}"[:1] + b"\xff\xfe}",
        {"wte.weight": 3},
        {"wte.weight": {}},
        {"wte.weight": FLOAT | {"shape": [3]}},
        {"wte.weight": FLOAT | {"shape": [-2, -1]}},
        {"wte.weight": FLOAT | {"shape": [2.0]}},
        {"wte.weight": FLOAT | {"shape": "2"}},
        {"wte.weight": FLOAT | {"data_offsets": [8, 0]}},
        {"wte.weight": FLOAT | {"data_offsets": [0]}},
        {"wte.weight": FLOAT, "wpe.weight": FLOAT},
        {"wte.weight": FLOAT | {"shape": [1 << 62, 4], "data_offsets": [0, 8]}},
    ],
)
def test_a_header_that_is_nonsense(gpt2, header):
    with_header(gpt2, header, bytes(8))
    refused(gpt2, f"The header of {WEIGHTS}")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_values_that_are_no_numbers(gpt2, value):
    def spoil(tensors):
        tensors["transformer.h.1.mlp.c_fc.weight"][2, 3] = value

    rewrite(gpt2, spoil)
    refused(gpt2, "transformer.h.1.mlp.c_fc.weight", "not numbers")


def test_a_tensor_that_is_not_there(bert):
    rewrite(bert, lambda tensors: tensors.pop("bert.encoder.layer.1.output.dense.weight"))
    refused(bert, "lack bert.encoder.layer.1.output.dense.weight")


def test_a_tensor_in_another_shape(bert):
    rewrite(bert, lambda tensors: tensors.update({"bert.embeddings.LayerNorm.bias": torch.zeros(9)}))
    refused(bert, "bert.embeddings.LayerNorm.bias", "(8,)", "(9,)")


def test_whole_numbers_where_weights_should_be(bert):
    rewrite(bert, lambda tensors: tensors.update({"bert.embeddings.LayerNorm.bias": torch.zeros(8, dtype=torch.int8)}))
    refused(bert, "numbers of kind I8")


def test_weights_of_another_family(gpt2, bert):
    (gpt2 / WEIGHTS).write_bytes((bert / WEIGHTS).read_bytes())
    refused(gpt2, "says this is a GPT-2", "no wte.weight")


# Parts and their index


@pytest.fixture
def parts(sound, tmp_path):
    return publish(sound["gpt2"], tmp_path / "parts", max_shard_size="2KB")


@pytest.mark.parametrize(
    "name",
    ["../gpt2/model.safetensors", "/etc/passwd", "sub/x.safetensors", "..\\x.safetensors", "x.bin", "..", "", None, 3],
)
def test_an_index_that_points_out_of_the_folder(parts, name):
    path = parts / "model.safetensors.index.json"
    index = json.loads(path.read_text())
    edit(path, weight_map=index["weight_map"] | {"transformer.wte.weight": name})
    refused(parts, "points to", "only safetensors files beside it")


def test_an_index_of_parts_that_are_not_there(parts):
    next(iter(sorted(parts.glob("model-*.safetensors")))).unlink()
    refused(parts, "which is not there")


@pytest.mark.parametrize("index", [{}, {"weight_map": {}}, {"weight_map": ["a"]}, {"weight_map": None}])
def test_an_index_that_names_nothing(parts, index):
    (parts / "model.safetensors.index.json").write_text(json.dumps(index))
    refused(parts, "names no files")


def test_a_tensor_that_stands_in_two_parts(parts):
    first, second, *_ = sorted(parts.glob("model-*.safetensors"))
    save_file(load_file(first) | load_file(second), second)
    refused(parts, "is in two files")


def test_several_files_without_an_index(gpt2):
    for name in ("a.safetensors", "b.safetensors"):
        (gpt2 / name).write_bytes((gpt2 / WEIGHTS).read_bytes())
    (gpt2 / WEIGHTS).unlink()
    refused(gpt2, "2 safetensors files")


# A config that lies


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '"gpt2"', "[" * 100_000, "\xff"])
def test_a_config_that_is_none(gpt2, text):
    (gpt2 / CONFIG).write_text(text, encoding="latin-1")
    refused(gpt2, CONFIG)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (size, value)
        for size in ("n_layer", "n_head", "n_embd", "vocab_size")
        for value in (0, -1, 2.5, "8", 10**12, [2])
    ]
    + [("n_layer", True), ("layer_norm_epsilon", "small"), ("layer_norm_epsilon", [1])],
)
def test_a_size_that_no_model_has(gpt2, name, value):
    edit(gpt2 / CONFIG, **{name: value})
    refused(gpt2, CONFIG)


@pytest.mark.parametrize(
    ("name", "value"),
    [("n_layer", 3), ("n_layer", 999), ("n_embd", 16), ("vocab_size", 25), ("n_positions", 41), ("n_inner", 33)],
)
def test_a_size_that_the_file_does_not_have(gpt2, name, value):
    edit(gpt2 / CONFIG, **{name: value})
    refused(gpt2)


def test_fewer_layers_than_the_file_has_are_a_lie_too(gpt2):
    edit(gpt2 / CONFIG, n_layer=1)
    refused(gpt2, "more layers than the 1")


def test_heads_that_do_not_share_the_width(gpt2):
    edit(gpt2 / CONFIG, n_head=3)
    refused(gpt2, "3 heads cannot share a width of 8")


@pytest.mark.parametrize("name", ["n_embd", "n_layer", "n_head", "vocab_size"])
def test_a_size_that_is_not_told(gpt2, name):
    config = json.loads((gpt2 / CONFIG).read_text())
    config.pop(name)
    (gpt2 / CONFIG).write_text(json.dumps(config))
    refused(gpt2, name)


# Bounds


def test_the_memory_is_counted_from_the_header_before_anything_is_read(gpt2, monkeypatch):
    needed = inspect_folder(gpt2).bytes_needed
    monkeypatch.setenv(VARIABLE, str((needed - 1) / 10**9))
    refused(gpt2, "of memory", VARIABLE)
    monkeypatch.setenv(VARIABLE, str((needed + 1) / 10**9))
    assert inspect_folder(gpt2).bytes_needed == needed


def test_half_precision_counts_as_what_it_becomes(sound, tmp_path):
    folder = publish(sound["bert"].half(), tmp_path / "half")
    sound["bert"].float()
    offer = inspect_folder(folder)
    assert {claim.dtype for claim in offer.folder.claims.values()} == {"F16"}
    assert offer.bytes_needed == 4 * offer.parameters


@pytest.mark.parametrize("setting", ["", "much", "0", "-1", "nan", "inf"])
def test_a_bound_that_is_no_number(gpt2, monkeypatch, setting):
    monkeypatch.setenv(VARIABLE, setting)
    refused(gpt2, VARIABLE)


def test_a_file_that_changes_after_it_was_looked_at(gpt2):
    offer = inspect_folder(gpt2)
    edit(gpt2 / CONFIG, n_head=1)
    with pytest.raises(CheckpointError, match="have changed"):
        read(offer)


def test_whoever_watches_can_stop_the_reading(gpt2):
    class Stopped(Exception):
        pass

    seen = []

    def watch(share):
        seen.append(share)
        if share > 0.5:
            raise Stopped

    with pytest.raises(Stopped):
        read(inspect_folder(gpt2), watch)
    assert 0.5 < seen[-1] < 1
    seen.clear()
    read(inspect_folder(gpt2), seen.append)
    assert seen == sorted(seen) and seen[-1] == 1


@pytest.mark.parametrize(
    ("called", "name"),
    [("distilgpt2", "own-distilgpt2"), ("org/Some Model!", "own-org-some-model"), ("<b>", "own-b"), ("…", "own-model")],
)
def test_a_name_is_plain_letters(called, name):
    assert registry_name(called) == name


def test_the_name_of_a_folder_in_the_cache_of_the_hub_is_that_of_the_model(sound, tmp_path):
    place = publish(sound["bert"], tmp_path / "models--org--little" / "snapshots" / "0f3a")
    assert inspect_folder(place).name == "own-org-little"
