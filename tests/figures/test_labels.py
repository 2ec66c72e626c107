"""Words as labels: whatever somebody types, it is short, seen, and read letter by letter."""

import re
import unicodedata
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viz.labels import JOINER, SPECIAL, axis_labels, bold, escape, markdown, truncate

FAMILY = "👨\u200d👩\u200d👧\u200d👦"
ASTRONAUT = "👩🏽\u200d🚀"
RAINBOW = "🏳\ufe0f\u200d🌈"

# Any text at all, half characters, controls and heaps of marks included.
anything = st.text(
    st.characters() | st.sampled_from("<>&$_*\u202e\u200d\ufe0f\u0301\u0330\ud800\x00\u2800 "), max_size=60
)


def test_an_ordinary_word_is_its_own_label():
    assert axis_labels(["the", "person", "chase", "."]) == ["the", "person", "chase", "."]


@pytest.mark.parametrize(
    ("token", "shown"),
    [
        ("dog", "**dog**"),
        (".", r"“**\.**”"),
        ("?!", "“**?\\!**”"),
        ("<s>", "**⟨start⟩**"),
        ("5", "**5**"),
        ("·s", "**·s**"),
    ],
)
def test_a_token_in_a_sentence_is_bold_and_a_mark_without_a_letter_stands_in_quotation_marks(token, shown):
    assert bold(token) == shown


def test_the_models_own_marks_have_names():
    assert axis_labels(["<s>", "<unk>", "<pad>"]) == ["⟨start⟩", "⟨unknown⟩", "⟨filler⟩"]


def test_a_word_that_looks_like_a_mark_is_not_taken_for_one():
    assert axis_labels(["<S>", "<unk"]) == ["&lt;S&gt;", "&lt;unk"]


@pytest.mark.parametrize(
    "token", ["", " ", "\t\n", "\u3000", "\u00ad", "\u200d", "\ufe0f", "\u2800", "\u3164", "\x00", "\ud800"]
)
def test_nothing_is_ever_drawn_as_nothing(token):
    assert truncate(token) in ("∅", "␣")


def test_a_long_word_is_cut_where_it_can_be_seen():
    assert truncate("a" * 5000) == "a" * 13 + "…"
    assert truncate("a" * 14) == "a" * 14


def test_shortened_first_and_escaped_second_so_that_no_entity_is_cut():
    assert axis_labels(["&" * 30]) == ["&amp;" * 13 + "…"]
    assert axis_labels(["<a href='https://example.org'>x</a>"], most=12) == ["&lt;a href='ht…"]


@pytest.mark.parametrize("emoji", [FAMILY, ASTRONAUT, RAINBOW, "❤\ufe0f", "🇩🇪"])
def test_a_joined_emoji_survives(emoji):
    assert axis_labels([emoji]) == [emoji]


@pytest.mark.parametrize("most", range(8, 15))
def test_a_joined_emoji_is_kept_whole_or_left_out(most):
    assert truncate(FAMILY * 4, most).removesuffix("…") in (FAMILY, FAMILY * 2)


@pytest.mark.parametrize("most", range(3, 15))
def test_a_cut_never_parts_a_letter_from_its_accent(most):
    assert re.fullmatch("(e\u0301)+…", truncate("e\u0301" * 20, most))


def test_a_heap_of_marks_is_lowered():
    assert truncate("Z" + "\u0308\u0330" * 20) == "Z\u0308\u0330\u0308"


def test_a_mark_without_a_letter_is_given_a_place_to_sit():
    assert truncate("\u0301") == "◌\u0301"


@pytest.mark.parametrize("mark", ["\u202a", "\u202e", "\u2066", "\u2069", "\u200e", "\u200f", "\u061c"])
def test_a_mark_that_turns_the_writing_round_is_dropped(mark):
    assert truncate(f"a{mark}bc") == "abc"


@pytest.mark.parametrize("word", ["שלום", "مرحبا", "नमस्ते", "สวัสดี", "日本語"])
def test_every_script_keeps_its_letters(word):
    assert axis_labels([word]) == [word]


@settings(deadline=None)
@given(anything, st.integers(2, 30))
def test_a_label_is_short_seen_and_encodable(token, most):
    label = truncate(token, most)
    assert 0 < len(label) <= max(most, len("⟨unknown⟩"))
    assert not {unicodedata.category(c) for c in label} & {"Cc", "Cs", "Zl", "Zp"}
    assert not set(label) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    assert label.encode()


@settings(deadline=None)
@given(anything)
def test_plotly_reads_a_label_back_letter_by_letter(token):
    (label,) = axis_labels([token])
    assert not set(label) & set("<>$")
    assert unescape(label) == truncate(token)


@settings(deadline=None)
@given(anything)
def test_markdown_reads_a_token_back_letter_by_letter(token):
    written = markdown(token).replace(JOINER, "")  # which draws nothing, and keeps an address from becoming a link
    assert unescape(re.sub(r"\\(.)", r"\1", written)) == truncate(token, 24)
    bare = re.sub(r"\\.|&(?:amp|lt|gt|#36);", "", written)  # what is left when everything disarmed is taken out
    assert not set(bare) & set("`*_{}[]()#+-.!|~:^<>&$\\")


def test_no_entity_is_disarmed_twice():
    assert markdown("$x$") == "&#36;x&#36;"
    assert markdown("#a_b") == "\\#a\\_b"


def test_one_label_a_position_repeated_words_included():
    assert axis_labels(["the"] * 3) == ["the", "the", "the"]


def test_escaping_covers_what_plotly_and_markdown_read():
    assert escape("<b>&$") == "&lt;b&gt;&amp;&#36;"
    assert set(SPECIAL) >= {"<s>", "<unk>", ""}
