"""What the saved steps of a training show: when each head took up its role, from the measured scores."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from viz.captions.counting import counted, decimals, verb

MOST_LISTED = 3  # roles in the sentence: those whose score rises most between two saved steps


@dataclass(frozen=True)
class Role:
    """A head that took up a role between two saved steps, and its mean weight on the right keys at both."""

    relation: str
    layer: int
    head: int
    before: int
    after: int
    score_before: float
    score_after: float


def describe_training_history(
    steps: Sequence[int], loss: Sequence[float], roles: Sequence[Role], least: float, rests: bool = True
) -> str:
    """steps, loss (N,) in nats, held out; least: the mean weight from which a head has a role.

    rests: False, the training goes on meanwhile, so its numbers are in the figure only.
    """
    if not rests:
        return "The training goes on, and the figure shows its new steps. A sentence follows when it pauses or ends."
    if len(steps) == 1:
        return f"Only step {steps[0]:,} is measured, so nothing can be wound back yet."
    last = f"{decimals(loss[-1])} nats" if math.isfinite(loss[-1]) else "a value that is not a number"
    fall = f"In {counted(steps[-1] - steps[0], 'step')} the held-out loss goes from {decimals(loss[0])} nats to {last}."
    if not roles:
        return (
            f"{fall} At the last step no head has taken up a role: none puts {decimals(least)} of its weight on the "
            "right tokens of a relation that it did not follow before."
        )
    # A room reads three; all of them are marked in the figure and stand in its table.
    sharpest = sorted(roles, key=lambda role: role.score_before - role.score_after)[:MOST_LISTED]
    listed = "; ".join(
        f"**{role.relation}**, layer {role.layer} head {role.head}: {decimals(role.score_before)} → "
        f"{decimals(role.score_after)} between steps {role.before:,} and {role.after:,}"
        for role in roles
        if role in sharpest
    )
    others = len(roles) - len(sharpest)
    more = f" {counted(others, 'more role')} {verb(others, 'forms', 'form')} with smaller jumps." if others else ""
    return f"{listed}.{more} {fall}"


def describe_kept_steps(kept: int, measured: int, size: float, most: float) -> str:
    """The kept steps of both models of a live training. size, most: their memory in MB, and its bound."""
    gone = measured - kept
    removed = f" {counted(gone, 'older step')} {verb(gone, 'was', 'were')} removed to stay within this." if gone else ""
    return (
        f"You can go back to {counted(kept, 'step')} of this training. {verb(kept, 'It takes', 'They take')} "
        f"{size:.1f} of {most:.0f} MB.{removed}"
    )
