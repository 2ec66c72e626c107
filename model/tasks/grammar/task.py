"""The grammar language: four kinds of document, each with words that depend on earlier words."""

from collections.abc import Callable
from random import Random

from model.tasks.grammar.agreement import agreement
from model.tasks.grammar.brackets import brackets
from model.tasks.grammar.names import names
from model.tasks.grammar.reference import reference
from model.tasks.grammar.vocabulary import WORDS
from model.tasks.task import Sentence, Task

LONGEST = 40  # words; so that every sentence fits in 48 positions, with room for added words

GENERATORS: dict[str, Callable[[Random], Sentence]] = {
    "agreement": agreement,
    "reference": reference,
    "brackets": brackets,
    "names": names,
}
SHARES = {"agreement": 0.36, "reference": 0.16, "brackets": 0.16, "names": 0.32}


def draw(kind: str | None, rng: Random) -> Sentence:
    """A random sentence of this kind; None: of any kind, in the proportions of the training mixture."""
    if kind is None:
        kind = rng.choices(list(SHARES), weights=list(SHARES.values()))[0]
    if kind not in GENERATORS:
        raise ValueError(f"the grammar has the kinds {', '.join(GENERATORS)}, not {kind!r}")
    while True:
        sentence = GENERATORS[kind](rng)
        if len(sentence.words) <= LONGEST:
            return sentence


GRAMMAR = Task(
    name="grammar",
    title="Synthetic English with known relations",
    kinds={
        "agreement": "Subject and verb",
        "reference": "Who is meant",
        "brackets": "Brackets",
        "names": "Names that come back",
    },
    words=WORDS,
    draw=draw,
)
