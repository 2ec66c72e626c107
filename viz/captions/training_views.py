"""What the other views of the page Training show: schedules, untrained models, and the loss along its gradient."""

from collections.abc import Mapping, Sequence

import numpy as np

from viz.captions.counting import counted, two_digits
from viz.types import Array

PAPER_WIDTH, PAPER_WARMUP = 512, 4000  # of the base model of Vaswani et al. 2017


def describe_schedules(warmup: int, width: int, steps: int, lr: float, decay: str) -> str:
    """The two regimes of equation 3, and what model A uses. warmup and steps in training steps, lr the largest rate."""
    top = max(1, warmup)
    highest, paper = (width * top) ** -0.5, (PAPER_WIDTH * PAPER_WARMUP) ** -0.5
    if top < steps:
        regimes = f"rises in proportion to the step until step {top:,} and then falls with 1/√step"
    else:
        regimes = f"rises in proportion to the step in all {counted(steps, 'step')}"
    uses = "equation 3" if decay.startswith("Vaswani") else f"the schedule “{decay}” with a largest rate of {lr:g}"
    return (
        f"In equation 3 of Vaswani et al. 2017 the learning rate {regimes}. With a width of {width} its largest value "
        f"is **{two_digits(highest)}**. With the paper's width of {PAPER_WIDTH} and {PAPER_WARMUP:,} steps of warm-up "
        f"it is {two_digits(paper)}. Model A uses {uses}."
    )


def describe_gradient_by_depth(
    depths: Sequence[int], embedding: Mapping[str, Array], layers: Mapping[str, Array], depth: int
) -> str:
    """embedding: name of a case → gradient norm (K,) at the embedding for K depths, one of them `depth`.

    layers: "pre", "post" → (L,) at each of its layers.
    """
    if depth == 1:
        values = "; ".join(f"{name}: {two_digits(float(of[0]))}" for name, of in embedding.items())
        return (
            f"The gradient at the embedding of a model of 1 layer has these norms: {values}. "
            "All numbers are medians of three seeds before any training."
        )
    place = list(depths).index(depth)
    growth = "; ".join(f"{name}: {two_digits(float(of[place] / of[0]))}" for name, of in embedding.items())
    pre, post = (float(of[-1] / of[0]) for of in (layers["pre"], layers["post"]))
    return (
        f"The gradient at the embedding of a model of {depth} layers, divided by that of a model of 1 layer: {growth}. "
        f"In a model of {depth} layers, the gradient of the last layer is {two_digits(post)} times that of the first "
        f"with post-norm, and {two_digits(pre)} times with pre-norm. "
        "All numbers are medians of three seeds before any training."
    )


def describe_smoothness(by_norm: Mapping[str, tuple[Array, Array]]) -> str:
    """by_norm: name of a norm → range of the loss in nats, and change of the gradient per distance, at N steps each."""
    medians = {name: tuple(_median(values) for values in pair) for name, pair in by_norm.items()}
    ranges = ", ".join(f"{_change(medians[name][0], ' nats')} with {name}" for name in medians)
    changes = ", ".join(f"{_change(medians[name][1], '')} with {name}" for name in medians)
    smooth = [name for name, (_, change) in medians.items() if change == min(other for _, other in medians.values())]
    shown = "shows" if smooth == ["batch norm"] else "does not show"
    return (
        f"Along the gradient the loss changes by {ranges}. The gradient changes per distance by {changes}. These are "
        f"medians of {counted(len(next(iter(by_norm.values()))[0]), 'training step')}. Santurkar et al. 2018 say that "
        f"batch norm helps because it makes the loss smoother; this run {shown} the smoothest gradient with batch "
        "norm. Whether smoothness is the reason is disputed."
    )


def _median(values: Array) -> float:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else float("nan")


def _change(value: float, unit: str) -> str:
    return f"{two_digits(value)}{unit}" if np.isfinite(value) else "a value that is not a number"
