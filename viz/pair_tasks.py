"""The tasks that turn one sentence into another, as the pages name them, and the networks that learnt each."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class TranslateTask:
    """A task as the page offers it: its name in PAIRS, the networks that learnt it, and a sentence to open with."""

    task: str
    networks: Mapping[str, str]  # name on the screen → weights
    example: str


TRANSFORMER, ATTENTION, ALONE = "Transformer", "GRU with attention", "GRU without attention"
PIECES = "Transformer on subwords"  # which reads and writes parts of words
STACKS = (TRANSFORMER, PIECES)  # the networks that have parts to take away
TRANSLATE_TASKS = {
    "Translation": TranslateTask(
        "translation",
        {
            ALONE: "translate-gru",
            ATTENTION: "translate-gru-attention",
            TRANSFORMER: "translate",
            PIECES: "translate-pieces",
        },
        "the animal did not cross the street because it was too tired .",
    ),
    "Coreference": TranslateTask(
        "resolver",
        {TRANSFORMER: "resolver"},
        "the cat near the box did not cross the street because it was too tired .",
    ),
    "Dates": TranslateTask("dates", {TRANSFORMER: "dates"}, "thursday 3 may 1979"),
    "Copy": TranslateTask(
        "copy",
        {ALONE: "copy-gru", ATTENTION: "copy-gru-attention", TRANSFORMER: "copy-transformer"},
        "c a f e b a d g e f a c",
    ),
}


def example_of(task: str) -> str:
    """The source to open with, of a task by its name in PAIRS."""
    return next(each.example for each in TRANSLATE_TASKS.values() if each.task == task)


def place_of(weights: str) -> tuple[str, str] | None:
    """The task and the network under which the page Translate has these weights, or None."""
    for task, of_task in TRANSLATE_TASKS.items():
        for network, name in of_task.networks.items():
            if name == weights:
                return task, network
    return None
