"""What a mask does, read aloud: one sentence for each figure of the Masks page, from its numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from viz.labels import markdown
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


def read_mask(biased: Array, mask: Array, weights: Array, tokens: Sequence[str], row: int) -> str:
    """biased, mask, weights (T, S) of one head: what the mask does to the row, and which rows it leaves empty."""
    word = f"**{markdown(tokens[row])}**"
    allowed, keys = int(mask[row].sum()), mask.shape[1]
    if not allowed:
        told = f"{word} may look at nothing: a softmax over no score has no value, so its row is zero by definition."
    elif not np.isfinite(weights[row]).all():
        told = f"{word}: this row holds values that are not numbers."
    elif allowed == keys:
        told = f"{word} may look at all {keys} words; its weights sum to {weights[row].sum():.3f}."
    else:
        share = float(forbidden_share(biased, mask)[row])
        told = f"{word} may look at {allowed} of {keys} words, and these weights sum to {weights[row].sum():.3f}. "
        if share < 0.005:
            told += "With these scores hardly any of its attention would go to the others anyway."
        elif share < 0.995:
            told += (
                f"With these scores and no mask in this head, **{share:.2f}** of its attention would go to forbidden "
                f"words; the mask deals that out among the allowed, each {1 / (1 - share):,.2f} times as much."
            )
        else:
            told += "With these scores and no mask, nearly all of its attention would go to forbidden words."
    others = [tokens[int(at)] for at in np.flatnonzero(~mask.any(axis=-1)) if at != row]
    if others:
        told += f" Nothing to look at, so all zero: {named(others)}."
    return told


def read_leak(logits: Array, kl: Array, allowed: Array, tokens: Sequence[str], edited: int, word: str) -> str:
    """logits, kl (T,): how far each output moved when `word` took the place of the token at `edited`."""
    change = f"**{markdown(tokens[edited])}** → **{markdown(word)}**"
    if not np.isfinite(kl).all():
        return f"{change}: some outputs are not numbers, so no change can be told."
    moved = logits > 0
    before, after = int(moved[:edited].sum()), int(moved[edited + 1 :].sum())
    most = int(np.argmax(kl))
    where = f"Most moves after **{markdown(tokens[most])}**: KL {kl[most]:.2f} nats." if moved.any() else ""
    if edited == 0:
        return f"{change}: {after} later outputs move. {where}"
    if before == 0:
        outputs = "the one output before it is" if edited == 1 else f"all {edited} outputs before it are"
        told = f"{change}: {outputs} exactly unchanged, to the last bit"
    else:
        told = (
            f"{change}: **{before} of {edited}** outputs before it change: the mask lets the future leak into the past"
        )
    later = len(tokens) - edited - 1
    still = f"; {after} of the {later} after it move" if later else ""
    ahead = np.triu(allowed, 1).any()
    reason = " No word looks ahead." if before == 0 and not ahead else ""
    return f"{told}{still}.{reason} {where}".strip()


def read_ways(apart: float, largest: float, seconds: Sequence[float], tokens: int) -> str:
    """apart: the largest difference in logits; seconds: one pass, word by word with a cache, and without."""
    whole, cached, uncached = seconds
    if cached < uncached:
        gain = f"The cache saves {100 * (1 - cached / uncached):.0f} % of the time."
    else:
        gain = "A text this short gains nothing from a cache."
    return (
        f"The same logits to rounding: at most **{apart:.1e}** apart, where the largest is {largest:.0f}. For {tokens} "
        f"tokens one pass takes {1e3 * whole:.1f} ms; word by word takes **{cached / whole:.1f}** times as long with a "
        f"cache and {uncached / whole:.1f} times without. {gain}"
    )


def read_cheating(entropy: float, whole: float, never: float, n: int) -> str:
    """Losses on the same n sentences, in nats a word: of who knows the language, of the model, of the one unmasked."""
    if never < 0.9 * entropy:
        verdict = (
            f"The model trained without the mask reaches **{never:.2f}**. No left-to-right model can: it reads the "
            "next word instead of foretelling it."
        )
    else:
        verdict = f"The model trained without the mask reaches {never:.2f}: it does not cheat."
    return (
        f"On the same {n} fresh sentences, who knows the language by heart is surprised by {entropy:.2f} nats a word, "
        f"the model with its mask by {whole:.2f}. {verdict}"
    )


def read_guess(right: int, asked: int, what: str, blind: str) -> str:
    """right of asked cells or rows; blind: what somebody would have scored without looking."""
    return f"**{right} of {asked}** {what} right ({100 * right / asked:.0f} %). {blind}"
