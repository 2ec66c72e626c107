"""A picture read aloud: one sentence from the numbers of a figure."""

import re
from collections.abc import Mapping, Sequence
from html import unescape
from typing import Any

import numpy as np

from viz.labels import JOINER, markdown, shorten

Array = np.ndarray[Any, Any]


def telling_row(weights: Array, *, cross: bool = False) -> int:
    """The row that says most about a head: a large weight on one word, far away, and not on the start mark.

    weights (T, S). Returns the row of the largest weight × log2(1 + distance); of the largest weight alone where the
    words looked at are others (cross), and no place is far from another.
    """
    tells = np.nan_to_num(weights)
    if not cross:
        T, S = weights.shape
        apart = np.abs(np.arange(T)[:, None] - np.arange(S))
        tells = tells * np.log2(1 + np.arange(max(T, S)))[apart]
        tells[:, 0] *= 0.25  # many heads rest on the start mark when they have nothing to do
    return int(np.unravel_index(np.argmax(tells), tells.shape)[0])


def read_row(
    weights: Array, tokens: Sequence[str], row: int, looked_at: Sequence[str] | None = None, each: str = "word"
) -> str:
    """weights (T, S) of one head: where the token at `row` looks, as a sentence of Markdown.

    looked_at: the S words of the columns, where they are others; each: what a token is.
    """
    looked = weights[row]
    word = f"**{markdown(tokens[row])}**"
    if not np.isfinite(looked).all():
        return f"{word}: this row holds values that are not numbers."
    if looked.sum() == 0:
        return f"{word} may look at nothing, so its row is zero."
    best = int(np.argmax(looked))
    share = f"{looked[best]:.2f}"
    if looked_at is None and best == row:
        return f"{word} looks at itself with {share} of its attention."
    if looked_at is None and best == 0 and tokens[0] == "<s>":
        return f"{word} rests on the start mark with {share} of its attention."
    steps = abs(row - best)
    where = f", {steps} {each if steps == 1 else f'{each}s'} {'back' if best < row else 'ahead'}"
    where = where if looked_at is None else ""
    target = f"**{markdown((tokens if looked_at is None else looked_at)[best])}**"
    if looked[best] < 0.3:
        return f"{word} spreads its attention; the largest share, {share}, goes to {target}{where}."
    return f"{word} looks at {target} with {share} of its attention{where}."


def blocks(each: str = "word") -> str:
    """What a cell is where there are more words than points to draw them. each: what a token is."""
    return f"A cell stands for a block of {each}s and shows its largest weight."


CROWDED = 48  # heads: with more, there is not always room for their names


def read_grid(
    jobs: Sequence[Sequence[Sequence[str]]], measured_on: str, *, intact: bool, pooled: bool, each: str = "word"
) -> str:
    """jobs[l][h] of all heads, empty where nothing was found in what they were measured on: how to read the grid."""
    found, heads = sum(bool(head) for row in jobs for head in row), sum(map(len, jobs))
    return (
        f"{found} of {heads} heads bear the name of the relation they follow best: the number is their mean weight on "
        f"the right {each}, 0.50 or more, in {measured_on}{'' if intact else ', with every part in place'}. "
        "Rows look, columns are looked at; hatched is not allowed."
        + (" Where a name has no room, point at its head." if found and heads > CROWDED else "")
        + (f" {blocks(each)}" if pooled else "")
    )


def read_maps(weights: Array, mask: Array, *, pooled: bool) -> str:
    """weights, mask (L, H, T, S) of heads that nobody has examined: the sharpest of them, and how to read them."""
    pointed = weights.max(axis=-1).mean(axis=-1)  # (L, H)
    layer, head = np.unravel_index(int(np.argmax(pointed)), pointed.shape)
    one = (
        "The one head" if pointed.size == 1 else f"Of {pointed.size} heads layer {layer}, head {head} is the sharpest:"
    )
    one += " gives" if pointed.size == 1 else " it gives"
    return (
        f"{one} {pointed[layer, head]:.2f} of a row to a single word, on average. Rows look, columns are looked at"
        + ("." if mask.all() else "; hatched is not there.")
        + (f" {blocks()}" if pooled else "")
    )


def read_layers(words: Sequence[Sequence[str]]) -> str:
    """words[l]: the likeliest next words if the model stopped after layer l: from which layer on the answer leads."""
    answer = words[-1][0]
    since = len(words) - 1
    while since and words[since - 1][0] == answer:
        since -= 1
    return f"Read out after each layer, **{markdown(answer)}** leads from layer {since} on."


def read_change(moved: Array, tokens: Sequence[str], removed: str, says: str = "next") -> str:
    """moved (T,): KL between the predictions of A and B at each token; removed: "without scaling".

    says: what a prediction is: the "next" word, the word "here"; "nothing": moved is how far each last vector turns.
    """
    finite = np.isfinite(moved)
    if not finite.all():
        return f"{removed.capitalize()}, {int((~finite).sum())} of {len(moved)} predictions are not numbers any more."
    far = int(np.argmax(moved))
    if moved[far] < 1e-9:
        return f"{removed.capitalize()}: no prediction moves at all."
    word = f"**{markdown(tokens[far])}**"
    what = {
        "next": f"the next word moves most after {word}: KL {moved[far]:,.2f} nats",
        "here": f"the word it would read moves most at {word}: KL {moved[far]:,.2f} nats",
        "nothing": f"the last vector of {word} turns most: 1 − cosine {moved[far]:,.2f}",
    }[says]
    return f"{removed[0].upper()}{removed[1:]}, {what}; over the text {moved.mean():,.2f} on average."


def read_next(probabilities: Array, words: Sequence[str], after: str, who: str = "the model") -> str:
    """probabilities (N,) of some `words`: what the model expects after a token, the likeliest three named."""
    best = np.argsort(-np.nan_to_num(probabilities), kind="stable")[:3]
    named = ", ".join(f"**{markdown(words[at])}** {probabilities[at]:.2f}" for at in best)
    return f"After “{markdown(after)}” {who} expects {named}."


def read_candidates(p: Array, q: Array, words: Sequence[str], after: str, left: int) -> str:
    """p, q (N,) of the likeliest `words`: by the model, and as the next one is drawn; left: how many can be drawn."""
    best = f"**{markdown(words[0])}**"
    changed = f"{p[0]:.2f} by the model, {q[0]:.2f} as it is drawn" if abs(p[0] - q[0]) >= 0.005 else f"{p[0]:.2f}"
    among = "It is the only one left to draw." if left == 1 else f"One of {left:,} is drawn."
    return f"After “{markdown(after)}” {best} is likeliest: {changed}. {among}"


def read_stream(a: Array, b: Array, name: str, stages: Sequence[str]) -> str:
    """a, b (N, T): a size of every vector after each of N `stages`; how A and B end."""
    end_a, end_b = (float(np.mean(side[-1])) for side in (a, b))
    return f"After {stages[-1]}, {name}, mean over the words: A {end_a:,.2f}, B {end_b:,.2f}."


def read_knockouts(loss: Array) -> str:
    """loss (L, H): how much the loss rises without each head."""
    layer, head = np.unravel_index(int(np.argmax(loss)), loss.shape)
    idle = int((loss < 0.01).sum())
    return (
        f"Layer {layer}, head {head} is missed most: the loss rises by {loss[layer, head]:.2f} nats without it. "
        f"{idle} of {loss.size} heads can go, one at a time, for less than 0.01."
    )


def read_twin(whole: Array, never: Array, now: float, n: int, part: str) -> str:
    """Losses on fresh sentences: of the whole model and of one that never had the part, for every seed (R,); and of
    the whole model with the part removed now, on `n` of them."""
    if np.median(never) < 0.5 * np.median(whole):
        verdict = "far below what the language allows: it reads the answer instead of foretelling it"
    elif never.max() < np.median(whole) + 0.05:
        verdict = "as well as with it"
    elif np.median(never) < np.median(whole) + 0.05:
        verdict = "as well as with it in most seeds, not in all"
    else:
        verdict = "worse than with it"
    return (
        f"{part}. Loss in nats a word, middle of {len(whole)} seeds: whole {np.median(whole):.2f}; trained without "
        f"**{np.median(never):.2f}** ({never.min():.2f} to {never.max():.2f}), {verdict}. "
        f"Removed now, on {n} sentences: {now:,.2f}."
    )


def read_curves(seeds: Mapping[str, Array], value_name: str) -> str:
    """seeds: model → (R, N) values of R seeds at N steps: where each model ends, and how far its seeds lie apart."""
    ends = []
    for name, values in seeds.items():
        last = values[:, -1]
        many = "1 seed" if len(last) == 1 else f"{len(last)} seeds"
        ends.append(f"{name} {np.median(last):.2f} ({last.min():.2f} to {last.max():.2f}, {many})")
    return f"At the end, {value_name}: {'; '.join(ends)}."


def read_effects(weights: Array, effects: Array, tokens: Sequence[str], agreement: tuple[float, float] | None) -> str:
    """weights, effects (S,): a row of attention, and the KL of the next word when each look is blocked; agreement: how
    the order of the effects is met by the weights, and by gradient × weight (rank correlations)."""
    most, moves = int(np.argmax(weights)), int(np.argmax(np.nan_to_num(effects)))
    looked = f"The row looks most at **{markdown(tokens[most])}** ({weights[most]:.2f})"
    if most == moves:
        told = f"{looked}, and blocking that look also moves the next word most: KL {effects[moves]:.3f} nats."
    else:
        told = (
            f"{looked}; blocking **{markdown(tokens[moves])}** moves the next word most: KL {effects[moves]:.3f} nats."
        )
    if agreement is None:
        return told
    return (
        f"{told} Ranked word by word, weights meet the effects by **{agreement[0]:.2f}**, gradient × weight by "
        f"**{agreement[1]:.2f}** (1: the same order)."
    )


def pieces(sentence: str) -> list[tuple[str, bool]]:
    """A sentence of Markdown as (text, stressed or not), for who draws it without Markdown."""
    parts = re.split(r"(?<!\\)\*\*", sentence)
    return [(plain(part), at % 2 == 1) for at, part in enumerate(parts) if part]


def plain(markdown_text: str) -> str:
    """Markdown without its marks and entities."""
    return unescape(re.sub(r"\\(.)|\*", r"\1", markdown_text)).replace(JOINER, "")


def alt_text(sentence: str) -> str:
    """The same sentence without marks, for those who cannot see the figure."""
    return shorten(plain(sentence), 400)
