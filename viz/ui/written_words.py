"""From pieces to words: the alignment of a model that reads words in pieces, a row and a column for each word."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from model.pair_exam import homes, in_words
from model.tokenizer import END, START
from model.written import one_map
from viz.ui import controls, runs
from viz.ui.written import Written

Array = np.ndarray[Any, Any]

UNITS = ("pieces", "words")


@dataclass(frozen=True)
class InWords:
    """One map whose rows are the words said and whose columns the words of the source."""

    weights: Array  # (W, W')
    said: tuple[str, ...]
    source: tuple[str, ...]
    row_of: tuple[int, ...]  # the row of each piece that was said


def choose() -> bool:
    """Whether the map is shown by word."""
    told = "Words: the rows of their pieces are averaged and the columns summed, so that every row still sums to 1."
    return controls.choice("A row for each of the", UNITS, key="units", help=told) == UNITS[1]


def merged(one: Written, layer: int, head: int | None) -> InWords | None:
    """The alignment by word. None where the sentence is not the right one: only gold tells where its words end."""
    gold = one.gold
    if gold is None or one.made.text != gold.target_text:
        return None
    tokenizer = runs.tokenizer(one.experiment.weights)
    every = in_words(one.maps["cross"], tokenizer, gold)  # (L, H, W, W')
    rows = (*(word - 1 for word in homes(tokenizer, gold.target_text, gold.target)), len(gold.target))
    return InWords(one_map(every, layer, head), (*gold.target, END), (START, *gold.source, END), rows)


LINES = (
    "pair = READERS[{task!r}]({words!r})\n"
    'every = in_words(looks(made.trace)["cross"], load({weights!r})[1], pair)  # (L, H, W, W\')\n'
    "weights = one_map(every, {layer}, {head})  # (W, W')"
)


def lines(one: Written, layer: int, head: int | None) -> str:
    """The lines that recompute it from `made`."""
    told = {"task": "translation", "words": one.gold.source if one.gold else (), "weights": one.experiment.weights}
    return LINES.format(**told, layer=layer, head=head)
