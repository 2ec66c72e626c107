"""The answers to the questions of lessons, each computed from the model as it stands on the screen when it is asked.

A lesson names one of ANSWERS and says of what: `strongest(layer=2, row=10)`. What it leaves out is taken from the page.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from viz.lesson import Call
from viz.ui import answers_model, answers_pairs, answers_scale, answers_text, memory
from viz.ui.here import Answer, Here, here

ANSWERS: dict[str, Callable[..., Answer]] = {
    made.__name__: made
    for made in (
        answers_text.weight,
        answers_text.row_sum,
        answers_text.strongest,
        answers_text.apart,
        answers_text.ahead,
        answers_text.seen,
        answers_text.tokens,
        answers_text.next_word,
        answers_text.moved_before,
        answers_text.reshuffled,
        answers_model.heads,
        answers_model.width,
        answers_model.rank,
        answers_model.loss,
        answers_model.costliest,
        answers_model.missed_most,
        answers_model.side_of_entropy,
        answers_model.learns_without,
        answers_text.outside_the_hull,
        answers_scale.ends_at,
        answers_model.listens,
        answers_scale.variance,
        answers_scale.largest,
        answers_scale.wavelength,
        answers_scale.shifted,
        answers_scale.share_right,
        answers_pairs.copied,
        answers_pairs.looked_up,
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


@memory.cached
def _computed(call: Call, here: Here) -> Answer:
    arguments: dict[str, Any] = dict(call.arguments)
    try:
        return ANSWERS[call.name](here, **arguments)
    except (IndexError, KeyError, StopIteration, TypeError) as error:
        raise ValueError(f"{call.name} has no answer in this state") from error
