"""Two sentences with a gold alignment, from each word of the target to words of the source.

The decoder predicts a word at the position before it. So the link of target word t belongs to row t − 1 of the
attention. Positions count the start token `<s>` as 0 on both sides.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from model.tasks.task import Relation
from model.tokenizer import BLANK

DETERMINED = "settled by the words before"  # the word needs no word of the source, so attention to any word is right


@dataclass(frozen=True)
class Pair:
    """A source, a target, and for each target word its class and the gold source positions."""

    source: tuple[str, ...]
    target: tuple[str, ...]
    kind: str
    alignment: tuple[
        Relation, ...
    ]  # name: class of the target word; query: the row that predicts it; keys: source positions
    separator: str = " "  # the separator of words; empty if the words are single characters

    @property
    def source_text(self) -> str:
        return self._joined(self.source)

    @property
    def target_text(self) -> str:
        return self._joined(self.target)

    def _joined(self, words: tuple[str, ...]) -> str:
        """The text of words: no space after an elided word, as in "l'animal"."""
        return self.separator.join(words).replace("' ", "'").replace(BLANK, " ")


@dataclass(frozen=True)
class PairTask:
    """A sequence-to-sequence task: its words, its kinds, the classes of its links, and its generator."""

    name: str
    title: str
    kinds: Mapping[str, str]  # name of the kind → short label for a menu
    words: tuple[str, ...]  # of both sides; characters if `spelled`
    draw: Callable[[str | None, Random], Pair]  # a kind, or None for the mixture the models are trained on
    spelled: bool = False  # whether tokens are characters
    unit: str = "word"  # the name of one token of a sentence


@dataclass
class PairBuilder:
    """Two sentences under construction."""

    source: list[str] = field(default_factory=list)
    target: list[str] = field(default_factory=list)
    links: list[Relation] = field(default_factory=list)

    def read(self, *words: str) -> int:
        """Append source words; return the position of the last one."""
        self.source.extend(words)
        return len(self.source)

    def write(self, word: str, group: str, *keys: int) -> None:
        """Append a target word, with a link from the row that predicts it to any of the keys of the group."""
        self.link(group, *keys)
        self.target.append(word)

    def link(self, group: str, *keys: int) -> None:
        """Add a link for the target word that is appended next."""
        self.links.append(Relation(group, len(self.target), keys))

    def finish(self, kind: str, between: str = " ") -> Pair:
        return Pair(tuple(self.source), tuple(self.target), kind, tuple(self.links), between)
