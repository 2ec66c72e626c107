"""A tokenizer tried on texts that make bad patterns slow. Run in the child process, which has a limit of time."""

import json
from collections.abc import Iterator
from typing import Any

from model.importers.tokenizers.patterns import patterns, samples
from model.run import MAX_CHARACTERS

RUNS = "aA0 .\n-_é中▁😀"  # one of each kind of letter that patterns name


def try_out(tokenizer: Any, progress: Any = lambda share: None) -> None:
    """Cut the longest texts that the lab reads. A pattern that goes back without end is ended by the limit of time."""
    texts = list(_texts(tokenizer.json_text))
    for index, text in enumerate(texts):
        tokenizer.ids_of(text)
        progress((index + 1) / len(texts))


def _texts(saved: str) -> Iterator[str]:
    waited = "".join(sorted({letter for pattern in patterns(json.loads(saved)) for letter in pattern}))
    letters = [*RUNS, *(letter for letter in samples(saved) if letter not in RUNS)]
    for letter in letters:
        run = letter * (MAX_CHARACTERS - 1)
        # A letter that the run does not expect, and after it whatever the patterns wait for: without that the library
        # sees at once that nothing matches, and does not try.
        yield run + ("!" if letter != "!" else "?") + waited
    yield ("ab 1. " * MAX_CHARACTERS)[:MAX_CHARACTERS]
