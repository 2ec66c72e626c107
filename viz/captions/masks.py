"""What a mask does, read aloud: one sentence for each figure of the Masks page, from its numbers."""

from collections.abc import Sequence

import numpy as np

from viz.captions.counting import counted, decimals, two_digits, verb
from viz.captions.heads import most_informative_row
from viz.captions.positions import format_number
from viz.labels import bold
from viz.types import Array


def list_in_bold(tokens: Sequence[str], most: int = 4) -> str:
    """Some words, in bold: the first few of them, and how many more there are."""
    names = ", ".join(bold(token) for token in tokens[:most])
    return names + (f" and {len(tokens) - most} more" if len(tokens) > most else "")


def forbidden_share(biased: Array, mask: Array) -> Array:
    """Of each row (T, S), the share of attention that would go to forbidden keys if nothing were masked: (T,)."""
    with np.errstate(invalid="ignore"):
        exponentials = np.exp(biased - biased.max(axis=-1, keepdims=True))  # (T, S)
    return np.asarray((exponentials * ~mask).sum(axis=-1) / exponentials.sum(axis=-1))


def masked_row(biased: Array, mask: Array, weights: Array) -> int:
    """The row to open with: one that may look at nothing; else the one from which the mask takes most; where it takes
    nothing, the one that says most about the head."""
    empty = np.flatnonzero(~mask.any(axis=-1))
    if len(empty):
        return int(empty[0])
    takes = np.nan_to_num(forbidden_share(biased, mask)) * (mask.sum(axis=-1) > 1)  # (T,)
    takes[0] *= 0.25  # the start mark is no word
    return int(np.argmax(takes)) if takes.max() > 0 else most_informative_row(weights)


def describe_mask(
    biased: Array, mask: Array, weights: Array, tokens: Sequence[str], row: int, unit: str = "word"
) -> str:
    """biased, mask, weights (T, S) of one head: what the mask does to the row, and which rows it leaves empty.

    unit: what a token is.
    """
    word = bold(tokens[row])
    allowed, keys = int(mask[row].sum()), mask.shape[1]
    if not allowed:
        sentence = f"{word} may attend to nothing. The softmax is undefined there, so the lab sets the row to zero."
    elif not np.isfinite(weights[row]).all():
        sentence = f"{word}: this row holds values that are not numbers."
    elif allowed == keys:
        everything = f"all {counted(keys, unit)}" if keys > 1 else f"the only {unit} there is"
        sentence = f"{word} may attend to {everything}. {_sum(weights[row], allowed)}"
    else:
        share = float(forbidden_share(biased, mask)[row])
        sentence = f"{word} may attend to {allowed} of {counted(keys, unit)}. {_sum(weights[row], allowed)} "
        others = counted(keys - allowed, f"forbidden {unit}")
        if share < 0.005:
            sentence += f"With these scores and no mask, hardly any of its attention would go to {others}."
        elif share < 0.995:
            larger = f"{1 / (1 - share):,.2f} times as large"
            goes = (
                f"redistributes it: each allowed weight becomes {larger}"
                if allowed > 1
                else f"gives it all to the one allowed {unit}, whose weight becomes {larger}"
            )
            sentence += (
                f"With these scores and no mask in this head, **{share:.2f}** of its attention would go to {others}. "
                f"The mask {goes}."
            )
        else:
            sentence += f"With these scores and no mask, nearly all of its attention would go to {others}."
    empty = [tokens[int(index)] for index in np.flatnonzero(~mask.any(axis=-1)) if index != row]
    if empty:
        rows = verb(
            len(empty), "This row may attend to nothing and is zero", "These rows attend to nothing and are zero"
        )
        sentence += f" {rows}: {list_in_bold(empty)}."
    return sentence


def _sum(weights: Array, allowed: int) -> str:
    """What the weights (S,) of a row that may look at `allowed` keys add up to."""
    return f"Its {'one weight is' if allowed == 1 else 'weights sum to'} {weights.sum():.3f}."


def describe_leak(
    logits: Array, kl: Array, allowed: Array, tokens: Sequence[str], edited: int, word: str, unit: str = "KL {} nats"
) -> str:
    """logits, kl (T,): how far each output moved when `word` took the place of the token at `edited`.

    The output at `edited` itself counts neither as before nor as after. unit: how a number of `kl` is written.
    """
    change = f"{bold(tokens[edited])} → {bold(word)}"
    if not np.isfinite(kl).all():
        return f"{change}: some outputs are not numbers, so the changes cannot be compared."
    moved = logits > 0
    before, after = int(moved[:edited].sum()), int(moved[edited + 1 :].sum())
    later = len(tokens) - edited - 1
    most = int(np.argmax(kl))
    sentences = []
    if edited and not before:
        outputs = "the one output before it is" if edited == 1 else f"all {edited} outputs before it are"
        sentences.append(f"{outputs} exactly unchanged, to the last bit")
    elif edited:
        sentences.append(
            f"**{before} of {edited}** {verb(edited, 'output', 'outputs')} before it "
            f"{verb(before, 'changes', 'change')}: the mask lets later words change earlier outputs"
        )
    if later == 1:
        sentences.append(f"the one output after it {'changes' if after else 'does not change'}")
    elif later:
        changes = verb(after or 1, "changes", "change")
        sentences.append(f"{after or 'none'} of the {later} outputs after it {changes}")
    if edited and not before and not np.triu(allowed, 1).any():
        sentences.append("no word attends to a later one")
    size = unit.format(format_number(max(float(kl[most]), 0.0)))
    sentences.append(f"the output at {bold(tokens[most])} changes most: {size}" if moved.any() else "no output changes")
    first, *rest = sentences
    return " ".join([f"{change}: {first}.", *(f"{sentence[0].upper()}{sentence[1:]}." for sentence in rest)])


def describe_kv_cache(apart: float, largest: float, seconds: Sequence[float], tokens: int) -> str:
    """apart: the largest difference in logits; seconds: one pass, word by word with a cache, and without."""
    whole, cached, uncached = seconds
    if cached < uncached:
        saved = 100 * (1 - cached / uncached)
        gain = f"The cache saves {saved:.0f} % of the time." if saved >= 1 else "The cache saves hardly any time."
    else:
        gain = "The cache saves no time here."
    if not np.isfinite(apart):
        same = "**The logits are not the same**: some of them are not numbers."
    elif not apart:
        same = f"The logits are the same to the last bit; the largest logit is {largest:.0f}."
    else:
        alike = apart <= SAME * max(largest, 1.0)
        same = "The logits are the same up to rounding" if alike else "**The logits are not the same**"
        same += f": they differ by at most **{two_digits(apart)}**, and the largest logit is {largest:.0f}."
    return (
        f"{same} One pass over {counted(tokens, 'token')} takes {1e3 * whole:.1f} ms. Word by word it takes "
        f"**{cached / whole:.1f}** times as long with a cache and {uncached / whole:.1f} times as long without. {gain}"
    )


SAME = 1e-3  # as a share of the largest logit: what is farther apart is no rounding of float32


def describe_no_mask_training(entropy: float, whole: float, never: float, n: int) -> str:
    """Losses on the same n sentences, in nats a word: of who knows the language, of the model, of the one unmasked."""
    if not np.isfinite(never):
        verdict = "The loss of the model trained without the mask is not a number."
    elif never < 0.9 * entropy:
        verdict = (
            f"The model trained without the mask reaches **{never:.2f}**. No left-to-right model can do that: it reads "
            "the next word instead of predicting it."
        )
    else:
        verdict = f"The model trained without the mask reaches {never:.2f}: no sign that it reads the next word."
    return (
        f"On the same {counted(n, 'new sentence')}, the entropy of the language is {entropy:.2f} nats per word, and "
        f"the loss of the model with its mask is {decimals(whole)}. {verdict}"
    )


def describe_guess(right: int, n: int, what: str, blind: str) -> str:
    """right of n cells or rows; blind: the expected score of a random guess."""
    share = f" ({100 * right / n:.0f} %)" if n else ""
    return f"You got **{right} of {n}** {what if n != 1 else what[:-1]} right{share}. {blind}"
