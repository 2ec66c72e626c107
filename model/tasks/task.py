"""A sentence with gold annotations: its words, its relations and its probes.

The generator of a sentence knows the reason for each word and records it in two ways. A `Relation` is a link that a
head can follow, from a query position to the key positions that count as right. A `Probe` is a word that the words
before it determine, with the words that would be wrong there.

Positions count the start token `<s>` as 0, so the first word of a sentence has position 1.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

PREVIOUS_TOKEN = "previous token"
PREVIOUS_IF_NEEDED = "previous token, where it is needed"  # elsewhere a head can attend to <s>


@dataclass(frozen=True)
class Relation:
    """A gold link: the query at position `query` should attend to any of the positions `keys`."""

    name: str
    query: int
    keys: tuple[int, ...]


@dataclass(frozen=True)
class Probe:
    """A predictable word: `right` is at `position`; `wrong` are the words that it is compared with."""

    name: str
    position: int
    right: str
    wrong: tuple[str, ...]


@dataclass(frozen=True)
class Sentence:
    """One document of a task, without `<s>`, and its annotations."""

    words: tuple[str, ...]
    kind: str
    relations: tuple[Relation, ...]
    probes: tuple[Probe, ...]

    @property
    def text(self) -> str:
        return " ".join(self.words)

    def word(self, position: int) -> str:
        """The word at a position of the token sequence, where `<s>` is position 0."""
        return "<s>" if position == 0 else self.words[position - 1]


@dataclass(frozen=True)
class Task:
    """A language: its words by part of speech, its kinds of document, and its generator."""

    name: str
    title: str
    kinds: Mapping[str, str]  # name of the kind → short label for a menu
    words: Mapping[str, tuple[str, ...]]  # part of speech → words
    draw: Callable[[str | None, Random], Sentence]  # a kind, or None for the mixture the models are trained on

    @property
    def vocabulary(self) -> tuple[str, ...]:
        return tuple(word for group in self.words.values() for word in group)


@dataclass
class SentenceBuilder:
    """A sentence under construction. Words are added one after another; links and probes refer to their positions."""

    words: list[str] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)

    def say(self, *words: str) -> int:
        """Append words; return the position of the last one."""
        self.words.extend(words)
        return len(self.words)

    def link(self, name: str, query: int, *keys: int) -> None:
        self.relations.append(Relation(name, query, keys))

    def expect(self, name: str, position: int, wrong: tuple[str, ...]) -> None:
        """Add a probe for the word at `position`, against the words in `wrong`."""
        self.probes.append(Probe(name, position, self.words[position - 1], wrong))

    def finish(self, kind: str) -> Sentence:
        before = [Relation(PREVIOUS_TOKEN, t, (t - 1,)) for t in range(1, len(self.words) + 1)]
        return Sentence(tuple(self.words), kind, (*self.relations, *before), tuple(self.probes))
