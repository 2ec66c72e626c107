"""A picture read aloud: one sentence from the numbers of a figure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import unescape

import numpy as np

from viz.captions.counting import counted, decimals, verb
from viz.captions.positions import format_number
from viz.labels import JOINER, bold, markdown, truncate
from viz.types import Array

SINK = 0.6  # a head whose mean weight on the first token is above this is called an attention sink


def share_on_first(weights: Array) -> float:
    """The mean weight (T, S) that the rows after the first put on the first token; 0 where there are none."""
    return float(np.nan_to_num(weights[1:, 0]).mean()) if len(weights) > 1 else 0.0


def informative_weights(weights: Array, *, cross: bool = False) -> Array:
    """Weights (T, S) by how much each says about the head: a weight × log2(1 + distance), less on the start mark.

    cross: the keys are those of another sentence, so no key is far from a query.
    """
    information = np.nan_to_num(weights)
    if not cross:
        T, S = weights.shape
        apart = np.abs(np.arange(T)[:, None] - np.arange(S))
        information = information * np.log2(1 + np.arange(max(T, S)))[apart]
        information[:, 0] *= 0.25  # many heads rest on the start mark when they have nothing to do
    return information


def most_informative_row(weights: Array, *, cross: bool = False) -> int:
    """The row that says most about a head: a large weight on one word, far away, and not on the start mark."""
    information = informative_weights(weights, cross=cross)
    return int(np.unravel_index(np.argmax(information), information.shape)[0])


def describe_opening(
    layer: int, head: int, role: str, unit: str = "word", *, role_is_sink: bool = False, all_sinks: bool = False
) -> str:
    """Why a page opens with this head. role: the relation that it follows; "" where the text decided.

    role_is_sink: the head of the best measured role is an attention sink in this text; all_sinks: every head is one.
    """
    shown = f"Layer {layer}, head {head} is shown first"
    if role:
        return f"{shown}: of all heads, it follows “{role}” best."
    if all_sinks:
        return f"{shown}. Every head is an attention sink here. This one puts the most weight on a distant {unit}."
    why = " The head with the best measured role is a sink." if role_is_sink else ""
    return f"{shown}: of the heads that are no attention sink here, it puts the most weight on a distant {unit}.{why}"


def describe_sink(weights: Array, tokens: Sequence[str]) -> str:
    """weights (T, S) of one head: what its column on the first token means; "" where most weight is elsewhere."""
    share = share_on_first(weights)
    if share <= SINK:
        return ""
    return (
        f"On average, this head puts {share:.0%} of a row on the first token, {bold(tokens[0])}. This is "
        "called an attention sink: the weights of a row sum to 1, and a head with nothing to add leaves them there."
    )


def describe_row(
    weights: Array, tokens: Sequence[str], row: int, key_tokens: Sequence[str] | None = None, unit: str = "word"
) -> str:
    """weights (T, S) of one head: what the token at `row` attends to, as a sentence of Markdown.

    key_tokens: the S words of the columns, where they are others; unit: what a token is.
    """
    weights_of_row = weights[row]
    word = bold(tokens[row])
    if not np.isfinite(weights_of_row).all():
        return f"{word}: this row holds values that are not numbers."
    if weights_of_row.sum() == 0:
        return f"{word} attends to nothing: its row is zero."
    best, alike = _largest(weights_of_row)
    share = f"{weights_of_row[best]:.2f}"
    if alike > 1:
        return f"{word} gives its largest weight, {share}, to each of {counted(alike, unit)}."
    target = "".join(_target(tokens, row, best, key_tokens, unit))
    if weights_of_row[best] < SPREAD:
        return f"{word} spreads its attention. The largest share, {share}, goes to {target}."
    return f"{word} puts {share} of its attention on {target}."


def describe_rollout_row(rolled: Array, tokens: Sequence[str], row: int, unit: str = "word") -> str:
    """rolled (T, T), the weights of all layers multiplied: where most of the token at `row` comes from."""
    shares, word = rolled[row], bold(tokens[row])
    if not np.isfinite(shares).all():
        return f"{word}: this row holds values that are not numbers."
    best, alike = _largest(shares)
    source = f"each of {counted(alike, unit)}" if alike > 1 else "".join(_target(tokens, row, best, None, unit))
    return f"By rollout, the largest share of {word}, {shares[best]:.2f}, comes from {source}."


SPREAD = 0.3  # a row whose largest weight is below this attends to no word in particular
START_MARK = "the start token"


def _largest(values: Array) -> tuple[int, int]:
    """Where the largest of values (S,) stands, and how many are as large."""
    best = int(np.argmax(values))
    return best, int(np.isclose(values, values[best], rtol=1e-5, atol=0).sum())


def _target(tokens: Sequence[str], row: int, best: int, key_tokens: Sequence[str] | None, unit: str) -> tuple[str, str]:
    """What a row attends to, and its distance. Without a distance if keys and queries are different texts."""
    if key_tokens is not None:
        return bold(key_tokens[best]), ""
    if best == row:
        return "itself", ""
    if best == 0 and tokens[0] == "<s>":
        return START_MARK, ""
    where = f", {counted(abs(row - best), unit)} {'back' if best < row else 'ahead'}"
    return bold(tokens[best]), where


def blocks(unit: str = "word") -> str:
    """What a cell is where there are more words than points to draw them. unit: what a token is."""
    return f"Each cell shows the largest weight of a block of {unit}s."


MAX_LABELLED_HEADS = 48  # heads: with more, there is not always room for their names


@dataclass(frozen=True)
class Named:
    """How the heads of a grid came by their names."""

    measured_on: str  # what the relations were measured on, in words; "" where no relation was measured
    least: float  # mean weight on the right word from which on a relation names a head
    parts_better: int = 0  # named heads that follow a part of some relation better than the one that names them
    last: str = ""  # the relation that names a head only where no other one does; "" where it was not measured


def describe_head_grid(
    roles: Sequence[Sequence[Sequence[str]]], named: Named, *, intact: bool, pooled: bool, unit: str = "word"
) -> str:
    """roles[l][h] of all heads, empty where no relation fits the head: how to read the grid."""
    named_heads, heads = sum(bool(head) for row in roles for head in row), sum(map(len, roles))
    better, whole = named.parts_better, "" if intact else ", with the full model"
    bear = (
        f"{verb(heads, 'The one head', f'The {heads} heads')} of this model {verb(heads, 'was', 'were')} not measured, "
        f"so {verb(heads, 'it has no name', 'none of them has a name')}."
        if not named.measured_on
        else f"{named_heads} of {counted(heads, 'head')} {verb(named_heads, 'is', 'are')} labelled with the whole "
        f"relation that {verb(named_heads, 'it matches', 'they match')} best. The number is the mean weight on the "
        f"correct {unit}, "
        f"{named.least:.2f} or more, measured on {named.measured_on}{whole}."
        if named_heads
        else f"No head has a name. None puts {named.least:.2f} of its weight on the correct {unit} of any relation "
        f"that was measured, on {named.measured_on}{whole}."
    )
    return (
        f"{bear} "
        + (f"“{named.last.capitalize()}” labels a head only where no other relation does. " if named.last else "")
        + (
            f"{better} of these heads {verb(better, 'matches', 'match')} a part of a relation better. “Head "
            "statistics” also lists the parts. "
            if better
            else ""
        )
        + "Rows are queries, columns are keys. Hatched cells are masked."
        + (" If a name has no room, point at its head." if named_heads and heads > MAX_LABELLED_HEADS else "")
        + (f" {blocks(unit)}" if pooled else "")
    )


def describe_maps(weights: Array, mask: Array, *, pooled: bool) -> str:
    """weights, mask (L, H, T, S) of heads without measured roles: the sharpest of them, and how to read them."""
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


def describe_rollout(residual: bool) -> str:
    """What each layer of a rollout is made of. residual: whether the model runs with its residual connection."""
    if residual:
        return "This combines all layers. Half of each step comes from the residual connection. "
    return "This combines all layers. There is no residual connection here, so each step is attention alone. "


def describe_logit_lens(words: Sequence[Sequence[str]], probabilities: Array | None = None) -> str:
    """words[l]: the most likely words if the model stopped after layer l: from which layer on the answer leads.

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
    return f"With the logit lens, {bold(answer)} is the most likely word {where}."


def describe_change(moved: Array, tokens: Sequence[str], removed: str, predicts: str = "next") -> str:
    """moved (T,): KL between the predictions of A and B at each token; removed: "without scaling".

    predicts: what a prediction is: the "next" word, the word "here"; "nothing": moved is how far each vector turns.
    """
    finite = np.isfinite(moved)
    what = "final vector" if predicts == "nothing" else "prediction"
    without = "B is the same as A:" if removed == "the same" else f"{removed[0].upper()}{removed[1:]},"
    if not finite.all():
        n = int((~finite).sum())
        return (
            f"{without} {n} of {counted(len(moved), what)} {verb(n, 'is no longer a number', 'are no longer numbers')}."
        )
    far = int(np.argmax(moved))
    if moved[far] < 1e-9:
        return f"{without} no {what} changes."
    word = bold(tokens[far])
    size = format_number(moved[far])
    change = {
        "next": f"the prediction of the next word changes most after {word}: KL {size} nats",
        "here": f"the prediction of a word at its own place changes most at {word}: KL {size} nats",
        "nothing": f"the final vector of {word} changes most: 1 − cosine {size}",
    }[predicts]
    return f"{without} {change}. The average over the text is {format_number(float(moved.mean()))}."


def describe_next_token(
    probabilities: Array, words: Sequence[str], after: str, who: str = "the model", predicts: str = "next"
) -> str:
    """probabilities (N,) of some `words`: the prediction after a token, with its three most likely words.

    predicts: "here" for a model that fills in the word at the token itself.
    """
    where = f"{'After' if predicts == 'next' else 'At'} “{markdown(after)}”"
    if not np.isfinite(probabilities).all():
        return f"{where} {who} predicts nothing: its probabilities are not numbers."
    best = np.argsort(-probabilities, kind="stable")[:3]
    named = ", ".join(f"{bold(words[index])} {probabilities[index]:.2f}" for index in best)
    return f"{where} {who} predicts {named}."


def describe_sampling(p: Array, q: Array, words: Sequence[str], after: str, left: int) -> str:
    """p, q (N,) of the most likely `words`: of the model, and as they are sampled; left: how many can be sampled."""
    if not np.isfinite(p).all() or not left:
        return f"After “{markdown(after)}” the probabilities are not numbers, so no word can be sampled."
    best = bold(words[0])
    changed = f"{p[0]:.2f} by the model, {q[0]:.2f} when sampling" if abs(p[0] - q[0]) >= 0.005 else f"{p[0]:.2f}"
    among = "It is the only candidate." if left == 1 else f"One of {left:,} candidates is sampled."
    return f"After “{markdown(after)}” {best} is most likely: {changed}. {among}"


def describe_residual_stream(a: Array, b: Array, name: str, stages: Sequence[str], unit: str = "word") -> str:
    """a, b (N, T): a size of every vector after each of N `stages`; how A and B end. unit: what a token is."""
    end_a, end_b = (float(np.mean(side[-1])) for side in (a, b))
    ends = (
        f"{decimals(end_a)} for A and {decimals(end_b)} for B" if end_a != end_b else f"{decimals(end_a)} for A and B"
    )
    thin = f" A thin line is one {unit}, a thick line the mean of all." if a.shape[1] > 1 else ""
    return f"After {stages[-1]}, the {name} of a vector is {ends}, averaged over the {unit}s.{thin}"


IDLE = 0.01  # nats: a head that costs less than this when it goes is hardly missed


def describe_head_ablation(cost: Array, kind: str = "loss") -> str:
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
        falls = f"falls by at least {format_number(-most)} nats" if most else "does not rise"
        return f"No single head matters: whichever is removed, the loss {falls}."
    idle = int((cost < IDLE).sum())
    can = f"{idle} of {counted(cost.size, 'head')}" if idle else "No head"
    return (
        f"L{matters[1:]}: without it the loss rises by {format_number(most)} nats. {can} can be "
        f"removed{', one at a time,' if idle > 1 else ''} for less than {IDLE} nats."
    )


def describe_override(word: str, moved: float, written: bool, predicts: str = "next") -> str:
    """moved: KL of the prediction at `word` between the row as it is and as it was written; written: whether it was."""
    what = f"the prediction {'after' if predicts == 'next' else 'at'} {bold(word)}"
    if not written:
        return f"The row is unchanged, so B is the same as A and {what} does not change."
    if not np.isfinite(moved):
        return f"With its row overwritten (B), {what} holds values that are not numbers."
    if moved < 1e-9:
        return f"With its row overwritten (B), {what} does not change."
    size = f"{moved:.3f}" if moved >= 0.0005 else format_number(moved)
    return f"With its row overwritten (B), {what} changes by KL {size} nats."


CLOSE = 0.05  # nats: losses nearer than this are alike


def describe_trained_without(whole: Array, never: Array, now: float, n: int, part: str, ahead: bool = False) -> str:
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
        f"**{decimals(b)}**{_over_seeds(never, with_median=False)}. {verdict}. If the part is removed now, the loss on "
        f"{counted(n, 'sentence')} is {decimals(now)}."
    )


def _over_seeds(values: Array, with_median: bool = True) -> str:
    """The middle of the seeds (R,), and how far they lie apart. with_median: the middle too."""
    middle = decimals(float(np.median(values))) if with_median else ""
    if len(values) == 1:
        return f"{middle} (1 seed)"
    return f"{middle} ({decimals(values.min())} to {decimals(values.max())}, median of {len(values)} seeds)"


def describe_learning_curves(seeds: Mapping[str, Array], value_name: str) -> str:
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


def describe_attribution(
    weights: Array, effects: Array, tokens: Sequence[str], agreement: tuple[float, float] | None, predicts: str = "next"
) -> str:
    """weights, effects (S,): a row of attention, and the KL of the prediction when each look is blocked; agreement: how
    the order of the effects is met by the weights, and by the size of gradient × weight (rank correlations).

    predicts: whether the prediction is of the "next" word or of the word "here".
    """
    if not np.isfinite(weights).all() or not np.isfinite(effects).all():
        return "Some weights of this row, or the effects of blocking them, are not numbers."
    if not weights.any():
        return "The row attends to nothing, so there is no weight to block."
    what = f"the prediction of the {'next word' if predicts == 'next' else 'word at this place'}"
    most, moves = int(np.argmax(weights)), int(np.argmax(effects))
    attended = f"The row attends most to {bold(tokens[most])} ({weights[most]:.2f})."
    if effects[moves] < 1e-9:
        return f"{attended} Blocking any one of its weights does not change {what}."
    size = (
        f"KL {effects[moves]:.3f} nats"
        if effects[moves] >= 0.0005
        else f"KL {format_number(float(effects[moves]))} nats"
    )
    also = "this weight also" if most == moves else bold(tokens[moves])
    sentence = f"{attended} Blocking {also} changes {what} most: {size}."
    if agreement is None:
        return sentence
    return (
        f"{sentence} Rank correlation with the effects: **{decimals(agreement[0])}** for the weights, "
        f"**{decimals(agreement[1])}** for the size of gradient × weight (1 means the same order)."
    )


def markdown_runs(sentence: str) -> list[tuple[str, bool]]:
    """A sentence of Markdown as (text, stressed or not), for who draws it without Markdown."""
    parts = re.split(r"(?<!\\)\*\*", sentence)
    return [(strip_markdown(part), index % 2 == 1) for index, part in enumerate(parts) if part]


def strip_markdown(markdown_text: str) -> str:
    """Markdown without its marks and entities."""
    return unescape(re.sub(r"\\(.)|\*", r"\1", markdown_text)).replace(JOINER, "")


def alt_text(sentence: str) -> str:
    """The same sentence without marks, for those who cannot see the figure."""
    return truncate(strip_markdown(sentence), 400)
