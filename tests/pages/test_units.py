"""Translate calls a token by the name that it has in the task: a word, a sign, or a character."""

import re

import pytest
from screen import ROOT, component, visit, well

from model import checkpoint
from model.tasks import PAIRS
from viz.captions.claims import describe_decoder_layer, describe_decoding
from viz.captions.translate import (
    LONG,
    SOME,
    describe_ablation,
    describe_alignment_hits,
    describe_networks,
    describe_translation,
    shortened,
)
from viz.pages.translate import compute as translate_compute
from viz.pages.translate.alignment_map import in_units
from viz.ui.visitor import words

PAGE = "viz/pages/translate/page.py"
WORD = re.compile(r"\bwords?\b", re.IGNORECASE)
UNITS = {"translation": "word", "copy": "symbol", "dates": "character"}
# Of the section “Accuracy by length”, which holds translations beside copies on every task.
ELSEWHERE = ("**Translation**, by the number of source words",)


def test_every_task_says_what_its_sentences_are_made_of():
    assert {name: task.unit for name, task in PAIRS.items()} == UNITS
    for name, task in PAIRS.items():
        assert task.spelled == (task.unit == "character"), name
    for weights in checkpoint.names():
        task = checkpoint.read_card(weights).get("task")
        if task in UNITS:
            assert translate_compute.unit(weights) == UNITS[task], weights
    assert translate_compute.unit("resolver") == "word"


SENTENCES = {
    "right": lambda unit: describe_translation("a b", "a b", -1.0, unit=unit),
    "nothing written": lambda unit: describe_translation("", "a b", -1.0, unit=unit),
    "cut off": lambda unit: describe_translation("a " * (LONG + 1), None, -1.0, ended=False, unit=unit),
    "hits": lambda unit: describe_alignment_hits(4, 3, 0.5, (3, 1), unit),
    "one hit settled": lambda unit: describe_alignment_hits(4, 3, 0.5, (1, 1), unit),
    "no hits": lambda unit: describe_alignment_hits(0, 0, 0.0, (0, 0), unit),
    "networks": lambda unit: describe_networks({"G": "x", "T": "y"}, "y", unit),
    "a part away": lambda unit: describe_ablation("a", "", "without layer norm", (0.9, 0.1), 100, unit),
    "unmasked": lambda unit: describe_decoder_layer(0.5, False, True, unit),
    "unmasked, but not ahead": lambda unit: describe_decoder_layer(0.0, False, True, unit),
    "decoding": lambda unit: describe_decoding(4, unit, 0.0, True, False),
    "decoding, ahead": lambda unit: describe_decoding(4, unit, 9.0, True, True),
    "class of links": lambda unit: in_units("settled by the words before", unit),
}


@pytest.mark.parametrize("unit", UNITS.values())
@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sentence_names_the_unit_of_its_task_and_no_other(sentence, unit):
    text = SENTENCES[sentence](unit)
    assert re.search(rf"\b{unit}s?\b", text), text
    others = set(UNITS.values()) - {unit}
    assert not [other for other in others if re.search(rf"\b{other}s?\b", text)], text


def test_a_text_of_characters_is_shortened_by_characters():
    assert shortened("1" * LONG, "character") == "1" * LONG
    assert shortened("1" * (LONG + 1), "character") == f"{'1' * SOME} … ({LONG + 1} characters)"
    assert shortened("a " * (LONG + 1), "symbol").endswith(f" … ({LONG + 1} symbols)")


def everything_said(screen):
    """Every text of the page but its own prose, and the labels of its controls."""
    prose = words("translate")
    for text in (*screen.markdown, *screen.caption):
        if not any(text.value.split("\n")[0] in part for part in prose) and not text.value.startswith(ELSEWHERE):
            yield text.value
    for kind in ("text_area", "selectbox", "segmented_control", "toggle", "multiselect", "number_input"):
        yield from (element.label for element in screen.get(kind) if element.key != "target_step")  # which nobody sees
    yield from (element.proto.popover.label for element in screen.get("popover"))
    yield from (html.proto.body for html in screen.get("html"))
    for mount in screen.get("bidi_component"):
        key = mount.proto.id.rpartition("-")[2]
        if key.startswith("save_"):
            header = component(screen, key)[0]
            yield "".join(text for text, _ in header["reading"])
            yield " ".join(str(header["origin"].get(name, "")) for name in ("shows", "says"))


@pytest.mark.parametrize(
    ("task", "state"),
    [
        ("Copy", {"panel": "Side by side", "method": "beam"}),
        ("Copy", {"panel": "Claims checked", "mask": "false"}),
        ("Dates", {"panel": "Ablation", "norm": "false"}),
        ("Dates", {"panel": "Claims checked", "source_text": "3 ö may 1979"}),
    ],
)
def test_a_page_without_words_speaks_of_none(task, state):
    screen = well(visit(PAGE, task=task, **state))
    texts = list(everything_said(screen))
    assert not [text for text in texts if WORD.search(text)]
    unit = UNITS[translate_compute.TRANSLATE_TASKS[task].task]
    assert {"Vocabulary", f"Next {unit}"} <= set(texts)
    assert component(screen, "writing")[0]["unit"] == unit


def test_no_page_says_that_a_word_is_being_said():
    places = (*ROOT.glob("viz/canvas/frontend/**/*.js"), *ROOT.glob("viz/**/*.md"), *ROOT.glob("viz/*.py"))
    for path in places:
        for line in path.read_text(encoding="utf-8").splitlines():
            assert not re.search(r"\bis being said: |[Ww]hile [“*{].*being said", line), (path, line)
