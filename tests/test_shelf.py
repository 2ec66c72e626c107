"""Models from elsewhere in memory: found by name, few at a time, loaded in the background or not at all."""

import threading
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from foreign import made, publish

from model import Experiment, Switches, run
from model.checkpoint import CheckpointError, card, load, names
from model.importers import look, read
from model.importers.loading import Loading, Slot
from model.shelf import OWN, Kept, Shelf, shelf

TEXT = "the dogs saw two birds ."


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return publish(made("gpt2"), tmp_path_factory.mktemp("shelf") / "little")


@pytest.fixture
def clean():
    yield
    for name in (*shelf().names(), *shelf().names(maps_only=True)):
        shelf().let_go(name)


def kept():
    return Kept(None, None, {})


def test_two_are_kept_and_the_oldest_is_let_go():
    here = Shelf(most=2)
    assert [here.put(f"own-{letter}", letter, kept()) for letter in "abc"] == ["own-a", "own-b", "own-c"]
    assert here.names() == ("own-b", "own-c") and here.find("own-a") is None


def test_what_is_put_again_is_the_newest():
    here = Shelf(most=2)
    for letter in "abac":
        here.put(f"own-{letter}", letter, kept())
    assert here.names() == ("own-a", "own-c")


def test_a_name_never_comes_to_mean_another_model():
    here = Shelf(most=1)
    assert here.put("own-a", "first files", kept()) == "own-a"
    assert here.put("own-a", "other files", kept()) == "own-a-2"
    assert here.find("own-a") is None
    assert here.put("own-a", "third files", kept()) == "own-a-3"
    assert here.put("own-a", "first files", kept()) == "own-a"


def test_models_of_which_only_maps_are_drawn_stand_apart_but_count():
    here = Shelf(most=2)
    here.put("own-a", 1, kept())
    here.put("own-b", 2, replace(kept(), maps_only=True))
    assert (here.names(), here.names(maps_only=True)) == (("own-a",), ("own-b",))
    here.put("own-c", 3, kept())
    assert here.names() == ("own-c",)


def test_no_weights_of_the_lab_have_a_name_of_the_shelf():
    assert not [name for name in names() if name.startswith(OWN)]


def test_a_model_that_is_not_loaded_is_said_so():
    with pytest.raises(CheckpointError, match='"own-nobody" is not loaded here'):
        card("own-nobody")
    with pytest.raises(CheckpointError, match='"own-nobody" is not loaded here'):
        run(Experiment("own-nobody", TEXT))


def test_a_loaded_model_runs_through_the_one_door(folder, clean):
    loading = Loading(look(folder)).start()
    loading.wait(60)
    assert (loading.name, loading.error, loading.share) == ("own-little", "", 1.0)
    assert card("own-little")["config"]["n_layers"] == 2
    whole = run(Experiment("own-little", TEXT))
    transformer, tokenizer = read(look(folder)).transformer, load("own-little")[1]
    ids = torch.tensor([tokenizer.encode(TEXT).ids])
    np.testing.assert_allclose(whole.logits, transformer(ids).logits[0].numpy(), atol=1e-5)
    without = run(Experiment("own-little", TEXT, Switches(scale=False)))
    assert not np.array_equal(whole.layers[0].attention.weights, without.layers[0].attention.weights)


def test_a_model_that_was_let_go_runs_no_more(folder, clean):
    Loading(look(folder)).start().wait(60)
    run(Experiment("own-little", TEXT))
    shelf().let_go("own-little")
    for other in ("a", "b"):
        shelf().put(f"own-{other}", other, kept())
    with pytest.raises(CheckpointError, match="not loaded"):
        card("own-little")


def test_a_loading_that_is_stopped_leaves_nothing(folder, clean):
    loading = Loading(look(folder))
    loading.stop()
    loading.start().wait(60)
    assert loading.stopped and not loading.name and not loading.error and not shelf().names()


def test_a_loading_that_fails_says_why_and_leaves_nothing(folder, tmp_path, clean):
    offer = look(folder)
    loading = Loading(replace(offer, folder=replace(offer.folder, stamp=()))).start()
    loading.wait(60)
    assert "have changed" in loading.error and not shelf().names()


def test_one_model_is_loaded_at_a_time(folder, clean, monkeypatch):
    gate = threading.Event()
    slot = Slot()
    monkeypatch.setattr(Loading, "_watch", lambda self, share: gate.wait(30) and None)
    assert slot.load(look(folder))
    assert not slot.load(look(folder))
    gate.set()
    slot.now.wait(60)
    for _ in range(100):
        if not slot.now.running:
            break
        time.sleep(0.01)
    assert slot.load(look(folder))
    slot.now.wait(60)
