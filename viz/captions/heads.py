"""A picture read aloud: one sentence from the numbers of a figure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import unescape

import numpy as np

from viz.captions.counting import counted, decimals, verb
from viz.captions.positions import spelt
from viz.labels import JOINER, markdown, shorten
from viz.types import Array


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
        return f"{word} attends to nothing: its row is zero."
    best, alike = _largest(looked)
    share = f"{looked[best]:.2f}"
    if alike > 1:
        return f"{word} gives its largest weight, {share}, to each of {counted(alike, each)}."
    target = "".join(_target(tokens, row, best, looked_at, each))
    if looked[best] < SPREAD:
        return f"{word} spreads its attention. The largest share, {share}, goes to {target}."
    return f"{word} puts {share} of its attention on {target}."


def read_rolled_row(rolled: Array, tokens: Sequence[str], row: int, each: str = "word") -> str:
    """rolled (T, T), the weights of all layers multiplied: where most of the token at `row` comes from."""
    heard, word = rolled[row], f"**{markdown(tokens[row])}**"
    if not np.isfinite(heard).all():
        return f"{word}: this row holds values that are not numbers."
    best, alike = _largest(heard)
    source = f"each of {counted(alike, each)}" if alike > 1 else "".join(_target(tokens, row, best, None, each))
    return f"By rollout, the largest share of {word}, {heard[best]:.2f}, comes from {source}."


SPREAD = 0.3  # a row whose largest weight is below this looks at no word in particular
START_MARK = "the start token"


def _largest(values: Array) -> tuple[int, int]:
    """Where the largest of values (S,) stands, and how many are as large."""
    best = int(np.argmax(values))
    return best, int(np.isclose(values, values[best], rtol=1e-5, atol=0).sum())


def _target(tokens: Sequence[str], row: int, best: int, looked_at: Sequence[str] | None, each: str) -> tuple[str, str]:
    """What a row looks at, in words, and how far away that is; nothing of the distance where the words are others."""
    if looked_at is not None:
        return f"**{markdown(looked_at[best])}**", ""
    if best == row:
        return "itself", ""
    if best == 0 and tokens[0] == "<s>":
        return START_MARK, ""
    where = f", {counted(abs(row - best), each)} {'back' if best < row else 'ahead'}"
    return f"**{markdown(tokens[best])}**", where


def blocks(each: str = "word") -> str:
    """What a cell is where there are more words than points to draw them. each: what a token is."""
    return f"Each cell shows the largest weight of a block of {each}s."


CROWDED = 48  # heads: with more, there is not always room for their names


@dataclass(frozen=True)
class Named:
    """How the heads of a grid came by their names."""

    measured_on: str  # what the relations were measured on, in words; "" where no relation was measured
    least: float  # mean weight on the right word from which on a relation names a head
    parts_better: int = 0  # named heads that follow a part of some relation better than the one that names them
    last: str = ""  # the relation that names a head only where no other one does; "" where it was not measured


def read_grid(
    jobs: Sequence[Sequence[Sequence[str]]], named: Named, *, intact: bool, pooled: bool, each: str = "word"
) -> str:
    """jobs[l][h] of all heads, empty where nothing was found in what they were measured on: how to read the grid."""
    found, heads = sum(bool(head) for row in jobs for head in row), sum(map(len, jobs))
    better, whole = named.parts_better, "" if intact else ", with the full model"
    bear = (
        f"{verb(heads, 'The one head', f'The {heads} heads')} of this model {verb(heads, 'was', 'were')} not measured, "
        f"so {verb(heads, 'it has no name', 'none of them has a name')}."
        if not named.measured_on
        else f"{found} of {counted(heads, 'head')} {verb(found, 'is', 'are')} labelled with the whole relation that "
        f"{verb(found, 'it matches', 'they match')} best. The number is the mean weight on the correct {each}, "
        f"{named.least:.2f} or more, measured on {named.measured_on}{whole}."
        if found
        else f"No head has a name. None puts {named.least:.2f} of its weight on the correct {each} of any relation "
        f"that was measured, on {named.measured_on}{whole}."
    )
    return (
        f"{bear} "
        + (f"“{named.last.capitalize()}” labels a head only where no other relation does. " if named.last else "")
        + (
            f"{better} of these heads {verb(better, 'matches', 'match')} a part of a relation better. “Head "
            "statistics” lists the parts, each after a comma. "
            if better
            else ""
        )
        + "Rows are queries, columns are keys. Hatched cells are masked."
        + (" If a name has no room, point at its head." if found and heads > CROWDED else "")
        + (f" {blocks(each)}" if pooled else "")
    )


def read_maps(weights: Array, mask: Array, *, pooled: bool) -> str:
    """weights, mask (L, H, T, S) of heads that nobody has examined: the sharpest of them, and how to read them."""
    pointed = weights.max(axis=-1).mean(axis=-1)  # (L, H)
    layer, head = np.unravel_index(int(np.argmax(pointed)), pointed.shape)
    share = f"{pointed[layer, head]:.2f} of a row to a single word"
    return (
        (
            f"On average, the one head gives {share}."
            if pointed.size == 1
            else f"Of {pointed.size} heads, layer {layer}, head {head} is the sharpest: on average, it gives {share}."
        )
        + " Rows are queries, columns are keys."
        + ("" if mask.all() else " Hatched cells have no weight.")
        + (f" {blocks()}" if pooled else "")
    )


def read_rollout(residual: bool) -> str:
    """What each layer of a rollout is made of. residual: whether the model runs with its residual connection."""
    if residual:
        return "This combines all layers. Half of each step comes from the residual connection. "
    return "This combines all layers. There is no residual connection here, so each step is attention alone. "


def read_layers(words: Sequence[Sequence[str]], probabilities: Array | None = None) -> str:
    """words[l]: the likeliest words if the model stopped after layer l: from which layer on the answer leads.

    probabilities (L, N): how likely they are; where some are no numbers, nothing leads.
    """
    if probabilities is not None and not np.isfinite(probabilities).all():
        return "With the logit lens, some probabilities are not numbers, so no word is the most likely one."
    answer = words[-1][0]
    since = len(words) - 1
    while since and words[since - 1][0] == answer:
        since -= 1
    where = (
        "after the last layer only"
        if since == len(words) - 1
        else f"from layer {since} on"
        if since
        else "after every layer"
    )
    return f"With the logit lens, **{markdown(answer)}** is the most likely word {where}."


def read_change(moved: Array, tokens: Sequence[str], removed: str, says: str = "next") -> str:
    """moved (T,): KL between the predictions of A and B at each token; removed: "without scaling".

    says: what a prediction is: the "next" word, the word "here"; "nothing": moved is how far each last vector turns.
    """
    finite = np.isfinite(moved)
    what = "final vector" if says == "nothing" else "prediction"
    without = "B is the same as A:" if removed == "the same" else f"{removed[0].upper()}{removed[1:]},"
    if not finite.all():
        n = int((~finite).sum())
        return (
            f"{without} {n} of {counted(len(moved), what)} {verb(n, 'is no longer a number', 'are no longer numbers')}."
        )
    far = int(np.argmax(moved))
    if moved[far] < 1e-9:
        return f"{without} no {what} changes."
    word = f"**{markdown(tokens[far])}**"
    told = {
        "next": f"the prediction of the next word changes most after {word}: KL {spelt(moved[far])} nats",
        "here": f"the prediction of a word at its own place changes most at {word}: KL {spelt(moved[far])} nats",
        "nothing": f"the final vector of {word} changes most: 1 − cosine {spelt(moved[far])}",
    }[says]
    return f"{without} {told}. The average over the text is {spelt(float(moved.mean()))}."


def read_next(
    probabilities: Array, words: Sequence[str], after: str, who: str = "the model", says: str = "next"
) -> str:
    """probabilities (N,) of some `words`: what the model expects after a token, the likeliest three named.

    says: "here" for a model that fills in the word at the token itself.
    """
    where = f"{'After' if says == 'next' else 'At'} “{markdown(after)}”"
    if not np.isfinite(probabilities).all():
        return f"{where} {who} predicts nothing: its probabilities are not numbers."
    best = np.argsort(-probabilities, kind="stable")[:3]
    named = ", ".join(f"**{markdown(words[at])}** {probabilities[at]:.2f}" for at in best)
    return f"{where} {who} predicts {named}."


def read_candidates(p: Array, q: Array, words: Sequence[str], after: str, left: int) -> str:
    """p, q (N,) of the likeliest `words`: by the model, and as the next one is drawn; left: how many can be drawn."""
    if not np.isfinite(p).all() or not left:
        return f"After “{markdown(after)}” the probabilities are not numbers, so no word can be sampled."
    best = f"**{markdown(words[0])}**"
    changed = f"{p[0]:.2f} by the model, {q[0]:.2f} when sampling" if abs(p[0] - q[0]) >= 0.005 else f"{p[0]:.2f}"
    among = "It is the only candidate." if left == 1 else f"One of {left:,} candidates is sampled."
    return f"After “{markdown(after)}” {best} is most likely: {changed}. {among}"


def read_stream(a: Array, b: Array, name: str, stages: Sequence[str], each: str = "word") -> str:
    """a, b (N, T): a size of every vector after each of N `stages`; how A and B end. each: what a token is."""
    end_a, end_b = (float(np.mean(side[-1])) for side in (a, b))
    ends = (
        f"{decimals(end_a)} for A and {decimals(end_b)} for B" if end_a != end_b else f"{decimals(end_a)} for A and B"
    )
    thin = f" A thin line is one {each}, a thick line the mean of all." if a.shape[1] > 1 else ""
    return f"After {stages[-1]}, the {name} of a vector is {ends}, averaged over the {each}s.{thin}"


IDLE = 0.01  # nats: a head that costs less than this when it goes is hardly missed


def read_knockouts(cost: Array, kind: str = "loss") -> str:
    """cost (L, H): how much the loss rises without each head, in nats; or how many of the right answers to one `kind`
    of question are lost, as a share of all."""
    layer, head = np.unravel_index(int(np.argmax(cost)), cost.shape)
    most, matters = float(cost[layer, head]), f"layer {layer}, head {head} matters most"
    if not np.isfinite(cost).all():
        return "Without some of the heads the result is not a number, so it is unknown which head matters most."
    if kind != "loss":
        if most <= 0:
            return f"“{kind}”: no single head matters. Whichever is removed, no right answers are lost."
        points = counted(round(100 * most), "percentage point")
        return f"“{kind}”: {matters}. Without it the share of right answers falls by {points}."
    if most <= 0:
        falls = f"falls by at least {spelt(-most)} nats" if most else "does not rise"
        return f"No single head matters: whichever is removed, the loss {falls}."
    idle = int((cost < IDLE).sum())
    can = f"{idle} of {counted(cost.size, 'head')}" if idle else "No head"
    return (
        f"L{matters[1:]}: without it the loss rises by {spelt(most)} nats. {can} can be "
        f"removed{', one at a time,' if idle > 1 else ''} for less than {IDLE} nats."
    )


def read_overwritten(word: str, moved: float, written: bool, says: str = "next") -> str:
    """moved: KL of the prediction at `word` between the row as it is and as it was written; written: whether it was."""
    what = f"the prediction {'after' if says == 'next' else 'at'} **{markdown(word)}**"
    if not written:
        return f"The row is unchanged, so B is the same as A and {what} does not change."
    if not np.isfinite(moved):
        return f"With its row overwritten (B), {what} holds values that are not numbers."
    if moved < 1e-9:
        return f"With its row overwritten (B), {what} does not change."
    size = f"{moved:.3f}" if moved >= 0.0005 else spelt(moved)
    return f"With its row overwritten (B), {what} changes by KL {size} nats."


CLOSE = 0.05  # nats: losses nearer than this are alike


def read_twin(whole: Array, never: Array, now: float, n: int, part: str, ahead: bool = False) -> str:
    """Losses on fresh sentences: of the whole model and of one that never had the part, for every seed (R,); and of
    the whole model with the part removed now, on `n` of them. ahead: without the part a word can look ahead."""
    a, b = float(np.median(whole)), float(np.median(never))
    if ahead and b < 0.5 * a:
        verdict = (
            "This is far below what reading from left to right allows: the model reads the answer instead of "
            "predicting it"
        )
    elif never.max() < a - CLOSE:
        verdict = "This is better than with this part"
    elif never.max() < a + CLOSE:
        verdict = "This is as good as with this part"
    elif never.min() < a + CLOSE:
        good = int((never < a + CLOSE).sum())
        verdict = f"This is as good as with this part for {good} of {counted(len(never), 'seed')}"
    else:
        verdict = "This is worse than with this part"
    return (
        f"{part}. Loss in nats per word: full model {_over_seeds(whole)}; trained without it "
        f"**{decimals(b)}**{_over_seeds(never, told=False)}. {verdict}. If the part is removed now, the loss on "
        f"{counted(n, 'sentence')} is {decimals(now)}."
    )


def _over_seeds(values: Array, told: bool = True) -> str:
    """The middle of the seeds (R,), and how far they lie apart. told: the middle too."""
    middle = decimals(float(np.median(values))) if told else ""
    if len(values) == 1:
        return f"{middle} (1 seed)"
    return f"{middle} ({decimals(values.min())} to {decimals(values.max())}, median of {len(values)} seeds)"


def read_curves(seeds: Mapping[str, Array], value_name: str) -> str:
    """seeds: model → (R, N) values of R seeds at N steps: where each model ends, and how far its seeds lie apart."""
    ends = []
    for name, values in seeds.items():
        last = values[:, -1]
        apart = f"{decimals(last.min())} to {decimals(last.max())}, {len(last)} seeds" if len(last) > 1 else "1 seed"
        ends.append(f"{name} {decimals(float(np.median(last)))} ({apart})")
    return f"At the end of training ({value_name}): {'; '.join(ends)}.{thin_seeds(seeds)}"


def thin_seeds(seeds: Mapping[str, Array]) -> str:
    """seeds: model → (R, N) values of R seeds, as thin and thick curves: what the two are; "" for one seed each."""
    if all(len(values) == 1 for values in seeds.values()):
        return ""
    return " A thin line is one seed, a thick line their median."


def read_effects(
    weights: Array, effects: Array, tokens: Sequence[str], agreement: tuple[float, float] | None, says: str = "next"
) -> str:
    """weights, effects (S,): a row of attention, and the KL of the prediction when each look is blocked; agreement: how
    the order of the effects is met by the weights, and by the size of gradient × weight (rank correlations).

    says: whether the prediction is of the "next" word or of the word "here".
    """
    if not np.isfinite(weights).all() or not np.isfinite(effects).all():
        return "Some weights of this row, or the effects of blocking them, are not numbers."
    if not weights.any():
        return "The row attends to nothing, so there is no weight to block."
    what = f"the prediction of the {'next word' if says == 'next' else 'word at this place'}"
    most, moves = int(np.argmax(weights)), int(np.argmax(effects))
    looked = f"The row attends most to **{markdown(tokens[most])}** ({weights[most]:.2f})."
    if effects[moves] < 1e-9:
        return f"{looked} Blocking any one of its weights does not change {what}."
    size = f"KL {effects[moves]:.3f} nats" if effects[moves] >= 0.0005 else f"KL {spelt(float(effects[moves]))} nats"
    also = "this weight also" if most == moves else f"**{markdown(tokens[moves])}**"
    told = f"{looked} Blocking {also} changes {what} most: {size}."
    if agreement is None:
        return told
    return (
        f"{told} Rank correlation with the effects: **{decimals(agreement[0])}** for the weights, "
        f"**{decimals(agreement[1])}** for the size of gradient × weight (1 means the same order)."
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
