"""Answers about scaling and positions, which no text is needed for."""

from model.analysis import score_scaling, sinusoid
from model.analysis.position_shift import largest_change, largest_score_changes
from model.evaluation import first_digit
from viz.captions.positions import ROUNDING
from viz.pages.lessons.answers.on_screen import Answer, OnScreen
from viz.pages.positions import compute as positions_compute
from viz.pages.positions import models as positions_models
from viz.pages.remove import compute as remove_compute
from viz.ui import model_calls, slots

ENDS = "the table ends"


def variance(screen: OnScreen, *, d_k: int) -> Answer:
    """The measured variance of q·k for unit coordinates, divided by d_k."""
    return _step(d_k).undivided.variance / d_k


def largest(screen: OnScreen, *, d_k: int, divided: bool) -> Answer:
    """The largest weight of a row of 16 random keys, on average, with the division by √d_k or without."""
    step = _step(d_k)
    return (step.divided if divided else step.undivided).largest


def _step(d_k: int) -> score_scaling.WidthStep:
    return next(step for step in remove_compute.width_steps() if step.d_k == d_k)


def wavelength(screen: OnScreen, *, pair: int, width: int, base: int = 10_000) -> Answer:
    """Places after which this pair of dimensions of the sinusoidal encoding repeats."""
    return float(sinusoid.wavelengths(width, base)[pair])


def shifted(screen: OnScreen, *, scheme: str, by: int, kind: str = "encoder") -> Answer:
    """What happens to a scheme's scores when the whole sentence moves: “stay”, “change” or “the table ends”."""
    transformer, tokenizer = positions_models.model(kind, scheme)
    with model_calls.compute_slots:
        changes = largest_score_changes(transformer, tokenizer.encode(positions_compute.QUESTION).ids, [by])[by]
    largest = largest_change(changes)
    if largest is None:
        return ENDS
    return "stay" if largest < ROUNDING else "change"


def schemes_with_a_limit(screen: OnScreen, *, length: int, kind: str = "encoder") -> Answer:
    """The scheme whose table of places ends before a question of this many symbols."""
    ended = (name for name in positions_models.NAMES if accuracy(screen, scheme=name, length=length, kind=kind) == ENDS)
    return positions_models.NAMES[next(ended)]


def accuracy(screen: OnScreen, *, scheme: str, length: int, kind: str = "encoder") -> Answer:
    """Percent of fresh questions of this many symbols that the small model with this scheme answers rightly."""
    with slots.long("Asking fresh questions"):
        share = first_digit.accuracy(
            *positions_models.model(kind, scheme), length, positions_compute.N, positions_compute.SEED
        )
    return ENDS if share is None else 100 * share
