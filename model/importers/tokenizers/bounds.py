"""Bounds of a tokenizer.json: the growth of a text, the ids, the special tokens around a text, the nesting depth.

The `tokenizers` library follows the file, and ends the whole process if there is not enough memory. So the file is
checked before the library reads it.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any

from model.checkpoint import CheckpointError
from model.importers.tokenizers.patterns import MAX_PATTERNS, patterns, shortest

MAX_GROWTH = 4000  # maximum growth of a text; ALBERT's normalizers could make it 2,900 times as long
MAX_IDS = 10_000_000  # the largest published vocabularies have 260,000 pieces
MAX_PIECE = 4096  # bytes of one piece or added token
MAX_ADDED = 200_000
MAX_MARKS = 64  # special tokens around a text
MAX_DEPTH = 24
MAX_WORD = 256  # characters of one word of WordPiece, whose time grows with the third power
PARTS = ("normalizer", "pre_tokenizer", "post_processor", "decoder")

# The growth of the UTF-8 of a text: U+0390 has 2 bytes and 6 in NFD, U+FDFA has 3 and 33 in NFKD.
_FIXED = {
    "NFC": 3.0,
    "NFD": 3.0,
    "NFKC": 11.0,
    "NFKD": 11.0,
    "Lowercase": 2.0,
    "BertNormalizer": 12.0,  # NFD, lower case, and a space on each side of a Chinese character
    "ByteLevel": 3.0,  # a byte becomes a letter of up to 2 bytes, and a space can be added first
    "Metaspace": 4.0,  # a space becomes "▁", 3 bytes, and one can be added first
}


def refuse_unbounded(saved: Mapping[str, Any], vocab_size: int = MAX_IDS) -> float:
    """Check the file of a tokenizer. Returns the factor by which it can make a text longer.

    Raises:
        CheckpointError: it could use more memory or time than a valid tokenizer.
    """
    for name in PARTS:
        _depth(saved.get(name), name)
    if sum(1 for name in PARTS for _ in patterns(saved.get(name))) > MAX_PATTERNS:
        raise CheckpointError(f"The tokenizer has more than {MAX_PATTERNS} regular expressions.")
    reading = _growth(saved.get("normalizer")) * _growth(saved.get("pre_tokenizer"))
    for what, times in (("read", reading), ("written", _growth(saved.get("decoder")))):
        if not times <= MAX_GROWTH:
            raise CheckpointError(
                f"The tokenizer can make a text {min(times, 10.0**15):,.0f} times longer when it is {what}; "
                f"{MAX_GROWTH:,} times are allowed."
            )
    _model(saved.get("model"))
    _added(saved.get("added_tokens"))
    marks = _marks(saved.get("post_processor"), vocab_size)
    if marks > MAX_MARKS:
        raise CheckpointError(f"The tokenizer puts {marks:,} tokens around every text; {MAX_MARKS} are allowed.")
    return reading


def check_id(index: object, what: str, most: int = MAX_IDS) -> None:
    """Check the id of a token.

    Raises:
        CheckpointError: it is not a whole number in the allowed range.
    """
    if type(index) is not int or not 0 <= index < most:
        raise CheckpointError(
            f"The tokenizer gives {what[:60]} the id {str(index)[:40]}; ids are whole numbers from 0 to {most - 1:,}."
        )


def check_vocabulary(vocabulary: Mapping[str, Any]) -> None:
    """Check a vocabulary, piece → id.

    Raises:
        CheckpointError: an id is invalid, or a piece is too long.
    """
    for piece, index in vocabulary.items():
        check_id(index, f"“{piece[:40]}”")
        _short(piece)


def _short(piece: object) -> None:
    if not isinstance(piece, str) or len(piece) > MAX_PIECE or len(piece.encode("utf-8", "replace")) > MAX_PIECE:
        raise CheckpointError(f"The tokenizer has a token of more than {MAX_PIECE:,} bytes, “{str(piece)[:40]}…”.")


def _depth(part: Any, name: str) -> None:
    level, deep = [part], 0
    while level := [
        inner for item in level for inner in _inner(item) if isinstance(inner, dict | list)
    ]:  # level by level, without recursion that a file could exhaust
        deep += 1
        if deep > MAX_DEPTH:
            raise CheckpointError(f"The {name} of the tokenizer is nested too deep.")


def _inner(part: Any) -> Iterable[Any]:
    return part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()


def _growth(part: Any) -> float:
    """The factor by which this part can increase the bytes of a text."""
    if not isinstance(part, dict):
        return 1.0
    kind = part.get("type")
    if kind == "Sequence":
        times = 1.0
        for name in ("normalizers", "pretokenizers", "decoders"):
            for item in part.get(name) or ():
                times *= _growth(item)
        return times
    if kind == "Prepend":
        return 1.0 + _bytes(part.get("prepend"))
    if kind == "Replace":
        return _replaced(part)
    if kind == "Precompiled":
        return _precompiled(part.get("precompiled_charsmap"))
    if kind in ("Split", "CharDelimiterSplit"):
        for pattern in patterns(part):
            shortest(pattern)
        return 1.0
    if kind == "Metaspace":
        return max(_FIXED["Metaspace"], 1.0 + 2 * _bytes(part.get("replacement")))
    return _FIXED.get(str(kind), 1.0)


def _bytes(text: Any) -> int:
    return len(str(text or "").encode("utf-8", "replace"))


def _replaced(part: Mapping[str, Any]) -> float:
    pattern, content = part.get("pattern"), _bytes(part.get("content"))
    if isinstance(pattern, dict) and isinstance(pattern.get("Regex"), str):
        least = shortest(pattern["Regex"])
    else:
        least = _bytes(pattern.get("String")) if isinstance(pattern, dict) else 0
    return max(1.0, content / least) if least else 1.0 + content


def _precompiled(charsmap: Any) -> float:
    """The growth by SentencePiece's table: the length of its trie, the trie, and texts that end with a 0."""
    try:
        data = base64.b64decode(str(charsmap or ""), validate=True)
    except (binascii.Error, ValueError) as error:
        raise CheckpointError("The table of the tokenizer's normalizer is not base64.") from error
    texts = data[4 + int.from_bytes(data[:4], "little") :]
    return float(max(1, *map(len, texts.split(b"\0")), 1))


def _model(model: Any) -> None:
    if not isinstance(model, dict):
        return
    vocabulary = model.get("vocab")
    if isinstance(vocabulary, dict):
        check_vocabulary(vocabulary)
    elif isinstance(vocabulary, list):
        for entry in vocabulary:
            _short(entry[0] if isinstance(entry, list) and entry else entry)
    for name in ("continuing_subword_prefix", "end_of_word_suffix", "unk_token"):
        _short(model.get(name) or "")
    longest = model.get("max_input_chars_per_word", 0)
    if type(longest) is not int or not 0 <= longest <= MAX_WORD:
        raise CheckpointError(
            f"The tokenizer says max_input_chars_per_word = {str(longest)[:40]}; 0 to {MAX_WORD} are allowed."
        )


def _added(tokens: Any) -> None:
    if not isinstance(tokens, list):
        return
    if len(tokens) > MAX_ADDED:
        raise CheckpointError(f"The tokenizer has {len(tokens):,} added tokens; {MAX_ADDED:,} are allowed.")
    for token in tokens:
        if isinstance(token, dict):
            _short(token.get("content", ""))
            check_id(token.get("id"), f"the added token “{str(token.get('content'))[:40]}”")


def _marks(part: Any, vocab_size: int) -> int:
    """The maximum number of tokens that a post-processor adds to a text."""
    if not isinstance(part, dict):
        return 0
    if part.get("type") == "Sequence":
        return sum(_marks(item, vocab_size) for item in part.get("processors") or ())
    for name in ("sep", "cls"):
        if isinstance(pair := part.get(name), list) and len(pair) == 2:
            check_id(pair[1], f"“{str(pair[0])[:40]}”", vocab_size)
    if part.get("type") != "TemplateProcessing":
        return 4 if "sep" in part else 0
    tokens = part.get("special_tokens")
    special = tokens if isinstance(tokens, dict) else {}
    for name, entry in special.items():
        for index in _ids(entry):
            check_id(index, f"“{str(name)[:40]}”", vocab_size)
    return max(_template(part.get(side), special) for side in ("single", "pair"))


def _ids(entry: Any) -> list[Any]:
    ids = entry.get("ids") if isinstance(entry, dict) else None
    return ids if isinstance(ids, list) else []


def _template(pieces: Any, special: Mapping[str, Any]) -> int:
    """The number of tokens that one template adds to the text.

    Raises:
        CheckpointError: it contains the text twice.
    """
    marks, texts = 0, []
    for piece in pieces if isinstance(pieces, list) else ():
        if isinstance(piece, dict) and isinstance(text := piece.get("Sequence"), dict):
            texts.append(str(text.get("id")))
        elif isinstance(piece, dict) and isinstance(mark := piece.get("SpecialToken"), dict):
            marks += max(1, len(_ids(special.get(str(mark.get("id"))))))
    if len(texts) != len(set(texts)):
        raise CheckpointError("The post_processor of the tokenizer writes the text twice.")
    return marks
