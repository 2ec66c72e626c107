"""What a live training shows: one sentence from the numbers of the run that was made, for any two models."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from viz.captions.counting import counted, decimals, percent
from viz.labels import bold

CLEAR = 0.05  # of accuracy: a smaller difference of one run says nothing
BELOW = 0.1  # nats under the entropy: a smaller difference can be chance
HUGE = 10.0  # times the loss of guessing: such a loss has exploded


ROLE = 0.5  # mean weight on the answer from which on a head has taken up its role


@dataclass(frozen=True)
class AnswerHead:
    """A head that finds the answer, and the first measured step at which it does."""

    layer: int
    head: int
    step: int


@dataclass(frozen=True)
class Outcome:
    """One model at its last measurement. what: in what it differs, such as "no positions"; "": in nothing."""

    what: str
    step: int
    loss: float  # nats, held out
    accuracy: float  # share of held-out targets
    diverged: str = ""  # where a value that is not finite arose first, as a clause; "": nowhere
    legal: float | None = None  # Markov language: share of legal words in texts that the model writes
    others: tuple[float, ...] = ()  # accuracies with the further seeds
    role: AnswerHead | None = None


@dataclass(frozen=True)
class Levels:
    """What is known of the task. Losses in nats."""

    guess_accuracy: float
    guess_loss: float
    least_loss: float  # the entropy of a target given all before it
    guess_legal: float = 0.25  # Markov language: share of legal words in random texts


# What textbooks claim, as a clause. The run then shows it or does not.
CLAIMS = {
    "scale": "without the division by √d_k, wide heads saturate the softmax and learn slowly",
    "mask": "without the causal mask, a model reads the word that it should predict",
    "residual": "a deep model needs residual connections",
    "mlp": "the feed-forward network computes what attention alone cannot",
    "position": "without positions, a model does not know the order of its input",
    "post-norm": "a deep model with the norm after each sublayer is harder to train than one with the norm before",
    "batch norm": "a Transformer learns better with layer norm than with batch norm",
    "norm": "a model without norms is unstable at a high learning rate",
    "warmup": "a deep model with the norm after each sublayer needs a warm-up",
}


@dataclass(frozen=True)
class Claim:
    """A key of CLAIMS that the two models test, and the one that it expects to do worse: "A" or "B"."""

    name: str
    worse: str = "B"


def describe_training(
    a: Outcome, b: Outcome, levels: Levels, steps: int, claim: Claim | None = None, rests: bool = True
) -> str:
    """The state of a training of A and B that ends after `steps` steps.

    claim: what it can show, if anything; rests: False, it goes on meanwhile, so its numbers are in the figure only.
    """
    if not rests:
        return (
            "A and B are learning from the same batches. When the training pauses or ends, a sentence about the result "
            "stands here."
        )
    step = max(a.step, b.step)
    if step == 0:
        return (
            f"Neither model is trained yet. Guessing without the input is right for {percent(levels.guess_accuracy)} "
            f"of the held-out targets. {bold('Play')} trains both on the same batches."
        )
    ended = (a.diverged and b.diverged) or step >= steps
    when = f"After {counted(step, 'step')}" if ended else f"After {step:,} of {counted(steps, 'step')}"
    parts = [f"{when}, {_right(a, 'A')}, {_right(b, 'B')}; guessing is right for {percent(levels.guess_accuracy)}."]
    parts += [_fault(side, name, levels) for side, name in ((a, "A"), (b, "B"))]
    cheats = [(side, name) for side, name in ((a, "A"), (b, "B")) if side.loss < levels.least_loss - BELOW]
    for side, name in cheats:
        parts.append(
            f"The loss of {name} is {decimals(side.loss)} nats. No model that reads from left to right can go below "
            f"{decimals(levels.least_loss)}, the entropy of the language, so {name} reads the words that it predicts."
        )
    if a.legal is not None and b.legal is not None:
        parts.append(
            f"In texts that they write, {percent(a.legal)} of the words of A and {percent(b.legal)} of those of B are "
            f"legal; {percent(levels.guess_legal)} are if words are drawn at random."
        )
    parts.append(_role(a, b))
    if ended:
        parts.append(_verdict(a, b, claim, [name for _, name in cheats]))
    return " ".join(filter(None, parts))


def _right(side: Outcome, name: str) -> str:
    what = f" ({side.what})" if side.what else ""
    every = (side.accuracy, *side.others)
    spread = f" ({percent(min(every))} to {percent(max(every))} over {len(every)} seeds)" if side.others else ""
    return f"{name}{what} is right for **{percent(side.accuracy)}**{spread}"


def _role(a: Outcome, b: Outcome) -> str:
    """Which heads find the answer, and since when."""
    if a.role is None and b.role is None:
        return ""
    parts = []
    for side, name in ((a, "A"), (b, "B")):
        if side.role is None:
            parts.append(f"No head of {name} does.")
        elif not parts or parts[0].startswith("No"):
            parts.insert(
                0,
                f"From step {side.role.step:,} on, layer {side.role.layer} head {side.role.head} of {name} gives at "
                "least half of its weight to the tokens that hold the answer.",
            )
        else:
            parts.append(
                f"So does layer {side.role.layer} head {side.role.head} of {name} from step {side.role.step:,} on."
            )
    return " ".join(parts)


def _fault(side: Outcome, name: str, levels: Levels) -> str:
    if side.diverged:
        return f"The loss of {name} stopped being a finite number after {counted(side.step, 'step')}: {side.diverged}."
    if not math.isfinite(side.loss):
        return f"The held-out loss of {name} is not a finite number."
    if side.loss > HUGE * levels.guess_loss:
        return (
            f"The loss of {name} has grown to {side.loss:,.0f} nats, far above the {levels.guess_loss:.1f} of guessing."
        )
    return ""


def _verdict(a: Outcome, b: Outcome, claim: Claim | None, cheats: Sequence[str]) -> str:
    if a.what == b.what:
        return "A and B have the same settings, so every number of A is also one of B."
    gap = a.accuracy - b.accuracy
    gaps = [gap, *(mine - other for mine, other in zip(a.others, b.others, strict=True))]

    def count(sign: int) -> str:
        return f"{sum(sign * each > CLEAR for each in gaps)} of {len(gaps)} seeds"

    if claim is None:
        if len(gaps) > 1:
            points = f"{100 * CLEAR:.0f} percentage points"
            return f"A is better by more than {points} with {count(1)}, B with {count(-1)}."
        if abs(gap) <= CLEAR:
            return "Their difference is too small for a run of one seed to say which is better."
        return f"In this run, {'A' if gap > 0 else 'B'} is better."
    if len(gaps) > 1 and claim.name != "mask":
        way = 1 if claim.worse == "B" else -1
        return f"Textbooks say that {CLAIMS[claim.name]}. {count(way)} show it; {count(-way)} show the opposite."
    worse = gap if claim.worse == "B" else -gap
    if claim.name == "mask":
        shown = "shows" if claim.worse in cheats else "does not show"
    else:
        shown = "shows" if worse > CLEAR else "shows the opposite of" if worse < -CLEAR else "does not show"
    return f"Textbooks say that {CLAIMS[claim.name]}. This run {shown} {'that' if 'opposite' in shown else 'it'}."
