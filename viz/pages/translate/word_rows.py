"""From pieces to words: the maps of a model that reads words in pieces, a row and a column for each word."""

from dataclasses import dataclass

import numpy as np

from model.analysis.alignment import word_map
from model.evaluation.seq2seq import merge_pair_to_words, token_word_ids
from model.tokenizer import EOS, START
from viz.pages.translate.decoded import DecodedSentence
from viz.types import Array
from viz.ui import controls, model_calls
from viz.ui.state import Param

UNITS = ("pieces", "words")


@dataclass(frozen=True)
class WordMap:
    """One map with a row for each query word and a column for each key word."""

    weights: Array  # (W, W')
    query_tokens: tuple[str, ...]
    key_tokens: tuple[str, ...]
    row_of: tuple[int, ...]  # the row of each piece that was said
    mask: Array  # (W, W')  where any piece of the one may look at any piece of the other


def choose() -> bool:
    """Whether the map is shown by word."""
    hint = "Words: the rows of their tokens are averaged and the columns are summed, so every row still sums to 1."
    return controls.choice("A row for each of the", UNITS, key=Param.UNITS, help=hint) == UNITS[1]


def merged(decoded: DecodedSentence, which: str, layer: int, head: int | None) -> WordMap | None:
    """A map by word. None if the sentence is not the correct one, which alone says where words end."""
    gold = decoded.gold
    if gold is None or decoded.translation.text != gold.target_text:
        return None
    tokenizer = model_calls.tokenizer(decoded.experiment.weights)
    weights = word_map(decoded.experiment.weights, decoded.translation, gold, which, layer, head)  # (W, W')
    read, target = (START, *gold.source, EOS), (*gold.target, EOS)
    sides = {"cross": (target, read), "source": (read, read), "target": (target, (START, *gold.target))}
    query_tokens, key_tokens = sides[which]
    rows = (*(word - 1 for word in token_word_ids(tokenizer, gold.target_text, gold.target)), len(gold.target))
    back = np.tri(decoded.maps[which].shape[-2], decoded.maps[which].shape[-1])[None, None]  # (1, 1, T, S)
    return WordMap(weights, query_tokens, key_tokens, rows, merge_pair_to_words(back, tokenizer, gold, which)[0, 0] > 0)


def row_of(decoded: DecodedSentence, row: int) -> int:
    """The row of the word that a piece belongs to; the row itself where tokens are words or the word is unknown."""
    in_words = merged(decoded, "cross", 0, None) if decoded.is_subword else None
    return in_words.row_of[row] if in_words else row


IMPORTS = "from model.analysis.alignment import word_map\nfrom model.tasks.parse import PARSERS"


def lines(decoded: DecodedSentence, which: str, layer: int, head: int | None) -> str:
    """The lines that recompute it from `translation`; they need IMPORTS."""
    words = decoded.gold.source if decoded.gold else ()
    weights = decoded.experiment.weights
    return (
        f"pair = PARSERS['translation']({words!r})\n"
        f"weights = word_map({weights!r}, translation, pair, {which!r}, {layer}, {head})  # (W, W')"
    )
