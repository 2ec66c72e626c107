"""What a mask does, read aloud: one sentence for each figure of the Masks page, from its numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from viz.counting import counted, verb
from viz.labels import markdown
from viz.places import spelt
from viz.reading import telling_row

Array = np.ndarray[Any, Any]


def named(tokens: Sequence[str], most: int = 4) -> str:
    """Some words, in bold: the first few of them, and how many more there are."""
    told = ", ".join(f"**{markdown(token)}**" for token in tokens[:most])
    return told + (f" and {len(tokens) - most} more" if len(tokens) > most else "")


def forbidden_share(biased: Array, mask: Array) -> Array:
    """Of each row (T, S), the share of attention that would go to forbidden keys if nothing were masked: (T,)."""
    with np.errstate(invalid="ignore"):
        odds = np.exp(biased - biased.max(axis=-1, keepdims=True))  # (T, S)
    return np.asarray((odds * ~mask).sum(axis=-1) / odds.sum(axis=-1))


def masked_row(biased: Array, mask: Array, weights: Array) -> int:
    """The row to open with: one that may look at nothing; else the one from which the mask takes most; where it takes
    nothing, the one that says most about the head."""
    empty = np.flatnonzero(~mask.any(axis=-1))
    if len(empty):
        return int(empty[0])
    takes = np.nan_to_num(forbidden_share(biased, mask)) * (mask.sum(axis=-1) > 1)  # (T,)
    takes[0] *= 0.25  # the start mark is no word
    return int(np.argmax(takes)) if takes.max() > 0 else telling_row(weights)


def read_mask(biased: Array, mask: Array, weights: Array, tokens: Sequence[str], row: int, each: str = "word") -> str:
    """biased, mask, weights (T, S) of one head: what the mask does to the row, and which rows it leaves empty.

    each: what a token is.
    """
    word = f"**{markdown(tokens[row])}**"
    allowed, keys = int(mask[row].sum()), mask.shape[1]
    if not allowed:
        told = f"{word} may look at nothing: a softmax over no score has no value, so its row is zero by definition."
    elif not np.isfinite(weights[row]).all():
        told = f"{word}: this row holds values that are not numbers."
    elif allowed == keys:
        everything = f"all {counted(keys, each)}" if keys > 1 else f"the one {each} there is"
        told = f"{word} may look at {everything}; {_sum(weights[row], allowed)}."
    else:
        share = float(forbidden_share(biased, mask)[row])
        told = f"{word} may look at {allowed} of {counted(keys, each)}, and {_sum(weights[row], allowed)}. "
        others = counted(keys - allowed, f"forbidden {each}")
        if share < 0.005:
            told += "With these scores hardly any of its attention would go to the others anyway."
        elif share < 0.995:
            goes = (
                f"deals that out among the allowed, each {1 / (1 - share):,.2f} times as much"
                if allowed > 1
                else f"gives it all to the one that is allowed, {1 / (1 - share):,.2f} times as much"
            )
            told += (
                f"With these scores and no mask in this head, **{share:.2f}** of its attention would go to {others}; "
                f"the mask {goes}."
            )
        else:
            told += f"With these scores and no mask, nearly all of its attention would go to {others}."
    empty = [tokens[int(at)] for at in np.flatnonzero(~mask.any(axis=-1)) if at != row]
    if empty:
        told += f" Nothing to look at, so all zero: {named(empty)}."
    return told


def _sum(weights: Array, allowed: int) -> str:
    """What the weights (S,) of a row that may look at `allowed` keys add up to."""
    return f"its {'one weight is' if allowed == 1 else 'weights sum to'} {weights.sum():.3f}"


def read_leak(
    logits: Array, kl: Array, allowed: Array, tokens: Sequence[str], edited: int, word: str, unit: str = "KL {} nats"
) -> str:
    """logits, kl (T,): how far each output moved when `word` took the place of the token at `edited`.

    The output at `edited` itself counts neither as before nor as after. unit: how a number of `kl` is written.
    """
    change = f"**{markdown(tokens[edited])}** → **{markdown(word)}**"
    if not np.isfinite(kl).all():
        return f"{change}: some outputs are not numbers, so no change can be told."
    moved = logits > 0
    before, after = int(moved[:edited].sum()), int(moved[edited + 1 :].sum())
    later = len(tokens) - edited - 1
    most = int(np.argmax(kl))
    where = (
        f"The output at **{markdown(tokens[most])}** moves most: {unit.format(spelt(max(float(kl[most]), 0.0)))}."
        if moved.any()
        else "No output moves."
    )
    still = (
        f"the one output after it {'moves' if after else 'does not move'}"
        if later == 1
        else f"{after or 'none'} of the {later} outputs after it {verb(after or 1, 'moves', 'move')}"
    )
    if edited == 0:
        return f"{change}{f': {still}' if later else ''}. {where}"
    if before == 0:
        outputs = "the one output before it is" if edited == 1 else f"all {edited} outputs before it are"
        told = f"{change}: {outputs} exactly unchanged, to the last bit"
    else:
        told = (
            f"{change}: **{before} of {edited}** {verb(edited, 'output', 'outputs')} before it "
            f"{verb(before, 'changes', 'change')}: the mask lets the future leak into the past"
        )
    ahead = np.triu(allowed, 1).any()
    reason = " No word looks ahead." if before == 0 and not ahead else ""
    return f"{told}{f'; {still}' if later else ''}.{reason} {where}"


def read_ways(apart: float, largest: float, seconds: Sequence[float], tokens: int) -> str:
    """apart: the largest difference in logits; seconds: one pass, word by word with a cache, and without."""
    whole, cached, uncached = seconds
    if cached < uncached:
        saved = 100 * (1 - cached / uncached)
        gain = f"The cache saves {saved:.0f} % of the time." if saved >= 1 else "The cache saves hardly any time."
    else:
        gain = "Here the cache gains nothing."
    if np.isfinite(apart) and apart <= SAME * max(largest, 1.0):
        same = "The same logits to rounding" if apart else "The same logits, to the last bit"
    else:
        same = "**Not the same logits**"
    return (
        f"{same}: at most **{apart:.1e}** apart, where the largest is {largest:.0f}. For {counted(tokens, 'token')} "
        f"one pass takes {1e3 * whole:.1f} ms; word by word takes **{cached / whole:.1f}** times as long with a "
        f"cache and {uncached / whole:.1f} times without. {gain}"
    )


SAME = 1e-3  # as a share of the largest logit: what is farther apart is no rounding of float32


def read_cheating(entropy: float, whole: float, never: float, n: int) -> str:
    """Losses on the same n sentences, in nats a word: of who knows the language, of the model, of the one unmasked."""
    if not np.isfinite(never):
        verdict = "The loss of the model trained without the mask is not a number."
    elif never < 0.9 * entropy:
        verdict = (
            f"The model trained without the mask reaches **{never:.2f}**. No left-to-right model can: it reads the "
            "next word instead of foretelling it."
        )
    else:
        verdict = f"The model trained without the mask reaches {never:.2f}: no sign that it reads the next word."
    return (
        f"On the same {counted(n, 'fresh sentence')}, who knows the language by heart is surprised by {entropy:.2f} "
        f"nats a word, the model with its mask by {whole:.2f}. {verdict}"
    )


def read_guess(right: int, asked: int, what: str, blind: str) -> str:
    """right of asked cells or rows; blind: what somebody would have scored without looking."""
    return f"**{right} of {asked}** {what if asked != 1 else what[:-1]} right ({100 * right / asked:.0f} %). {blind}"
