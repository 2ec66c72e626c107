"""Models of others: nobody takes them away, and a model that is let go gives its memory back."""

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest
import streamlit
from foreign import publish, random_model
from screen import ROOT, visit, well

from model.checkpoint import CheckpointError
from model.config import ModelConfig
from model.importers.child import guarded
from model.model_card import ExternalSource, ModelCard
from model.registry import LoadedModel, ModelRegistry, RegistryFull, registry
from viz.pages.your_model import load_model

MEGABYTES = 200


def kept(owner):
    return LoadedModel(
        None,
        None,
        ModelCard(config=ModelConfig(1, 1, 1, 8, 8), source=ExternalSource("x", "folder", 1)),
        owner=owner,
    )


def mine(who):
    return lambda other: other.owner == who


# Names that no other test gives: a name of the registry keeps its meaning for as long as the process lives.
THEIRS = ("own-theirs-a", "own-theirs-b")


@pytest.fixture
def full():
    """Two models of another visitor on the shelf of this process."""
    for name in (*registry().names(), *registry().names(maps_only=True)):
        registry().let_go(name)
    for name in THEIRS:
        registry().add(name, name, kept("somebody"))
    yield
    for name in registry().names():
        registry().let_go(name)


def test_a_visitor_evicts_his_own_model_and_no_other(outcome):
    registry = ModelRegistry(most=2)
    registry.add("own-a", 1, kept("ann"), mine("ann"))
    registry.add("own-b", 2, kept("ben"), mine("ben"))
    registry.add("own-c", 3, kept("ben"), mine("ben"))
    assert registry.names() == ("own-a", "own-c")
    with pytest.raises(RegistryFull, match=r"other visitors have loaded as many.*\.$"):
        registry.add("own-d", 4, kept("cid"), mine("cid"))
    assert registry.names() == ("own-a", "own-c")
    outcome("refused in a sentence")


def test_the_same_files_loaded_by_another_do_not_take_the_model_over(outcome):
    registry = ModelRegistry(most=2)
    registry.add("own-a", 1, kept("ann"))
    assert registry.add("own-a", 1, kept("ben"), mine("ben")) == "own-a"
    assert registry.find("own-a").owner == "ann"
    outcome("the owner stays")


def test_loading_onto_a_full_shelf_is_refused_before_anything_is_read(tmp_path, full, monkeypatch, outcome):
    offer = guarded.inspect_folder(str(publish(random_model("gpt2"), tmp_path / "little")))
    monkeypatch.setattr(guarded, "check", lambda *arguments: pytest.fail("the files are read"))
    with pytest.raises(CheckpointError, match="other visitors have loaded as many"):
        guarded.load(offer, lambda share: None, "ann", mine("ann"))
    assert registry().names() == THEIRS
    outcome("refused in a sentence")


@pytest.mark.parametrize(
    ("alone", "owner", "present", "may"),
    [
        (True, "", (), True),
        (True, "ann", ("ann",), True),
        (False, "", (), False),
        (False, "me", ("me",), True),
        (False, "ann", ("me", "ann"), False),
        (False, "ann", ("me",), True),  # ann has left: nobody else could ever let go of it
    ],
)
def test_who_may_let_go(monkeypatch, alone, owner, present, may, outcome):
    monkeypatch.setattr(load_model, "of_one_person", lambda: alone)
    monkeypatch.setattr(load_model, "_here", lambda who: who in present)
    assert load_model.may_unload(kept(owner), "me") == may
    outcome("decided by the owner")


def test_on_a_server_for_others_the_page_lets_nobody_take_a_model_of_another(monkeypatch, full, outcome):
    monkeypatch.setenv(load_model.VARIABLE, "on")
    monkeypatch.setattr(streamlit, "get_option", lambda name: "0.0.0.0")
    monkeypatch.setattr(load_model, "_here", lambda who: True)
    screen = well(visit("viz/pages/your_model/page.py"))
    assert not [button for button in screen.button if str(button.key).startswith("let_go")]
    assert any("Only you can stop or unload" in note.value for note in screen.caption)
    load_model._unload(THEIRS[0])  # the callback itself, as if somebody had made the button up
    assert registry().names() == THEIRS
    registry().add("own-theirs-c", "own-theirs-c", kept(""), lambda other: True)
    load_model._unload("own-theirs-c")
    assert "own-theirs-c" in registry().names(), "a model of the person who started the server"
    outcome("not taken away", 2)


def test_work_of_another_is_not_stopped(monkeypatch, outcome):
    monkeypatch.setattr(load_model, "of_one_person", lambda: False)
    stopped = []
    work = SimpleNamespace(owner="ann", stop=lambda: stopped.append(True))
    load_model._stop(work)
    assert not stopped
    work.owner = load_model.visit()
    load_model._stop(work)
    assert stopped
    outcome("not stopped")


def test_keys_of_maps_are_hashes_and_no_two_inputs_share_one(outcome):
    inputs = [("a", "b c", "d"), ("a b", "c", "d"), ("a", "b", "c d"), ("a", "b c\0d", ""), ("a", "b", "c\0d")]
    keys = {load_model._key(*parts) for parts in inputs}
    assert len(keys) == len(inputs)
    assert all(key.startswith("maps-") and len(key) == 69 for key in keys)
    outcome("a key of ours", len(inputs))


LOADS = """
import json, os, sys
from model import Experiment, run
from model.importers.child import guarded
from model.importers.child.parent import _memory
from model.config import ModelConfig
from model.model_card import ExternalSource, ModelCard
from model.registry import registry
def memory(): return _memory(os.getpid())
small, large = sys.argv[1:]
def once(folder):
    name = guarded.load(guarded.inspect_folder(folder), lambda share: None)
    run(Experiment(name, "the dogs saw two birds ."))
    return name
guarded.unload(once(small))
before = memory()
name = once(large)
there = memory()
guarded.unload(name)
print(json.dumps([before, there, memory()]))
os._exit(0)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
def test_what_is_let_go_gives_its_memory_back(tmp_path, outcome):
    import torch  # noqa: PLC0415
    from foreign import _gpt2  # noqa: PLC0415
    from transformers import GPT2LMHeadModel  # noqa: PLC0415

    torch.manual_seed(0)
    large = GPT2LMHeadModel(_gpt2(n_layer=4, n_embd=1024, n_head=4))  # 12 C² numbers a layer
    folder = publish(large, tmp_path / "large")
    del large
    assert (folder / "model.safetensors").stat().st_size > MEGABYTES * 10**6
    small = publish(random_model("gpt2"), tmp_path / "small")
    done = subprocess.run(
        [sys.executable, "-c", LOADS, str(small), str(folder)], cwd=ROOT, capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, done.stderr
    before, loaded, after = json.loads(done.stdout)
    assert loaded - before > 0.9 * MEGABYTES * 10**6, "the weights are in the server's memory"
    assert after - before < 0.15 * MEGABYTES * 10**6, "and no more"
    outcome("memory given back")


def test_a_foreign_model_that_is_let_go_takes_its_process_with_it(tmp_path, outcome):
    from test_maps_only import MADE  # noqa: PLC0415

    kind, config = MADE["gpt-neox"]
    name = guarded.load(guarded.inspect_folder(str(publish(kind(config), tmp_path / "neox"))), lambda share: None)
    away = registry().find(name).model
    assert away.alive
    guarded.unload(name)
    assert not away.alive
    with pytest.raises(CheckpointError, match="was unloaded"):
        away.attention("the dog", "")
    outcome("memory given back")
