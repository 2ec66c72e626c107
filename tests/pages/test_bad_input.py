"""Whatever somebody types: one clear sentence or a correct picture, never a traceback, never markup."""

import re

import pytest
from equal import same_bits
from hypothesis import given, settings
from hypothesis import strategies as st
from screen import component, figures, large, notices, shows_a_picture, visit, visit_by_a_bad_link, well

from model import Experiment, run
from model.run import MAX_CHARACTERS, MAX_TOKENS

MARKUP = re.compile(r"<\s*/?\s*(?:a|script|img|iframe|b|i|sub|sup)\b", re.IGNORECASE)


def typed(text):
    """The page after a person has typed this into the sentence box."""
    screen = visit()
    screen.text_area(key="text").set_value(text)
    return well(screen.run())


def words(screen):
    """The words of the picture, start mark aside, as the page holds them."""
    return component(screen, "sentence")[0]["full"][1:]


def one_sentence(screen):
    """The page shows no picture but says one sentence, which is returned."""
    assert not shows_a_picture(screen)
    (notice,) = [note.value for kind in (screen.info, screen.warning) for note in kind]
    assert notice.endswith(".")
    assert len(notice) < 200
    return notice


def a_correct_picture(screen, *expected):
    """The page shows these words, each in its own row, with the model's own numbers."""
    assert shows_a_picture(screen)
    assert not notices(screen)
    if expected:
        assert words(screen) == list(expected)
    header, arrays = component(screen, "sentence")
    n = len(header["tokens"])
    state = screen.session_state
    attention = run(Experiment(text=state["text"])).layers[int(state["layer"])].attention
    weights, mask = attention.weights[int(state["head"])], attention.mask[int(state["head"])]
    assert same_bits(arrays["weights"], weights, "same operation")
    drawn = large(screen)
    assert drawn.shape == (n, n)
    assert same_bits(drawn[mask], weights[mask], "same operation")
    picture, _ = component(screen, "enlarged")
    assert picture["query_tokens"] == picture["key_tokens"] == header["tokens"]


def no_markup(screen):
    """Nothing that reads as markup was sent where markup is read: Markdown, and the texts of Plotly."""
    for text in (*screen.markdown, *screen.info, *screen.warning, *screen.caption):
        if not text.value.startswith("<style>"):
            assert not MARKUP.search(text.value), text.value
            assert "](javascript" not in text.value.replace("\\", "")
    for figure in figures(screen).values():
        for axis in ("xaxis", "yaxis"):
            assert not any("<" in label for label in figure["layout"][axis].get("ticktext", []))
        for note in figure["layout"].get("annotations", []):
            assert not MARKUP.search(note["text"])


# Nothing, or too much


@pytest.mark.parametrize(
    "text", ["", " ", "\n\t  \n", "\u3000\u00a0", "\x00", "\x00\x01\x1f", "\u202e\u202d", "\ufeff"]
)
def test_a_text_without_a_word_is_answered_with_one_sentence(text):
    assert "There is no text yet" in one_sentence(typed(text))


def test_a_hundred_thousand_characters_are_answered_with_one_sentence():
    notice = one_sentence(typed("the dog was tired . " * 5000))
    assert "100,000" in notice
    assert f"{MAX_CHARACTERS:,}" in notice


@pytest.mark.parametrize("n", [MAX_TOKENS, MAX_TOKENS + 1, 3000])
def test_one_token_too_many_is_answered_with_one_sentence_that_names_both_numbers(n):
    notice = one_sentence(typed("the " * n))  # and the start mark
    assert f"{n + 1:,}" in notice
    assert str(MAX_TOKENS) in notice


def test_the_sentence_goes_when_the_text_is_mended():
    screen = typed("")
    screen.text_area(key="text").set_value("the dog was tired .")
    a_correct_picture(well(screen.run()), "the", "dog", "was", "tired", ".")


def test_as_many_tokens_as_the_lab_draws_are_drawn():
    screen = typed("the dogs near the trees chase the cat . " * 56 + "the dog was tired . the cat")
    assert len(words(screen)) == MAX_TOKENS - 1
    a_correct_picture(screen)
    header, arrays = component(screen, "grid")
    assert header["pooled"], "the grid says that its cells are blocks"
    assert arrays["cells"].shape[2:] == (64, 64)
    assert large(screen).shape == (512, 512), "the large map is not pooled"


# Strange words


def test_controls_between_letters_are_dropped():
    a_correct_picture(typed("the\x00 do\x07g was\x1b tired ."), "the", "dog", "was", "tired", ".")


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "</style><script>alert(1)</script>",
        '<a href="javascript:alert(1)">dog</a>',
        "[dog](javascript:alert(1))",
        "![dog](https://example.org/dog.png)",
        '<img src=x onerror="alert(1)">',
        "<b>the</b> <i>dog</i>",
        "&lt;script&gt; &amp;",
        ":red[dog] :material/home: :dog:",
        "# the dog\n- was\n1. tired",
        "```\nthe dog\n```",
        "%{y} %{customdata[0]}",
        "{{constructor}} ${7*7}",
    ],
)
def test_markup_is_read_letter_by_letter(text):
    screen = typed(text)
    a_correct_picture(screen)
    no_markup(screen)
    assert "".join(words(screen)) == "".join(text.lower().split()), "nothing that was typed is lost"


@pytest.mark.parametrize("more", ["Next word", "Rollout"])
def test_markup_stays_text_in_every_figure_and_every_pinned_sentence(more):
    for row in range(1, 9):
        no_markup(well(visit(text='<a href="x">$_&</a>', query=row, panel=more)))


@pytest.mark.parametrize("text", ["$x$", "$$x$$", "the $dog$ was _tired_ .", "_ __ _a_", "`dog` *was* ~tired~ \\ ^"])
def test_signs_that_set_formulas_and_italics_are_only_signs(text):
    screen = typed(text)
    a_correct_picture(screen)
    assert "".join(words(screen)) == "".join(text.split())
    for figure in figures(screen).values():
        assert not any("$" in label for label in figure["layout"]["yaxis"]["ticktext"])
    for note in screen.markdown[1:]:
        if "read as ⟨unknown⟩" in note.value:
            assert not re.search(r"(?<!\\)[$_*`~]", note.value)


@pytest.mark.parametrize(
    "emoji", ["👩🏽\u200d🚀", "❤\ufe0f", "👨\u200d👩\u200d👧\u200d👦", "🇩🇪", "🏳\ufe0f\u200d🌈", "🐶"]
)
def test_an_emoji_is_one_word_and_drawn_whole(emoji):
    screen = typed(f"the {emoji} was {emoji}")
    a_correct_picture(screen, "the", emoji, "was", emoji)
    assert component(screen, "sentence")[0]["tokens"][2] == emoji


def test_a_hundred_emoji_in_a_row_are_a_hundred_words():
    a_correct_picture(typed("🐶" * 100), *"🐶" * 100)


@pytest.mark.parametrize("text", ["\u200d", "the \ufe0f dog", "\u0301\u0301", "the\u200d"])
def test_no_label_is_invisible(text):
    screen = typed(text)
    a_correct_picture(screen)
    assert all(label.strip("\u200d\ufe0f ") for label in component(screen, "sentence")[0]["tokens"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("שלום עולם", ["שלום", "עולם"]),
        ("مرحبا بالعالم", ["مرحبا", "بالعالم"]),
        ("the \u202egod\u202c was", ["the", "god", "was"]),
        ("\u2067dog\u2069", ["dog"]),
    ],
)
def test_right_to_left_words_stand_in_the_order_they_were_typed(text, expected):
    a_correct_picture(typed(text), *expected)


def test_a_word_of_five_thousand_letters_is_cut_to_be_drawn_and_named():
    screen = typed("the " + "a" * 5000 + " was tired .")
    a_correct_picture(screen)
    header, _ = component(screen, "sentence")
    assert len(header["tokens"][2]) <= 14
    assert max(len(label) for label in component(screen, "enlarged")[0]["query_tokens"]) <= 14
    assert max(len(note.value) for note in screen.markdown if "⟨unknown⟩" in note.value) < 500


def test_a_heap_of_marks_does_not_tower():
    a_correct_picture(typed("Z" + "\u0308\u0330\u0346" * 50 + " was"))


def test_a_repeated_word_keeps_a_row_for_each_time():
    screen = typed("the the the the dog dog the")
    a_correct_picture(screen, "the", "the", "the", "the", "dog", "dog", "the")
    assert component(screen, "enlarged")[0]["query_tokens"][1:] == ["the", "the", "the", "the", "dog", "dog", "the"]


def test_a_text_of_unknown_words_alone_is_drawn_and_named():
    screen = typed("colourless green ideas sleep furiously")
    a_correct_picture(screen, "colourless", "green", "ideas", "sleep", "furiously")
    assert component(screen, "sentence")[0]["unknown"] == [1, 2, 3, 4, 5]
    assert any(all(word in note.value for word in ("colourless", "furiously")) for note in screen.markdown)


def test_many_unknown_words_do_not_bury_the_picture():
    screen = typed(" ".join(f"x{n}y" for n in range(200)))
    a_correct_picture(screen)
    assert len([button for button in screen.button if button.key.startswith("instead")]) <= 30


def test_a_person_cannot_type_the_models_own_marks():
    screen = typed("<s> <unk> <pad>")
    a_correct_picture(screen, "<", "s", ">", "<", "unk", ">", "<", "pad", ">")


@pytest.mark.parametrize(
    "text", ["the dog", "<b>", "$x$", "שלום", "   ", "👩🏽\u200d🚀", "a" * 3000, "\x00", "the\ndog\r\nwas"]
)
def test_a_link_may_carry_any_text(text):
    screen = well(visit_by_a_bad_link(text=text))
    assert shows_a_picture(screen) or one_sentence(screen)
    no_markup(screen)


@settings(deadline=None, max_examples=25)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_any_text_at_all_gives_a_picture_or_one_sentence(text):
    screen = well(visit_by_a_bad_link(text=text))
    if shows_a_picture(screen):
        no_markup(screen)
    else:
        one_sentence(screen)
