"""Your model: looked at, loaded in the background, on every page beside the lab's own, and gone when it is let go."""

import threading

import numpy as np
import pytest
import streamlit
from foreign import FOREIGN, publish, random_model
from screen import PAGES, component, ignored, large, notices, shows_a_picture, visit, visit_by_a_bad_link, well
from test_maps_only import MADE

from model.importers.background import BackgroundJob
from model.importers.inspect import VARIABLE as BOUND
from model.registry import registry
from viz.pages.your_model import load_model
from viz.ui import not_available

PAGE = "viz/pages/your_model/page.py"
TEXT = "the dogs saw two very tired birds ."
KINDS = {"next": "gpt2", "here": "bert", "nothing": "bert without a head"}


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """A model of each kind: what it says at a word → its folder."""
    place = tmp_path_factory.mktemp("models")
    return {
        prediction: publish(random_model(name), place / f"little-{prediction}") for prediction, name in KINDS.items()
    }


@pytest.fixture
def empty():
    """Nothing is loaded, before and after."""

    def clear():
        for name in (*registry().names(), *registry().names(maps_only=True)):
            registry().let_go(name)

    clear()
    yield
    clear()


def loaded(folder):
    """The page after a person has looked into the folder and loaded what is there."""
    screen = inspected(folder)
    screen.button(key="load").click()
    well(screen.run())
    load_model.slot().now.wait(60)
    return well(screen.run())


def inspected(place):
    screen = visit(PAGE)
    screen.text_input(key="place").set_value(str(place)).run()
    screen.button(key="look").click()
    return well(screen.run())


def reading(screen, key):
    return "".join(text for text, _ in component(screen, f"save_{key}")[0]["reading"])


def text_of(screen):
    return "\n".join(text.value for text in screen.markdown)


# The page


def test_what_is_there_is_told_before_anything_is_loaded(folders, empty):
    screen = inspected(folders["next"])
    text = text_of(screen)
    for line in (
        "| Kind | GPT-2 |",
        "| Layers × heads | 2 × 2 |",
        "| Attention | causal |",
        "| Name in the lab | own-little-next |",
    ):
        assert line.replace("-", "\\-") in text or line in text, line
    assert "each component of the model can be ablated" in text
    assert (not registry().names() and load_model.slot().now is None) or not load_model.slot().now.running


def test_a_model_is_loaded_by_its_button_and_can_be_let_go(folders, empty):
    screen = loaded(folders["next"])
    assert registry().names() == ("own-little-next",)
    assert "**own-little-next**" in text_of(screen)
    assert not [button for button in screen.button if button.key == "load"], "what is loaded is no longer offered"
    screen.button(key="let_go_own-little-next").click()
    assert "own-little-next" not in text_of(well(screen.run()))
    assert not registry().names()


def test_each_button_opens_its_page_with_the_model(folders, empty):
    loaded(folders["next"])
    assert load_model.PAGES
    for page in load_model.PAGES:
        screen = visit().switch_page(f"../{PAGE.removeprefix('viz/')}").run()
        screen.button(key=f"into_own-little-next_{page}").click()
        screen = well(screen.run())
        assert screen.session_state["weights"] == "own-little-next", page


@pytest.mark.parametrize("place", ["/nowhere", ".", "~nobody/x", "<b>x</b>"])
def test_what_cannot_be_loaded_is_one_sentence(place, empty):
    screen = inspected(place)
    assert notices(screen)
    assert not [button for button in screen.button if button.key == "load"]


def test_a_model_too_large_is_refused_before_it_is_loaded(folders, empty, monkeypatch):
    monkeypatch.setenv(BOUND, "0.000001")
    assert "of memory" in notices(inspected(folders["next"]))


def test_a_loading_that_fails_says_why_and_keeps_nothing(folders, empty, monkeypatch):
    screen = inspected(folders["next"])
    monkeypatch.setenv(BOUND, "0.000001")  # the bound has changed meanwhile
    screen.button(key="load").click()
    at_once = notices(well(screen.run()))  # it may have failed before the page was written
    load_model.slot().now.wait(60)
    assert "of memory" in at_once + notices(well(screen.run()))
    assert not registry().names()


def test_while_a_model_is_on_its_way_it_can_be_stopped(folders, empty):
    gate = threading.Event()

    def slow(progress):
        gate.wait(60)
        progress(0.5)
        return "never"

    screen = visit(PAGE)
    screen.session_state["your_work"] = work = BackgroundJob("Loading something", slow)
    assert load_model.slot().start(work)
    try:
        well(screen.run())
        screen.button(key="stop").click()
        well(screen.run())
        assert work.stopped
    finally:
        gate.set()
    work.wait(60)
    assert "Nothing was kept" in notices(well(screen.run()))


def test_a_name_of_the_hub_is_asked_for_by_its_button_only(monkeypatch, empty):
    names = []
    monkeypatch.setattr(load_model.hub, "ask", lambda name: names.append(name))
    screen = visit(PAGE)
    screen.text_input(key="place").set_value("distilbert/distilgpt2").run()
    assert not names
    screen.button(key="ask_hub").click()
    well(screen.run())
    assert names == ["distilbert/distilgpt2"]


# Who may


@pytest.mark.parametrize(
    ("address", "setting", "open_"),
    [
        ("127.0.0.1", "", True),
        ("::1", "", True),
        ("localhost", "", True),
        ("0.0.0.0", "", False),
        ("192.168.1.20", "", False),
        (None, "", False),
        ("lab.example.org", "", False),
        ("0.0.0.0", "on", True),
        ("127.0.0.1", "off", False),
        ("127.0.0.1", "no idea", False),
    ],
)
def test_only_a_server_for_its_own_machine_loads_models_unless_the_setting_says_so(
    monkeypatch, address, setting, open_
):
    monkeypatch.setattr(streamlit, "get_option", lambda name: address)
    monkeypatch.setenv(load_model.VARIABLE, setting)
    assert load_model.loading_allowed() == open_


def test_a_replica_behind_an_open_proxy_loads_no_models(monkeypatch):
    monkeypatch.setattr(streamlit, "get_option", lambda name: "127.0.0.1")
    monkeypatch.delenv(load_model.VARIABLE, raising=False)
    monkeypatch.setenv("ATTENTION_LAB_PROXY", "0.0.0.0")
    assert not load_model.loading_allowed()
    monkeypatch.setenv("ATTENTION_LAB_PROXY", "127.0.0.1")
    assert load_model.loading_allowed()


def test_where_it_is_off_the_page_says_so_and_offers_nothing(monkeypatch):
    monkeypatch.setenv(load_model.VARIABLE, "off")
    screen = well(visit(PAGE))
    assert "switched off on this server" in notices(screen)
    assert not screen.text_input and not screen.button


# Every page with every kind of model


VIEWS = {
    "machine": [{}, {"mlp": "false", "detail": "shapes"}, {"residual": "false", "norm": "false", "detail": "numbers"}],
    "heads": [{"panel": more} for more in ("Next word", "Generate", "Head statistics", "Rollout")],
    "inside": [
        {"view": view}
        for view in ("Step by step", "Loop or matrix", "Size and cost", "Average of values", "QK spectrum")
    ],
    "masks": [{}, {"mask_kind": "window"}, {"view": "KV cache"}],
    "positions": [{"view": "Shuffle test"}],
    "why": [
        {},
        {"view": "Windows"},
        {"view": "One after another"},
        {"view": "The table"},
        {"view": "Escaping the square"},
        {"view": "Decoding and the cache"},
    ],
    "remove": [
        {"scale": "false"},
        {"norm": "false", "heads_off": "L1H1"},
        {"panel": "Residual stream"},
        {"panel": "Override one row"},
        {"panel": "Head ablation"},
        {"view": "Why √d_k"},
        {"view": "Layer norm, batch norm"},
    ],
}


def on_shelf(folder):
    """The name of the model in this folder, which an earlier test may have loaded."""
    name = f"own-{folder.name}"
    if name not in (*registry().names(), *registry().names(maps_only=True)):
        loaded(folder)
    return name


@pytest.fixture(scope="session")
def kept(folders):
    """How to have a model on the shelf, and the folders: what it says at a word → its folder.

    Most tests only look at a model. They share it: each loading starts or asks a child process, and `empty` is for the
    tests of loading itself.
    """
    return on_shelf, folders


@pytest.mark.parametrize("prediction", KINDS)
def test_every_view_of_every_page_stands_with_a_model_from_elsewhere(kept, prediction):
    load, folders = kept
    name = load(folders[prediction])
    assert set(VIEWS) == {page.parent.name for page in PAGES} - {"translate"}, "Translate has models of two sentences"
    for page, views in VIEWS.items():
        for view in views:
            # A model from elsewhere has no twin trained without a part: that view falls back, and says so.
            screen = well(visit_by_a_bad_link(f"viz/pages/{page}/page.py", weights=name, text=TEXT, **view))
            assert screen.session_state["weights"] == name, (page, view)
            assert set(ignored(screen, view)) == ({"view"} if "Trained without" in view.values() else set()), (
                page,
                view,
            )


def test_what_a_model_says_decides_what_is_told_of_its_words(kept):
    load, folders = kept
    for prediction, expected in (("next", ""), ("here", "fills in words"), ("nothing", "only gives a vector")):
        screen = visit(weights=load(folders[prediction]), text=TEXT, panel="Next word")
        notes = notices(screen) + "".join(note.value for note in screen.caption)
        assert shows_a_picture(well(screen))
        assert (expected in notes) if expected else ("vector" not in notes)


def test_what_a_model_cannot_have_is_answered_by_a_sentence_and_shown_by_the_page_alone(kept, monkeypatch):
    load, folders = kept
    for kind in KINDS:
        name = load(folders[kind])
        with monkeypatch.context() as patched:
            patched.setattr("streamlit.delta_generator.DeltaGenerator._enqueue", None)  # nobody may write to a page
            assert bool(not_available.requires_lm_head(name)) == (kind == "nothing")
            assert bool(not_available.requires_causal_lm(name)) == (kind != "next")
            assert bool(not_available.masked_lm_note(name)) == (kind == "here")
            assert name in (not_available.requires_lab_model(name) or "")
    assert not any(question("grammar") for question in QUESTIONS)


QUESTIONS = (
    not_available.requires_lm_head,
    not_available.requires_causal_lm,
    not_available.requires_lab_model,
    not_available.masked_lm_note,
)


def test_an_encoder_has_no_mask_to_take_out(kept):
    load, folders = kept
    name = load(folders["nothing"])
    screen = well(visit("viz/pages/remove/page.py", weights=name, text=TEXT, scale="true"))
    assert screen.toggle(key="mask").disabled and not screen.toggle(key="norm").disabled
    assert "Causal mask" not in screen.pills(key="offer").options
    shuffled = reading(
        well(visit("viz/pages/positions/page.py", weights=name, text=TEXT, view="Shuffle test")), "shuffled"
    )
    assert "it has no mask" in shuffled


def test_a_model_without_words_opens_on_figures_it_has(kept):
    load, folders = kept
    name = load(folders["nothing"])
    assert well(visit(weights=name, text=TEXT)).segmented_control(key="panel").value == "Head statistics"
    screen = well(visit("viz/pages/remove/page.py", weights=name, text=TEXT))
    assert screen.segmented_control(key="panel").value == "Residual stream"
    assert "Trained without" not in screen.segmented_control(key="view").options


def test_a_hidden_word_can_be_typed(kept):
    load, folders = kept
    name = load(folders["here"])
    header, _ = component(well(visit(weights=name, text="the [MASK] saw two birds .")), "sentence")
    assert header["full"][1:4] == ["the", "[MASK]", "saw"]


def test_a_link_to_a_model_that_is_not_here_says_so_and_falls_back(empty):
    screen = well(visit_by_a_bad_link(weights="own-little", text=TEXT))
    assert screen.session_state["weights"] == "grammar"
    assert "own-little is not loaded on this server" in notices(screen).replace("\\", "")
    assert "Your model" in notices(screen)
    assert not notices(well(screen.run()))


def test_a_model_that_is_let_go_while_it_is_shown_falls_back(kept):
    load, folders = kept
    name = load(folders["next"])
    screen = visit(weights=name, text=TEXT)
    registry().let_go(name)
    assert shows_a_picture(well(screen.run()))
    assert screen.session_state["weights"] == "grammar"
    assert "is not loaded on this server" in notices(screen)


# Models of which only maps can be drawn


@pytest.fixture(scope="session")
def t5(tmp_path_factory):
    kind, config = MADE["t5"]
    return publish(kind(config), tmp_path_factory.mktemp("maps") / "little-t5")


def opened(t5):
    """The page with the model, which an earlier test may have loaded."""
    name = on_shelf(t5)
    return well(visit(PAGE, maps_model=name))


def test_a_model_that_is_not_ours_is_drawn_here_encoder_decoder_and_cross(t5, empty):
    screen = inspected(t5)
    assert "its components cannot be ablated" in text_of(screen)
    screen = loaded(t5)
    assert registry().names() == () and registry().names(maps_only=True) == ("own-little-t5",)
    screen.text_area(key="maps_text").set_value(TEXT)
    screen.text_area(key="maps_target").set_value("two dogs")
    screen = well(screen.run())
    assert shows_a_picture(screen)
    assert component(screen, "grid")[1]["cells"].shape == (3, 2, 11, 11)
    for stack, shape in (("decoder", (4, 4)), ("cross", (4, 11))):
        screen.segmented_control(key="stack").set_value(stack)
        assert component(well(screen.run()), "grid")[1]["cells"].shape[2:] == shape
    assert component(screen, "sentence")[0]["keys"]["tokens"][1] == "the"


def test_the_lines_under_its_figures_give_its_numbers(t5):
    screen = opened(t5)
    screen.text_area(key="maps_text").set_value(TEXT)
    screen.text_area(key="maps_target").set_value("two dogs")
    screen.run()
    screen.segmented_control(key="stack").set_value("cross")
    screen = well(screen.run())
    namespace = {}
    exec(component(screen, "save_enlarged")[0]["python"], namespace)
    assert np.allclose(namespace["weights"], large(screen), atol=1e-6)


def test_a_text_that_it_cannot_read_is_one_sentence(t5):
    screen = opened(t5)
    screen.text_area(key="maps_text").set_value(" ")
    assert "There is no text yet" in notices(well(screen.run()))


def test_of_two_such_models_the_new_one_is_shown_and_the_link_says_which(t5, empty, tmp_path):
    kind, config = MADE["llama with grouped queries"]
    screen = loaded(t5)
    assert screen.session_state["maps_model"] == "own-little-t5"
    screen.text_input(key="place").set_value(str(publish(kind(config), tmp_path / "little-llama"))).run()
    screen.button(key="look").click()
    well(screen.run()).button(key="load").click()
    well(screen.run())
    load_model.slot().now.wait(60)
    screen = well(screen.run())
    assert screen.session_state["maps_model"] == screen.query_params["maps_model"] == "own-little-llama"
    afresh = well(visit(PAGE, maps_model="own-little-t5", stack="cross", maps_text=TEXT, maps_target="two dogs"))
    assert component(afresh, "grid")[1]["cells"].shape == (3, 2, 4, 11)


def test_a_link_to_a_model_that_is_not_here_says_so(empty):
    assert "own\\-little\\-t5 is not loaded" in notices(well(visit_by_a_bad_link(PAGE, maps_model="own-little-t5")))


# Copy as Python


def test_the_lines_under_a_figure_bring_the_model_and_give_its_numbers(kept):
    load, folders = kept
    name = load(folders["next"])
    screen = well(visit(weights=name, text=TEXT, layer=1, head=1))
    lines, drawn = component(screen, "save_enlarged")[0]["python"], large(screen)
    registry().let_go(name)
    namespace = {}
    exec(lines, namespace)
    assert "bring(" in lines
    seen = np.isfinite(drawn)
    assert np.allclose(namespace["weights"][seen], drawn[seen], atol=1e-6)


def test_every_model_of_the_table_can_be_published():
    assert set(KINDS.values()) <= set(FOREIGN)
