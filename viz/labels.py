"""Words as labels: short enough for an axis, safe for Plotly, and never invisible.

Plotly reads a little HTML in every text it draws, and would turn a token into a live link. Shorten first and escape
second: a cut through "&amp;" would show.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence

MARKS = {"<s>": "⟨start⟩", "<unk>": "⟨unknown⟩", "</s>": "⟨end⟩", "<pad>": "⟨filler⟩"}  # on the screen and in files
SPECIAL = {**MARKS, "": "∅", " ": "␣"}
JOINERS = "\u200d\ufe0f"  # hold one emoji together
BLANKS = "\u115f\u1160\u2800\u3164\uffa0"  # letters by name that draw nothing
MAX_MARKS = 3  # on one letter: a taller heap runs into the lines above and below


def truncate(token: str, most: int = 14) -> str:
    """The token as it can be read in a small place: no more than `most` characters, and never nothing at all."""
    if token in SPECIAL:
        return SPECIAL[token]
    text = "".join(_seen(token)).strip()
    if not text.strip(JOINERS):
        return "␣"
    if unicodedata.category(text[0])[0] == "M":
        text = "◌" + text  # a mark without its letter
    return text if len(text) <= most else _cut(text, most)


def _seen(token: str) -> Iterator[str]:
    heap = 0
    for c in token:
        kind = unicodedata.category(c)
        heap = heap + 1 if kind[0] == "M" else 0
        unseen = kind in ("Cc", "Cf", "Cs", "Zl", "Zp") or c in BLANKS or heap > MAX_MARKS
        if c in JOINERS or not unseen:
            yield c


def _cut(text: str, most: int) -> str:
    # Not between a letter and its marks, nor through a joined emoji.
    end = most - 1
    while end > 1 and (
        unicodedata.category(text[end])[0] == "M" or text[end] in JOINERS or text[end - 1] == JOINERS[0]
    ):
        end -= 1
    return text[:end] + "…"


def escape(text: str) -> str:
    """Text that Plotly and Markdown will draw letter by letter, whatever it holds."""
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("$", "&#36;")):
        text = text.replace(character, entity)
    return text


def axis_labels(tokens: Sequence[str], most: int = 14) -> list[str]:
    """One label for each position. The axis itself counts positions, so that a repeated word keeps its own row."""
    return [escape(truncate(token, most)) for token in tokens]


def named(token: str) -> str:
    """The token as tables and files hold it: whole, and marks under the name that the screen gives them."""
    return MARKS.get(token, token)


def numbered(words: Sequence[str], first: int = 0) -> list[str]:
    """Words of a table, each with its position, so that a repeated one can be told apart: "5 dogs".

    first: the position of the first word.
    """
    return [f"{index} {SPECIAL.get(word, word)}" for index, word in enumerate(words, first)]


def markdown(token: str) -> str:
    """A token inside a sentence of Markdown: shortened, with everything that Markdown reads disarmed."""
    return escape_markdown(truncate(token, 24))


def bold(token: str) -> str:
    """A token in a sentence of Markdown, in bold. One without a letter or a digit has quotation marks: “**.**”."""
    text = f"**{markdown(token)}**"
    return text if any(character.isalnum() for character in token) else f"“{text}”"


JOINER = "\u2060"  # a word joiner, which draws nothing
# What GitHub's Markdown turns into a link although it is escaped: it looks for these in the finished text.
LINKED = re.compile(r"://|www(?=\.)|@", re.IGNORECASE)


def escape_markdown(text: str) -> str:
    """A text as Markdown that shows it letter by letter.

    Whatever came from an address, a file or a model goes through here before it is written on the page.
    """
    apart = LINKED.sub(lambda match: f"{match[0][0]}{JOINER}{match[0][1:]}", text)
    return escape("".join(f"\\{c}" if c in "\\`*_{}[]()#+-.!|~:^" else c for c in " ".join(apart.splitlines())))
