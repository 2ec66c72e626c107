"""Attention weights from elsewhere: what is checked before they are drawn, and one sentence for each fault."""

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from viz.export.column_names import OLD_NAMES
from viz.export.library_outputs import array, attention_array, is_generated
from viz.export.npz import ArraysError, Header, read_npz
from viz.export.weight_values import check_values, warnings_of
from viz.types import Array

MAX_CELLS = 40_000_000  # 12 × 12 × 512 × 512 are 38 million, 151 megabytes
MAX_HEADS = 4096  # 64 layers of 64 heads: each is a map on the screen
MAX_TOKENS = 1024
MAX_LETTERS = 1000  # of one token
UNREAD = "The last token was written but not read, so it has no row and no column."
# Names of arrays in a file that the lab has saved → the names of the arguments of `maps`.
NPZ_KEYS = {"weights": "attention", "query": "tokens", "key": "key_tokens"}
OLD_KEYS = ("looks", "looked_at")  # the names of `query` and `key` in files of earlier versions
SAVE_SNIPPET = 'np.savez_compressed("maps.npz", attention=attention, tokens=np.array(tokens, dtype=str))'


@dataclass(frozen=True)
class AttentionMaps:
    """The weights of all heads, checked. Rows are queries, columns are keys."""

    weights: Array  # (L, H, T, S) float32, read-only; 0 where absent
    mask: Array  # (L, H, T, S) True: the cell is there
    query_tokens: tuple[str, ...]  # T tokens
    key_tokens: tuple[str, ...] | None  # S other tokens; None: self-attention
    warnings: tuple[str, ...] = ()  # what is unusual and shown as it is

    @property
    def columns(self) -> tuple[str, ...]:
        """The S key tokens."""
        return self.query_tokens if self.key_tokens is None else self.key_tokens


def maps(
    attention: object,
    tokens: Sequence[object] | Array,
    key_tokens: Sequence[object] | Array | None = None,
    mask: object = None,
) -> AttentionMaps:
    """Arrays of any library that numpy can read, as maps.

    attention: (L, H, T, S), or (H, T, S), or (T, S); a sequence of layers, each with a batch of one, as `transformers`
    returns it, and the steps that its `generate` returns, are understood too. NaN: there is no such cell. tokens: T
    query tokens; key_tokens: S key tokens, if they are others. mask: True may attend, of a shape that fits attention
    from the right.

    Raises:
        ArraysError: they cannot be drawn; the message is a sentence that says why and what to do.
    """
    given = attention_array(attention)
    if given.dtype.kind not in "fiub":
        raise ArraysError(f'"attention" holds {given.dtype}, not numbers. Save it as float32.')
    shape = given.shape
    if given.ndim == 5 and shape[1] == 1:
        given = given[:, 0]  # layers of a batch of one
    elif given.ndim == 5:
        raise ArraysError(
            f'"attention" has a batch of {shape[1]} texts; the lab draws one. Give the layers of one: '
            "[layer[:1] for layer in output.attentions]."
        )
    elif not 2 <= given.ndim <= 4:
        axes = f"{given.ndim} {'axis' if given.ndim == 1 else 'axes'} {shape}"
        raise ArraysError(f'"attention" has {axes}; it needs four: layers, heads, rows, columns.')
    given = given.reshape((1,) * (4 - given.ndim) + given.shape)
    if given.size > MAX_CELLS:
        size = f"{given.size:,} weights {given.shape}; the lab draws up to {MAX_CELLS:,}"
        raise ArraysError(f'"attention" holds {size}. Leave out layers or heads.')
    if given.shape[0] * given.shape[1] > MAX_HEADS:
        raise ArraysError(
            f'"attention" holds {given.shape[0]:,} layers of {given.shape[1]:,} heads; the lab draws up to '
            f"{MAX_HEADS:,} heads. Leave out layers or heads."
        )
    query_tokens = _words(tokens, "tokens")
    key_tokens = None if key_tokens is None else _words(key_tokens, "key_tokens")
    notes: tuple[str, ...] = ()
    if is_generated(attention) and len(query_tokens) == given.shape[2] + 1:
        query_tokens, notes = query_tokens[:-1], (UNREAD,)
    _check_shape(given.shape, query_tokens, key_tokens)
    weights = given.astype(np.float32)  # a copy: the caller's array does not change
    present = ~np.isnan(weights)
    if not present.any():
        raise ArraysError('Every value of "attention" is NaN: there is nothing to draw.')
    if mask is not None:
        present &= _mask(mask, weights.shape)
    weights[~present] = 0.0
    check_values(weights, present, bytes_=given.dtype == np.uint8)
    notes += warnings_of(weights, present)
    for kept in (weights, present):
        kept.setflags(write=False)
    return AttentionMaps(weights, present, query_tokens, key_tokens, notes)


def read(file: bytes) -> AttentionMaps:
    """The maps in an .npz file: `attention` and `tokens`, maybe `key_tokens` and `mask`, as in `maps`; or the `weights`
    of a grid of heads that the lab itself has saved. The names of earlier versions are read too.

    Raises:
        ArraysError: the file cannot be read, or what is in it cannot be drawn.
    """
    entries = read_npz(
        file,
        names=("attention", "tokens", "key_tokens", "mask", *NPZ_KEYS, *OLD_KEYS),
        most=MAX_CELLS,
        check=_check_headers,
    )
    if "attention" not in entries and "weights" in entries and ("query" in entries or "looks" in entries):
        entries = {OLD_NAMES.get(name, name): array for name, array in entries.items()}
        entries = {NPZ_KEYS.get(name, name): array for name, array in entries.items()}
        if np.array_equal(entries["tokens"], entries.get("key_tokens", ())):
            entries.pop("key_tokens", None)
    elif "looked_at" in entries:
        entries.setdefault("key_tokens", entries.pop("looked_at"))
    for name in ("attention", "tokens"):
        if name not in entries:
            names = ", ".join(f'"{other}"' for other in entries) or "nothing that the lab knows"
            raise ArraysError(f'There is no "{name}" in this file; it holds {names}. Save it with {SAVE_SNIPPET}.')
    return maps(entries["attention"], entries["tokens"], entries.get("key_tokens"), entries.get("mask"))


def _check_headers(headers: Mapping[str, Header]) -> None:
    """Refuses what cannot be drawn before a byte of it is unpacked."""
    for name, header in headers.items():
        if name in ("attention", "weights"):
            heads = math.prod(header.shape[:-2])
            if heads > MAX_HEADS:
                raise ArraysError(
                    f'"{name}" holds {heads:,} heads {header.shape}; the lab draws up to {MAX_HEADS:,}. Leave out '
                    "layers or heads."
                )
        elif name != "mask":
            if header.count > MAX_TOKENS:
                raise ArraysError(
                    f'"{name}" holds {header.count:,} tokens; the lab draws up to {MAX_TOKENS:,}. Cut the text.'
                )
            if header.dtype.kind in "US" and header.dtype.itemsize > 4 * MAX_LETTERS:
                raise ArraysError(
                    f'"{name}" holds a token of {header.dtype.itemsize:,} bytes; the lab reads up to '
                    f"{4 * MAX_LETTERS:,} for one. Cut the tokens."
                )


def _words(tokens: Sequence[object] | Array, name: str) -> tuple[str, ...]:
    if isinstance(tokens, str):
        raise ArraysError(f'"{name}" is one text; give a list of tokens, such as "{tokens[:20]}".split().')
    words = np.asarray(tokens, dtype=object) if isinstance(tokens, (list, tuple)) else np.asarray(tokens)
    if words.ndim != 1 or not words.size:
        raise ArraysError(f'"{name}" must be one list of tokens, not an array of shape {words.shape}.')
    if words.size > MAX_TOKENS:
        raise ArraysError(f'"{name}" holds {words.size:,} tokens; the lab draws up to {MAX_TOKENS:,}. Cut the text.')
    if words.dtype.kind == "U" and words.dtype.itemsize and _highest_letter(words) > sys.maxunicode:
        # numpy keeps any number where a letter should be, and fails when it makes a text of it
        raise ArraysError(f'"{name}" holds letters that do not exist in Unicode. Save the tokens as text again.')
    return tuple(_word(word) for word in words.tolist())


def _highest_letter(words: Array) -> int:
    """The largest number that stands for a letter in an array of text; numpy keeps four bytes for each."""
    numbers = np.ascontiguousarray(words).view(np.dtype(np.uint32).newbyteorder(words.dtype.byteorder))
    return int(numbers.max())


def _word(token: object) -> str:
    text = token.decode("utf-8", errors="replace") if isinstance(token, bytes) else str(token)
    if len(text) > MAX_LETTERS:
        raise ArraysError(f"A token has {len(text):,} letters; the lab reads up to {MAX_LETTERS:,}. Cut the tokens.")
    return text.encode("utf-8", errors="replace").decode()  # half a character would stop the page


def _check_shape(shape: tuple[int, ...], query_tokens: tuple[str, ...], key_tokens: tuple[str, ...] | None) -> None:
    T, S = len(query_tokens), len(query_tokens if key_tokens is None else key_tokens)
    if 0 in shape[:2]:
        raise ArraysError(f'"attention" has no layer or no head: its shape is {shape}.')
    if shape[2:] == (T, S):
        return
    if key_tokens is None:
        more = f', or a second list of words, "key_tokens", of {shape[3]}' if shape[2] == T else ""
        raise ArraysError(f"{_count(T)} need {(T, T)} weights, not {shape[2:]}{more}.")
    raise ArraysError(f"{_count(T)} as queries and {S} as keys need {(T, S)} weights, not {shape[2:]}.")


def _count(n: int) -> str:
    return f"{n} token{'' if n == 1 else 's'}"


def _mask(mask: object, shape: tuple[int, ...]) -> Array:
    may = array(mask, "mask")
    if may.dtype.kind not in "fiub" or not np.isin(may, (0, 1)).all():
        raise ArraysError('"mask" must be True where a token may attend and False elsewhere, and nothing else.')
    try:
        return np.broadcast_to(may.astype(bool), shape)
    except ValueError as error:
        raise ArraysError(f'"mask" of shape {may.shape} does not fit weights of {shape}.') from error
