"""Words as labels: short enough for an axis, safe for Plotly, and never invisible.

Plotly reads a little HTML in every text it draws, and would turn a token into a live link. Shorten first and escape
second: a cut through "&amp;" would show.
"""

import unicodedata
from collections.abc import Sequence

SPECIAL = {"<s>": "⟨start⟩", "<unk>": "⟨unknown⟩", "<pad>": "⟨filler⟩", "": "∅", " ": "␣"}
JOINERS = "\u200d\ufe0f"  # hold one emoji together


def shorten(token: str, most: int = 14) -> str:
    """The token as it can be read in a small place; its middle is kept whole or cut with an ellipsis."""
    if token in SPECIAL:
        return SPECIAL[token]
    seen = [c for c in token if c in JOINERS or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    text = "".join(seen).strip() or "␣"
    return text if len(text) <= most else text[: most - 1].rstrip(JOINERS) + "…"


def escape(text: str) -> str:
    """Text that Plotly and Markdown will draw letter by letter, whatever it holds."""
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("$", "&#36;")):
        text = text.replace(character, entity)
    return text


def axis_labels(tokens: Sequence[str], most: int = 14) -> list[str]:
    """One label for each position. The axis itself counts positions, so that a repeated word keeps its own row."""
    return [escape(shorten(token, most)) for token in tokens]


def markdown(token: str) -> str:
    """A token inside a sentence of Markdown: shortened, with everything that Markdown reads disarmed."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()#+-.!|~:^" else c for c in escape(shorten(token, 24)))
