"""What two sentences with a gold alignment are: which word of the source each word of the target comes from.

The decoder stands at one word when it says the next. So the link of target word t belongs to row t − 1 of its
attention: the row whose look decides what is said. Positions count the start token `<s>` as 0 on both sides.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from model.tasks.task import Relation
from model.tokenizer import BLANK

DETERMINED = "settled by the words before"  # nothing has to be looked up: a look anywhere is as good


@dataclass(frozen=True)
class Pair:
    """A source, a target, and for each target word where a look at the source is right, by class of word."""

    source: tuple[str, ...]
    target: tuple[str, ...]
    kind: str
    alignment: tuple[Relation, ...]  # name: class of the word said; query: the row that says it; keys: source positions
    separator: str = " "  # what stands between two words of a text; nothing where the words are single characters

    @property
    def source_text(self) -> str:
        return self._joined(self.source)

    @property
    def target_text(self) -> str:
        return self._joined(self.target)

    def _joined(self, words: tuple[str, ...]) -> str:
        """Nothing stands after a word that has lost its vowel, as in "l'animal"."""
        return self.separator.join(words).replace("' ", "'").replace(BLANK, " ")


@dataclass(frozen=True)
class PairTask:
    """A task of two sentences: its words, its kinds, the classes its links are scored by, and how to draw one."""

    name: str
    title: str
    kinds: Mapping[str, str]  # name of the kind → short label for a menu
    words: tuple[str, ...]  # of both sides; characters, where `spelled`
    draw: Callable[[str | None, Random], Pair]  # a kind, or None for the mixture the models are trained on
    spelled: bool = False  # read character by character
    unit: str = "word"  # what one token of a sentence is called


@dataclass
class PairBuilder:
    """Two sentences in the making."""

    source: list[str] = field(default_factory=list)
    target: list[str] = field(default_factory=list)
    links: list[Relation] = field(default_factory=list)

    def read(self, *words: str) -> int:
        """Append source words; return the position of the last one."""
        self.source.extend(words)
        return len(self.source)

    def write(self, word: str, group: str, *keys: int) -> None:
        """Append a target word. It is said from the row of the word before it, with a look at any of the keys."""
        self.link(group, *keys)
        self.target.append(word)

    def link(self, group: str, *keys: int) -> None:
        """A link of the word that is written next."""
        self.links.append(Relation(group, len(self.target), keys))

    def finish(self, kind: str, between: str = " ") -> Pair:
        return Pair(tuple(self.source), tuple(self.target), kind, tuple(self.links), between)
