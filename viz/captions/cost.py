"""What layers and decoding cost: exponents with their uncertainty, crossovers, approximation errors, a cache."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from viz.captions.counting import counted, power_of_ten, two_digits
from viz.labels import bold
from viz.types import Array

SPREAD = 2  # standard errors within which a fitted exponent agrees with a counted one
NEAR = 0.1  # how far apart two exponents may be in any case


@dataclass(frozen=True)
class Fitted:
    """A type of layer: the exponent of n in its operations, and the fitted ones, each with its standard error."""

    label: str
    counted: int
    time: tuple[float, float] | None  # None: fewer than two lengths were measured
    memory: tuple[float, float] | None


@dataclass(frozen=True)
class Crossing:
    """From which n on one type of layer is cheaper than another."""

    cheaper: str
    dearer: str
    counted: int | None  # None: at no n up to `longest`
    longest: int
    measured: float | None  # None: at no measured n
    measured_to: int  # the longest n at which both were measured; 0: they were not
    measured_from: int = 0  # the shortest


def describe_costs(
    layers: Sequence[Fitted], crossing: Crossing, refused: int, from_n: int, *, fused: bool = False
) -> str:
    """Crossovers and exponents; which of those of time are not what the operations are. refused: passes not measured.

    fused: whether fused attention is among the layers, whose memory is what the sentence is about.
    """
    sentences = [_crossing(crossing)]
    if fused:
        sentences.append("Fused self-attention is n² in time and not in memory: it never holds the whole map.")
    fitted = [layer for layer in layers if layer.time]
    if not fitted:
        sentences.append("Nothing was measured with these sizes yet.")
    else:
        listed = "; ".join(f"{layer.label} {_exponent(layer.time)}" for layer in fitted)
        sentences.append(f"Fitted exponents of time from n = {from_n:,} on: {listed}.")
        sentences += _disagreements(fitted)
        if fused:
            memory = "; ".join(f"{layer.label} {_exponent(layer.memory)}" for layer in fitted)
            sentences.append(f"Of memory: {memory}.")
    if refused:
        left_out = counted(refused, "measurement")
        sentences.append(f"{left_out} would not fit into the memory or the time, and {_was(refused)} left out.")
    return " ".join(sentences)


def _exponent(fit: tuple[float, float] | None) -> str:
    """A fitted exponent with its standard error: "1.96 ± 0.05"; without one where it has two points only."""
    if fit is None:
        return "not measured"
    value, error = fit
    text = f"{value:.2f}".replace("-", "−")
    return f"{text} ± {error:.2f}" if math.isfinite(error) else text


def _was(n: int) -> str:
    return "was" if n == 1 else "were"


def _crossing(crossing: Crossing) -> str:
    names = crossing.cheaper, crossing.dearer
    if crossing.counted is None:
        sentence = f"Counted: {names[0]} takes fewer operations than {names[1]} at no n up to {crossing.longest:,}."
    else:
        start = f"from n = {bold(f'{crossing.counted:,}')} on"
        sentence = f"Counted: {names[0]} takes fewer operations than {names[1]} {start}."
    if not crossing.measured_to:
        return sentence
    if crossing.measured is None:
        return f"{sentence} Measured here: it is not faster at any n up to {crossing.measured_to:,}."
    if crossing.measured <= crossing.measured_from:
        return f"{sentence} Measured here: it is faster at every n from {crossing.measured_from:,} on."
    return f"{sentence} Measured here: it is faster from n ≈ {bold(f'{crossing.measured:,.0f}')} on."


def _disagreements(fitted: Sequence[Fitted]) -> list[str]:
    above: list[str] = []
    below: list[str] = []
    for layer in fitted:
        if layer.time is None or not math.isfinite(layer.time[1]):
            continue
        gap = layer.time[0] - layer.counted
        if abs(gap) > max(NEAR, SPREAD * layer.time[1]):
            (above if gap > 0 else below).append(f"{layer.label} (operations: {layer.counted})")
    sentences = []
    if above:
        sentences.append(f"Time grows faster than the operations: {', '.join(above)}.")
    if below:
        sentences.append(f"Time grows more slowly than the operations: {', '.join(below)}.")
    return sentences


def describe_cache(n: int, cache: Mapping[str, float], prefill: float, decode: float) -> str:
    """cache: variant → bytes after n tokens, the first one the reference. prefill, decode: FLOPs of the first variant:
    of all n tokens, and of one more with the cache."""
    (first, most), *others = cache.items()
    listed = "; ".join(f"{name} {_in_bytes(size)} ({_share(size, most)})" for name, size in others)
    return (
        f"Counted: after {counted(n, 'token')} the cache of {first} attention holds {bold(_in_bytes(most))}; {listed}. "
        f"The prefill takes {_with_unit(prefill, 1000, COUNTS)} operations, and a new token with the cache "
        f"{_with_unit(decode, 1000, COUNTS)}. Without the cache, a new token costs as much as the prefill: "
        f"{_ratio(prefill / decode)}as many operations as with it."
    )


def describe_token_times(lengths: Sequence[int], seconds: Mapping[str, Array], layers: int, width: int) -> str:
    """seconds: variant → the seconds of a new token with a cache (N,) at these lengths, NaN: not measured; the last one
    is without a cache. layers, width: of the decoder that was measured.
    """
    *cached, without = seconds.values()
    measured = [place for place in range(len(lengths)) if all(np.isfinite(of[place]) for of in seconds.values())]
    if not measured:
        return "No time was measured yet."
    place = measured[-1]
    listed = "; ".join(f"{name} {_in_seconds(of[place])}" for name, of in list(seconds.items())[:-1])
    ratio = _ratio(without[place] / cached[0][place])
    return (
        f"Measured here, in a decoder with {counted(layers, 'layer')} of width {width}: token {lengths[place]:,} takes "
        f"{bold(_in_seconds(without[place]))} without a cache, and with a cache {listed}. Without it, "
        f"{next(iter(seconds))} attention takes {ratio}as long as with it."
    )


def _in_seconds(value: float) -> str:
    unit, name = next((pair for pair in ((1.0, " s"), (1e-3, " ms")) if value >= pair[0]), (1e-6, " µs"))
    return f"{value / unit:.3g}{name}"


COUNTS = ("", " K", " M", " G", " T", " P", " E")  # 10³, 10⁶, 10⁹, …
BYTES = (" B", " KiB", " MiB", " GiB", " TiB", " PiB")


def _in_bytes(size: float) -> str:
    return _with_unit(size, 1024, BYTES)


def _with_unit(value: float, base: int, units: Sequence[str]) -> str:
    """Three digits and a unit: "1.5 MiB"."""
    power = min(int(math.log(max(value, 1), base) + 1e-9), len(units) - 1)
    scaled = value / base**power
    return f"{scaled:.0f}{units[power]}" if power == 0 or scaled >= 99.95 else f"{scaled:.3g}{units[power]}"


def _share(size: float, most: float) -> str:
    ratio = most / size if size else math.inf
    return "as much" if math.isclose(ratio, 1) else f"1/{ratio:.0f}" if ratio >= 2 else f"{size / most:.2f}"


def _ratio(value: float) -> str:
    return "" if math.isclose(value, 1) else f"{value:,.0f} times " if value >= 10 else f"{value:.2g} times "


@dataclass(frozen=True)
class MethodError:
    """The relative error of a method on one head, and the smallest and the largest of all heads of the layer."""

    k: int  # 0: the method has none
    error: float
    low: float
    high: float


def describe_approximation(head: str, errors: Mapping[str, MethodError], tokens: int, two_sided: bool) -> str:
    """errors: name of a method → its error.

    two_sided: whether the attention is without a causal mask, so that a Linformer can stand for it.
    """
    parts = []
    for name, of in errors.items():
        size = f" with k = {of.k}" if of.k else ""
        parts.append(f"{name}{size} {two_digits(of.error)} ({two_digits(of.low)} to {two_digits(of.high)})")
    sentence = (
        f"{bold(head)}, {counted(tokens, 'token')}. Relative error of the output, and its range over the heads of the "
        f"layer: {'; '.join(parts)}."
    )
    if not two_sided:
        sentence += (
            " This attention is causal, and a Linformer has no causal form; the encoder of the model translate is not."
        )
    return sentence


def describe_tiles(head: str, tile: tuple[int, int], tiles: tuple[int, int], difference: float) -> str:
    """tile: queries and keys of one; tiles: computed, and skipped because the mask forbids every key."""
    sentence = f"{bold(head)} in {counted(tiles[0], 'tile')} of {tile[0]} × {tile[1]}"
    if tiles[1]:
        sentence += f"; the mask forbids {counted(tiles[1], 'further tile')}"
    return (
        f"{sentence}. The running output, divided by the running sum, ends as the output of attend(): the largest "
        f"difference is {bold(power_of_ten(difference))}."
    )
