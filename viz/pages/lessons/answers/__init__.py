"""The answers to the questions of lessons, each computed from the model as it stands on the screen when it is asked.

A lesson names one of ANSWERS and says of what: `strongest(layer=2, row=10)`. What it leaves out is taken from the page.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from viz.lessons.lesson import Call
from viz.pages.lessons.answers import attention, models, scaling_positions, translation
from viz.pages.lessons.answers.on_screen import Answer, Here, here
from viz.ui import server_cache

ANSWERS: dict[str, Callable[..., Answer]] = {
    made.__name__: made
    for made in (
        attention.weight,
        attention.row_sum,
        attention.strongest,
        attention.apart,
        attention.ahead,
        attention.seen,
        attention.tokens,
        attention.next_word,
        attention.moved_before,
        attention.reshuffled,
        models.heads,
        models.width,
        models.rank,
        models.loss,
        models.costliest,
        models.missed_most,
        models.side_of_entropy,
        models.learns_without,
        attention.outside_the_hull,
        scaling_positions.ends_at,
        models.listens,
        scaling_positions.variance,
        scaling_positions.largest,
        scaling_positions.wavelength,
        scaling_positions.shifted,
        scaling_positions.share_right,
        translation.copied,
        translation.looked_up,
    )
}


def names() -> Mapping[str, frozenset[str]]:
    """The functions a lesson may name, and what each takes."""
    return {name: frozenset(inspect.signature(made).parameters) - {"here"} for name, made in ANSWERS.items()}


def compute(call: Call) -> Answer:
    """The answer, here and now.

    Raises:
        ValueError: there is none in this state, for example a row that the text does not have.
    """
    return _computed(call, here())


@server_cache.cached
def _computed(call: Call, here: Here) -> Answer:
    arguments: dict[str, Any] = dict(call.arguments)
    try:
        return ANSWERS[call.name](here, **arguments)
    except (IndexError, KeyError, StopIteration, TypeError) as error:
        raise ValueError(f"{call.name} has no answer in this state") from error
