"""What each part of a Transformer is for, and what it did to one token, in plain words."""

import math
from collections.abc import Sequence

from viz.captions.counting import counted, decimals, percent, verb
from viz.labels import escape_markdown, markdown

LONGEST = 160  # characters of a sentence that is quoted
EVERYWHERE = " A click removes it in every layer."
PURPOSES = {
    "embedding": "Replaces each token by a vector from a table. Some models add a vector for the position here.",
    "position": "Tells the model where in the text a token stands. A click removes it everywhere.",
    "attention": "Moves information between tokens: this token receives a mix of the tokens that it may attend to.",
    "cross": "Moves information from the source to the target. Queries come from the target, keys and values from the "
    "output of the encoder.",
    "cross_head": "Compares this token of the target with every token of the source, and mixes their values. "
    "The better a token matches, the more of its value is in the mix.",
    "output": "The last vectors of the encoder, after its norm if it has one there. "
    "Every cross-attention of the decoder reads them.",
    "head": "Compares this token with every token that it may attend to, and mixes their values. "
    "The better a token matches, the more of its value is in the mix.",
    "mlp": "Works on the vector of each token by itself. It sees no other token." + EVERYWHERE,
    "norm": "Shifts and scales the numbers of a vector to mean 0 and variance 1, and then by learned amounts. "
    "So every part reads vectors of similar size." + EVERYWHERE,
    "residual": "Adds what a part gives to the vector that was there, instead of replacing it." + EVERYWHERE,
    "mask": "Forbids a token to attend to later tokens." + EVERYWHERE,
    "scale": "Divides the scores by √d_k. Otherwise they grow with d_k and make the softmax too sharp." + EVERYWHERE,
    "unembedding": "Multiplies the final vector, after its norm if there is one, with one vector for each token of the "
    "vocabulary. A softmax turns the products into probabilities.",
}
NAMES = {
    "embedding": "Embedding",
    "attention": "Attention",
    "cross": "Cross-attention",
    "output": "Encoder output",
    "head": "Head",
    "mlp": "Feed-forward network",
    "unembedding": "Prediction",
    "position": "Positions",
    "norm": "Norm",
    "scale": "Scaling by √d_k",
    "mask": "Causal mask",
    "residual": "Residual connection",
}
SHORT = {  # what stands below a part in the figure
    "embedding": "one vector each",
    "attention": "copies from other tokens",
    "cross": "copies from the source",
    "mlp": "works on each token alone",
}
LABELS = {  # field of Switches → short enough for a button in the figure
    "position": "positions",
    "norm": "norm",
    "scale": "÷√d_k",
    "mask": "mask",
    "residual": "+",
    "mlp": "feed-forward",
}


def describe_embedding(token: str, length: float) -> str:
    """What the embedding did to this token."""
    return f"“{token}” became a vector of length {decimals(length, 1)}."


def describe_attention(
    token: str, before: float, added: float, shares: Sequence[tuple[str, float]], residual: bool, least: float
) -> str:
    """What attention did to this token.

    before, added: lengths of the token's vector and of what attention gives. shares: the other tokens with the largest
    parts of the new vector, all of at least `least`. residual: whether the old vector is kept.
    """
    if added == 0:
        return f"Attention gave “{token}” nothing."
    sizes = f"Attention gave “{token}” a vector of length {decimals(added, 1)}. {_own(before, residual)}"
    if not shares:
        return f"{sizes} No other token gave more than {percent(least)} of the new vector."
    return f"{sizes} Of the other tokens, {_listed(shares)} gave most."


def describe_cross(
    token: str, before: float, added: float, shares: Sequence[tuple[str, float]], residual: bool, least: float
) -> str:
    """What cross-attention did to this token of the target; shares: of source tokens, as in describe_attention."""
    if added == 0:
        return f"Cross-attention gave “{token}” nothing."
    sizes = f"Cross-attention gave “{token}” a vector of length {decimals(added, 1)}. {_own(before, residual)}"
    if not shares:
        return f"{sizes} No token of the source gave more than {percent(least)} of the new vector."
    return f"{sizes} Of the source, {_listed(shares)} gave most."


def describe_output(token: str, source: str, share: float) -> str:
    """What the encoder gave this token of the target. share: of its last vector, through the output at `source`."""
    if not share > 0:
        return f"Nothing from the output at “{source}” reached “{token}”."
    return f"{_capital(percent(share))} of the last vector of “{token}” came through the output at “{source}”."


def describe_mlp(token: str, before: float, added: float, active: int, total: int, residual: bool) -> str:
    """What the feed-forward network did to this token; the arguments are those of describe_attention."""
    if added == 0:
        return f"The feed-forward network gave “{token}” nothing."
    return (
        f"The feed-forward network gave “{token}” a vector of length {decimals(added, 1)}. {_own(before, residual)} "
        f"{active:,} of its {counted(total, 'hidden unit')} {verb(active, 'is', 'are')} above 0."
    )


def _own(before: float, residual: bool) -> str:
    length = decimals(before, 1)
    return f"It was added to one of length {length}." if residual else f"It replaced one of length {length}."


def _listed(shares: Sequence[tuple[str, float]]) -> str:
    return " and ".join(f"“{word}” ({percent(share)})" for word, share in shares)


def describe_unembedding(token: str, word: str, probability: float, predicts: str) -> str:
    """What is predicted for this token. predicts: the "next" word, or the word "here"."""
    place = f"After “{token}” the" if predicts == "next" else f"In the place of “{token}” the"
    return f"{place} most probable word is “{word}”, with {percent(probability)}."


def describe_machine(token: str, sources: Sequence[tuple[str, float]], own: float, drawn: int, total: int) -> str:
    """The sentence under the figure: where the parts of the token's last vector began.

    sources: the other tokens at which most of it began, with their parts; own: the part from the token itself; drawn:
    how many of the `total` tokens are in the figure.
    """
    sentences = [
        f"**{_capital(percent(own))} of the last vector of “{markdown(token)}” began at the token itself.**"
        if math.isfinite(own)
        else f"**The vectors of “{markdown(token)}” are not numbers in this run, so they have no parts.**",
        f"The largest other parts began at {_listed([(markdown(word), share) for word, share in sources])}."
        if sources
        else "",
        f"The figure draws the {drawn} tokens that gave most to it; the text has {total:,}." if drawn < total else "",
        "The lines show the way. The thick line at the end carries what earlier layers brought from other tokens.",
    ]
    return " ".join(filter(None, sentences))


def describe_pair_machine(
    token: str,
    source: Sequence[tuple[str, float]],
    target: Sequence[tuple[str, float]],
    from_source: float,
    drawn: int,
    total: int,
) -> str:
    """The sentence under the figure of a model of two sentences: where the parts of the token's last vector began.

    source, target: tokens of both sentences at which most of it began, with their parts, the target without the token
    itself; from_source: the part that began in the source; drawn: how many of all `total` tokens are in the figure.
    """
    if not math.isfinite(from_source):
        broken = f"**The vectors of “{markdown(token)}” are not numbers in this run, so they have no parts.**"
        return f"{broken} The figure draws no lines."
    largest = [
        f"{_listed([(markdown(word), share) for word, share in shares])} of the {sentence}"
        for sentence, shares in (("source", source), ("target", target))
        if shares
    ]
    sentences = [
        f"**{_capital(percent(from_source))} of the last vector of “{markdown(token)}” began in the source.**"
        if from_source > 0
        else f"**Nothing in the last vector of “{markdown(token)}” began in the source.**",
        f"The largest parts began at {' and at '.join(largest)}." if largest else "",
        f"The figure draws the {drawn} tokens that gave most to it; both sentences together have {total:,}."
        if drawn < total
        else "",
        "The lines show the way: through the decoder, and through cross-attention into the encoder.",
    ]
    return " ".join(filter(None, sentences))


def describe_translations(full: str, now: str | None, given: bool) -> str:
    """Which sentence the decoder reads, and what the model writes by itself.

    full: what the full model writes; now: what it writes without the removed parts, None: nothing is removed; given:
    whether the person named the target.
    """
    reads = "The decoder reads the target that was given." if given else "The decoder reads what the full model writes."
    writes = f"The full model writes {_quoted(full)}."
    if now is None:
        return f"{reads} {writes}"
    return f"{reads} {writes} Without the removed parts it writes {'the same' if now == full else _quoted(now)}."


def _quoted(text: str) -> str:
    shown = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    return f"“{escape_markdown(shown)}”" if text else "nothing"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def describe_units(token: str, layer: int, active: int, total: int, first: Sequence[str]) -> str:
    """The sentence under the hidden units. first: the words that the unit with the longest vector raises."""
    raises = (
        f"The unit that writes the longest vector raises {', '.join(f'“{markdown(word)}”' for word in first)}."
        if first
        else "The words that a unit raises are not named: this model has no logits, or a dense layer before them."
    )
    return (
        f"In layer {layer}, **{active:,} of {counted(total, 'hidden unit')} {verb(active, 'is', 'are')} above 0** for "
        f"“{markdown(token)}”. {raises}"
    )
