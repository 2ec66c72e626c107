"""The head and the token that a page opens with. They are chosen for the text.

The full model decides, so a switch or a mask never changes which head or which token is shown.
"""

from collections.abc import Callable, Set
from dataclasses import dataclass, replace

import numpy as np

from model.analysis.prediction_change import prediction_change
from model.run import Experiment
from model.switches import Switches
from viz.captions.heads import SINK, informative_weights, most_informative_row, share_on_first
from viz.types import Array
from viz.ui import controls, head_facts, model_calls, server_cache


@dataclass(frozen=True)
class OpeningHead:
    """A head, and why a page opens with it."""

    layer: int
    head: int
    role: str  # the relation that it was measured to follow; "" where the weights on this text decided
    role_is_sink: bool = False  # whether the head of the best measured role is an attention sink in this text
    all_sinks: bool = False  # whether every head is one

    @property
    def place(self) -> tuple[int, int]:
        """Its layer and its number."""
        return self.layer, self.head


def full_model(experiment: Experiment) -> Experiment:
    """The same text and model with every part, the model's own mask and no weight overridden."""
    return replace(experiment, switches=Switches(), override=None, mask_spec=None)


def opening_head(experiment: Experiment) -> OpeningHead:
    """The head of the best measured role, or another where that one is an attention sink in this text.

    The other one has the largest weight × log2(1 + distance) of the heads that are no sink.
    """
    return _opening_head(full_model(experiment))


@server_cache.cached
def _opening_head(full: Experiment) -> OpeningHead:
    weights = {
        (layer, head): of_head
        for layer, stages in enumerate(model_calls.trace(full).layers)
        for head, of_head in enumerate(stages.attention.weights)
    }  # place → (T, S)
    known = head_facts.default_role(full.weights)
    if known is not None and share_on_first(weights[known.layer, known.head]) <= SINK:
        return OpeningHead(known.layer, known.head, known.relation)
    no_sinks = [place for place in weights if share_on_first(weights[place]) <= SINK]
    layer, head = max(no_sinks or weights, key=lambda place: float(informative_weights(weights[place]).max()))
    return OpeningHead(layer, head, "", known is not None, not no_sinks)


def choose_head(experiment: Experiment, acting: Set[controls.Control] = controls.EVERY) -> tuple[int, int]:
    """The (layer, head) to enlarge: another model of the same tokens leaves it as it is."""
    config = model_calls.about(experiment.weights).model_config
    tokens = experiment.text, model_calls.encoding(experiment).word_ids
    return controls.head(config.n_layers, config.n_heads, opening_head(experiment).place, acting, tokens)


def full_weights(experiment: Experiment, layer: int, head: int) -> Array:
    """Weights (T, S) of one head in the full model."""
    weights: Array = model_calls.trace(full_model(experiment)).layers[layer].attention.weights[head]
    return weights


def opening_row(
    experiment: Experiment, layer: int, head: int, merge: Callable[[Array], Array] = lambda weights: weights
) -> int:
    """The token that says most about this head. merge: from weights of tokens to those that the page shows."""
    return most_informative_row(merge(full_weights(experiment, layer, head)))


def changed_row(experiment: Experiment, other: str = "") -> int:
    """The token whose prediction moves most without the scaling of the scores, or with the weights `other`.

    Where the model has no scaling to remove, or nothing moves: the one that says most about the opening head.
    """
    return _changed_row(full_model(experiment), other if other != experiment.weights else "")


@server_cache.cached
def _changed_row(full: Experiment, other: str) -> int:
    changed = replace(full, weights=other) if other else replace(full, switches=Switches(scale=False))
    whole, without = model_calls.trace(full), model_calls.trace(changed)
    moved = np.nan_to_num(prediction_change(whole, without), posinf=np.inf)  # (T,)
    return int(np.argmax(moved)) if moved.max() > 1e-9 else opening_row(full, *opening_head(full).place)
