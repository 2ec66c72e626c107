"""The page “Whole model” under messages that no honest browser sends, and what its controls keep."""

import numpy as np
import pytest
from screen import component, visit, well

from model import Experiment, run
from model.analysis.whole_model.architecture import architecture
from model.analysis.whole_model.data_flow import data_flow
from model.run import get_transformer
from model.switches import PARTS
from viz.captions.counting import percent
from viz.pages.machine import pair_model, pair_pages, whole_model
from viz.ui import ablation
from viz.ui.controls import EXAMPLE
from viz.ui.links import part_pages
from viz.ui.state import Key

CONFIG = get_transformer("grammar")[0].config


@pytest.fixture
def session(monkeypatch):
    """What the callbacks write to, in place of a visitor's session."""
    kept = {}
    for module in (ablation, part_pages, pair_pages):
        monkeypatch.setattr(module.st, "session_state", kept)
    return kept


@pytest.mark.parametrize(
    "message",
    [
        lambda: whole_model.toggle_part("__class__"),
        lambda: whole_model.toggle_part("heads_off"),
        lambda: whole_model.toggle_layer(CONFIG, "L", 10**9, "L"),
        lambda: whole_model.toggle_layer(CONFIG, "L", -1, "L"),
        lambda: whole_model.toggle_layer(CONFIG, "L", 0, "X"),
        lambda: whole_model.toggle_layer(CONFIG, "LXE", 0, "LX"),
        lambda: whole_model.toggle_head(CONFIG, "L", 0, CONFIG.n_heads, "L"),
        lambda: whole_model.toggle_head(CONFIG, "L", CONFIG.n_layers, 0, "L"),
        lambda: whole_model.toggle_head(CONFIG, "L", 0, 0, "E"),
        lambda: whole_model.toggle_head(CONFIG, "LXE", 0, 0, ""),
        lambda: whole_model._request_page(CONFIG, "head", 10**9, 0, ""),
        lambda: whole_model._request_page(CONFIG, "head", 0, 10**9, ""),
        lambda: pair_model._request_page(CONFIG, "head", 0, 10**9, "encoder"),
    ],
)
def test_a_part_that_the_model_does_not_have_changes_nothing(session, message):
    message()
    assert session == {}


def test_a_layer_of_heads_goes_as_a_whole_and_comes_back_as_a_whole(session):
    whole_model.toggle_head(CONFIG, "L", 1, 0, "L")
    assert session["heads_off"] == ["L1H0"]
    whole_model.toggle_layer(CONFIG, "L", 1, "L")
    assert sorted(session["heads_off"]) == ["L1H0", "L1H1", "L1H2", "L1H3"]
    whole_model.toggle_head(CONFIG, "L", 0, 0, "L")
    whole_model.toggle_layer(CONFIG, "L", 1, "L")
    assert session["heads_off"] == ["L0H0"], "the head of another layer stays out"
    whole_model.toggle_layer(CONFIG, "LXE", 0, "X")
    assert session["heads_off"] == ["L0H0", "X0H0", "X0H1", "X0H2", "X0H3"], "of another attention they are others"


@pytest.mark.parametrize("kind", ["", "../../etc/passwd", "your_model"])
def test_a_page_that_no_part_has_is_not_opened(session, kind):
    session[Key.PART_REQUESTED] = (kind, 0, 0)
    part_pages.open_requested("machine")
    assert Key.PART_REQUESTED not in session


def test_every_part_and_every_switch_has_a_page_that_exists():
    kinds = {step.kind for step in architecture(CONFIG)} | {"head"} | {part.name for part in PARTS}
    assert set(part_pages.PAGE_OF) == kinds
    for page in part_pages.PAGE_OF.values():
        assert (part_pages.visitor.PAGES / page.page / "page.py").is_file()


@pytest.mark.parametrize("switch", [{}, {"mlp": "false"}, {"residual": "false", "norm": "false"}, {"mask": "false"}])
def test_a_switch_never_changes_which_token_is_followed(switch):
    header, _ = component(well(visit("viz/pages/machine/page.py", **switch)), "machine")
    opened, _ = component(well(visit("viz/pages/machine/page.py")), "machine")
    assert header["row"] == opened["row"] and header["tokens"] == opened["tokens"]
    assert {part["name"]: part["on"] for part in header["switches"]} == {
        part["name"]: part["name"] not in switch for part in opened["switches"]
    }


def test_of_a_long_text_the_tokens_that_matter_most_are_drawn_and_the_sentence_says_how_many_there_are():
    text = " ".join(["Alice saw the White Rabbit, and the White Rabbit saw Alice."] * 4)
    screen = well(visit("viz/pages/machine/page.py", weights="stories", text=text))
    header, _ = component(screen, "machine")
    assert len(header["tokens"]) == whole_model.MOST_TOKENS == len(header["positions"])
    assert header["row"] in header["positions"] == sorted(header["positions"])
    saved, _ = component(screen, "save_machine")
    reading = "".join(part for part, _ in saved["reading"])
    assert "draws the 24 tokens" in reading


def test_a_model_trained_without_a_part_has_no_switch_for_it_and_nothing_is_said_of_its_hidden_units():
    screen = well(visit("viz/pages/machine/page.py", weights="grammar-without-mlp"))
    header, _ = component(screen, "machine")
    assert not next(part for part in header["switches"] if part["name"] == "mlp")["available"]
    assert any("no hidden units to show" in info.value for info in screen.info)


def test_the_sentences_of_the_parts_have_the_numbers_of_the_pass():
    header, _ = component(well(visit("viz/pages/machine/page.py")), "machine")
    experiment = Experiment(text=EXAMPLE)
    trace = run(experiment)
    flow = data_flow(experiment, trace)
    for token, sentences in zip(header["positions"], header["sentences"], strict=True):
        assert f"length {flow.lengths[0, token]:.1f}." in sentences[0]
        for joint, sentence in enumerate(sentences[1:-1]):  # attention and feed-forward in turn
            assert f"a vector of length {flow.added[joint, token]:.1f}." in sentence
            assert f"added to one of length {flow.lengths[joint, token]:.1f}." in sentence
            if joint % 2:
                active = int((trace.layers[joint // 2].mlp_hidden[token] > 0).sum())
                assert f" {active} of its 256 hidden units" in sentence
            elif others := np.delete(flow.shares[joint // 2, token], token).tolist():
                best = max(others)
                assert (f"({percent(best)})" if best >= whole_model.NAMED else "No other token") in sentence
        word = int(np.argmax(trace.logits[token]))
        assert f"is “{get_transformer('grammar')[1].vocabulary[word]}”, with" in sentences[-1]
