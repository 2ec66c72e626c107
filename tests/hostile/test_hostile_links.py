"""Links that strangers made: each page is opened, says what it could not use as plain text, and keeps working.

Markdown is drawn in alerts, texts, labels, options and helps. What came from the address must not stand there as
Markdown: no picture that another machine would see asked for, no link that looks like the lab's own.
"""

from functools import cache

import pytest
from screen import PAGES, ROOT, visit_by_a_bad_link, well

PAYLOADS = [
    "![x](https://evil.example/a.png)",
    "[Log in](https://evil.example)",
    "see https://evil.example/x",
    "www.evil.example",
    "mail@evil.example",
    "<img src=x onerror=alert(1)>",
    "<a href=//evil.example>x</a>",
    "$\\int$ **bold** :red[red] :smile:",
    "\u202egnp.exe",
    "\x00\x07\x1b[31m",
    "a" * 3000,
    "-1",
    "99999999999999999999",
    "1e309",
    "nan",
    "true; drop table",
    "../../../etc/passwd",
    "/proc/self/environ",
    "own-../../etc",
    "L0H1,L99H99",
    "{'a': 1}",
    "%s%n{0}",
    "\U0001f600" * 50,
    "",
]
# Where a string of a page is shown letter by letter, or is the value of a control and no label.
LETTERS = {
    ("bidi_component", None),
    ("plotly_chart", None),
    ("arrow_data_frame", None),
    ("text_area", "value"),
    ("text_area", "default"),
    ("text_area", "set_value"),
    ("text_input", "value"),
    ("text_input", "default"),
    ("text_input", "set_value"),
    ("selectbox", "options"),
    ("selectbox", "raw_value"),
    ("multiselect", "options"),
    ("code", "code_text"),
}
ALL = [*PAGES, *(ROOT / f"viz/pages/{page}/page.py" for page in ("lessons", "training", "your_model"))]


def strings(message, path=()):
    """Every text in a protobuf message, with the names of the fields that lead to it."""
    for field, value in message.ListFields():
        for item in value if field.is_repeated else [value]:
            if field.message_type is not None and hasattr(item, "ListFields"):
                yield from strings(item, (*path, field.name))
            elif isinstance(item, str):
                yield (*path, field.name), item


def markdown_of(screen):
    """Every text that the page draws as Markdown."""
    for element in _elements(screen):
        proto = getattr(element, "proto", None)
        if proto is None or (element.type, None) in LETTERS:
            continue
        for path, text in strings(proto):
            if not any((element.type, name) in LETTERS for name in path) and path[-1] not in ("id", "key", "form_id"):
                yield element.type, path, text


def _elements(screen):
    def below(block):
        yield block
        for child in getattr(block, "children", {}).values():
            yield from below(child)

    yield from below(screen._tree)


ALIVE = [
    "![x](",
    "](https://evil",
    "https://evil",
    "www.evil",
    "mail@evil",
    "<img",
    "<a href=//",
    "$\\int$",
    ":red[",
    ":smile:",
]


def check(screen):
    well(screen)
    for kind, path, text in markdown_of(screen):
        signs = [part for part in ALIVE if part in text]
        assert not signs, (kind, path, text[:200])


@cache
def controls_of(path):
    state = visit_by_a_bad_link(str(path.relative_to(ROOT))).session_state._state.filtered_state
    return sorted(name for name in state if isinstance(name, str) and not name.startswith(("$", "ask_", "table_")))


@pytest.mark.parametrize("turn", range(6))
@pytest.mark.parametrize("path", ALL, ids=lambda path: path.parent.name)
def test_a_link_with_any_value_in_any_control_opens_the_page_and_is_answered_in_plain_text(path, turn, outcome):
    names = [*controls_of(path), "lesson", "figure", "present", *PAYLOADS[turn * 4 : turn * 4 + 4]]
    names = [name for name in names if name]
    link = {name: PAYLOADS[(index + turn * 5) % len(PAYLOADS)] for index, name in enumerate(names)}
    check(visit_by_a_bad_link(str(path.relative_to(ROOT)), **link))
    outcome("the page opens and says what it cannot use", len(link))


TEXT = " ".join(payload for payload in PAYLOADS if len(payload) < 60)


@pytest.mark.parametrize("path", ALL[:-2], ids=lambda path: path.parent.name)
def test_a_text_of_markup_is_drawn_letter_by_letter(path, outcome):
    link = {"text": TEXT} | ({} if path.parent.name == "translate" else {"weights": "stories"})
    check(visit_by_a_bad_link(str(path.relative_to(ROOT)), **link))
    outcome("the page draws it letter by letter", 1)


@pytest.mark.parametrize("words", [1, 2, 63, 64, 65, 96, 127, 128, 200])
@pytest.mark.parametrize("section", ["Side by side", "Ablation", "Claims checked"])
def test_a_source_of_any_length_is_translated_or_refused_in_a_sentence(section, words, outcome):
    text = " ".join((["the", "cat", "sleeps", "."] * words)[:words])
    screen = visit_by_a_bad_link("viz/pages/translate/page.py", source_text=text, panel=section)
    check(screen)
    notes = [note.value for kind in (screen.info, screen.caption) for note in kind]
    shown = any(mount.proto.id.endswith("-writing") for mount in screen.get("bidi_component"))
    assert shown or any("Shorten it." in note for note in notes)
    outcome("translated, or refused in a sentence", 1)
