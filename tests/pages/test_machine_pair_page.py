"""The page “Whole model” with a model of two sentences: what it draws, what it says, and which sentence it reads."""

import numpy as np
import pytest
from screen import component, notices, visit, visit_by_a_bad_link, well

from model import Experiment, Switches, run
from model.analysis.whole_model.architecture import pair_architecture
from model.analysis.whole_model.pair_flow import pair_flow
from model.generation.translate import translate
from model.probability import probabilities
from model.run import encode_pair, get_seq2seq
from model.switches import PARTS
from viz.captions.counting import percent
from viz.labels import truncate
from viz.pages.machine import pair_model, pair_pages, whole_model
from viz.pair_tasks import TRANSLATE_TASKS, example_of, place_of
from viz.ui import model_calls
from viz.ui.state import Key

PAGE = "viz/pages/machine/page.py"
SOURCE = example_of("translation")


def drawn(**state):
    """The header and the arrays of the figure of a model of two sentences."""
    return component(well(visit(PAGE, **({"weights": "translate"} | state))), "machine")


@pytest.mark.parametrize("weights", model_calls.pair_models())
def test_every_encoder_decoder_is_drawn_with_both_sentences_and_all_its_maps(weights):
    header, arrays = drawn(weights=weights)
    text = example_of(model_calls.about(weights).task)
    experiment = Experiment(weights, text, target=translate(Experiment(weights, text)).text)
    source, target = encode_pair(experiment)
    assert header["source"]["tokens"] == list(map(truncate, source.surface))
    assert header["tokens"] == list(map(truncate, target.surface))
    trace, S, T = run(experiment), len(source.ids), len(target.ids)
    for name, shape, weights_of in (
        ("weights", (T, T), [layer.attention.weights for layer in trace.decoder.layers]),
        ("encoder_weights", (S, S), [layer.attention.weights for layer in trace.encoder.layers]),
        ("cross_weights", (T, S), [layer.cross.weights for layer in trace.decoder.layers]),
    ):
        assert arrays[name].shape == (2, 4, *shape)
        assert arrays[name] == pytest.approx(np.stack(weights_of))
    parts = [(part["stack"], part["kind"], part["layer"]) for part in header["parts"]]
    assert parts == [(step.stack, step.kind, step.layer) for step in pair_architecture(get_seq2seq(weights)[0].config)]


def test_the_models_are_those_with_cross_attention_in_their_layers_and_each_has_a_place_on_translate():
    assert set(model_calls.pair_models()) == {"translate", "translate-pieces", "copy-transformer", "dates"}
    for weights in model_calls.pair_models():
        task, network = place_of(weights)
        assert TRANSLATE_TASKS[task].networks[network] == weights
    assert place_of("grammar") is None


def test_the_sentences_have_the_numbers_of_the_pass_of_the_target_word_and_of_its_source_word():
    header, arrays = drawn(query=12)
    experiment = Experiment("translate", SOURCE, target=translate(Experiment("translate", SOURCE)).text)
    trace = run(experiment)
    flow, (source, target) = pair_flow(experiment, trace), encode_pair(experiment)
    followed = header["source"]["followed"][12]
    assert followed == int(np.argmax(arrays["encoder_reach"][12, -1]))
    sentences = header["sentences"][12]
    kinds = [(part["stack"], part["kind"], part["layer"]) for part in header["parts"]]
    streams = {"encoder": (flow.encoder, followed, source), "decoder": (flow, 12, target)}
    joints = {"encoder": 0, "decoder": 0}
    for (stack, kind, _), sentence in zip(kinds, sentences, strict=True):
        if kind in ("attention", "cross", "mlp"):
            stream, row, words = streams[stack]
            assert (
                f"“{truncate(words.surface[row])}” a vector of length {stream.added[joints[stack], row]:.1f}."
                in sentence
            )
            assert f"added to one of length {stream.lengths[joints[stack], row]:.1f}." in sentence
            joints[stack] += 1
    crossed = sentences[kinds.index(("decoder", "cross", 1))]
    best = int(np.argmax(flow.cross_shares[1, 12]))
    assert f"“{source.surface[best]}” ({percent(flow.cross_shares[1, 12, best])})" in crossed
    word = int(np.argmax(trace.decoder.logits[12]))
    assert f"is “{get_seq2seq('translate')[1].vocabulary[word]}”, with" in sentences[-1]


def test_the_target_is_what_the_full_model_writes_so_no_switch_changes_the_words_that_are_compared():
    opened, _ = drawn()
    without, _ = drawn(norm="false", heads_off="X0H1")
    for name in ("tokens", "row", "positions"):
        assert opened[name] == without[name]
    assert opened["source"]["tokens"] == without["source"]["tokens"]
    assert without["heads_off"] == ["X0H1"]
    experiment = Experiment("translate", SOURCE, target=translate(Experiment("translate", SOURCE)).text)
    removed = Switches(norm=False, cross_off=frozenset({(0, 1)}))
    now, full = (
        probabilities(run(Experiment("translate", SOURCE, switches, target=experiment.target)).decoder.logits)
        for switches in (removed, Switches())
    )
    vocabulary = get_seq2seq("translate")[1].vocabulary
    for row, candidates in enumerate(without["next_tokens"]):
        for word, share, before in candidates:
            index = [truncate(each) for each in vocabulary].index(word)
            assert share == pytest.approx(now[row, index], abs=1e-5)
            assert before == pytest.approx(full[row, index], abs=1e-5)
    assert {part["name"]: part["on"] for part in without["switches"]} == {p.name: p.name != "norm" for p in PARTS}


def test_a_target_that_is_named_is_read_instead_and_forgotten_with_its_source():
    screen = well(visit(PAGE, weights="translate", text="the cat sleeps .", target="le chien"))
    header, _ = component(screen, "machine")
    assert header["tokens"] == ["⟨start⟩", "le", "chien"]
    text = " ".join(each.value for each in screen.markdown)
    assert "The decoder reads the target that was given. The full model writes “le chat dort" in text
    screen.text_area(key="text").set_value("the dog sleeps .")
    header, _ = component(well(screen.run()), "machine")
    assert header["tokens"] == ["⟨start⟩", "le", "chien", "dort", "."] and screen.session_state["target"] == ""
    screen.selectbox(key="weights").set_value("dates")
    header, _ = component(well(screen.run()), "machine")
    assert len(header["source"]["tokens"]) == len("the dog sleeps .") + 2, "a text that somebody wrote stays"


def test_another_model_opens_with_a_sentence_of_its_own_and_only_heads_that_it_has():
    screen = well(visit(PAGE, heads_off="L2H1", layer=2, query=11))
    screen.selectbox(key="weights").set_value("translate")
    header, _ = component(well(screen.run()), "machine")
    assert screen.session_state["text"] == SOURCE and header["heads_off"] == []
    assert screen.session_state["layer"] == 1, "it has two layers"
    screen.selectbox(key="weights").set_value("copy-transformer")
    component(well(screen.run()), "machine")
    assert screen.session_state["text"] == example_of("copy")
    screen.selectbox(key="weights").set_value("grammar")
    header, _ = component(well(screen.run()), "machine")
    assert header["source"] is None and header["tokens"][:3] == ["⟨start⟩", "the", "person"]


def test_of_long_sentences_the_tokens_that_matter_most_are_drawn_and_the_sentence_says_how_many_there_are():
    source = " ".join("abcdefgabcdefgabcdefgabcdefg")
    screen = well(visit(PAGE, weights="copy-transformer", text=source, target=source))
    header, arrays = component(screen, "machine")
    assert len(header["tokens"]) == len(header["source"]["tokens"]) == whole_model.MOST_TOKENS
    assert arrays["cross_edges"].shape[-2:] == (24, 24)
    saved, _ = component(screen, "save_machine")
    reading = "".join(part for part, _ in saved["reading"])
    assert "draws the 48 tokens" in reading and "both sentences together have 59." in reading


def test_without_cross_attention_the_figure_says_that_nothing_of_the_source_arrives():
    heads = [f"X{layer}H{head}" for layer in range(2) for head in range(4)]
    screen = well(visit(PAGE, weights="translate", text="the cat sleeps ."))
    screen.multiselect(key="heads_off").set_value(heads)
    header, arrays = component(well(screen.run()), "machine")
    absent = {(part["kind"], part["layer"]) for part in header["parts"] if not part["present"]}
    assert absent == {("cross", 0), ("cross", 1)}
    assert not arrays["cross_edges"].any() and not arrays["encoder_edges"].any()
    saved, _ = component(screen, "save_machine")
    assert "Nothing in the last vector of" in "".join(part for part, _ in saved["reading"])
    assert "Without the removed parts it writes “" in " ".join(each.value for each in screen.markdown)


def test_a_sentence_that_is_too_long_is_refused_in_a_sentence():
    screen = well(visit(PAGE, weights="translate", target="le " * 200))
    assert "The sentence to write has 201 tokens; the lab draws up to 128." in notices(screen)
    screen = well(visit_by_a_bad_link(PAGE, weights="translate", text=" "))
    assert "There is no text yet." in notices(screen)


@pytest.mark.parametrize(
    ("page", "weights", "sentence"),
    [
        ("heads", "translate", "The pages Whole model, Inside a head and Translate can."),
        ("machine", "translate-gru", "The page Translate can."),
    ],
)
def test_a_link_to_a_model_that_the_page_does_not_show_names_the_page_that_does(page, weights, sentence):
    screen = well(visit_by_a_bad_link(f"viz/pages/{page}/page.py", weights=weights))
    assert sentence in notices(screen) and "Part of this link" not in notices(screen)


def test_every_part_has_a_label_and_a_purpose_and_the_door_it_names():
    header, _ = drawn()
    kinds = {part["kind"] for part in header["parts"]} | {"head", "cross_head"} | {part.name for part in PARTS}
    assert set(pair_pages.LABELS) == kinds and kinds <= set(header["purposes"])
    assert kinds - {"cross_head"} <= set(header["names"])


@pytest.fixture
def opened(monkeypatch):
    """The pages that are opened, with what their address says."""
    pages, session = [], {}
    for module in (pair_pages.st, pair_pages.part_pages.st):
        monkeypatch.setattr(module, "session_state", session)
    monkeypatch.setattr(
        pair_pages.st, "switch_page", lambda page, query_params=None: pages.append((page, query_params))
    )
    return pages, session


@pytest.mark.parametrize(
    ("part", "state", "layer"),
    [
        (("head", 1, 2, "encoder"), {"map": "source → source", "head": "2", "mean_heads": "false"}, 1),
        (("cross_head", 1, 0, "decoder"), {"map": "target → source", "head": "0", "mean_heads": "false"}, 1),
        (("attention", 0, -1, "decoder"), {"map": "target → target"}, 0),
        (("mlp", 1, -1, "decoder"), {"panel": "Ablation"}, 1),
    ],
)
def test_a_part_opens_translate_with_the_same_source_and_the_map_of_the_part(opened, part, state, layer):
    pages, session = opened
    pair_pages.request(*part)
    pair_pages.open_requested("translate", "the cat sleeps .")
    common = {"task": "Translation", "network": "Transformer", "source_text": "the cat sleeps ."}
    assert pages == [("../pages/translate/page.py", common | state)]
    assert session["layer"] == layer and Key.PAIR_PART_REQUESTED not in session


def test_a_kind_that_no_part_has_opens_nothing(opened):
    pages, session = opened
    for kind in ("", "../../etc/passwd", "your_model"):
        session[Key.PAIR_PART_REQUESTED] = (kind, 0, 0, "encoder")
        pair_pages.open_requested("translate", "the cat sleeps .")
    pair_pages.request("position", -1, -1, "encoder")
    pair_pages.open_requested("translate", "the cat sleeps .")
    assert [page for page, _ in pages] == ["../pages/positions/page.py"]
    assert pair_model.LETTERS == "LXE"
