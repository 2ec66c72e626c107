"""A training at its saved steps: loss, learning rate, what every head attended to, and when a head took up its role."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from model.analysis.attention_metrics import stack_weights
from model.checkpoint import CheckpointError, load_card, saved_steps, step_name
from model.run import Experiment, encode, run_text
from model.training.live.learner import Learner, Measurement
from model.training.live.relations import RELATIONS
from model.training.live.settings import LiveSettings
from model.training.optimizer import Schedule

Array = np.ndarray[Any, Any]

LEAST = 0.5  # mean weight on the right keys from which a head is named after a relation


@dataclass(frozen=True)
class TrainingHistory:
    """A training at N steps. The arrays are read-only."""

    steps: tuple[int, ...]  # N
    loss: Array  # (N,) held out, nats
    rate: Array  # (N,) the learning rate of the last step; at step 0 that of the first
    scores: Mapping[str, Array]  # relation → mean weight on the right keys (N, L, H), on held-out texts
    tokens: tuple[str, ...]  # T: of one text
    weights: Array  # (N, L, H, T, T) attention weights on that text
    mask: Array  # (T, T) True: may attend

    def at_places(self, places: Sequence[int]) -> "TrainingHistory":
        """The same training at some of its steps only. places: their places among the steps."""
        kept = list(places)
        return replace(
            self,
            steps=tuple(self.steps[place] for place in kept),
            loss=self.loss[kept],
            rate=self.rate[kept],
            scores={name: score[kept] for name, score in self.scores.items()},
            weights=self.weights[kept],
        )


@dataclass(frozen=True)
class RoleFormation:
    """The two saved steps between which a head takes up a role for good, and its score at both."""

    relation: str
    layer: int
    head: int
    before: int  # the last saved step at which the score is below LEAST
    after: int  # the next saved step
    score_before: float
    score_after: float


def history_of_steps(name: str, text: str) -> TrainingHistory:
    """The training of the lab's own model `name`, at its saved steps, with the attention on `text`.

    Raises:
        CheckpointError: no step is saved, or nothing was measured at the steps.
        InputTextError: the text cannot be run.
    """
    steps = saved_steps(name)
    cards = [load_card(step_name(name, step)) for step in steps]
    if not cards or any(not card.language.relations for card in cards):
        raise CheckpointError(f'Nothing was measured at the saved steps of "{name}".')
    recipe = cards[0].json["recipe"]
    schedule = Schedule(recipe["lr"], recipe["steps"], recipe["warmup"], decay_from=recipe["warmup"])
    relations = [card.language.relations for card in cards]
    experiments = [Experiment(card.name, text) for card in cards]
    traces = [run_text(experiment) for experiment in experiments]
    return TrainingHistory(
        steps=steps,
        loss=_array([card.json["exam"]["loss"] for card in cards]),
        rate=_array([schedule.rate(max(0, step - 1)) for step in steps]),
        scores={relation: _array([measured[relation].mass for measured in relations]) for relation in relations[0]},
        tokens=tuple(encode(experiments[0]).surface),
        weights=_array([stack_weights(trace) for trace in traces]),
        mask=traces[0].layers[0].attention.mask[0],
    )


def history_of_learner(learner: Learner) -> TrainingHistory:
    """A live training at every step that was measured, with the attention on its first held-out sequence."""
    return history_of_measurements(learner.settings, [m for _, m in sorted(learner.measurements.items())])


def history_of_measurements(settings: LiveSettings, measured: Sequence[Measurement]) -> TrainingHistory:
    """The same from the measurements, in the order of their steps."""
    T = settings.live_task.tokens
    ids = settings.live_task.held_out()[0][0].tolist()
    causal = settings.live_task.causal and settings.mask
    return TrainingHistory(
        steps=tuple(m.step for m in measured),
        loss=_array([m.held_out_loss for m in measured]),
        rate=_array([m.rate for m in measured]),
        scores={name: _array([m.scores[number] for m in measured]) for number, name in enumerate(RELATIONS)},
        tokens=tuple(settings.live_task.tokenizer.vocabulary[i] for i in ids),
        weights=_array([m.weights for m in measured]),
        mask=np.tri(T, dtype=bool) if causal else np.ones((T, T), dtype=bool),
    )


def forming_roles(history: TrainingHistory) -> tuple[RoleFormation, ...]:
    """For each relation that a head follows at the last step: its best head, and when that takes up the role.

    A head follows a relation with a mean weight of at least LEAST on the right keys. Parts of a relation, after a
    comma, are no roles of their own. In the order of the steps.
    """
    roles = []
    for relation, score in history.scores.items():
        last = np.nan_to_num(score[-1])  # (L, H)
        layer, head = (int(place) for place in np.unravel_index(int(np.argmax(last)), last.shape))
        of_head = score[:, layer, head]  # (N,)
        if "," in relation or last.max() < LEAST or not (below := np.flatnonzero(~(of_head >= LEAST))).size:
            continue
        place = int(below[-1])
        roles.append(
            RoleFormation(
                relation,
                layer,
                head,
                history.steps[place],
                history.steps[place + 1],
                float(of_head[place]),
                float(of_head[place + 1]),
            )
        )
    return tuple(sorted(roles, key=lambda role: role.after))


def _array(values: Sequence[Any]) -> Array:
    array = np.array(values)
    array.setflags(write=False)
    return array
