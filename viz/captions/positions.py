"""What the pictures of positions say, as sentences from their numbers."""

from collections.abc import Mapping, Sequence

import numpy as np

from viz.captions.counting import counted, power_of_ten
from viz.types import Array

ROUNDING = 1e-4  # smaller than this, a change of scores or vectors in float32 is rounding


def format_number(value: float) -> str:
    """A change as people read it: 0, 3·10⁻⁷, 0.42, 12.3; "not a number" where it is not finite."""
    if value == 0:
        return "0"
    if not np.isfinite(value):
        return "not a number"
    if value < 0:
        return f"−{format_number(-value)}"
    if value < 0.005:  # two decimals would say 0.00
        return power_of_ten(value, 1)
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def join_with_and(names: Sequence[str]) -> str:
    """a, b and c"""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def describe_shift(changes: Mapping[str, float | None], steps: int, room: Mapping[str, int]) -> str:
    """changes: scheme → largest change of any score when the sentence moves by `steps`; None: a table has ended.

    room: scheme → how many places it has, for those that end.
    """
    if steps == 0:
        return "The sentence is at its original position. Move the slider."
    still = [name for name, change in changes.items() if change is not None and change < ROUNDING]
    moved = {name: change for name, change in changes.items() if change is not None and ROUNDING <= change < np.inf}
    broken = [name for name, change in changes.items() if change is not None and not np.isfinite(change)]
    sentences = [f"The sentence moved by {counted(steps, 'position')}."]
    if still:
        most = max(changes[name] or 0.0 for name in still)
        how = f"by more than {format_number(most)}, which is rounding" if most else "at all"
        sentences.append(f"No score of **{join_with_and(still)}** changes {how}.")
    if moved:
        sizes = [f"{format_number(size)} (**{name}**)" for name, size in moved.items()]
        sentences.append(f"Scores change by up to {join_with_and(sizes)}.")
    if broken:
        sentences.append(f"Some scores of **{join_with_and(broken)}** are not numbers.")
    sentences += [
        f"{name} cannot be used here: its table has only {room[name]} positions."
        for name, change in changes.items()
        if change is None
    ]
    return " ".join(sentences)


def describe_similarity(by_distance: Mapping[str, Array], similar: Mapping[str, bool], far: int) -> str:
    """by_distance: scheme → mean over all pairs 0, 1, 2, … places apart; `far` the distance to compare at."""
    alike = [
        f"{values[1]:.2f} to {values[far]:.2f} ({name})"
        for name, values in by_distance.items()
        if similar[name] and np.isfinite(values[far])
    ]
    added = [
        f"{values[1]:+.2f} to {values[far]:+.2f} ({name})"
        for name, values in by_distance.items()
        if not similar[name] and np.isfinite(values[far]) and np.ptp(values[np.isfinite(values)]) > 0
    ]
    sentences = [
        *([f"The similarity of two positions goes from {join_with_and(alike)}."] if alike else []),
        *([f"The number added to the score goes from {join_with_and(added)}."] if added else []),
    ]
    if not sentences:
        return f"From distance 1 to distance {far}, no scheme here gives numbers that change."
    first = f"{sentences[0][0].lower()}{sentences[0][1:]}"
    return " ".join([f"From distance 1 to distance {far}, {first}", *sentences[1:]]).replace("-", "−")


def describe_shuffle(largest: Mapping[str, float], moved: int) -> str:
    """largest: case → largest change of any coordinate after un-permuting; moved: how many words changed places."""
    if not moved:
        return "Every word is at its original position. Drag a word, or press “Shuffle”."
    still = [name for name, change in largest.items() if change < ROUNDING]
    rest = {f"{name[0].lower()}{name[1:]}": change for name, change in largest.items() if name not in still}
    finite = [f"{format_number(change)} ({name})" for name, change in rest.items() if np.isfinite(change)]
    sentences = [
        f"**{name}: the same vectors in another order**, to "
        f"{f'within {format_number(largest[name])}' if largest[name] else 'the last bit'}."
        for name in still
    ]
    if finite:
        sentences.append(
            f"{'In the other cases the' if still else 'The'} vectors change, by up to {join_with_and(finite)}."
        )
    sentences += [f"Some vectors are not numbers ({name})." for name, change in rest.items() if not np.isfinite(change)]
    return " ".join(sentences)


def describe_length_generalisation(
    schemes: Sequence[str], lengths: Sequence[int], accuracies: Array, longest: int, source: str
) -> str:
    """accuracies (2, N, L) of of encoder and decoder, N schemes, L lengths; NaN where a table has ended.

    source: where the numbers are from.
    """
    twice = list(lengths).index(2 * longest)
    trained = [index for index, length in enumerate(lengths) if length <= longest]
    none = list(schemes).index("None")
    at_home = accuracies[:, :, trained].mean(axis=-1)  # (2, N)
    beyond = {name: accuracies[0, number, twice] for number, name in enumerate(schemes) if number != none}
    order = sorted((name for name in beyond if np.isfinite(beyond[name])), key=lambda name: -beyond[name])
    shares = ", ".join(f"{name} {100 * beyond[name]:.0f} %" for name in order)
    ended = [name for name in beyond if not np.isfinite(beyond[name])]
    far = f"At {2 * longest} symbols, twice the longest trained length,"
    reached = (
        f"{far} the share of right answers of the encoders is: {shares}." if shares else f"{far} no encoder can answer."
    )
    return (
        f"{_without_positions(float(at_home[0, none]), float(at_home[1, none]))} "
        f"{_with_a_scheme(float(np.delete(at_home[0], none).min()))} "
        f"{reached}{f' The position table ends before this length: {join_with_and(ended)}.' if ended else ''} {source}."
    )


GUESSING = 0.1  # an accuracy of two choices within this much of a half is guessing
LEARNT = 0.9  # a model of this accuracy has learnt the task


def _without_positions(encoder: float, decoder: float) -> str:
    """Accuracies without positions, within the trained lengths: what they say of the two kinds of model."""
    guesses = abs(encoder - 0.5) < GUESSING
    first = f"Without positions the encoder {'guesses' if guesses else 'does not guess'} (**{100 * encoder:.0f} %**)."
    share = f"(**{100 * decoder:.0f} %**)"
    if decoder >= LEARNT:
        why = ": its mask alone reveals the order" if guesses else ""
        return f"{first} The decoder does not guess{'' if guesses else ' either'} {share}{why}."
    how = "guesses" if abs(decoder - 0.5) < GUESSING else "has not learnt the task well"
    return f"{first} The decoder {how}{' too' if guesses and how == 'guesses' else ''} {share}."


def _with_a_scheme(least: float) -> str:
    """The lowest accuracy of an encoder with positions within the trained lengths."""
    if least >= LEARNT:
        return (
            f"With a position scheme every encoder has learnt the trained lengths: at least {100 * least:.1f} % right."
        )
    return (
        "With a position scheme not every encoder has learnt the trained lengths: the worst encoder answers "
        f"{100 * least:.1f} % right."
    )


def describe_rope_period(usual: float, length: int, turn: float, pair: int, by: int, slowed: Sequence[float]) -> str:
    """Why RoPE is below guessing at this length, or nothing where it is not, or where no pair is to blame.

    usual: its accuracy; turn: places in which `pair` turns once; slowed: accuracy with one pair alone turned `by` times
    as slowly, pair by pair.
    """
    others = [share for number, share in enumerate(slowed) if number != pair]
    rest = (
        f" If any other pair turns more slowly instead, they answer at most {100 * max(others):.0f} %."
        if others
        else ""
    )
    if usual >= 0.5 or slowed[pair] <= max([usual, *others]) + 0.2:
        return ""
    return (
        f"RoPE falls below guessing, to {100 * usual:.0f} %, at {length} symbols. The reason is its pair {pair} of "
        f"coordinates, which makes a full turn in {turn:.0f} positions. So a symbol more than {turn / 2:.0f} positions "
        f"back appears to come later. If that pair alone turns {by} times as slowly, the same weights answer "
        f"**{100 * slowed[pair]:.0f} %** right.{rest}"
    )
