"""From books to training windows of tokens, some of which repeat a passage.

In prose, the last few words mostly determine the next one. In a repeated passage, a model can predict every word if it
finds the first occurrence. A small share of such windows makes the model learn induction heads (Olsson et al. 2022,
"In-context Learning and Induction Heads").
"""

import lzma
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.run import Array
from model.subword import SubwordTokenizer
from model.tokenizer import START

HELD_OUT = 0.04  # the last part of every book


def load_books(path: Path) -> tuple[str, ...]:
    """Books from a text file, plain or .xz, with one paragraph per line and an empty line between two books.

    Raises:
        ValueError: the file contains no text.
    """
    with lzma.open(path, "rt", encoding="utf-8") if path.suffix == ".xz" else path.open(encoding="utf-8") as file:
        books = tuple(book.strip() for book in file.read().split("\n\n") if book.strip())
    if not books:
        raise ValueError(f"There is no text in {path}.")
    return books


def train_test_split(books: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The training text, and the held-out text, which is the last paragraphs of every book."""
    training, held_out = [], []
    for book in books:
        paragraphs = book.split("\n")
        end = len(paragraphs) - max(1, round(HELD_OUT * len(paragraphs)))
        training.append("\n".join(paragraphs[:end]))
        held_out.append("\n".join(paragraphs[end:]))
    return tuple(filter(None, training)), tuple(held_out)


@dataclass(frozen=True)
class Corpus:
    """Books as one long sequence of tokens."""

    ids: Array  # (N,)
    begins: Array  # (P,)  the start of each paragraph
    start: int  # the id of <s>
    line: int  # the id of the token that ends a paragraph
    pieces: Array  # ids of all tokens except the special ones


def tokenize_corpus(books: Sequence[str], tokenizer: SubwordTokenizer) -> Corpus:
    """Tokenize the books."""
    start, line = tokenizer.token_id(START), tokenizer.token_id("Ċ")
    ids = np.array([index for book in books for index in (*tokenizer.ids_of(book)[1:], line)])
    begins = np.concatenate([[0], np.flatnonzero(ids[:-1] == line) + 1])
    pieces = np.setdiff1d(np.arange(len(tokenizer.vocabulary)), tokenizer.special_ids)
    return Corpus(ids, begins, start, line, pieces)


def prose_window(shelf: Corpus, length: int, rng: np.random.Generator) -> Array:
    """A window from the start of a paragraph, or, half of the time, from any position.

    Most paragraphs are short dialogue, so windows from their starts alone would contain little of the long ones.
    """
    last = len(shelf.ids) - length
    begin = rng.choice(shelf.begins[shelf.begins <= last]) if rng.random() < 0.5 else rng.integers(last + 1)
    return shelf.ids[begin : begin + length]


def repeated_passage(shelf: Corpus, length: int, rng: np.random.Generator) -> Array:
    """A passage of any length up to half the window, repeated until the window is full."""
    passage = prose_window(shelf, int(rng.integers(8, length // 2)), rng)
    return np.resize(np.append(passage, shelf.line), length)


def repeated_list(shelf: Corpus, length: int, rng: np.random.Generator) -> Array:
    """Random tokens of the books, repeated, so that only the first occurrence determines the next token."""
    listed = rng.choice(shelf.ids, int(rng.integers(8, length // 2)))
    return np.resize(np.append(listed, shelf.line), length)


WINDOWS: dict[str, tuple[float, Callable[[Corpus, int, np.random.Generator], Array]]] = {
    "prose": (0.82, prose_window),
    "told again": (0.12, repeated_passage),
    "list again": (0.06, repeated_list),
}  # share of the windows, and the function that draws one


def draw_windows(shelf: Corpus, count: int, length: int, rng: np.random.Generator) -> Array:
    """Training windows, <s> first: (count, length)."""
    shares = [share for share, _ in WINDOWS.values()]
    kinds = rng.choice(len(shares), count, p=shares)
    draws = [draw for _, draw in WINDOWS.values()]
    return np.stack([np.append(shelf.start, draws[kind](shelf, length - 1, rng)) for kind in kinds])


def every_window(shelf: Corpus, length: int) -> Array:
    """The whole text once, in consecutive windows that each begin with <s>: (count, length)."""
    count = len(shelf.ids) // (length - 1)
    rows = shelf.ids[: count * (length - 1)].reshape(count, length - 1)
    return np.concatenate([np.full((count, 1), shelf.start), rows], axis=1)
