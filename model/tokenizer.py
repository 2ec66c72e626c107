"""From text to tokens and back: the interface of a tokenizer, and the simplest one, with a token for each word."""

import difflib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

PAD, UNKNOWN, START = "<pad>", "<unk>", "<s>"
BLANK = "␣"  # a space that is a token
EOS = "</s>"  # in the vocabulary of models that predict the end of a sentence

# Line and record separators also end a word.
LINE_BREAKS = re.compile("[\x0b\x0c\x1c-\x1f\x85\u2028\u2029]")
# Control characters, surrogates, spaces without width, tags and marks for the direction of writing: none of them is
# visible, and some of them reorder or break the text after them.
INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
# A word, a flag (two letters), or any other sign with its modifiers: skin colour, joined emoji.
WORD = re.compile(
    r"[^\W_]+(?:['’][^\W_]+)*|[\U0001f1e6-\U0001f1ff]{2}|[^\w\s](?:[\ufe0f\U0001f3fb-\U0001f3ff]|\u200d[^\w\s])*|_"
)


class InputTextError(ValueError):
    """The model cannot run the text. The message is one sentence for the person who typed it."""


def clean(text: str) -> str:
    """Canonical Unicode (NFC) without invisible controls. Joiners stay, because emoji and some scripts need them."""
    return unicodedata.normalize("NFC", INVISIBLE.sub("", LINE_BREAKS.sub(" ", text)))


def altered(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The distinct characters that `clean` replaces by a space, and those that it drops, in their order."""
    blanks = LINE_BREAKS.findall(text)
    dropped = INVISIBLE.findall(LINE_BREAKS.sub("", text))
    return tuple(dict.fromkeys(blanks)), tuple(dict.fromkeys(dropped))


def split(text: str) -> tuple[str, ...]:
    """Words and signs. An accent, a vowel sign, a joiner or a skin tone stays with its character."""
    return tuple(text[start:end] for start, end in spans(text))


def spans(text: str) -> tuple[tuple[int, int], ...]:
    """The start and the end of each word and sign, in characters."""
    bounds: list[tuple[int, int]] = []
    for match in WORD.finditer(text):
        piece, (start, end) = match[0], match.span()
        before = text[slice(*bounds[-1])] if bounds and bounds[-1][1] == start else ""
        if before and (_clings(piece[0]) or (_clings(before[-1]) and _continues(piece, before))):
            bounds[-1] = bounds[-1][0], end
        else:
            bounds.append((start, end))
    return tuple(bounds)


def _clings(character: str) -> bool:
    return unicodedata.category(character).startswith("M") or character in "\u200c\u200d🏻🏼🏽🏾🏿"


def _continues(piece: str, before: str) -> bool:
    return before[-1] in "\u200c\u200d" or (piece[0].isalnum() and before[0].isalnum())


@dataclass(frozen=True)
class Encoding:
    """A text as the model reads it. Every tuple but the last has one entry a token."""

    surface: tuple[str, ...]  # what the person wrote
    tokens: tuple[str, ...]  # what the model reads: <unk> where it does not know the word
    ids: tuple[int, ...]
    word_ids: tuple[int, ...]  # index of the word of each token; a special token counts as a word
    words: tuple[str, ...]  # one entry a word, as the person wrote it

    @property
    def unknown(self) -> tuple[int, ...]:
        """Positions of the words the model does not know."""
        return tuple(index for index, token in enumerate(self.tokens) if token == UNKNOWN)


class Tokenizer(Protocol):
    """The interface that all tokenizers share."""

    vocabulary: tuple[str, ...]  # V  each token as it is drawn
    special_ids: tuple[int, ...]  # ids of the special tokens, which are never part of a generated text

    def __hash__(self) -> int:
        """A tokenizer never changes, so it can be the key of a cache."""
        ...

    def encode(self, text: str) -> Encoding:
        """The tokens of a text, with the special tokens that the model expects around it."""
        ...

    def left_out(self, text: str) -> tuple[str, ...]:
        """The distinct characters of a text, except whitespace, that no token represents."""
        ...

    def decode(self, ids: Sequence[int]) -> str:
        """The text of these tokens, without the special ones."""
        ...

    def append_tokens(self, text: str, ids: Sequence[int]) -> str:
        """The text with these tokens appended. The text itself is not changed."""
        ...

    def replace_token(self, text: str, index: int, token: str, encoding: Encoding | None = None) -> str:
        """The text with another token, as it is drawn, in place of the one at position `index`.

        encoding: that of the text, if the caller has it.
        """
        ...

    def closest_words(self, word: str, n: int = 3, similarity: float = 0.65) -> tuple[str, ...]:
        """Up to `n` known words that are most similar to an unknown word, best first; similarity: the least, 0 to 1."""
        ...


class WordTokenizer:
    """A tokenizer of lower-case words and punctuation. `words` is the vocabulary without the three special tokens."""

    special_ids: tuple[int, ...] = (0, 1, 2)

    def __init__(self, words: Sequence[str]) -> None:
        self.vocabulary: tuple[str, ...] = (PAD, UNKNOWN, START, *words)
        self.id_by_word = {word: index for index, word in enumerate(self.vocabulary)}
        if len(self.id_by_word) != len(self.vocabulary):
            raise ValueError("the vocabulary contains a word twice")

    def __eq__(self, other: object) -> bool:
        """Whether `other` is of the same class and has the same vocabulary. Then both encode every text alike."""
        return self is other or (
            type(self) is type(other) and isinstance(other, WordTokenizer) and self.vocabulary == other.vocabulary
        )

    def __hash__(self) -> int:
        return hash((type(self), self.vocabulary))

    def encode(self, text: str) -> Encoding:
        """<s> and the words of a text. Only invisible control characters are dropped."""
        typed = (START, *self._elided(split(clean(text).lower())))
        # If a person types "<unk>", it is read as three unknown signs, not as the special token.
        tokens = (START, *(word if word in self.id_by_word else UNKNOWN for word in typed[1:]))
        return Encoding(
            typed, tokens, tuple(self.id_by_word[token] for token in tokens), tuple(range(len(tokens))), typed
        )

    def left_out(self, text: str) -> tuple[str, ...]:
        """The characters that `clean` drops. Every other one is part of a word or a sign, known or unknown."""
        return altered(text)[1]

    def _elided(self, words: Sequence[str]) -> Sequence[str]:
        """The words, with known elided words split off: "l'animal" becomes "l'", "animal"."""
        parts: list[str] = []
        for word in words:
            rest = word.replace("’", "'")
            if rest == "'" and parts and parts[-1] + rest in self.id_by_word:
                parts[-1] += rest  # the other word is missing, or there is a space before it
                continue
            while (cut := rest.find("'") + 1) and rest[:cut] in self.id_by_word and rest[cut:]:
                parts.append(rest[:cut])
                word = rest = rest[cut:]
            parts.append(word)
        return parts

    def decode(self, ids: Sequence[int]) -> str:
        """The words, separated by spaces, but not after an elided word such as "l'"."""
        return self.append_tokens("", ids)

    def append_tokens(self, text: str, ids: Sequence[int]) -> str:
        """The text and the words, separated by spaces, but not after an elided word."""
        written = text.strip()
        for word in (self.vocabulary[index] for index in ids if index not in self.special_ids):
            written += word if not written or written.endswith("'") else f" {word}"
        return written

    def replace_token(self, text: str, index: int, token: str, encoding: Encoding | None = None) -> str:
        """The words, with another word at position `index`."""
        surface = list((encoding or self.encode(text)).surface)
        surface[index] = token
        return " ".join(surface[1:])

    def closest_words(self, word: str, n: int = 3, similarity: float = 0.65) -> tuple[str, ...]:
        """The known words most similar to this one, best first. similarity: the least, 0 to 1."""
        return tuple(difflib.get_close_matches(word[:32], self.vocabulary[3:], n=n, cutoff=similarity))


class CharacterTokenizer(WordTokenizer):
    """A tokenizer of lower-case characters. A space is a token too."""

    def encode(self, text: str) -> Encoding:
        """<s> and the characters of a text. Only invisible control characters and outer whitespace are dropped."""
        typed = (START, *(BLANK if letter.isspace() else letter for letter in clean(text).lower().strip()))
        tokens = (START, *(letter if letter in self.id_by_word else UNKNOWN for letter in typed[1:]))
        return Encoding(
            typed, tokens, tuple(self.id_by_word[token] for token in tokens), tuple(range(len(tokens))), typed
        )

    def append_tokens(self, text: str, ids: Sequence[int]) -> str:
        """The text and the characters."""
        letters = (self.vocabulary[index] for index in ids if index not in self.special_ids)
        return text + "".join(" " if letter == BLANK else letter for letter in letters)

    def closest_words(self, word: str, n: int = 3, similarity: float = 0.65) -> tuple[str, ...]:
        """None, because characters are not similar to each other."""
        return ()
