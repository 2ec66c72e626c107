"""Any text on the pages: pieces or words, writing on, and what no answers are known for."""

import every
import numpy as np
import pytest
from screen import component, large, notices, visit, well

from model import Experiment, run
from model.generation.generate import generate
from model.run import encode
from model.tasks.passages import TEXTS
from model.tokenizer import START
from model.word_aggregation import merge_to_words
from viz.pages.heads.generate import HALF, write
from viz.ui.controls import EXAMPLE, PROSE
from viz.ui.sampling_controls import Choosing

TEXT = "The wizardly hedgehog counted 🦊 again."
OPEN = {"weights": "stories", "text": TEXT}
OTHERS = ("positions", "training", "translate")  # whose models are their own, or whose figures show no text
NOT_HERE = ("view", "Trained without")  # there is one stories, trained with every part
VIEWS = [
    (page, state)
    for page, state in every.SHOWN
    if "weights" not in dict(state) and page not in OTHERS and NOT_HERE not in state
]


def named(view):
    page, state = view
    return "-".join([page, *(value for _, value in state)])


@pytest.mark.parametrize("view", VIEWS, ids=named)
def test_every_view_of_every_page_reads_any_text(view):
    page, state = view
    well(
        visit(f"viz/pages/{page}/page.py", **{**dict(state), "weights": "stories", "text": '"Oh, Zebulon!"\n🦊 naïve'})
    )


def test_pieces_are_shown_with_their_joins():
    tokens = component(well(visit(**OPEN)), "sentence")[0]["full"]
    assert tokens == [{START: "⟨start⟩"}.get(token, token) for token in encode(Experiment("stories", TEXT)).tokens]
    assert any(token.startswith("·") for token in tokens)


def test_words_average_rows_and_sum_columns():
    screen = well(visit(**OPEN, units="words", layer=1, head=2, panel="Rollout"))
    encoding = encode(Experiment("stories", TEXT))
    assert component(screen, "sentence")[0]["full"][1:] == list(encoding.words[1:])
    weights = run(Experiment("stories", TEXT)).layers[1].attention.weights[2]
    drawn = np.nan_to_num(large(screen))
    np.testing.assert_allclose(drawn, merge_to_words(weights, encoding.word_ids), atol=1e-6)
    np.testing.assert_allclose(drawn.sum(axis=-1), 1, atol=1e-5)
    assert component(screen, "grid")[1]["cells"].shape[2:] == (len(encoding.words),) * 2


def test_the_unit_changes_the_sentence_and_its_numbers():
    pieces = component(visit(**OPEN, query=3), "save_enlarged")[0]["reading"]
    words = component(visit(**OPEN, query=3, units="words"), "save_enlarged")[0]["reading"]
    assert pieces != words
    assert visit(**OPEN, units="words").segmented_control(key="panel") is not None


def test_printers_quotes_are_offered_plain():
    screen = well(visit(weights="stories", text="“I couldn’t keep it — alas…” he said."))
    screen.button(key="plain").click()
    well(screen.run())
    assert screen.session_state["text"] == '"I couldn\'t keep it -- alas..." he said.'
    assert "plain" not in {button.key for button in screen.button}
    assert "plain" not in {button.key for button in visit(weights="stories", text="a 🦊 is read by bytes").button}


def test_another_model_opens_with_a_sentence_of_its_own_kind():
    screen = visit()
    screen.selectbox(key="weights").select("stories")
    assert well(screen.run()).session_state["text"] == PROSE
    screen.selectbox(key="weights").select("grammar")
    assert well(screen.run()).session_state["text"] == EXAMPLE
    screen.text_area(key="text").set_value("the dogs were tired .")
    screen.run()
    screen.selectbox(key="weights").select("stories")
    assert well(screen.run()).session_state["text"] == "the dogs were tired ."


def test_who_leaves_the_player_finds_it_at_rest():
    screen = visit(weights="stories", text="Once upon", panel="Generate")
    screen.button(key="write_play").click()
    assert well(screen.run()).session_state["playing"]
    written = well(screen.switch_page("../pages/masks/page.py").run()).session_state["text"]
    screen = well(screen.switch_page("../pages/heads/page.py").run())
    assert "write_play" in {button.key for button in screen.button}
    assert screen.session_state["text"] == written


def test_a_model_of_whole_words_has_no_units_to_choose():
    assert "units" not in {control.key for control in visit().sidebar.segmented_control}


def test_a_new_text_of_every_kind_is_drawn():
    for kind, texts in TEXTS.items():
        screen = visit(weights="stories")
        (menu,) = screen.get("menu_button")
        menu.click(kind)
        assert well(screen.run()).session_state["text"] in texts


def test_the_pieces_are_on_the_palette():
    screen = visit(weights="stories")
    screen.session_state["known"] = True
    palette = "\n".join(text.value for text in well(screen.run()).sidebar.markdown)
    assert "pieces" in palette and " the " in palette


def test_a_text_beyond_the_window_is_read_and_says_so():
    screen = well(visit(weights="stories", text="the fox and " * 50))
    assert any("trained on windows of 128" in text.value for text in screen.markdown)
    screen = well(visit(weights="stories", text="the fox and " * 400))
    assert "Shorten it" in notices(screen)


# Writing on


def test_a_step_writes_one_token_and_the_heads_follow():
    screen = well(visit(weights="stories", text="Once upon a time", panel="Generate", temperature="0.8", seed="3"))
    before = component(screen, "grid")[1]["cells"].shape
    screen.button(key="write_one").click()
    well(screen.run())
    expected = generate(Experiment("stories", "Once upon a time"), 1, "sample", seed=3, temperature=0.8)
    assert screen.session_state["text"] == expected.text
    assert component(screen, "grid")[1]["cells"].shape[-1] == before[-1] + 1
    assert component(screen, "sentence")[0]["row"] == len(expected.trace.tokens) - 1


def test_stopping_keeps_what_was_written():
    screen = visit(weights="stories", text="Once upon", panel="Generate")
    screen.button(key="write_play").click()
    well(screen.run())
    assert screen.session_state["playing"]
    screen.button(key="write_stop").click()
    well(screen.run())
    assert not screen.session_state["playing"]
    assert screen.session_state["text"].startswith("Once upon")


def test_a_full_window_stops_the_writing_and_says_so():
    screen = visit(weights="stories", text="the fox and " * 60, panel="Generate")
    text = screen.session_state["text"]
    screen.button(key="write_one").click()
    well(screen.run())
    assert screen.session_state["text"] == text
    assert any("window is full" in note.value for note in screen.caption)


def test_what_is_left_to_draw_is_shown():
    screen = well(visit(weights="stories", text="Once upon a time there", panel="Generate", top_k="1"))
    _, arrays = component(screen, "candidates")
    model, drawn = arrays["values"]
    assert drawn[0] == 1 and not drawn[1:].any() and 0 < model[0] < 1


def test_no_step_ends_in_half_a_character():
    text = "🦊🦊🦊🦊🦊🦊🦊"
    for seed in range(4):
        written = write(Experiment("stories", text), Choosing(1.0, 0, 1.0, seed))
        assert written.startswith(text) and len(written) > len(text) and not written.endswith(HALF)


def test_every_model_writes_on():
    screen = visit(panel="Generate", text="the person who the dogs")
    screen.button(key="write_one").click()
    assert len(well(screen.run()).session_state["text"].split()) == 6
