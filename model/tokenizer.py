"""Text to numbers and back: one token for each word the model knows."""

import difflib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

PAD, UNKNOWN, START = "<pad>", "<unk>", "<s>"

# What ends a line, or a record of some old file, also ends a word.
BREAK = re.compile("[\x0b\x0c\x1c-\x1f\x85\u2028\u2029]")
# Controls, half characters, blanks without width, tags and the marks that turn the direction of writing: none of them
# can be seen, and some of them reorder or break everything drawn after them.
UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
# A word, a flag (two letters), or any other sign with what belongs to it: skin colour, joined emoji.
WORD = re.compile(
    r"[^\W_]+(?:['’][^\W_]+)*|[\U0001f1e6-\U0001f1ff]{2}|[^\w\s](?:[\ufe0f\U0001f3fb-\U0001f3ff]|\u200d[^\w\s])*|_"
)


def clean(text: str) -> str:
    """Canonical Unicode (NFC) without invisible controls. Joiners stay: emoji and some scripts need them."""
    return unicodedata.normalize("NFC", UNSEEN.sub("", BREAK.sub(" ", text)))


def split(text: str) -> tuple[str, ...]:
    """Words and signs. An accent, a vowel sign, a joiner or a skin tone stays with what it belongs to."""
    pieces: list[str] = []
    end = -1
    for match in WORD.finditer(text):
        piece = match[0]
        if match.start() == end and (_clings(piece[0]) or (_clings(pieces[-1][-1]) and _continues(piece, pieces[-1]))):
            pieces[-1] += piece
        else:
            pieces.append(piece)
        end = match.end()
    return tuple(pieces)


def _clings(character: str) -> bool:
    return unicodedata.category(character).startswith("M") or character in "\u200c\u200d🏻🏼🏽🏾🏿"


def _continues(piece: str, before: str) -> bool:
    return before[-1] in "\u200c\u200d" or (piece[0].isalnum() and before[0].isalnum())


@dataclass(frozen=True)
class Encoding:
    """A text as the model reads it. All tuples have one entry a token; the first token is <s>."""

    typed: tuple[str, ...]  # what the person wrote
    tokens: tuple[str, ...]  # what the model reads: <unk> where it does not know the word
    ids: tuple[int, ...]

    @property
    def unknown(self) -> tuple[int, ...]:
        """Positions of the words the model does not know."""
        return tuple(at for at, token in enumerate(self.tokens) if token == UNKNOWN)


class WordTokenizer:
    """Word-level: lower case, punctuation apart. `words` is the vocabulary without the three special tokens."""

    def __init__(self, words: Sequence[str]) -> None:
        self.vocabulary: tuple[str, ...] = (PAD, UNKNOWN, START, *words)
        self.id_of = {word: index for index, word in enumerate(self.vocabulary)}
        if len(self.id_of) != len(self.vocabulary):
            raise ValueError("a word stands twice in the vocabulary")

    def encode(self, text: str) -> Encoding:
        """Any text becomes <s> and its words; nothing is dropped in silence but invisible controls."""
        typed = (START, *split(clean(text).lower()))
        # A person who types "<unk>" gets three unknown marks, not the special token.
        tokens = (START, *(word if word in self.id_of else UNKNOWN for word in typed[1:]))
        return Encoding(typed, tokens, tuple(self.id_of[token] for token in tokens))

    def nearest(self, word: str, n: int = 3) -> tuple[str, ...]:
        """The known words most like this one, best first."""
        return tuple(difflib.get_close_matches(word[:32], self.vocabulary[3:], n=n, cutoff=0.65))
