"""Why attention: how many steps a signal passes, how much of it arrives, and what waits for what."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from viz.captions.counting import counted, verb
from viz.labels import bold
from viz.types import Array


def describe_path(source: str, target: str, distance: int, steps: Mapping[str, float]) -> str:
    """steps: name of a network → the steps of a signal from one token to the other; NaN: it does not arrive.

    distance: positions from the source to the target; negative where the target stands before the source.
    """
    if distance < 0:
        order = f"{bold(target)} stands before {bold(source)}."
        return f"{order} These networks read from left to right, so no signal arrives."
    arrived = {name: count for name, count in steps.items() if math.isfinite(count)}
    missing = [name for name in steps if name not in arrived]
    listed = "; ".join(f"{name} {count:.0f}" for name, count in arrived.items())
    sentence = (
        f"A signal from {bold(source)} to {bold(target)}, {counted(distance, 'position')} later, passes this number of "
        f"steps: {listed}."
    )
    if missing:
        names = " and ".join(missing)
        sentence += f" It does not arrive through {names}: {verb(len(missing), 'its', 'their')} layers are too few."
    return sentence


def describe_initial_gradients(distances: Sequence[int], norms: Mapping[str, Array]) -> str:
    """norms: name of a network → (seeds, K) gradient norms at these distances, at initialisation."""
    near, far = distances[0], distances[-1]
    parts = []
    for name, values in norms.items():
        first, last = (float(np.median(values[:, place])) for place in (0, -1))
        if last == 0:
            reached = [distance for distance, column in zip(distances, values.T, strict=True) if column.any()]
            parts.append(f"{name} exactly 0 " + (f"beyond distance {reached[-1]}" if reached else "everywhere"))
        else:
            parts.append(f"{name} {_times(last / first)}")
    return (
        f"Medians of {counted(len(next(iter(norms.values()))), 'seed')}. The gradient at distance {far} beside that at "
        f"distance {near}: {'; '.join(parts)}."
    )


def _times(ratio: float) -> str:
    number = f"{ratio:.2g}" if ratio >= 0.001 else f"{ratio:.0e}"
    return "as large" if number == "1" else f"{number} times as large"


def describe_region(target: str, reached: int, tokens: int, layers: int, before: bool) -> str:
    """How many of the tokens can change the vector of the target after these layers."""
    side = " up to it" if before else ""
    part = f"all {tokens}" if reached == tokens else f"{reached} of {tokens}"
    verdict = (
        f"{bold(target)} can receive a signal from {part} tokens{side} through {counted(layers, 'layer')}."
        if tokens > 1
        else f"{bold(target)} is the only token{side}."
    )
    return verdict + (" Full attention reaches all of them in one layer." if reached < tokens else "")


def describe_schedule(clock: int, done: Mapping[str, int], cells: int, steps: Mapping[str, int]) -> str:
    """done: name of a network → cells that are computed after `clock` steps; steps: how many steps each needs."""
    computed = "; ".join(f"{name} {count}" for name, count in done.items())
    needed = "; ".join(f"{name} {count}" for name, count in steps.items())
    return (
        f"Of {cells} cells these are computed after {counted(clock, 'step')}: {computed}. "
        f"All cells need this number of steps: {needed}."
    )
