"""“Translate”: each control, each task, each link, what is typed, and what a flip costs, without a browser."""

from random import Random
from urllib.parse import parse_qsl

import numpy as np
import pytest
from equal import same_bits
from screen import component, notices, visit, visit_by_a_bad_link, well

from model import Experiment, Switches, checkpoint
from model.analysis.alignment import attention_maps, select_map
from model.encoder_decoder import EncoderDecoder
from model.evaluation.fresh_accuracy import fresh_accuracy
from model.generation.translate import translate
from model.run import run_pair
from model.switches import PARTS
from model.tasks import PAIRS
from model.tasks.pair_sampling import draw_pairs
from viz.pages.translate import accuracy_by_length
from viz.pages.translate import compute as translate_compute
from viz.pages.translate.compute import default_head
from viz.pages.translate.views import MAPS, SECTIONS
from viz.ui import figure_panel, model_calls, server_cache
from viz.ui.visitor import words

PAGE = "viz/pages/translate/page.py"
SOURCE = translate_compute.TRANSLATE_TASKS["Translation"].example
WHOLE = Experiment("translate", SOURCE)


def header(screen, key="writing"):
    return component(screen, key)[0]


def reading(screen, key="writing"):
    return "".join(text for text, _ in header(screen, f"save_{key}")["reading"])


def shown(screen):
    return {mount.proto.id.rpartition("-")[2] for mount in screen.get("bidi_component")}


# What is there at once


def test_the_first_screen_writes_the_example_and_shows_every_look():
    screen = well(visit(PAGE))
    translation = translate(WHOLE)
    header, arrays = component(screen, "writing")
    assert header["source"] == ["⟨start⟩", *SOURCE.split(), "⟨end⟩"]
    assert header["output"] == [*translation.tokens[:-1], "⟨end⟩"]
    layer, _ = default_head("translate")
    weights = select_map(attention_maps(translation.trace)["cross"], layer, None)
    assert same_bits(arrays["cross_weights"], weights[: len(translation.tokens)], "same operation")
    assert same_bits(component(screen, "alignment")[1]["values"][0], arrays["cross_weights"], "copied")
    assert "This is correct, word for word" in reading(screen)
    assert not notices(screen)


def test_gold_is_outlined_where_the_generator_points():
    (panel,) = header(visit(PAGE), "alignment")["panels"]
    gold = translate_compute.gold("translation", tuple(SOURCE.split()))
    marks = {tuple(cell) for cell in panel["marks"]}
    nouns = {(link.query, key) for link in gold.alignment if link.name == "noun" for key in link.keys}
    assert nouns and nouns <= marks


def test_the_row_of_a_gru_without_attention_is_its_one_vector():
    screen = well(visit(PAGE, network=translate_compute.ALONE))
    _, arrays = component(screen, "writing")
    trace = run_pair(Experiment("translate-gru", SOURCE, target="le"))
    assert same_bits(arrays["vector"], trace.encoder.final_state, "same operation")
    assert "cross_weights" not in arrays
    assert "alignment" not in shown(screen)


# Every control


@pytest.mark.parametrize("job", translate_compute.TRANSLATE_TASKS)
def test_every_task_opens_with_its_own_example_and_is_right(job):
    screen = well(visit(PAGE, task=job))
    assert screen.session_state["source_text"] == translate_compute.TRANSLATE_TASKS[job].example
    shown = "\n".join(text.value for text in screen.markdown) if job == "Coreference" else reading(screen)
    assert "This is correct" in shown


def test_another_task_brings_its_example_but_never_takes_a_text_away():
    screen = visit(PAGE)
    screen.selectbox(key="task").set_value("Copy")
    assert well(screen.run()).session_state["source_text"] == translate_compute.TRANSLATE_TASKS["Copy"].example
    screen.text_area(key="source_text").set_value("a b c").run()
    screen.selectbox(key="task").set_value("Dates")
    assert well(screen.run()).session_state["source_text"] == "a b c"


@pytest.mark.parametrize(
    ("job", "network"),
    [
        (name, network)
        for name, job in translate_compute.TRANSLATE_TASKS.items()
        if job.task in PAIRS
        for network in job.networks
    ],
)
def test_every_network_writes_for_every_task_it_learnt(job, network):
    head = header(well(visit(PAGE, task=job, network=network)))
    assert head["output"]


def test_a_network_that_the_next_task_has_not_gives_way():
    screen = visit(PAGE, network=translate_compute.ALONE)
    screen.selectbox(key="task").set_value("Dates")
    assert well(screen.run()).session_state["network"] == translate_compute.TRANSFORMER


@pytest.mark.parametrize("part", [part.name for part in PARTS])
def test_a_part_taken_away_is_taken_from_both_stacks_and_stands_on_the_face(part):
    screen = well(visit(PAGE, **{part: "false"}))
    experiment = Experiment("translate", SOURCE, Switches().without(part))
    translation = translate(experiment)
    assert header(screen)["output"][:-1] == list(translation.tokens[:-1])
    label = next(each.label for each in PARTS if each.name == part)
    assert header(screen, "save_writing")["origin"]["says"] == f"without {label[0].lower()}{label[1:]}"


def test_heads_of_all_three_looks_can_be_taken_out():
    screen = visit(PAGE)
    screen.multiselect(key="heads_off").set_value(["X1H0", "E0H1", "L0H2"])
    origin = header(well(screen.run()), "save_writing")["origin"]
    assert origin["heads_off"] == ["L0H2", "X1H0", "E0H1"]
    without = Switches(heads_off=frozenset({(0, 2)}), cross_off=frozenset({(1, 0)}), encoder_off=frozenset({(0, 1)}))
    trace = translate(Experiment("translate", SOURCE, without)).trace
    layer, _ = default_head("translate")
    weights = component(screen, "writing")[1]["cross_weights"]
    assert same_bits(weights, select_map(attention_maps(trace)["cross"], layer, None)[: len(weights)], "same operation")


def test_a_recurrent_network_keeps_its_switches_on_the_screen_and_runs_whole():
    screen = well(visit(PAGE, network=translate_compute.ATTENTION, scale="false"))
    assert screen.toggle(key="scale").disabled
    assert header(screen, "save_writing")["origin"].get("says", "") == ""


@pytest.mark.parametrize("which", MAPS)
@pytest.mark.parametrize("averaged", ["true", "false"])
def test_every_map_is_drawn_as_the_model_made_it(which, averaged):
    screen = well(visit(PAGE, map=MAPS[which], mean_heads=averaged, layer=0, head=1))
    translation = translate(WHOLE)
    weights = select_map(attention_maps(translation.trace)[which], 0, None if averaged == "true" else 1)
    drawn = component(screen, "alignment")[1]["values"][0]
    expected = weights[: drawn.shape[0], : drawn.shape[1]]
    assert same_bits(np.nan_to_num(drawn), expected, "same operation")
    assert np.isnan(drawn).any() == (which == "target")


@pytest.mark.parametrize(
    ("link", "settings"),
    [
        ({"method": "beam"}, {"method": "beam", "width": 4, "alpha": 0.6}),
        ({"method": "beam", "beam_width": "2", "length_penalty": "0.0"}, {"method": "beam", "width": 2, "alpha": 0.0}),
        (
            {"method": "sample", "seed": "3", "temperature": "3.0", "top_k": "4"},
            {"method": "sample", "seed": 3, "temperature": 3.0, "top_k": 4},
        ),
    ],
)
def test_the_next_word_is_chosen_as_the_link_says(link, settings):
    screen = well(visit(PAGE, **link))
    translation = translate(WHOLE, **settings)
    assert [word for word in header(screen)["output"] if word != "⟨end⟩"] == [
        w for w in translation.tokens if w != "</s>"
    ]
    assert ("tree" in shown(screen)) == (link["method"] == "beam")


def test_the_tree_keeps_what_the_beam_kept_and_marks_the_way_to_the_best():
    steps = header(visit(PAGE, method="beam", beam_width=3), "tree")["steps"]
    translation = translate(WHOLE, method="beam", width=3, alpha=0.6)
    for drawn, candidates in zip(steps, translation.beam.steps, strict=True):
        assert sum(candidate["kept"] for candidate in drawn) == sum(candidate.kept for candidate in candidates)
    best = [candidate["word"] for row in steps for candidate in row if candidate["best"]]
    assert best == [*translation.tokens[:-1], "⟨end⟩"]


@pytest.mark.parametrize("kind", PAIRS["translation"].kinds)
def test_a_new_sentence_of_every_kind_is_drawn_known_and_has_gold(kind):
    screen = visit(PAGE, target_step=3)
    (menu,) = screen.get("menu_button")
    menu.click(kind)
    head = header(well(screen.run()))
    assert screen.session_state["source_text"] != SOURCE
    assert screen.session_state["target_step"] is None
    assert head["unknown"] == []
    assert any(head["gold"])


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("part", ["scale", "norm"])
def test_every_section_stands_with_a_part_away(section, part):
    well(visit(PAGE, panel=section, **{part: "false"}))


def test_everything_away_still_stands():
    well(visit(PAGE, panel="Ablation", **dict.fromkeys([part.name for part in PARTS], "false")))


def test_whole_beside_without_says_how_many_fresh_sentences_stay_right():
    screen = well(visit(PAGE, panel="Ablation", norm="false"))
    text = reading(screen, "taken_out")
    whole, without = (
        round(100 * fresh_accuracy("translate", "translation", switches))
        for switches in (Switches(), Switches(norm=False))
    )
    assert f"the full model writes {whole} % correctly" in text
    assert f"without layer norm the network writes {without} % correctly" in text
    values = component(screen, "taken_out")[1]["values"]
    assert same_bits(values[0] - values[1], values[2], "same operation")


def test_the_networks_are_compared_on_the_same_words():
    screen = well(visit(PAGE))
    head = header(screen, "networks")
    assert len(head["panels"]) == 2, "the GRU without attention has no map"
    assert head["query_tokens"][:-1] == list(translate_compute.gold("translation", tuple(SOURCE.split())).target)
    named = "\n".join(html.proto.body for html in screen.get("html"))
    assert all(network in named for network in translate_compute.TRANSLATE_TASKS["Translation"].networks)


def test_the_curves_are_the_cards_until_the_networks_are_asked():
    screen = well(visit(PAGE, panel="Accuracy by length"))
    assert "from the model cards" in reading(screen, "copies")
    assert f"{len(checkpoint.read_card('copy-gru')['seeds'])} seeds" in reading(screen, "copies")


def test_every_network_is_asked_once_at_every_length(monkeypatch):
    calls = []
    monkeypatch.setattr(
        accuracy_by_length.fresh, "translation_accuracy", lambda name, words: calls.append((name, words)) or 0.5
    )
    monkeypatch.setattr(
        accuracy_by_length.fresh, "copy_accuracy", lambda name, length: calls.append((name, length)) or 0.25
    )
    server_cache.clear()
    screen = well(visit(PAGE, panel="Accuracy by length"))
    networks = [*accuracy_by_length._networks("Translation").values()]
    assert calls == [(name, words) for name in networks for words in accuracy_by_length.fresh.CLASSES]
    assert "50 %" in reading(screen, "translations")
    calls.clear()
    screen.button(key="again_copies").click()
    well(screen.run())
    assert calls == [
        (name, length)
        for name in accuracy_by_length._networks("Copy").values()
        for length in accuracy_by_length.LENGTHS
    ]
    assert "25 %" in reading(screen, "copies")
    assert "again_copies" not in {button.key for button in screen.button}
    server_cache.clear()


def test_every_suggestion_opens_what_its_link_opens_whatever_was_there_before():
    links = [link["state"] for link in figure_panel.LINK.finditer(words("translate")[1])]
    screen = visit(PAGE, task="Dates", method="sample", layer=0, target_step=3)
    for number, link in enumerate(links):
        screen.button(key=f"try_{number}").click()
        well(screen.run())
        afresh = well(visit(PAGE, **dict(parse_qsl(link))))
        assert notices(screen) == notices(afresh)
        for key in (key for key in shown(afresh) if f"save_{key}" in shown(afresh)):
            assert reading(screen, key) == reading(afresh, key), link
            assert header(screen, key) == header(afresh, key), link


def test_with_nothing_taken_out_nothing_is_said_to_be_missing():
    assert "Nothing is removed yet" in reading(well(visit(PAGE, panel="Ablation")), "taken_out")


def test_writing_without_end_is_cut_off_and_says_so():
    screen = well(visit(PAGE, residual="false"))
    assert "was cut off" in reading(screen, "writing")
    assert "(64 words)" in reading(screen, "writing")


# What is typed


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "There is no text yet"),
        ("   ", "There is no text yet"),
        ("the " * 200, "up to 128"),
        ("x" * 30_000, "Shorten"),
    ],
)
def test_a_source_that_cannot_be_read_is_answered_in_a_sentence_and_stays(text, message):
    screen = visit(PAGE)
    screen.text_area(key="source_text").set_value(text)
    assert message in notices(well(screen.run()))
    assert screen.session_state["source_text"] == text
    screen.text_area(key="source_text").set_value(SOURCE)
    assert header(well(screen.run()))["output"]


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "שלום", "$x$ **b** [l](http://x)", "the the the", "."])
@pytest.mark.parametrize("job", translate_compute.TRANSLATE_TASKS)
def test_any_text_gives_a_picture_or_one_sentence(job, text):
    screen = well(visit_by_a_bad_link(PAGE, task=job, source_text=text))
    assert notices(screen) or shown(screen) & {"writing", "layer_0"}


def test_an_unknown_word_is_marked_named_and_replaced_by_one_click():
    screen = visit(PAGE, source_text="the animl was tired .")
    assert header(screen)["unknown"] == [2]
    assert any("animl" in text.value for text in screen.markdown)
    assert "no reference answer" in reading(screen)
    screen.button(key="instead_animl_animal").click()
    assert well(screen.run()).session_state["source_text"] == "the animal was tired ."


def test_a_sentence_without_it_is_answered_kindly():
    assert "no “it”" in notices(well(visit(PAGE, task="Coreference", source_text="the cat was tired .")))


# Links


def test_a_link_restores_the_whole_state():
    link = {"target_step": 5, "map": MAPS["target"], "layer": 0, "head": 3, "mean_heads": "false", "scale": "false"}
    link |= {"method": "beam", "beam_width": 2, "length_penalty": "1.0", "heads_off": "X0H1", "panel": SECTIONS[3]}
    screen = well(visit(PAGE, source_text="the cat sleeps .", **link))
    assert not notices(screen)
    state = screen.session_state
    assert (state["target_step"], state["map"], state["layer"], state["head"]) == (5, MAPS["target"], 0, 3)
    assert (state["mean_heads"], state["scale"], state["beam_width"], state["length_penalty"]) == (False, False, 2, 1.0)
    assert (state["heads_off"], state["panel"]) == (["X0H1"], SECTIONS[3])
    assert header(screen)["step"] == 5 and header(screen)["pinned"]


BAD = {
    "task": ["Sing", "<b>"],
    "network": ["LSTM", ""],
    "method": ["guess"],
    "beam_width": ["0", "99", "x"],
    "length_penalty": ["9", "x"],
    "target_step": ["0", "99", "x"],
    "map": ["all"],
    "layer": ["9", "-1"],
    "head": ["9"],
    "mean_heads": ["maybe"],
    "heads_off": ["X9H9"],
    "panel": ["none"],
    "scale": ["2"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_a_bad_value_in_a_link_falls_back_and_says_so(name, value):
    more = {"method": "beam"} if name in ("beam_width", "length_penalty") else {}
    screen = well(visit_by_a_bad_link(PAGE, **{name: value}, **more))
    assert header(screen)["output"]
    assert not value or name in notices(screen)


def test_the_layer_of_another_page_does_not_break_this_one():
    screen = visit(layer=2, head=3)
    screen = well(screen.switch_page(f"../{PAGE.removeprefix('viz/')}").run())
    assert screen.session_state["layer"] < 2


# What a flip costs


def test_a_flip_writes_once_and_what_only_changes_the_view_writes_nothing(monkeypatch):
    server_cache.clear()
    read = []
    encode = EncoderDecoder.encode
    monkeypatch.setattr(EncoderDecoder, "encode", lambda self, *a, **k: (read.append(1), encode(self, *a, **k))[1])
    screen = visit(PAGE, panel=SECTIONS[3])
    assert len(read) == 2, "once to write, once for the record of what was written"
    for which in MAPS.values():
        screen.segmented_control(key="map").set_value(which).run()
    screen.number_input(key="target_step").set_value(4).run()
    screen.toggle(key="mean_heads").set_value(False).run()
    screen.number_input(key="layer").set_value(0).run()
    assert len(read) == 2
    screen.toggle(key="norm").set_value(False)
    well(screen.run())
    assert len(read) == 4
    screen.toggle(key="norm").set_value(True).run()
    assert len(read) == 4


def test_what_a_flip_sends_is_tens_of_kilobytes_and_no_chart():
    screen = visit(PAGE)
    screen.toggle(key="scale").set_value(False).run()
    assert sum(len(mount.proto.bytes) for mount in screen.get("bidi_component")) < 40_000
    assert not screen.get("plotly_chart")


# What is typed


def test_an_unknown_source_word_is_named_with_what_is_known_and_only_source_words_are_offered():
    screen = well(visit(PAGE, source_text="the garcon sleeps with a zebra .", method="greedy"))
    text = " ".join(markdown.value for markdown in screen.markdown)
    known = model_calls.source_words("translate")
    assert f"It knows {len(known)} English words." in text
    assert {"the", "animal", "street"} <= known
    assert not known & {"garçon", "le", "l'", "rue"}
    offered = [button.label for button in screen.button if "→" in button.label]
    assert all(label.partition(" → ")[2] in known for label in offered)


def test_the_source_words_are_all_that_the_generator_draws():
    more = {word for pair in draw_pairs("translation", 2000, Random(7)) for word in pair.source}
    assert more <= model_calls.source_words("translate")
    assert model_calls.source_words("copy-transformer") == frozenset()
    assert f"know {len(model_calls.source_words('translate'))} English words" in words("translate")[0]
