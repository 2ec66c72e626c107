"""Two things done to a sentence that tell what a model knows of order: moved along, or its words in another order."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from model.position import Position
from model.run import Array, Experiment, encode, model
from model.switches import Switches
from model.transformer import Transformer


class Moved(Position):
    """Another scheme, with every word `steps` places further on. Nothing else in the model knows of places."""

    def __init__(self, scheme: Position, steps: int) -> None:
        nn.Module.__init__(self)
        self.scheme, self.steps = scheme, steps

    def add(self, x: Tensor, at: Tensor) -> Tensor:
        return self.scheme.add(x, at + self.steps)

    def rotate(self, x: Tensor, at: Tensor) -> Tensor:
        return self.scheme.rotate(x, at + self.steps)

    def bias(self, layer: int, queries_at: Tensor, keys_at: Tensor) -> Tensor | None:
        return self.scheme.bias(layer, queries_at + self.steps, keys_at + self.steps)


def scores(transformer: Transformer, ids: Tensor) -> Tensor:
    """What every softmax of the model sees: scaled and biased scores of ids (1, T), (L, H, T, T); NaN: not allowed."""
    with torch.inference_mode():
        layers = transformer(ids).layers
    biased = torch.stack([layer.attention.biased[0] for layer in layers])
    allowed = torch.stack([layer.attention.mask[0] for layer in layers])
    return biased.masked_fill(~allowed, torch.nan)


def score_changes(
    transformer: Transformer, ids: Sequence[int], steps: Sequence[int], double: bool = False
) -> dict[int, Array | None]:
    """How every score changes when the whole sentence moves, for each of `steps`: (L, H, T, T), NaN where not allowed.

    double: in float64, where rounding is smaller. None where the moved sentence leaves a learned position table.
    """
    model = copy.deepcopy(transformer).double() if double else copy.deepcopy(transformer)
    scheme = model.position
    sentence = torch.tensor([list(ids)], device=next(model.parameters()).device)  # (1, T)
    here = scores(model, sentence)
    changes: dict[int, Array | None] = {}
    for step in steps:
        model.position = Moved(scheme, step)
        try:
            changes[step] = (scores(model, sentence) - here).cpu().numpy()
        except ValueError:
            changes[step] = None
    return changes


CASES: dict[str, Switches] = {
    "No positions, no mask": Switches(position=False, mask=False),
    "Positions, no mask": Switches(mask=False),
    "Mask, no positions": Switches(position=False),
    "Mask and positions": Switches(),
}


@dataclass(frozen=True)
class Shuffled:
    """One way to run a sentence, in its own order and in another: the last vector of every word, back in place."""

    present: Switches  # what was there: positions, mask
    before: Array  # (T, C)  word by word, in the sentence's own order
    after: Array  # (T, C)  the same words, as they came out of the other order

    @property
    def change(self) -> Array:
        """How far each word's vector moved, as a share of its length: (T,)."""
        lengths = (self.before**2).sum(axis=-1) ** 0.5  # (T,)
        return ((self.after - self.before) ** 2).sum(axis=-1) ** 0.5 / lengths.clip(1e-30)

    @property
    def largest(self) -> float:
        """The largest change of any coordinate of any word."""
        return float(abs(self.after - self.before).max())


def shuffled(transformer: Transformer, ids: Sequence[int], order: Sequence[int], switches: Switches) -> Shuffled:
    """Run `ids` in their own order and with token `order[t]` at place t.

    The vectors are those that the unembedding reads, so equal vectors foretell equal words.

    Raises:
        ValueError: `order` does not name every token once.
    """
    if sorted(order) != list(range(len(ids))):
        raise ValueError(f"an order names each of the {len(ids)} tokens once, not {list(order)}")
    device = next(transformer.parameters()).device
    own, there = torch.tensor([list(ids)], device=device), torch.tensor(list(order), device=device)  # (1, T), (T,)
    with torch.inference_mode():
        before, after = (transformer(some, switches=switches).final_norm.out[0] for some in (own, own[:, there]))
    back = torch.empty_like(after)  # (T, C)
    back[there] = after
    return Shuffled(switches & transformer.config.has, before.cpu().numpy(), back.cpu().numpy())


def shuffle(experiment: Experiment, order: Sequence[int]) -> dict[str, Shuffled]:
    """The experiment's text in another order, in each of the CASES; its other switches stay.

    Weights that were trained without a mask or without positions have none to give back.
    """
    transformer, _ = model(experiment.weights)
    ids = encode(experiment).ids
    return {
        name: shuffled(transformer, ids, order, replace(experiment.switches, mask=case.mask, position=case.position))
        for name, case in CASES.items()
    }
