"""The shuffle test: whether the vectors of the tokens change if the sentence is in another order."""

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
    """One sentence in its original order and in another: the final vectors of every token, in the original order."""

    active: Switches  # the parts that were active: positions, mask
    before: Array  # (T, C)  from the sentence in its original order
    after: Array  # (T, C)  from the sentence in the other order

    @property
    def change(self) -> Array:
        """The change of each token's vector, divided by the length of the vector: (T,)."""
        lengths = (self.before**2).sum(axis=-1) ** 0.5  # (T,)
        return ((self.after - self.before) ** 2).sum(axis=-1) ** 0.5 / lengths.clip(1e-30)

    @property
    def largest(self) -> float:
        """The largest change of any coordinate of any token."""
        return float(abs(self.after - self.before).max())


def shuffle_run(
    transformer: Transformer, ids: Sequence[int], order: Sequence[int], switches: Switches
) -> ShuffleResult:
    """Run `ids` in their original order and with token `order[t]` at position t.

    The vectors are the input of the unembedding, so equal vectors give equal predictions.

    Raises:
        ValueError: `order` is not a permutation of the token positions.
    """
    if sorted(order) != list(range(len(ids))):
        raise ValueError(f"the order must contain each of the {len(ids)} positions once, not {list(order)}")
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
    """Run `shuffle_run` on the text for each of SWITCH_CASES. The other switches of the experiment stay.

    If the weights were trained without a mask or positions, no case has them.
    """
    transformer, _ = get_transformer(experiment.weights)
    ids = encode(experiment).ids
    return {
        name: shuffle_run(transformer, ids, order, replace(experiment.switches, mask=case.mask, position=case.position))
        for name, case in SWITCH_CASES.items()
    }
