"""How well the attention of a head matches the gold relations of sentences."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from model.model_card import JsonObject
from model.run import Array
from model.tasks.task import Relation


@dataclass(frozen=True)
class Score:
    """How well every head follows one relation, over `n` gold links."""

    n: int
    mass: Array  # (L, H)  mean weight on the gold keys
    top1: Array  # (L, H)  share of the links for which the largest weight of the row is on a gold key

    def json(self) -> JsonObject:
        """The scores as a model card contains them."""
        return {
            "n": self.n,
            "mass": self.mass.astype(float).round(4).tolist(),
            "top1": self.top1.astype(float).round(4).tolist(),
        }


@dataclass
class _Tally:
    n: int = 0
    mass: list[Array] = field(default_factory=list)  # each (L, H)
    top1: list[Array] = field(default_factory=list)


def score_relations(examples: Iterable[tuple[Array, Sequence[Relation]]]) -> Mapping[str, Score]:
    """Compare the attention of every head with gold links.

    Arguments:
        examples: pairs of the weights (L, H, T, T) of one sentence and its relations.
    Returns:
        relation name → its score, in the order of first occurrence.
    """
    tallies: dict[str, _Tally] = defaultdict(_Tally)
    for weights, relations in examples:
        largest = weights.argmax(-1)  # (L, H, T)
        for relation in relations:
            keys = np.array(relation.keys, dtype=int)
            tally = tallies[relation.name]
            tally.n += 1
            tally.mass.append(weights[:, :, relation.query, keys].sum(-1))  # (L, H)
            on_key = largest[:, :, relation.query, None] == keys  # (L, H, keys); np.isin takes half of an evaluation
            tally.top1.append(on_key.any(-1).astype(weights.dtype))  # (L, H)
    return {
        name: Score(tally.n, np.mean(tally.mass, axis=0), np.mean(tally.top1, axis=0))
        for name, tally in tallies.items()
    }
