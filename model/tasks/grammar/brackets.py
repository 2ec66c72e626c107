"""Brackets: "( dog [ rose tower ] cat ) { train } ."

The next closing bracket depends on the last one that is still open. The depth is at most two, because with more a
model learns to count instead of attending to the opening bracket.
"""

from random import Random

from model.tasks.grammar.vocabulary import BRACKETS, NOUNS
from model.tasks.task import Sentence, SentenceBuilder

FILLING = tuple(pair[0] for group in ("animals", "plants", "machines", "places") for pair in NOUNS[group])


def _say_bracket(draft: SentenceBuilder, rng: Random, depth: int) -> None:
    opener = rng.choice(sorted(BRACKETS))
    opened = draft.say(opener)
    flat = True
    draft.say(*rng.choices(FILLING, k=rng.randint(1, 4)))
    if depth > 1 and rng.random() < 0.6:
        flat = False
        _say_bracket(draft, rng, depth - 1)
        draft.say(*rng.choices(FILLING, k=rng.randint(0, 3)))
    closer = BRACKETS[opener]
    closed = draft.say(closer)
    draft.expect("closing bracket", closed, tuple(other for other in BRACKETS.values() if other != closer))
    draft.link("closer → opener", closed, opened)
    draft.link("word before the closer → opener", closed - 1, opened)
    if flat:
        draft.link("word before the closer → opener, nothing nested between", closed - 1, opened)


def brackets(rng: Random) -> Sentence:
    """One to three bracketed lists of nouns, one after the other."""
    draft = SentenceBuilder()
    for _ in range(rng.randint(1, 3)):
        _say_bracket(draft, rng, depth=2)
    draft.say(".")
    return draft.finish("brackets")
