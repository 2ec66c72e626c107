"""The head and the token that a page opens with. They are chosen for the text.

The full model decides, so a switch or a mask never changes which head or which token is shown.
"""

from dataclasses import dataclass, replace

import numpy as np

from model.analysis.prediction_change import prediction_change
from model.run import Experiment
from model.switches import Switches
from viz.captions.heads import RESTING, informative_weights, most_informative_row, share_on_first
from viz.types import Array
from viz.ui import head_facts, model_calls, server_cache


@dataclass(frozen=True)
class OpeningHead:
    """A head, and why a page opens with it."""

    layer: int
    head: int
    role: str  # the relation that it was measured to follow; "" where the weights on this text decided
    roles_rest: bool = False  # whether the head of the best measured role rests on the first token here

    @property
    def place(self) -> tuple[int, int]:
        """Its layer and its number."""
        return self.layer, self.head


def full_model(experiment: Experiment) -> Experiment:
    """The same text and model with every part, the model's own mask and no weight overridden."""
    return replace(experiment, switches=Switches(), override=None, mask_spec=None)


def opening_head(experiment: Experiment) -> OpeningHead:
    """The head of the best measured role, or another where that one rests on the first token of this text.

    The other one has the largest weight on one earlier token; a token further back counts more.
    """
    return _opening_head(full_model(experiment))


@server_cache.cached
def _opening_head(full: Experiment) -> OpeningHead:
    weights, _ = head_facts.all_weights(model_calls.trace(full))  # (L, H, T, S)
    known = head_facts.default_role(full.weights)
    if known is not None and share_on_first(weights[known.layer, known.head]) <= RESTING:
        return OpeningHead(known.layer, known.head, known.relation)
    n_layers, n_heads = weights.shape[:2]
    places = [(layer, head) for layer in range(n_layers) for head in range(n_heads)]
    awake = [place for place in places if share_on_first(weights[place]) <= RESTING]
    layer, head = max(awake or places, key=lambda place: float(informative_weights(weights[place]).max()))
    return OpeningHead(layer, head, "", known is not None)


def full_weights(experiment: Experiment) -> Array:
    """Weights (L, H, T, S) of the full model on this text."""
    return head_facts.all_weights(model_calls.trace(full_model(experiment)))[0]


def opening_row(weights: Array, layer: int, head: int) -> int:
    """The token that a page opens with. weights: (L, H, T, S) of the full model."""
    return most_informative_row(np.asarray(weights[layer, head]))


def changed_row(experiment: Experiment) -> int:
    """The token whose prediction moves most without the scaling of the scores.

    Where the model has no scaling to remove, or nothing moves: the one that says most about the opening head.
    """
    full = full_model(experiment)
    whole, without = (model_calls.trace(replace(full, switches=Switches(scale=scale))) for scale in (True, False))
    moved = np.nan_to_num(prediction_change(whole, without), posinf=np.inf)  # (T,)
    if moved.max() > 1e-9:
        return int(np.argmax(moved))
    return opening_row(full_weights(full), *opening_head(full).place)
