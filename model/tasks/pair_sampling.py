"""Pairs of sentences drawn for training, and those held out from it."""

from random import Random
from zlib import crc32

from model.tasks import PAIRS, Pair


def is_held_out(pair: Pair) -> bool:
    """Whether this pair is for examinations only. What its source reads decides, so no list has to be kept."""
    return crc32(pair.source_text.encode()) % 10 == 0


def draw_pairs(task: str, count: int, rng: Random, fresh: bool = False) -> list[Pair]:
    """`count` pairs to learn from, or `fresh` ones that nothing is learnt from.

    There are too few short copies to keep any from being learnt: a fresh one is a new draw there, and no more.
    """
    drawn: list[Pair] = []
    while len(drawn) < count:
        pair = PAIRS[task].draw(None, rng)
        if task == "copy" or is_held_out(pair) is fresh:
            drawn.append(pair)
    return drawn
