"""A typed text that is not read as it was typed: the page names every character that is read as a space or left out."""

import sys
import unicodedata

import pytest
from screen import visit, well

from model.tokenizer import CharacterTokenizer, altered, clean
from viz.captions.typed_text import describe_altered

BREAKS = {"line separator": "\u2028", "paragraph separator": "\u2029", "next line": "\x85", "vertical tab": "\x0b"}


def texts(screen):
    return "\n".join(text.value for text in screen.markdown)


def test_every_character_that_is_not_passed_on_is_told_and_no_other():
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        left = clean(f"a{character}b")
        if left != unicodedata.normalize("NFC", f"a{character}b"):
            expected = ((character,), ()) if left == "a b" else ((), (character,))
            assert altered(f"a{character}b{character}") == expected, hex(code)
        else:
            assert altered(character) == ((), ()), hex(code)


def test_a_character_is_named_with_its_number_once():
    assert altered("a\u2028b\u200bc\u2028") == (("\u2028",), ("\u200b",))
    assert describe_altered(("\u2028",), ("\u200b", "\x00")) == (
        "Some characters of this text are not read as you typed them: line separator (U+2028) is read as a space; zero "
        "width space (U+200B) and control (U+0000) are left out."
    )
    many = describe_altered((), tuple("\u2060\u2061\u2062\u2063\u2064\u2065"))
    assert "and 2 more are left out." in many
    assert describe_altered((), ()) == ""


@pytest.mark.parametrize("name", BREAKS)
def test_what_ends_a_line_is_a_blank_to_a_model_that_reads_characters(name):
    assert CharacterTokenizer("ab").encode(f"a{BREAKS[name]}b").surface == ("<s>", "a", "␣", "b")
    assert f"{name} (U+{ord(BREAKS[name]):04X}) is read as a space." in describe_altered(*altered(f"a{BREAKS[name]}b"))


@pytest.mark.parametrize(
    ("page", "state", "also"),
    [
        ("heads", {"text": "the dog\u2028was\xad tired ."}, ""),
        ("heads", {"text": "the dog\u2028was\xad dizzyingly tired ."}, "This model does not know"),
        ("heads", {"weights": "stories", "text": "“the\u2028dog”\xad"}, "This model was trained on straight quotes"),
        ("translate", {"source_text": "the cat\u2028sleeps\xad ."}, ""),
    ],
)
def test_the_page_says_what_of_a_text_was_changed_beside_what_else_is_said_of_it(page, state, also):
    text = texts(well(visit(f"viz/pages/{page}/page.py", **state)))
    assert "line separator (U+2028) is read as a space; soft hyphen (U+00AD) is left out." in text
    assert also in text


def test_the_page_says_nothing_of_a_text_that_is_read_as_it_was_typed():
    assert "not read as you typed them" not in texts(well(visit(text="the dog\nwas\ttired .")))
