"""The answers to the questions of lessons, each computed from the model on the screen.

A lesson calls one of ANSWERS: `most_attended(layer=2, row=10)`. What the call leaves out is taken from the page.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from viz.lessons.lesson import Call
from viz.pages.lessons.answers import attention, costs, live_training, models, scaling_positions, translation
from viz.pages.lessons.answers.on_screen import Answer, OnScreen, on_screen
from viz.ui import server_cache

ANSWERS: dict[str, Callable[..., Answer]] = {
    function.__name__: function
    for function in (
        attention.weight,
        attention.row_sum,
        attention.most_attended,
        attention.attention_distance,
        attention.attention_to_future,
        attention.visible_keys,
        attention.tokens,
        attention.next_word,
        attention.prediction_after_override,
        attention.changed_before,
        attention.shuffle_invariant,
        models.heads,
        models.width,
        models.rank,
        models.loss,
        models.most_important_part,
        models.most_important_head,
        models.above_or_below_entropy,
        models.learns_without,
        attention.output_outside_hull,
        scaling_positions.schemes_with_a_limit,
        models.affected_sentences,
        models.best_relation,
        models.stream_length_ratio,
        scaling_positions.variance,
        scaling_positions.largest,
        scaling_positions.wavelength,
        scaling_positions.shifted,
        scaling_positions.accuracy,
        live_training.live_accuracy,
        live_training.live_smaller_loss,
        live_training.live_below_entropy,
        live_training.live_role,
        costs.path_steps,
        costs.layers_to_reach,
        costs.operations_ratio,
        costs.storage_ratio,
        costs.first_dearer_length,
        costs.linear_error,
        costs.cache_ratio,
        translation.copy_accuracy,
        translation.most_attended_source,
    )
}


def names() -> Mapping[str, frozenset[str]]:
    """The functions a lesson may name, and what each takes."""
    return {name: frozenset(inspect.signature(function).parameters) - {"screen"} for name, function in ANSWERS.items()}


def compute(call: Call) -> Answer:
    """The answer, here and now.

    Raises:
        ValueError: there is none in this state, for example a row that the text does not have.
    """
    return _computed(call, on_screen())


@server_cache.cached
def _computed(call: Call, screen: OnScreen) -> Answer:
    arguments: dict[str, Any] = dict(call.arguments)
    try:
        return ANSWERS[call.name](screen, **arguments)
    except (IndexError, KeyError, StopIteration, TypeError) as error:
        raise ValueError(f"{call.name} has no answer in this state") from error
