"""Coreference: "the cat near the box did not cross the street because it was too wide" → the street.

An encoder reads the sentence and predicts, at "it", the noun that "it" refers to. Only the adjective decides, because
it fits one class of nouns. So the model needs two steps: from "it" to the adjective, and from there to the noun.
"""

from dataclasses import dataclass
from random import Random

from model.tasks.task import Relation

NOUNS: dict[str, tuple[str, ...]] = {
    "animals": ("animal", "cat", "dog", "horse", "cow", "bear"),
    "places": ("street", "river", "bridge", "field", "path", "square"),
    "things": ("box", "basket", "chest", "parcel", "barrel", "trunk"),
    "food": ("apple", "pear", "cake", "soup", "cheese", "bread"),
}
ADJECTIVES: dict[str, tuple[str, ...]] = {
    "animals": ("tired", "hungry", "lazy", "sick"),
    "places": ("wide", "muddy", "crowded", "steep"),
    "things": ("heavy", "bulky", "fragile", "empty"),
    "food": ("sweet", "salty", "stale", "sour"),
}
NEAR = ("near", "behind", "with")
DID = ("cross", "reach", "leave", "touch", "like")
SMALL = ("the", "did", "not", "because", "it", "was", "too", ".")
WORDS = (
    *(noun for group in NOUNS.values() for noun in group),
    *(adjective for group in ADJECTIVES.values() for adjective in group),
    *NEAR, *DID, *SMALL,
)  # fmt: skip

ADJECTIVE, REFERENT, OTHERS = "it → adjective", "it → referent", "it → other nouns"


@dataclass(frozen=True)
class CoreferenceQuestion:
    """A sentence without `<s>`, the position of its "it" (`<s>` is position 0), and the noun that "it" refers to."""

    words: tuple[str, ...]
    it: int
    answer: str
    relations: tuple[Relation, ...]

    @property
    def text(self) -> str:
        return " ".join(self.words)


def make_question(rng: Random) -> CoreferenceQuestion:
    """A question with two to four nouns of different classes."""
    groups = rng.sample(list(NOUNS), rng.randint(2, 4))
    nouns = {group: rng.choice(NOUNS[group]) for group in groups}
    words: list[str] = []
    positions: dict[str, int] = {}

    def add(*new: str) -> int:
        words.extend(new)
        return len(words)

    subjects = rng.randint(1, len(groups) - 1)
    for place, group in enumerate(groups):
        if place == subjects:
            add("did", "not", rng.choice(DID))
        elif place:
            add(rng.choice(NEAR))
        positions[group] = add("the", nouns[group])
    meant = rng.choice(groups)
    it = add("because", "it")
    adjective = add("was", "too", rng.choice(ADJECTIVES[meant]))
    add(".")
    others = tuple(positions[group] for group in groups if group != meant)
    relations = (
        Relation(ADJECTIVE, it, (adjective,)),
        Relation(REFERENT, it, (positions[meant],)),
        Relation(OTHERS, it, others),
    )
    return CoreferenceQuestion(tuple(words), it, nouns[meant], relations)
