"""The words of a sentence in another order: which outputs follow their words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from model.run import Array, Experiment, encode, get_transformer
from model.switches import Switches
from model.transformer import Transformer

SWITCH_CASES: dict[str, Switches] = {
    "No positions, no mask": Switches(position=False, mask=False),
    "Positions, no mask": Switches(mask=False),
    "Mask, no positions": Switches(position=False),
    "Mask and positions": Switches(),
}


@dataclass(frozen=True)
class ShuffleResult:
    """One way to run a sentence, in its own order and in another: the last vector of every word, back in place."""

    active: Switches  # what was there: positions, mask
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


def shuffle_run(
    transformer: Transformer, ids: Sequence[int], order: Sequence[int], switches: Switches
) -> ShuffleResult:
    """Run `ids` in their own order and with token `order[t]` at place t.

    The vectors are those that the unembedding reads, so equal vectors foretell equal words.

    Raises:
        ValueError: `order` does not name every token once.
    """
    if sorted(order) != list(range(len(ids))):
        raise ValueError(f"an order names each of the {len(ids)} tokens once, not {list(order)}")
    device = next(transformer.parameters()).device
    original, permutation = (
        torch.tensor([list(ids)], device=device),
        torch.tensor(list(order), device=device),
    )  # (1, T), (T,)
    with torch.inference_mode():
        before, after = (
            transformer(some, switches=switches).final_norm.out[0] for some in (original, original[:, permutation])
        )
    back = torch.empty_like(after)  # (T, C)
    back[permutation] = after
    return ShuffleResult(switches & transformer.config.removable, before.cpu().numpy(), back.cpu().numpy())


def shuffle_all(experiment: Experiment, order: Sequence[int]) -> dict[str, ShuffleResult]:
    """The experiment's text in another order, in each of the CASES; its other switches stay.

    Weights that were trained without a mask or without positions have none to give back.
    """
    transformer, _ = get_transformer(experiment.weights)
    ids = encode(experiment).ids
    return {
        name: shuffle_run(transformer, ids, order, replace(experiment.switches, mask=case.mask, position=case.position))
        for name, case in SWITCH_CASES.items()
    }
