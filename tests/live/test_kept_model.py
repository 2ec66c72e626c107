"""A step of a live training as a model: its name, its file, the pages that show it, and files that were changed."""

import json

import numpy as np
import pytest
import safetensors.torch
from equal import same_bits
from screen import ROOT, component, visit, visit_by_a_bad_link, well
from streamlit.testing.v1 import AppTest

from model import Experiment, run
from model.checkpoint import CheckpointError, load, load_card
from model.norm import NORMS
from model.registry import MOST_SESSION_MODELS, LoadedModel, SessionModels, session_models
from model.training.live.kept_model import METADATA, example, from_file, keep, to_file
from model.training.live.learner import Learner
from model.training.live.relations import RELATIONS
from model.training.live.settings import LiveSettings
from viz.pages.training import figure
from viz.pages.training.runs import RUNS
from viz.ui import copy_as_python
from viz.ui.state import Key

PAGES = ("heads", "machine", "inside", "masks", "positions", "remove", "why")
TRAINING = "viz/pages/training/page.py"
TITLE = "../My *reverse*  model <b>"


def learnt(task="reverse", steps=3):
    learner = Learner(LiveSettings(task=task, width=16, steps=steps), 0)
    for _ in range(steps):
        learner.advance()
    return learner


def kept(task="reverse", title=TITLE):
    learner = learnt(task)
    return keep(title, learner.settings, 3, learner.weights_of(3)), learner


def test_a_name_is_safe_and_says_what_was_typed():
    name, _ = kept()
    assert name.startswith("mine-my-reverse-model-b-") and name.replace("-", "").isalnum()
    assert load_card(name).json["title"] == "../My *reverse* model <b>"
    assert kept(title="")[0].startswith("mine-model-")
    assert kept(title="модель" * 40)[0].startswith("mine-model-")
    assert kept()[0] == name, "the same weights have the same name"
    assert kept(title="other")[0] != name


def test_the_model_computes_what_the_training_did():
    name, learner = kept()
    text = example("live reverse")
    weights = np.stack([layer.attention.weights for layer in run(Experiment(name, text)).layers])
    assert weights == pytest.approx(learner.measurements[3].weights, abs=1e-6)
    card = load_card(name)
    for number, relation in enumerate(RELATIONS):
        assert card.language.relations[relation].mass == pytest.approx(learner.measurements[3].scores[number], abs=1e-6)
        assert card.language.relations[relation].top1.max() <= 1
    assert card.json["exam"]["loss"] == pytest.approx(learner.measurements[3].held_out_loss)


def test_a_file_brings_the_model_back():
    name, learner = kept("markov")
    data = to_file(name)
    session_models()._kept.clear()
    with pytest.raises(CheckpointError, match="is not loaded here"):
        load(name)
    assert from_file(data) == name
    network, _ = load(name)
    for key, tensor in learner.weights_of(3).items():
        assert same_bits(network.state_dict()[key].cpu(), tensor, "copied")


def changed(data, change):
    """The file with other metadata."""
    weights = safetensors.torch.load(data)
    length = int.from_bytes(data[:8], "little")
    described = json.loads(json.loads(data[8 : 8 + length])["__metadata__"][METADATA])
    change(described)
    return safetensors.torch.save(weights, metadata={METADATA: json.dumps(described)})


CHANGES = [
    lambda d: d["settings"].update(layers=10_000),
    lambda d: d["settings"].update(layers=1),
    lambda d: d["settings"].update(position="../x"),
    lambda d: d["settings"].update(position=["x"]),
    lambda d: d["settings"].update(scale="yes"),
    lambda d: d["settings"].update(other=1),
    lambda d: d["settings"].update(norm_kind=3),
    lambda d: d.update(step=-1),
    lambda d: d.update(step="3"),
    lambda d: d.update(title=7),
    lambda d: d.pop("settings"),
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_file_is_refused_in_one_sentence(change):
    data = to_file(kept()[0])
    with pytest.raises(CheckpointError) as refusal:
        from_file(changed(data, change))
    assert str(refusal.value).endswith(".") and "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "data", [b"", b"x" * 7, b"\xff" * 100, b"\0" * 20, (2).to_bytes(8, "little") + b"{}", b"x" * 17_000_000]
)
def test_what_is_no_file_of_training_is_refused(data):
    with pytest.raises(CheckpointError):
        from_file(data)


def test_a_cut_file_is_refused():
    data = to_file(kept()[0])
    for size in (10, 200, len(data) - 1):
        with pytest.raises(CheckpointError):
            from_file(data[:size])


def test_the_oldest_models_go_when_there_are_too_many():
    store = SessionModels()
    model = LoadedModel(None, None, None)
    for number in range(MOST_SESSION_MODELS + 3):
        store.add(f"mine-{number}", model, 10)
    assert store.find("mine-2") is None and store.find("mine-3") is not None
    store.add("mine-large", model, 199_999_995)
    assert store.find("mine-34") is None and store.find("mine-large") is not None and store.bytes <= 200_000_000


@pytest.mark.parametrize("task", ["reverse", "markov"])
@pytest.mark.parametrize("page", PAGES)
def test_every_page_shows_it(page, task):
    name, _ = kept(task)
    screen = AppTest.from_file(ROOT / f"viz/pages/{page}/page.py", default_timeout=120)
    screen.session_state[Key.KEPT_MODELS] = (name,)
    screen.query_params["weights"] = name
    screen = well(screen.run())
    if page == "heads":
        assert "128 held-out sequences" in "".join(text for text, _ in component(screen, "save_grid")[0]["reading"])
    if page not in ("positions", "why"):
        assert screen.session_state["weights"] == name
        assert screen.session_state["text"] == example(f"live {task}")


def test_another_visit_is_told_that_it_does_not_have_the_model():
    name, _ = kept()
    screen = well(visit_by_a_bad_link(weights=name))
    assert screen.session_state["weights"] == "grammar"
    assert any("was kept from a live training in another visit" in info.value for info in screen.info)


def test_a_step_is_kept_on_the_page_and_can_be_removed():
    screen = well(visit(TRAINING, train_steps=50, train_width=16, view="Wind back", history_of="A of this page"))
    training = RUNS.find(screen.session_state[Key.TRAINING])
    figure.command(training, "play", 3)
    assert training.wait(30)
    screen = well(screen.run())
    screen = well(screen.button(key=Key.KEEP_STEP).click().run())
    (name,) = screen.session_state[Key.KEPT_MODELS]
    assert load_card(name).json["step"] == component(screen, "history")[0]["state"]["history_step"]
    assert any(name in text.value for text in screen.markdown)
    screen = well(screen.button(key=f"{Key.LET_KEPT_GO}_{name}").click().run())
    assert screen.session_state[Key.KEPT_MODELS] == ()
    RUNS.forget(training.name)


def test_copied_lines_open_the_saved_file(tmp_path, monkeypatch):
    name, _ = kept()
    (tmp_path / f"{name}.safetensors").write_bytes(to_file(name))
    session_models()._kept.clear()
    monkeypatch.chdir(tmp_path)
    namespace = {}
    exec(copy_as_python.python("weights = run(experiment).layers[0]", experiment=Experiment(name, "a b c")), namespace)
    assert namespace["weights"].attention.weights.shape == (2, 4, 4)


def test_a_model_of_every_norm_is_kept_but_for_batch_norm_which_is_refused_in_one_sentence():
    for kind in sorted(NORMS):
        learner = Learner(LiveSettings(width=16, steps=1, norm_kind=kind), 0)
        learner.advance()
        if kind == "batch":
            with pytest.raises(CheckpointError, match=r"^A model with batch norm cannot be kept: [^.]+\.$"):
                keep("x", learner.settings, 1, learner.weights_of(1))
        else:
            name = keep("x", learner.settings, 1, learner.weights_of(1))
            trace = run(Experiment(name, text=example(load_card(name).task)))
            assert trace.layers[0].norm1.std.shape[-1] == 1, kind
