"""Answers from the training that this visitor has run."""

from typing import Literal

import numpy as np

from model.training.live.learner import Learner, Measurement
from viz.captions.training import BELOW, CLEAR, ROLE
from viz.pages.lessons.answers.on_screen import Answer, NotYet, OnScreen
from viz.pages.training import compute

Side = Literal["A", "B"]
ALIKE = "about the same"


def _learners() -> tuple[Learner, Learner]:
    run = compute.visitor_run()
    if run is None or not run.rests or not run.pair.ended:
        raise NotYet("The training has not ended. Press Play, wait until it ends, and check again.")
    return run.pair.learners


def _learner(side: Side) -> Learner:
    return _learners()["AB".index(side)]


def _last(learner: Learner) -> Measurement:
    return learner.measurements[max(learner.measurements)]


def live_accuracy(screen: OnScreen, *, side: Side) -> Answer:
    """Percent of held-out targets that the model is right for at the end of the run."""
    return 100 * _last(_learner(side)).accuracy


def live_smaller_loss(screen: OnScreen) -> Answer:
    """Which model has the smaller held-out loss at the end: “A”, “B” or “about the same”. A loss that is not finite
    is larger than any other."""
    losses = [_last(learner).held_out_loss if not learner.diverged else np.inf for learner in _learners()]
    a, b = (float(np.nan_to_num(loss, nan=np.inf)) for loss in losses)
    if a == b or abs(a - b) <= CLEAR:
        return ALIKE
    return "A" if a < b else "B"


def live_below_entropy(screen: OnScreen) -> Answer:
    """Which model has a loss clearly below the entropy of the language: “A”, “B”, “both” or “neither”."""
    below = [_last(learner).held_out_loss < learner.settings.live_task.least_loss - BELOW for learner in _learners()]
    return {(True, False): "A", (False, True): "B", (True, True): "both"}.get((below[0], below[1]), "neither")


def live_role(screen: OnScreen, *, side: Side) -> Answer:
    """The layer of the first head that gives half of its weight to the answer: “layer 1”, or “no layer”."""
    for _, measured in sorted(_learner(side).measurements.items()):
        if measured.on_answer.max() >= ROLE:
            return f"layer {measured.on_answer.max(axis=1).argmax()}"
    return "no layer"
