"""What is said of a typed text that the model does not read as it was typed."""

import unicodedata
from collections.abc import Sequence

from viz.captions.counting import verb
from viz.captions.positions import join_with_and

# Controls have no name in Unicode's table of names.
CONTROLS = {"\x0b": "vertical tab", "\x0c": "form feed", "\x85": "next line"}
MAX_NAMED = 4


def describe_altered(blanks: Sequence[str], dropped: Sequence[str]) -> str:
    """blanks: characters that are read as a blank; dropped: those that are left out. "" where there are none.

    Each is named with its number, for none of them can be seen.
    """
    changes = [
        f"{_named(characters)} {verb(len(characters), 'is', 'are')} {what}"
        for characters, what in ((blanks, "read as a space"), (dropped, "left out"))
        if characters
    ]
    if not changes:
        return ""
    return f"Some characters of this text are not read as you typed them: {'; '.join(changes)}."


def _named(characters: Sequence[str]) -> str:
    names = [
        f"{unicodedata.name(character, CONTROLS.get(character, 'control')).lower()} (U+{ord(character):04X})"
        for character in characters[:MAX_NAMED]
    ]
    more = len(characters) - MAX_NAMED
    return join_with_and([*names, f"{more} more"] if more > 0 else names)
