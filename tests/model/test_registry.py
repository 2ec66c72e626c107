"""Models from elsewhere in memory: found by name, few at a time, loaded in the background or not at all."""

import threading
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from equal import differ
from foreign import publish, random_model

from model import Experiment, Switches, run
from model.checkpoint import CheckpointError, load, names, read_card
from model.importers import hub, inspect_folder, read
from model.importers.background import BackgroundJob, JobSlot, Stopped
from model.importers.background import load as load_onto_the_shelf
from model.importers.inspect import VARIABLE
from model.model_card import ModelCard
from model.registry import PREFIX, LoadedModel, ModelRegistry, registry

TEXT = "the dogs saw two birds ."


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return publish(random_model("gpt2"), tmp_path_factory.mktemp("shelf") / "shelved")


@pytest.fixture
def clean():
    yield
    for name in (*registry().names(), *registry().names(maps_only=True)):
        registry().let_go(name)


def kept():
    return LoadedModel(None, None, ModelCard())


def loading(offer):
    return BackgroundJob(offer.name, partial(load_onto_the_shelf, offer))


def test_two_are_kept_and_the_oldest_is_let_go():
    registry = ModelRegistry(most=2)
    assert [registry.add(f"own-{letter}", letter, kept()) for letter in "abc"] == ["own-a", "own-b", "own-c"]
    assert registry.names() == ("own-b", "own-c") and registry.find("own-a") is None


def test_what_is_put_again_is_the_newest():
    registry = ModelRegistry(most=2)
    for letter in "abac":
        registry.add(f"own-{letter}", letter, kept())
    assert registry.names() == ("own-a", "own-c")


def test_a_name_never_comes_to_mean_another_model():
    registry = ModelRegistry(most=1)
    assert registry.add("own-a", "first files", kept()) == "own-a"
    assert registry.add("own-a", "other files", kept()) == "own-a-2"
    assert registry.find("own-a") is None
    assert registry.add("own-a", "third files", kept()) == "own-a-3"
    assert registry.add("own-a", "first files", kept()) == "own-a"


def test_models_of_which_only_maps_are_drawn_stand_apart_but_count():
    registry = ModelRegistry(most=2)
    registry.add("own-a", 1, kept())
    registry.add("own-b", 2, replace(kept(), maps_only=True))
    assert (registry.names(), registry.names(maps_only=True)) == (("own-a",), ("own-b",))
    registry.add("own-c", 3, kept())
    assert registry.names() == ("own-c",)


def test_no_weights_of_the_lab_have_a_name_of_the_shelf():
    assert not [name for name in names() if name.startswith(PREFIX)]


def test_a_model_that_is_not_loaded_is_said_so():
    with pytest.raises(CheckpointError, match='"own-nobody" is not loaded here'):
        read_card("own-nobody")
    with pytest.raises(CheckpointError, match='"own-nobody" is not loaded here'):
        run(Experiment("own-nobody", TEXT))


def test_a_loaded_model_runs_through_the_one_door(folder, clean):
    work = loading(inspect_folder(folder)).start()
    work.wait(60)
    assert (work.result, work.error, work.share) == ("own-shelved", "", 1.0)
    assert read_card("own-shelved")["config"]["n_layers"] == 2
    whole = run(Experiment("own-shelved", TEXT))
    transformer, tokenizer = read(inspect_folder(folder)).transformer, load("own-shelved")[1]
    ids = torch.tensor([tokenizer.encode(TEXT).ids])
    np.testing.assert_allclose(whole.logits, transformer(ids).logits[0].numpy(), atol=1e-5)
    without = run(Experiment("own-shelved", TEXT, Switches(scale=False)))
    assert differ(whole.layers[0].attention.weights, without.layers[0].attention.weights)


def test_a_model_that_was_let_go_runs_no_more(folder, clean):
    loading(inspect_folder(folder)).start().wait(60)
    run(Experiment("own-shelved", TEXT))
    registry().let_go("own-shelved")
    for other in ("a", "b"):
        registry().add(f"own-{other}", other, kept())
    with pytest.raises(CheckpointError, match="not loaded"):
        read_card("own-shelved")


def test_a_loading_that_is_stopped_leaves_nothing(folder, clean):
    work = loading(inspect_folder(folder))
    work.stop()
    work.start().wait(60)
    assert work.stopped and not work.result and not work.error and not registry().names()


def test_a_loading_that_fails_says_why_and_leaves_nothing(folder, clean):
    offer = inspect_folder(folder)
    work = loading(replace(offer, folder=replace(offer.folder, stamp=()))).start()
    work.wait(60)
    assert "have changed" in work.error and not work.result and not registry().names()


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("a stack\nof lines"), KeyError("x")])
def test_whatever_goes_wrong_is_one_sentence(error):
    def fail(progress):
        raise error

    work = BackgroundJob("x", fail).start()
    work.wait(60)
    assert work.error.endswith(".") and "\n" not in work.error


def test_one_work_is_done_at_a_time():
    gate, slot = threading.Event(), JobSlot()
    assert slot.start(BackgroundJob("first", lambda progress: str(gate.wait(60))))
    assert not slot.start(BackgroundJob("second", lambda progress: ""))
    gate.set()
    slot.now.wait(60)
    assert slot.start(BackgroundJob("third", lambda progress: "done"))
    slot.now.wait(60)
    assert (slot.now.what, slot.now.result) == ("third", "done")


# The hub, played by a folder


class Hub:
    """What huggingface_hub would answer, from a folder on this machine."""

    def __init__(self, folder, extra=()):
        self.folder, self.requests, self.extra = folder, [], extra

    def HfApi(self):
        return self

    def model_info(self, name, **_):
        self.requests.append(name)
        if name != "someone/shelved":
            raise RuntimeError("404 Client Error.\nRepository Not Found")
        files = [(path.name, path.stat().st_size) for path in self.folder.iterdir()] + list(self.extra)
        return SimpleNamespace(sha="0f3a", siblings=[SimpleNamespace(rfilename=n, size=s) for n, s in files])

    def hf_hub_download(self, name, file, revision, tqdm_class):
        self.requests.append(file)
        assert revision == "0f3a"
        with tqdm_class(total=(self.folder / file).stat().st_size, desc=file, name="x") as bar:
            bar.update(3)
        return str(self.folder / file)


@pytest.fixture
def played(folder, monkeypatch):
    answer = Hub(folder, [("pytorch_model.bin", 10), ("own_code.py", 10), ("onnx/model.onnx", 10)])
    real = hub.import_module
    monkeypatch.setattr(hub, "import_module", lambda name: answer if name == "huggingface_hub" else real(name))
    return answer


def test_a_model_of_the_hub_is_told_then_fetched_then_looked_at(played, folder):
    listing = hub.ask("someone/shelved")
    assert [file for file, _ in listing.files] == ["config.json", "model.safetensors", "tokenizer.json"]
    assert listing.size == sum((folder / file).stat().st_size for file, _ in listing.files)
    assert played.requests == ["someone/shelved"], "nothing is fetched before somebody wants it"
    seen = []
    place = hub.fetch(listing, seen.append)
    assert seen == sorted(seen) and seen[-1] == 1 and "model.safetensors" in played.requests
    assert inspect_folder(place, called="someone/shelved").name == "own-someone-shelved"


def test_a_model_that_the_hub_does_not_have(played):
    with pytest.raises(CheckpointError, match=r"The hub did not return the model “someone/else”: 404 Client Error\.$"):
        hub.ask("someone/else")


def test_a_hub_that_cannot_be_reached(monkeypatch):
    class Api:
        def model_info(self, *arguments, **how):
            raise ConnectionError("[Errno -2] Name or service not known")

    monkeypatch.setattr(hub, "import_module", lambda name: SimpleNamespace(HfApi=Api))
    with pytest.raises(CheckpointError, match=r"“someone/else”: it cannot be reached from this machine\.$"):
        hub.ask("someone/else")


@pytest.mark.parametrize("name", ["", "a/b/c", "../etc", "a b", "-x", "http:x", "a/..", "x" * 200, "ä"])
def test_a_name_that_is_none_is_never_asked_for(played, name):
    with pytest.raises(CheckpointError, match="is not a name on the hub"):
        hub.ask(name)
    assert not played.requests


def test_a_model_without_safetensors_is_not_fetched(played, folder, monkeypatch):
    monkeypatch.setattr(hub, "SINGLE", "another.safetensors")
    with pytest.raises(CheckpointError, match="has no safetensors file"):
        hub.ask("someone/shelved")


def test_a_model_too_large_for_this_machine_is_not_fetched(played, monkeypatch):
    monkeypatch.setenv(VARIABLE, "0.000001")
    with pytest.raises(CheckpointError, match=VARIABLE):
        hub.ask("someone/shelved")


def test_without_the_extra_the_hub_is_one_sentence(monkeypatch):
    monkeypatch.setattr(hub, "available", lambda: False)
    with pytest.raises(CheckpointError, match="pip install"):
        hub.ask("someone/shelved")


def test_a_fetch_that_is_stopped_ends_at_once(played):
    listing = hub.ask("someone/shelved")

    def stop(share):
        raise Stopped

    with pytest.raises(Stopped):
        hub.fetch(listing, stop)
    assert played.requests == ["someone/shelved", "config.json"]
