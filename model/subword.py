"""Subword tokenizers: a rare word becomes several tokens, so that a few thousand tokens can represent any text.

Byte-pair encoding starts with single characters and repeatedly joins the most frequent pair of neighbours (Sennrich et
al. 2016). If it starts with bytes, no text is unknown (Radford et al. 2019, section 2.2). WordPiece, the method of
BERT, finds its pieces differently and is supported too. The `tokenizers` library splits the text; this file makes the
pieces readable.
"""

import difflib
import json
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from tokenizers import Tokenizer as Cutter
from tokenizers import decoders, models, pre_tokenizers, processors, trainers

from model.tokenizer import INVISIBLE, PAD, START, UNKNOWN, Encoding, InputTextError, altered, clean, spans

MAX_GROWN_BYTES = 4 << 20  # bytes of a normalised text; the library needs about 40 bytes of memory for each
CONTINUATION = "·"  # before a piece that belongs to the same word as the piece before it
LETTER = re.compile(r"\S")
BLANKS = {" ": "␣", "\n": "↵", "\t": "⇥"}

# Byte-level vocabularies write every byte as one letter: itself if it is visible, otherwise the next from code 256 on.
_SEEN = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
_UNSEEN = [byte for byte in range(256) if byte not in _SEEN]
BYTE_OF = {chr(byte): byte for byte in _SEEN} | {chr(256 + code): byte for code, byte in enumerate(_UNSEEN)}


class SubwordTokenizer:
    """A tokenizer of the `tokenizers` library, with the methods of model.tokenizer.Tokenizer.

    Arguments:
        saved: the library's JSON, the `tokenizer.json` of a published model: byte-level BPE (GPT-2), WordPiece (BERT),
            or a vocabulary that writes "▁" for a space (T5, Llama).
        reads_marks: whether a special token that a person types, such as "[MASK]", is read as that token.
        size: the vocabulary size of the model, if that is larger than the number of pieces.
        growth: the factor by which its normalizers can lengthen a text; a text that could become too long is refused.
    Raises:
        ValueError: the JSON does not describe a tokenizer.
    """

    def __init__(self, json_text: str, reads_marks: bool = False, size: int = 0, growth: float = 1.0) -> None:
        self._most = int(MAX_GROWN_BYTES / growth) if growth > 1 else 0  # bytes of a text; 0: any
        try:
            self._cutter = Cutter.from_str(json_text)
            settings: dict[str, Any] = json.loads(json_text)
        except Exception as error:  # the library raises no more specific error
            raise ValueError(f"the tokenizer cannot be read: {error}") from error
        self._cutter.no_truncation()  # no text is truncated without notice
        self._cutter.no_padding()
        self._cutter.encode_special_tokens = not reads_marks
        cuts, joins = json.dumps(settings.get("pre_tokenizer")), json.dumps(settings.get("decoder"))
        self._bytes = '"ByteLevel"' in cuts + joins
        # A space is added before the first word. GPT-2's decoder has the same setting, but does not use it.
        self._adds_space = self._bytes and '"add_prefix_space": true' in cuts
        self._joint: str = settings["model"].get("continuing_subword_prefix") or ""  # "##" of WordPiece
        self._end: str = settings["model"].get("end_of_word_suffix") or ""  # "</w>" of the first GPT
        # A word-level vocabulary contains whole words. So does WordPiece, except for the pieces with its prefix.
        self._whole = bool(self._joint) or settings["model"].get("type") == "WordLevel"
        self._unknown: str | None = settings["model"].get("unk_token")
        # Added tokens are written as they are, however the vocabulary writes bytes and the ends of words.
        self._added = frozenset(token["id"] for token in settings.get("added_tokens") or [])

        by_id = {index: piece for piece, index in self._cutter.get_vocab().items()}
        # Some published vocabularies skip ids. No text contains these.
        self._pieces = tuple(by_id.get(index, "") for index in range(max(max(by_id) + 1, size)))
        marks = {token["content"] for token in settings.get("added_tokens", []) if token["special"]} | {
            "",
            self._unknown,
        }
        self.special_ids: tuple[int, ...] = tuple(index for index, piece in enumerate(self._pieces) if piece in marks)
        self._special_ids = frozenset(self.special_ids)
        self.vocabulary: tuple[str, ...] = tuple(self._alone(index) for index in range(len(self._pieces)))

    @property
    def json_text(self) -> str:
        """The library's JSON, from which an equal tokenizer can be made."""
        return self._cutter.to_str()

    def token_id(self, piece: str) -> int:
        """The id of a piece as the library writes it, "<s>" or "Ġdog". Raises KeyError if there is none."""
        index: int | None = self._cutter.token_to_id(piece)
        if index is None:
            raise KeyError(piece)
        return index

    def encode(self, text: str) -> Encoding:
        """The tokens of any text. Only invisible control characters are dropped.

        Raises:
            InputTextError: the normalizers of the tokenizer could make the text too long for this process.
        """
        text = self._bounded(clean(text))
        cut = self._cutter.encode(text)
        word_ids = _word_ids(text, cut.offsets, cut.special_tokens_mask)
        tokens = tuple(
            (CONTINUATION if t and word_ids[t] == word_ids[t - 1] else "") + self._drawn(index)[1]
            for t, index in enumerate(cut.ids)
        )
        surface = tuple(
            text[start:end] if token == UNKNOWN else token
            for token, (start, end) in zip(tokens, cut.offsets, strict=True)
        )
        return Encoding(surface, tokens, tuple(cut.ids), word_ids, _words(text, cut.offsets, word_ids, surface))

    def left_out(self, text: str) -> tuple[str, ...]:
        """The characters that `clean` drops, and those without a piece if there is no unknown token."""
        read = clean(text)
        covered = {
            index for start, end in self._cutter.encode(self._bounded(read)).offsets for index in range(start, end)
        }
        lost = [letter for index, letter in enumerate(read) if index not in covered and not letter.isspace()]
        return tuple(dict.fromkeys((*altered(text)[1], *lost)))

    def ids_of(self, text: str) -> list[int]:
        """The ids alone, without the words: for whole books."""
        ids: list[int] = self._cutter.encode(self._bounded(clean(text))).ids
        return ids

    def _bounded(self, text: str) -> str:
        if self._most and len(text.encode("utf-8", "replace")) > self._most:
            raise InputTextError(
                f"The tokenizer of this model can make a text many times longer, so the lab reads up to {self._most:,} "
                "bytes with it. Shorten the text."
            )
        return text

    def decode(self, ids: Sequence[int]) -> str:
        """The text of these pieces, without the special tokens. An incomplete character becomes U+FFFD."""
        return self._begun(self._text_of(ids))

    def _begun(self, text: str) -> str:
        """Decoded text at the beginning of a text: without the space before its first word."""
        return text.removeprefix(" ") if self._adds_space or self._end or not self._bytes else text

    def append_tokens(self, text: str, ids: Sequence[int]) -> str:
        """The text and the pieces after it. A piece that begins a word includes its space."""
        added = self._text_of(ids)
        return text + (added if text or not self._adds_space else added.removeprefix(" "))

    def replace_token(self, text: str, index: int, token: str, encoding: Encoding | None = None) -> str:
        """The text with another piece, as it is drawn, in place of the one at `index`. Unknown words stay as typed.

        encoding: that of the text, if the caller has it.
        """
        read = encoding or self.encode(text)
        ids = list(read.ids)
        ids[index] = self.vocabulary.index(token)
        unknown = [place for place in read.unknown if place != index]
        text_before, begin = "", 0
        for place in unknown:
            blank = " " if self._whole else ""
            text_before += self._text_of(ids[begin:place]) + blank + read.surface[place]
            begin = place + 1
        return self._begun(text_before + self._text_of(ids[begin:]))

    def closest_words(self, word: str, n: int = 3, similarity: float = 0.65) -> tuple[str, ...]:
        """The pieces most similar to this word that are whole words and have the same first letter, best first."""
        alike = [piece for piece in self.vocabulary if piece[:1] == word[:1] and piece.isalpha()]
        return tuple(difflib.get_close_matches(word[:32], alike, n=n, cutoff=similarity))

    def _text_of(self, ids: Sequence[int]) -> str:
        """The text that the pieces add to a text, including the space before a new word."""
        visible = [index for index in ids if index not in self._special_ids]
        if self._bytes:
            text = b"".join(self._raw(index) for index in visible).decode("utf-8", "replace")
            return f" {text.removesuffix(' ')}" if self._end else text
        if self._end:  # this vocabulary has the space after a word, and the result needs it before the word
            ended = (self._cut(index) for index in visible)
            return " " + "".join(letters + " " * ends for letters, ends in ended).removesuffix(" ")
        text = "".join(
            self._pieces[index][len(self._joint) :]
            if self._joint and self._pieces[index].startswith(self._joint)
            else (" " if self._whole else "") + self._pieces[index].replace("▁", " ")
            for index in visible
        )
        return text

    def _cut(self, index: int) -> tuple[str, bool]:
        """A piece without the suffix that marks the end of a word, and whether a word ends with it."""
        piece = self._pieces[index]
        if index in self._added or not self._end:
            return piece, bool(self._end)
        return piece.removesuffix(self._end), piece.endswith(self._end)

    def _raw(self, index: int) -> bytes:
        letters, ends = self._cut(index)
        if index in self._added:
            return letters.encode() + b" " * ends
        spelled = (bytes([BYTE_OF[letter]]) if letter in BYTE_OF else letter.encode() for letter in letters)
        return b"".join(spelled) + b" " * ends

    def _alone(self, index: int) -> str:
        """A piece as the vocabulary lists it. If ends of words are marked, the other pieces get a mark after them."""
        goes_on = self._end and index not in self._special_ids and not self._cut(index)[1]
        return "".join(self._drawn(index)) + (CONTINUATION if goes_on else "")

    def _drawn(self, index: int) -> tuple[str, str]:
        """A piece by itself, as (its mark, its letters): ("", "dog") with a space before, ("·", "dog") without."""
        piece = self._pieces[index]
        if piece == self._unknown:
            return "", UNKNOWN
        if index in self._special_ids:
            return "", piece or "⟨spare⟩"
        if self._joint and piece.startswith(self._joint) and index not in self._added:
            return CONTINUATION, _seen(piece[len(self._joint) :])
        if self._whole:
            return "", _seen(piece)
        if self._end:
            letters, ends = self._cut(index)
            if self._bytes:
                letters = self._raw(index).decode("utf-8", "surrogateescape").removesuffix(" " * ends)
            return "", _seen(letters)
        text = self._raw(index).decode("utf-8", "surrogateescape") if self._bytes else piece.replace("▁", " ")
        spaced = len(text) > 1 and text[0] == " "
        letters = text[1:] if spaced else text
        in_word = letters[0].isalnum() or (unicodedata.category(letters[0])[0] in "MC" and not letters[0].isspace())
        return "" if spaced == in_word else "␣" if spaced else CONTINUATION, _seen(letters)


def _seen(letters: str) -> str:
    """Whitespace as signs; an incomplete character, or one that is invisible, as its number."""
    return "".join(map(_sign, letters))


def _sign(letter: str) -> str:
    if letter in BLANKS:
        return BLANKS[letter]
    if 0xDC80 <= ord(letter) <= 0xDCFF:  # how Python represents a byte that is not part of a character
        return f"⟨{ord(letter) - 0xDC00:02x}⟩"
    return f"⟨u+{ord(letter):04x}⟩" if letter.isspace() or INVISIBLE.match(letter) else letter


def _word_ids(text: str, offsets: Sequence[tuple[int, int]], special: Sequence[int]) -> tuple[int, ...]:
    """The word of each piece: the one with its first letter. Whitespace belongs to the word after it."""
    words = spans(text)
    begins = [start for start, _ in words]
    ids: list[int] = []
    home: int | None = None
    for mark, (start, end) in zip(special, offsets, strict=True):
        before, home = home, None
        letter = LETTER.search(text, start)
        if letter and not mark and "\n" not in text[start : min(end, letter.start())]:
            index = bisect_right(begins, letter.start()) - 1
            home = index if index >= 0 and letter.start() < words[index][1] else None
        last = ids[-1] if ids else -1
        ids.append(last if home is not None and home == before else last + 1)
    return tuple(ids)


def _words(
    text: str, offsets: Sequence[tuple[int, int]], word_ids: Sequence[int], typed: Sequence[str]
) -> tuple[str, ...]:
    """Each word as it was written; a special token or whitespace as it is drawn."""
    written = []
    for _, group in groupby(range(len(word_ids)), key=word_ids.__getitem__):
        pieces = list(group)
        label = text[offsets[pieces[0]][0] : offsets[pieces[-1]][1]].strip()
        written.append(label or "".join(typed[index] for index in pieces))
    return tuple(written)


def train_bpe(
    texts: Iterable[str], size: int, special: Sequence[str] = (PAD, START), space_first: bool = True
) -> SubwordTokenizer:
    """Byte-level BPE, trained on these texts: at most `size` pieces, including the special tokens and the 256 bytes.

    If <s> is one of the special tokens, every text begins with it. space_first: read the first word as if there were a
    space before it, so that it becomes the same piece as elsewhere.
    """
    cutter = Cutter(models.BPE())
    cutter.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=space_first)
    cutter.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    cutter.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=size, special_tokens=list(special), initial_alphabet=alphabet, show_progress=False
        ),
    )
    if START in special:
        cutter.post_processor = processors.TemplateProcessing(
            single=f"{START} $A", special_tokens=[(START, cutter.token_to_id(START))]
        )
    return SubwordTokenizer(cutter.to_str())
