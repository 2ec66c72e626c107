"""Attention weights that somebody else computed: what they must be to be drawn, and one sentence where they are not."""

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from viz.export.library_outputs import array, attention_array, is_generated
from viz.export.npz import ArraysError, Header, read_npz
from viz.export.weight_values import check_values, unusual
from viz.types import Array

MOST_CELLS = 40_000_000  # 12 × 12 × 512 × 512 are 38 million, 151 megabytes
MOST_HEADS = 4096  # 64 layers of 64 heads: each is a map on the screen
MOST_TOKENS = 1024
MOST_LETTERS = 1000  # of one token
UNREAD = "The last token was written but not read, so it has no row and no column."
OWN = {"weights": "attention", "looks": "tokens"}  # the lab's own names in what it saves
SAVE = 'np.savez_compressed("maps.npz", attention=attention, tokens=np.array(tokens, dtype=str))'


@dataclass(frozen=True)
class Maps:
    """The weights of all heads, checked. Rows look, columns are looked at."""

    weights: Array  # (L, H, T, S) float32, read-only; 0 where absent
    mask: Array  # (L, H, T, S) True: the cell is there
    looking: tuple[str, ...]  # T tokens
    looked: tuple[str, ...] | None  # S other tokens; None: the text looks at itself
    notes: tuple[str, ...] = ()  # what is unusual and shown as it is

    @property
    def columns(self) -> tuple[str, ...]:
        """The S tokens that are looked at."""
        return self.looking if self.looked is None else self.looked


def maps(
    attention: Any, tokens: Sequence[Any] | Array, looked_at: Sequence[Any] | Array | None = None, mask: Any = None
) -> Maps:
    """Arrays of any library that numpy can read, as maps.

    attention: (L, H, T, S), or (H, T, S), or (T, S); a sequence of layers, each with a batch of one, as `transformers`
    returns it, and the steps that its `generate` returns, are understood too. NaN: there is no such cell. tokens: T
    words that look; looked_at: S words that are looked at, where they are others. mask: True may look, of a shape that
    fits attention from the right.

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
    if given.size > MOST_CELLS:
        told = f"{given.size:,} weights {given.shape}; the lab draws up to {MOST_CELLS:,}"
        raise ArraysError(f'"attention" holds {told}. Leave out layers or heads.')
    if given.shape[0] * given.shape[1] > MOST_HEADS:
        raise ArraysError(
            f'"attention" holds {given.shape[0]:,} layers of {given.shape[1]:,} heads; the lab draws up to '
            f"{MOST_HEADS:,} heads. Leave out layers or heads."
        )
    looking = _words(tokens, "tokens")
    looked = None if looked_at is None else _words(looked_at, "looked_at")
    notes: tuple[str, ...] = ()
    if is_generated(attention) and len(looking) == given.shape[2] + 1:
        looking, notes = looking[:-1], (UNREAD,)
    _check_shape(given.shape, looking, looked)
    weights = given.astype(np.float32)  # a copy: what was given is nobody's to change
    there = ~np.isnan(weights)
    if not there.any():
        raise ArraysError('Every value of "attention" is NaN: there is nothing to draw.')
    if mask is not None:
        there &= _mask(mask, weights.shape)
    weights[~there] = 0.0
    check_values(weights, there, bytes_=given.dtype == np.uint8)
    notes += unusual(weights, there)
    for kept in (weights, there):
        kept.setflags(write=False)
    return Maps(weights, there, looking, looked, notes)


def read(file: bytes) -> Maps:
    """The maps in an .npz file: `attention` and `tokens`, maybe `looked_at` and `mask`, as in `maps`; or the `weights`
    of a grid of heads that the lab itself has saved.

    Raises:
        ArraysError: the file cannot be read, or what is in it cannot be drawn.
    """
    entries = read_npz(
        file, names=("attention", "tokens", "looked_at", "mask", *OWN), most=MOST_CELLS, check=_check_headers
    )
    if OWN.keys() <= entries.keys():
        entries = {OWN.get(name, name): one for name, one in entries.items()}
        if np.array_equal(entries["tokens"], entries.get("looked_at", ())):
            entries.pop("looked_at", None)
    for name in ("attention", "tokens"):
        if name not in entries:
            there = ", ".join(f'"{other}"' for other in entries) or "nothing that the lab knows"
            raise ArraysError(f'There is no "{name}" in this file; it holds {there}. Save it with {SAVE}.')
    return maps(entries["attention"], entries["tokens"], entries.get("looked_at"), entries.get("mask"))


def _check_headers(headers: Mapping[str, Header]) -> None:
    """Refuses what cannot be drawn before a byte of it is unpacked."""
    for name, header in headers.items():
        if name in ("attention", "weights"):
            heads = math.prod(header.shape[:-2])
            if heads > MOST_HEADS:
                raise ArraysError(
                    f'"{name}" holds {heads:,} heads {header.shape}; the lab draws up to {MOST_HEADS:,}. Leave out '
                    "layers or heads."
                )
        elif name != "mask":
            if header.count > MOST_TOKENS:
                raise ArraysError(
                    f'"{name}" holds {header.count:,} tokens; the lab draws up to {MOST_TOKENS:,}. Cut the text.'
                )
            if header.dtype.kind in "US" and header.dtype.itemsize > 4 * MOST_LETTERS:
                raise ArraysError(
                    f'"{name}" holds a token of {header.dtype.itemsize:,} bytes; the lab reads up to '
                    f"{4 * MOST_LETTERS:,} for one. Cut the tokens."
                )


def _words(tokens: Sequence[Any] | Array, name: str) -> tuple[str, ...]:
    if isinstance(tokens, str):
        raise ArraysError(f'"{name}" is one text; give a list of tokens, such as "{tokens[:20]}".split().')
    words = np.asarray(tokens, dtype=object) if isinstance(tokens, (list, tuple)) else np.asarray(tokens)
    if words.ndim != 1 or not words.size:
        raise ArraysError(f'"{name}" must be one list of tokens, not an array of shape {words.shape}.')
    if words.size > MOST_TOKENS:
        raise ArraysError(f'"{name}" holds {words.size:,} tokens; the lab draws up to {MOST_TOKENS:,}. Cut the text.')
    if words.dtype.kind == "U" and words.dtype.itemsize and _highest_letter(words) > sys.maxunicode:
        # numpy keeps any number where a letter should be, and fails when it makes a text of it
        raise ArraysError(f'"{name}" holds letters that do not exist in Unicode. Save the tokens as text again.')
    return tuple(_word(word) for word in words.tolist())


def _highest_letter(words: Array) -> int:
    """The largest number that stands for a letter in an array of text; numpy keeps four bytes for each."""
    numbers = np.ascontiguousarray(words).view(np.dtype(np.uint32).newbyteorder(words.dtype.byteorder))
    return int(numbers.max())


def _word(token: Any) -> str:
    text = token.decode("utf-8", errors="replace") if isinstance(token, bytes) else str(token)
    if len(text) > MOST_LETTERS:
        raise ArraysError(f"A token has {len(text):,} letters; the lab reads up to {MOST_LETTERS:,}. Cut the tokens.")
    return text.encode("utf-8", errors="replace").decode()  # half a character would stop the page


def _check_shape(shape: tuple[int, ...], looking: tuple[str, ...], looked: tuple[str, ...] | None) -> None:
    T, S = len(looking), len(looking if looked is None else looked)
    if 0 in shape[:2]:
        raise ArraysError(f'"attention" has no layer or no head: its shape is {shape}.')
    if shape[2:] == (T, S):
        return
    if looked is None:
        more = f', or a second list of words, "looked_at", of {shape[3]}' if shape[2] == T else ""
        raise ArraysError(f"{_count(T)} need {(T, T)} weights, not {shape[2:]}{more}.")
    raise ArraysError(f"{_count(T)} as queries and {S} as keys need {(T, S)} weights, not {shape[2:]}.")


def _count(n: int) -> str:
    return f"{n} token{'' if n == 1 else 's'}"


def _mask(mask: Any, shape: tuple[int, ...]) -> Array:
    may = array(mask, "mask")
    if may.dtype.kind not in "fiub" or not np.isin(may, (0, 1)).all():
        raise ArraysError('"mask" must be True where a token may attend and False elsewhere, and nothing else.')
    try:
        return np.broadcast_to(may.astype(bool), shape)
    except ValueError as error:
        raise ArraysError(f'"mask" of shape {may.shape} does not fit weights of {shape}.') from error
