"""Why attention: how many steps a signal passes, how much of it arrives, and what waits for what."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from viz.captions.counting import counted, two_digits, verb
from viz.labels import bold
from viz.types import Array

KEPT = "GRU, update-gate bias 1"


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
            parts.append(f"{name} {two_digits(last / first)}")
    sentence = (
        f"Medians of {counted(len(next(iter(norms.values()))), 'seed')}. The gradient at distance {far}, divided by "
        f"that at distance {near}: {'; '.join(parts)}."
    )
    if {"GRU", KEPT} <= set(norms):
        plain, kept = (float(np.median(norms[name][:, -1])) for name in ("GRU", KEPT))
        if plain:
            ratio = two_digits(kept / plain)
            sentence += f" With the bias of 1, the GRU's gradient at distance {far} is {ratio} times as large."
    return sentence


def describe_trained_gradients(
    distances: Sequence[int], trained: Mapping[str, Array], untrained: Mapping[str, Array]
) -> str:
    """Name of a network → (seeds, K) gradient norms at these distances, after training and before it."""
    near, far = distances[0], distances[-1]
    after, before = (
        {name: float(np.median(values[:, -1] / values[:, 0])) for name, values in norms.items()}
        for norms in (trained, untrained)
    )
    parts = [f"{name} {two_digits(ratio)}, untrained {two_digits(before[name])}" for name, ratio in after.items()]
    carried = [name for name, ratio in after.items() if "GRU" in name and ratio > 0.1 > 10 * before[name]]
    sentence = (
        f"Medians of {counted(len(next(iter(trained.values()))), 'random text')}. The gradient at distance {far}, "
        f"divided by that at distance {near}: {'; '.join(parts)}."
    )
    if carried:
        sentence += (
            f" The textbook's exponential decay holds for untrained weights. Training removed it from "
            f"{' and '.join(carried)}."
        )
    return sentence


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


def describe_training_speed(lengths: Sequence[int], speeds: Mapping[str, Array], begun: bool = True) -> str:
    """speeds: name of a layer, recurrent layers first → tokens per second (K,) at these lengths; NaN: not measured.

    begun: whether anything was measured.
    """
    if not begun:
        return "Nothing was measured with these sizes yet."
    measured = [place for place in range(len(lengths)) if all(np.isfinite(of[place]) for of in speeds.values())]
    if not measured:
        return "No length was measured for all layers: this machine had too little time or memory."
    sentences = []
    for place in dict.fromkeys((measured[0], measured[-1])):
        listed = "; ".join(f"{name} {of[place]:,.0f}" for name, of in speeds.items())
        sentences.append(f"At {lengths[place]:,} tokens, tokens per second of training: {listed}.")
    recurrent = [name for name in speeds if "RNN" in name or "GRU" in name]
    others = [name for name in speeds if name not in recurrent]
    for name in others:
        faster = [place for place in measured if all(speeds[name][place] > speeds[each][place] for each in recurrent)]
        if len(faster) == len(measured):
            sentences.append(f"At every length {name} is faster than both recurrent layers.")
        elif not faster:
            sentences.append(f"At no length is {name} faster than both recurrent layers.")
        else:
            listed = ", ".join(f"{lengths[place]:,}" for place in faster)
            sentences.append(f"{name.capitalize()} is faster than both recurrent layers at {listed} tokens.")
    return " ".join(sentences)
