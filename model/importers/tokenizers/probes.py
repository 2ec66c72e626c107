"""Tests of a tokenizer on texts that make bad patterns slow, in the child process, whose time is limited."""

import json
from collections.abc import Iterator
from typing import Any

from model.importers.tokenizers.patterns import patterns, samples
from model.run import MAX_CHARACTERS

RUNS = "aA0 .\n-_é中▁😀"  # one of each kind of character that patterns name


def try_out(tokenizer: Any, progress: Any = lambda share: None) -> None:
    """Tokenize the longest texts that the lab reads. The time limit ends a pattern that backtracks without end."""
    texts = list(_texts(tokenizer.json_text))
    for index, text in enumerate(texts):
        tokenizer.ids_of(text)
        progress((index + 1) / len(texts))


def _texts(saved: str) -> Iterator[str]:
    waited = "".join(sorted({letter for pattern in patterns(json.loads(saved)) for letter in pattern}))
    letters = [*RUNS, *(letter for letter in samples(saved) if letter not in RUNS)]
    for letter in letters:
        run = letter * (MAX_CHARACTERS - 1)
        # A letter that is not part of the run, and then the letters of the patterns. Without these the library would
        # know at once that nothing matches, and would not try.
        yield run + ("!" if letter != "!" else "?") + waited
    yield ("ab 1. " * MAX_CHARACTERS)[:MAX_CHARACTERS]
