"""From pieces to words: the maps of a model that reads words in pieces, a row and a column for each word."""

from dataclasses import dataclass

import numpy as np

from model.analysis.alignment import select_map
from model.evaluation.seq2seq import merge_pair_to_words, token_word_ids
from model.tokenizer import EOS, START
from viz.pages.translate.decoded import Written
from viz.types import Array
from viz.ui import controls, model_calls
from viz.ui.state import Param

UNITS = ("pieces", "words")


@dataclass(frozen=True)
class InWords:
    """One map with a row for each word that looks and a column for each that is looked at."""

    weights: Array  # (W, W')
    looking: tuple[str, ...]
    looked: tuple[str, ...]
    row_of: tuple[int, ...]  # the row of each piece that was said
    mask: Array  # (W, W')  where any piece of the one may look at any piece of the other


def choose() -> bool:
    """Whether the map is shown by word."""
    told = "Words: the rows of their tokens are averaged and the columns are summed, so every row still sums to 1."
    return controls.choice("A row for each of the", UNITS, key=Param.UNITS, help=told) == UNITS[1]


def merged(one: Written, which: str, layer: int, head: int | None) -> InWords | None:
    """A map by word. None where the sentence is not the right one: only gold tells where its words end."""
    gold = one.gold
    if gold is None or one.made.text != gold.target_text:
        return None
    tokenizer = model_calls.tokenizer(one.experiment.weights)
    weights = select_map(merge_pair_to_words(one.maps[which], tokenizer, gold, which), layer, head)  # (W, W')
    read, said = (START, *gold.source, EOS), (*gold.target, EOS)
    sides = {"cross": (said, read), "source": (read, read), "target": (said, (START, *gold.target))}
    looking, looked = sides[which]
    rows = (*(word - 1 for word in token_word_ids(tokenizer, gold.target_text, gold.target)), len(gold.target))
    back = np.tri(one.maps[which].shape[-2], one.maps[which].shape[-1])[None, None]  # (1, 1, T, S)
    return InWords(weights, looking, looked, rows, merge_pair_to_words(back, tokenizer, gold, which)[0, 0] > 0)


def row_of(one: Written, row: int) -> int:
    """The row of the word that a piece belongs to; the row itself where tokens are words, or nobody knows."""
    in_words = merged(one, "cross", 0, None) if one.pieces else None
    return in_words.row_of[row] if in_words else row


LINES = (
    "pair = PARSERS[{task!r}]({words!r})\n"
    "maps, tokenizer = attention_maps(made.trace), load({weights!r})[1]\n"
    "every = merge_pair_to_words(maps[{which!r}], tokenizer, pair, {which!r})  # (L, H, W, W')\n"
    "weights = select_map(every, {layer}, {head})  # (W, W')"
)


def lines(one: Written, which: str, layer: int, head: int | None) -> str:
    """The lines that recompute it from `made`."""
    told = {"task": "translation", "words": one.gold.source if one.gold else (), "weights": one.experiment.weights}
    return LINES.format(**told, which=which, layer=layer, head=head)
