"""Every page, run by Streamlit's own test runner: each control moved, each link opened, and what a flip costs."""

import json
import re

import numpy as np
import pytest
from equal import same_bits
from screen import (
    OF_ONE_TEXT,
    PAGES,
    ROOT,
    WEIGHTS,
    cells,
    component,
    figures,
    large,
    notices,
    shows_a_picture,
    visit,
    visit_by_a_bad_link,
    well,
)

from model import Experiment, Switches, run
from model.checkpoint import names, read_card, saved_steps, step_name
from model.switches import PARTS
from model.tasks import TASKS
from model.transformer import Transformer
from viz.ui import server_cache
from viz.ui.controls import EXAMPLE, STAGES
from viz.ui.figure_panel import number_columns

MORE = ("Next word", "Generate", "Head statistics", "Rollout")
parts = pytest.mark.parametrize("part", [part.name for part in PARTS])


@pytest.fixture
def passes(monkeypatch):
    """A list that grows by one entry for each forward pass, with nothing remembered from before."""
    server_cache.clear()
    count = []
    forward = Transformer.forward

    def counted(self, *args, **kwargs):
        count.append(1)
        return forward(self, *args, **kwargs)

    monkeypatch.setattr(Transformer, "forward", counted)
    return count


# Every page


@pytest.mark.parametrize("page", [path.relative_to(ROOT).as_posix() for path in PAGES])
def test_a_page_opens_from_the_contents(page):
    well(visit().switch_page(f"../{page.removeprefix('viz/')}").run())


@pytest.mark.parametrize("page", [path.relative_to(ROOT).as_posix() for path in PAGES])
def test_a_page_runs_alone(page):
    well(visit(page))


@pytest.mark.parametrize("page", [path.relative_to(ROOT).as_posix() for path in OF_ONE_TEXT])
@pytest.mark.parametrize("name", WEIGHTS)
def test_a_page_runs_with_every_weights(page, name):
    screen = well(visit(page, weights=name))
    assert screen.session_state["weights"] == name


def test_the_sidebar_offers_the_models_that_know_a_language_and_no_other():
    known = {name for name in names() if read_card(name)["task"] in TASKS}
    known |= {step_name(name, step) for name in known for step in saved_steps(name)}
    assert set(visit().selectbox(key="weights").options) == known != set(names())


@pytest.mark.parametrize("page", [path.relative_to(ROOT).as_posix() for path in PAGES])
def test_a_page_ends_in_links_that_work(page):
    tries = [button.key for button in visit(page).button if button.key.startswith("try_")]
    assert tries
    for key in tries:
        screen = visit(page)
        screen.button(key=key).click()
        well(screen.run())


# The Heads page: what is there at once


def test_the_first_screen_has_a_sentence_every_head_and_one_large():
    screen = well(visit())
    trace = run(Experiment(text=EXAMPLE))
    n_layers, n_heads = len(trace.layers), len(trace.layers[0].attention.weights)
    assert component(screen, "sentence")[0]["full"][1:] == EXAMPLE.split()
    assert component(screen, "grid")[1]["cells"].shape == (n_layers, n_heads, 13, 13)
    assert large(screen).shape == (13, 13)
    assert not notices(screen)


def test_a_head_is_named_by_what_it_does_in_the_full_model_with_all_parts_and_without():
    whole, without = (
        component(visit(layer=1, head=2, **parts), "save_enlarged")[0]["origin"]["shows"]
        for parts in ({}, {"scale": "false"})
    )
    assert re.fullmatch(r"Layer 1, head 2: induction 0\.\d\d with the full model", whole)
    assert without == whole


def test_the_large_map_holds_the_models_own_numbers():
    screen = visit(layer=1, head=2)
    attention = run(Experiment(text=EXAMPLE)).layers[1].attention
    assert same_bits(large(screen)[attention.mask[2]], attention.weights[2][attention.mask[2]], "same operation")
    assert same_bits(component(screen, "sentence")[1]["weights"], attention.weights[2], "same operation")


def test_every_figure_carries_its_sentence_its_table_and_its_files():
    screen = well(visit())
    for key in ("grid", "enlarged", "next", "lens"):
        under, _ = component(screen, f"save_{key}")
        assert under["figure"] == key
        assert under["reading"], "a figure says aloud what it shows"
        assert under["ready"] is None, "a file is made when it is asked for"


@pytest.mark.parametrize("key", ["grid", "enlarged", "next", "lens"])
def test_a_table_opens_behind_its_figure(key):
    screen = visit()
    assert not screen.dataframe
    screen.session_state[f"table_{key}"] = True
    assert len(well(screen.run()).dataframe) == 1


@pytest.mark.parametrize("key", ["grid", "enlarged", "next", "lens"])
def test_the_csv_comes_once_when_it_is_asked_for(key):
    screen = visit()
    screen.session_state[f"ask_{key}"] = {"kind": "csv"}
    header, arrays = component(well(screen.run()), f"save_{key}")
    assert header["ready"] == "csv"
    assert len(arrays["bytes"].tobytes().decode("utf-8-sig").splitlines()) > 2
    assert component(well(screen.run()), f"save_{key}")[0]["ready"] is None


def test_the_sentence_under_the_map_reads_the_map():
    screen = visit(query=10)
    row = run(Experiment(text=EXAMPLE)).layers[int(screen.session_state["layer"])].attention.weights
    weight = row[int(screen.session_state["head"])][10].max()
    reading = component(screen, "save_enlarged")[0]["reading"]
    assert f"{weight:.2f}" in "".join(text for text, _ in reading)


# Every control


@parts
def test_a_part_taken_away_changes_what_is_drawn_and_says_so_in_the_file_names(part):
    screen = visit()
    before = component(screen, "grid")[1]["cells"]
    screen.toggle(key=part).set_value(False)
    after = component(well(screen.run()), "grid")[1]["cells"]
    assert not same_bits(before, after)
    assert component(screen, "save_grid")[0]["file"].startswith(f"grammar-without-{part}")


@parts
def test_every_section_stands_with_a_part_away(part):
    for more in MORE:
        well(visit(**{part: "false", "panel": more}))


def test_with_every_part_away_the_page_still_stands():
    for stage in STAGES:
        assert shows_a_picture(well(visit(stage=stage, **dict.fromkeys([part.name for part in PARTS], "false"))))


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_is_drawn_as_the_model_made_it(stage):
    drawn = large(well(visit(stage=stage, layer=0, head=1)))
    attention = run(Experiment(text=EXAMPLE)).layers[0].attention
    expected = getattr(attention, stage)[1]
    seen = np.isfinite(drawn)
    assert same_bits(drawn[seen], expected[seen], "same operation")
    assert same_bits(seen, attention.mask[1] if stage in ("masked", "weights") else np.isfinite(expected))


@pytest.mark.parametrize("more", MORE)
def test_each_further_section_opens(more):
    screen = visit()
    screen.segmented_control(key="panel").set_value(more)
    well(screen.run())
    figures = {mount.proto.id.rpartition("-")[2] for mount in screen.get("bidi_component")}
    shown = {name.removeprefix("save_") for name in figures if name.startswith("save_")} - {
        "sentence",
        "grid",
        "enlarged",
    }
    expected = {"Next word": {"next", "lens"}, "Generate": {"candidates"}, "Rollout": {"rollout"}}
    assert shown == expected.get(more, set())


def by_the_card(weights):
    """For each head: the mean weights on whole relations, on parts of one, and on the first token, from its card."""
    relations = read_card(weights)["exam"]["relations"]
    n_layers, n_heads = np.shape(next(iter(relations.values()))["mass"])
    for layer in range(n_layers):
        for head in range(n_heads):
            masses = {name: score["mass"][layer][head] for name, score in relations.items()}
            parts = {name: mass for name, mass in masses.items() if "," in name}
            rest = masses.pop("first token", 0.0)
            yield layer, head, {name: mass for name, mass in masses.items() if name not in parts}, parts, rest


@pytest.mark.parametrize("weights", ["grammar", "grammar-without-scale", "stories"])
def test_a_head_bears_the_name_of_the_best_whole_relation_from_the_share_that_the_page_says(weights):
    screen = well(visit(weights=weights))
    caption = "".join(piece for piece, _ in component(screen, "save_grid")[0]["reading"])
    assert "0.50 or more" in caption
    names, better = component(screen, "grid")[0]["head_roles"], 0
    for layer, head, wholes, parts, rest in by_the_card(weights):
        name, mass = max(wholes.items(), key=lambda item: item[1])
        if mass < 0.5:
            name, mass = "first token", rest
        if mass < 0.5:
            assert not names[layer][head]
            continue
        assert names[layer][head][0] == f"{name} {mass:.2f}"
        better += max(parts.values()) > mass
    assert f"{better} of these heads match a part" in caption if better else "of these heads" not in caption
    assert ("“First token” labels a head only" in caption) == (weights == "stories")


@pytest.mark.parametrize("links", [{}, {"residual": "false"}, {"weights": "grammar-without-residual"}], ids=str)
def test_a_rollout_has_half_of_each_step_from_the_residual_only_where_there_is_a_residual(links):
    text = "the dogs near the tree chase the cat ."
    screen = well(visit(text=text, panel="Rollout", query=4, **links))
    switches = Switches(residual="residual" not in links)
    expected = np.eye(len(text.split()) + 1)
    for layer in run(Experiment(links.get("weights", "grammar"), text, switches)).layers:
        attention = layer.attention.weights.mean(axis=0)  # (T, T)
        expected = (attention if links else (attention + np.eye(len(attention))) / 2) @ expected
    weights = cells(figures(screen)["rollout"])
    assert np.nan_to_num(weights) == pytest.approx(expected, abs=1e-5)
    caption = "".join(piece for piece, _ in component(screen, "save_rollout")[0]["reading"])
    assert ("Half of each step comes from the residual" in caption) == (not links)
    assert ("There is no residual connection here" in caption) == bool(links)


def test_the_statistics_have_a_line_for_every_head():
    table = visit(panel="Head statistics").dataframe[0].value
    trace = run(Experiment(text=EXAMPLE))
    heads = [
        (layer, head) for layer in range(len(trace.layers)) for head in range(len(trace.layers[0].attention.weights))
    ]
    assert list(zip(table["layer"], table["head"], strict=True)) == heads


def test_the_numbers_of_a_column_have_one_number_of_decimals():
    columns = json.loads(visit(panel="Head statistics").dataframe[0].proto.columns)
    formats = {name: column["type_config"]["format"] for name, column in columns.items() if "type_config" in column}
    assert set(formats.values()) == {"%.2f"}
    assert {"entropy (nats)", "distance (words)", "previous token"} <= formats.keys()
    table = {"whole": [1, 2], "rounded": [0.0, 0.5, 0.86], "exact": np.array([1 / 3, 2.0]), "tiny": [1e-6, 0.0]}
    written = {name: column["type_config"]["format"] for name, column in number_columns(table).items()}
    assert written == {"rounded": "%.2f", "exact": "%.4f"}


@pytest.mark.parametrize("kind", TASKS["grammar"].kinds)
def test_a_new_sentence_of_every_kind_is_drawn_and_known(kind):
    screen = visit(query=3)
    (menu,) = screen.get("menu_button")
    menu.click(kind)
    well(screen.run())
    header, _ = component(screen, "sentence")
    assert screen.session_state["text"] != EXAMPLE
    assert header["unknown"] == []
    assert not header["pinned"], "the word that was pinned stood in another sentence"


def test_an_unknown_word_is_marked_named_and_replaced_by_one_click():
    screen = visit(text="the doog was tired .")
    assert component(screen, "sentence")[0]["unknown"] == [2]
    assert any("doog" in text.value and "⟨unknown⟩" in text.value for text in screen.markdown)
    screen.button(key="instead_doog_dog").click()
    well(screen.run())
    assert screen.session_state["text"] == "the dog was tired ."
    assert component(screen, "sentence")[0]["unknown"] == []


def test_every_word_the_model_knows_is_on_the_palette():
    screen = visit()
    screen.session_state["known"] = True
    palette = "\n".join(text.value for text in well(screen.run()).sidebar.markdown)
    for group in TASKS["grammar"].words.values():
        assert all(word in palette.replace("\\", "") for word in group)


def test_the_device_is_shown():
    assert any("CPU" in note.value or "NVIDIA" in note.value or "MPS" in note.value for note in visit().sidebar.caption)


# Links


def test_a_link_restores_the_whole_state():
    parameters = {
        "layer": 2,
        "head": 3,
        "query": 4,
        "scale": "false",
        "mask": "false",
        "stage": "scores",
        "panel": "Rollout",
    }
    screen = well(visit(text="the dogs near the tree chase the cat .", **parameters))
    assert not notices(screen)
    state = screen.session_state
    assert (state["layer"], state["head"], state["query"]) == (2, 3, 4)
    assert (state["scale"], state["mask"], state["norm"]) == (False, False, True)
    assert (state["stage"], state["panel"]) == ("scores", "Rollout")
    switches = Switches(scale=False, mask=False)
    trace = run(Experiment(text="the dogs near the tree chase the cat .", switches=switches))
    assert same_bits(large(screen), trace.layers[2].attention.scores[3], "same operation")
    assert component(screen, "grid")[0]["selected"] == [2, 3]
    assert component(screen, "sentence")[0]["row"] == 4


BAD = {
    "weights": ["nobody", "../grammar"],
    "layer": ["99", "-1", "one", "<b>"],
    "head": ["99", "-1", "nan"],
    "query": ["99", "-1", "word", "1e3"],
    "stage": ["bogus", "resid_pre", "<script>"],
    "panel": ["bogus", "Less"],
    **{part.name: ["xyz", "2"] for part in PARTS},
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_a_bad_value_in_a_link_falls_back_and_says_so(name, value):
    screen = well(visit_by_a_bad_link(**{name: value}))
    assert shows_a_picture(screen)
    assert name in notices(screen)
    assert screen.session_state[name] == visit().session_state[name]


def test_many_bad_values_are_named_together_and_the_good_ones_kept():
    screen = well(visit_by_a_bad_link(layer=99, head=2, scale="xyz", mask="false"))
    assert "layer" in notices(screen)
    assert "scale" in notices(screen)
    assert "head" not in notices(screen)
    assert (screen.session_state["head"], screen.session_state["mask"]) == (2, False)


def test_a_bad_value_is_said_once():
    screen = visit_by_a_bad_link(layer=99)
    assert "layer" in notices(screen)
    assert not notices(well(screen.run()))


def test_a_parameter_nobody_knows_harms_nothing():
    assert shows_a_picture(well(visit_by_a_bad_link(utm_source="mail", heads="3")))


def test_a_word_beyond_a_new_shorter_sentence_is_let_go():
    screen = visit(query=12)
    screen.text_area(key="text").set_value("the dog was tired .")
    assert screen.session_state["query"] == 12
    well(screen.run())
    assert screen.session_state["query"] is None
    assert not component(screen, "sentence")[0]["pinned"]


# What a flip costs


def test_a_flip_runs_the_model_once_and_flipping_back_not_at_all(passes):
    screen = visit()
    assert len(passes) == 1
    screen.toggle(key="scale").set_value(False).run()
    assert len(passes) == 2
    screen.toggle(key="scale").set_value(True).run()
    screen.toggle(key="scale").set_value(False).run()
    assert len(passes) == 2


def test_what_only_changes_the_view_never_runs_the_model(passes):
    screen = visit()
    screen.number_input(key="layer").set_value(0).run()
    screen.number_input(key="head").set_value(1).run()
    screen.number_input(key="query").set_value(5).run()
    for stage in STAGES:
        screen.segmented_control(key="stage").set_value(stage).run()
    for more in MORE:
        screen.segmented_control(key="panel").set_value(more).run()
    assert len(passes) == 1


def test_a_second_visitor_with_the_same_link_runs_nothing(passes):
    well(visit(scale="false"))
    first = len(passes)
    assert first == 2, "one pass without the scaling, and one of the full model, which chooses the head"
    for _ in range(2):
        well(visit(scale="false"))
    assert len(passes) == first


def test_what_a_flip_sends_is_tens_of_kilobytes():
    screen = visit()
    screen.toggle(key="scale").set_value(False).run()
    mounts = sum(len(mount.proto.bytes) for mount in screen.get("bidi_component"))
    charts = sum(len(chart.proto.spec) for chart in screen.get("plotly_chart"))
    assert mounts + charts < 60_000
