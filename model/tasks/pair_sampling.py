"""Pairs of sentences for training, and held-out pairs."""

from random import Random
from zlib import crc32

from model.tasks import PAIRS, Pair


def is_held_out(pair: Pair) -> bool:
    """Whether this pair is never used in training. The source decides this, so no list is needed."""
    return crc32(pair.source_text.encode()) % 10 == 0


def draw_pairs(task: str, count: int, rng: Random, fresh: bool = False) -> list[Pair]:
    """`count` pairs for training, or held-out pairs if `fresh`.

    There are too few short copies to hold any out, so in the copy task fresh pairs are only new draws.
    """
    drawn: list[Pair] = []
    while len(drawn) < count:
        pair = PAIRS[task].draw(None, rng)
        if task == "copy" or is_held_out(pair) is fresh:
            drawn.append(pair)
    return drawn
