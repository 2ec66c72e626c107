"""The word and the head that are shown stay the same while the text does: over models, pages and units."""

import pytest
from screen import component, visit, well

from model import Experiment
from model.run import encode
from viz.ui.controls import EXAMPLE
from viz.ui.opening_choice import opening_head

HEADS, MASKS = "../pages/heads/page.py", "../pages/masks/page.py"
TEXT = "The wizardly hedgehog counted the stars."
OTHER = "grammar-without-mask"
WORD_IDS = encode(Experiment("stories", TEXT)).word_ids


def shown(screen, figure="sentence"):
    """The label of the query token in a figure."""
    header, _ = component(screen, figure)
    return header["full"][header["row"]]


def state(screen, *names):
    return [screen.session_state[name] for name in names]


def choose(screen, key, value):
    return well(screen.selectbox(key=key).select(value).run())


def test_another_model_of_the_same_tokens_shows_the_same_head_and_the_same_word():
    assert opening_head(Experiment("grammar", EXAMPLE)).place != opening_head(Experiment(OTHER, EXAMPLE)).place
    screen = well(visit())
    before = state(screen, "layer", "head"), shown(screen)
    choose(screen, "weights", OTHER)
    assert (state(screen, "layer", "head"), shown(screen)) == before
    own = dict(zip(("layer", "head"), opening_head(Experiment(OTHER, EXAMPLE)).place, strict=True))
    for name, value in zip(own, before[0], strict=True):
        assert value == own[name] or screen.query_params[name] == str(value), "a link opens the same head"
    choose(screen, "weights", "grammar")
    assert (state(screen, "layer", "head"), shown(screen)) == before


def test_a_new_text_lets_the_page_choose_anew():
    screen = choose(visit(), "weights", OTHER)
    text = "the dogs near the person sleep ."
    well(screen.text_area(key="text").set_value(text).run())
    assert tuple(state(screen, "layer", "head")) == opening_head(Experiment(OTHER, text)).place


def test_a_person_who_chooses_a_model_of_subwords_sees_words_and_a_link_without_a_unit_shows_tokens():
    by_link = well(visit(weights="stories", text=TEXT))
    assert by_link.session_state["units"] == "pieces"
    chosen = choose(visit(text=TEXT), "weights", "stories")
    assert chosen.session_state["units"] == "words" and chosen.query_params["units"] == "words"
    assert component(chosen, "sentence")[0]["full"][1:] == [
        "The",
        "wizardly",
        "hedgehog",
        "counted",
        "the",
        "stars",
        ".",
    ]


@pytest.mark.parametrize("word", [2, 3, 5])
def test_a_pinned_word_stays_pinned_when_a_row_becomes_a_token_and_back(word):
    screen = well(visit(weights="stories", text=TEXT, units="words", query=word))
    name = shown(screen)
    well(screen.segmented_control(key="units").set_value("pieces").run())
    assert WORD_IDS[screen.session_state["query"]] == word
    well(screen.segmented_control(key="units").set_value("words").run())
    assert (screen.session_state["query"], shown(screen)) == (word, name)


def test_a_pinned_word_stays_pinned_on_a_page_of_tokens_and_on_the_way_back():
    screen = well(visit(weights="stories", text=TEXT, units="words", query=3))
    well(screen.switch_page(MASKS).run())
    assert WORD_IDS[screen.session_state["query"]] == 3
    well(screen.switch_page(HEADS).run())
    assert screen.session_state["query"] == 3


def test_a_pinned_word_stays_pinned_when_a_model_splits_it():
    text = "the dogs near the trees sleep ."
    screen = choose(visit(text=text, query=5), "weights", "stories")
    assert shown(screen) == "trees"
    choose(screen, "weights", "grammar")
    assert screen.session_state["query"] == 5 and shown(screen) == "trees"


def test_a_pinned_word_that_another_tokenizer_does_not_see_is_no_error():
    text = "dog!!! ??? ..."
    assert encode(Experiment("grammar", text)).word_ids[-1] > encode(Experiment("stories", text)).word_ids[-1]
    screen = well(visit("viz/pages/masks/page.py", text=text, query=10))
    choose(screen, "weights", "stories")
    assert screen.session_state["query"] == len(encode(Experiment("stories", text)).word_ids) - 1


@pytest.mark.parametrize(("page", "figure"), [("heads", "enlarged"), ("masks", "stages")])
def test_a_figure_has_the_sentence_of_every_row_that_can_be_pointed_at(page, figure):
    header, _ = component(well(visit(f"viz/pages/{page}/page.py", query=3)), f"save_{figure}")
    texts = ["".join(text for text, _ in row) for row in header["rows"]]
    assert len(set(texts)) == len(texts) == len(EXAMPLE.split()) + 1
    assert header["rows"][3] == header["reading"]
    for row in (2, 7, 9):
        pinned, _ = component(visit(f"viz/pages/{page}/page.py", query=row), f"save_{figure}")
        assert pinned["reading"] == header["rows"][row], "and each is the one that is shown while the row is pinned"
    assert component(visit(), "save_grid")[0]["rows"] == [], "what is said of all heads does not depend on the row"
