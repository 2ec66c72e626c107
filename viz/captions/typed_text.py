"""What is said of a typed text that the model does not read as it was typed."""

import unicodedata
from collections.abc import Sequence

from viz.captions.counting import counted, verb
from viz.captions.positions import join_with_and
from viz.labels import markdown

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


MOST_UNKNOWN = 8  # words that are named
MANY = 0.25  # of the tokens of a text: with more unknown ones the model reads another text


def describe_unknown(unknown: Sequence[str], share: float, known: int = 0, language: str = "") -> str:
    """unknown: the words that are not in the vocabulary, each once; share: of the tokens of the text that they are.

    known: how many words of the language of the text are in the vocabulary; 0 where it holds one language only.
    """
    names = ", ".join(f"“{markdown(word)}”" for word in unknown[:MOST_UNKNOWN])
    names += ", …" if len(unknown) > MOST_UNKNOWN else ""
    knows = f" It knows {counted(known, f'{language} word')}." if known else ""
    many = " More than a quarter of this text is unknown to it, so its output means little." if share > MANY else ""
    return f"This model does not know {names} and reads {verb(len(unknown), 'it', 'them')} as ⟨unknown⟩.{knows}{many}"


def describe_pair_model(name: str, shown: str, is_transformer: bool) -> str:
    """A link names a model of two sentences on a page that shows another model instead.

    name, shown: of both models; is_transformer: whether the first one is an encoder–decoder of Transformer layers.
    """
    place = "The pages Whole model, Inside a head and Translate can" if is_transformer else "The page Translate can"
    return f"This page shows “{markdown(shown)}”, because it cannot show the model “{markdown(name)}”. {place}."


def _named(characters: Sequence[str]) -> str:
    names = [
        f"{unicodedata.name(character, CONTROLS.get(character, 'control')).lower()} (U+{ord(character):04X})"
        for character in characters[:MAX_NAMED]
    ]
    more = len(characters) - MAX_NAMED
    return join_with_and([*names, f"{more} more"] if more > 0 else names)
