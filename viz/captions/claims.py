"""What Translate shows, claim by claim: a sentence from its numbers, which says so where the claim does not hold."""

from collections.abc import Sequence

import numpy as np

from viz.captions.counting import counted, verb
from viz.captions.positions import ROUNDING, format_number

ALIKE = 0.01  # nats: ln p of a word that differ by more than this were not computed from the same words
HALF = 0.5


def describe_one_vector(
    n_symbols: Sequence[int], alone: Sequence[float], attentive: Sequence[float], of_each: int
) -> str:
    """alone, attentive: share of copies right at each of n_symbols, from one vector and with attention.

    of_each: how many copies there were of each. The last of n_symbols decides whether the claim holds.
    """
    lengths = ", ".join(map(str, n_symbols))
    shares = [", ".join(f"{100 * share:.0f}" for share in each) for each in (alone, attentive)]
    title = (
        "**One vector is not enough.**"
        if alone[-1] < HALF <= attentive[-1]
        else "**These numbers do not decide whether one vector is enough.**"
        if alone[-1] <= attentive[-1]
        else "**One vector is enough here.**"
    )
    return (
        f"{title} A GRU that must copy {lengths} symbols from one vector gets {shares[0]} % right. A GRU with "
        f"attention gets {shares[1]} % right. These numbers are from the model cards, with {of_each} texts of each "
        "length. Both networks were trained on these lengths."
    )


def describe_nouns_attended(which: str, share: float) -> str:
    """share of the nouns of fresh sentences for which the weights of `which` are largest at the right word."""
    holds = share >= HALF
    return (
        f"**{'Each word has a context of its own' if holds else 'A context of its own need not be the right one'}.** "
        f"For {100 * share:.0f} % of the nouns, {which} gives its largest weight to the correct source word. This "
        "number is from the model card. It was measured on new sentences with the full model."
    )


def describe_pronouns(referent: float, tells: float, layer: int) -> str:
    """Whether il and elle attend to the noun that they refer to.

    referent: share of pronouns whose largest weight is on that noun, in the best layer. tells: share whose largest
    weight is on the adjective that decides which noun it is, in `layer`, which is best at that.
    """
    noun = f"the best layer gives its largest weight to the noun that they refer to in {100 * referent:.0f} % of cases"
    adjective = f"layer {layer} gives its largest weight to the adjective in {100 * tells:.0f} % of cases"
    decides = "The adjective decides which noun is meant."
    if referent >= HALF:
        also = f" Moreover, {adjective}. {decides}" if tells > referent else ""
        return f" The same holds for the pronouns il and elle: {noun}.{also}"
    if tells >= HALF:
        return f" It does not hold for the pronouns il and elle: {noun}. Instead, {adjective}. {decides}"
    return f" It does not hold for the pronouns il and elle: {noun}, and {adjective}. {decides}"


def describe_determined(share: float) -> str:
    """share: of the words that earlier words determine, those whose largest weight is on a gold source word."""
    return (
        " Some words are already determined by the words before them, so the model does not need the source there. In "
        f"{100 * share:.0f} % of these cases its largest weight is on the gold source word."
    )


def describe_cross_attention(queries: int, keys: int, apart: float) -> str:
    """apart: how far the weights of every head are from those of PyTorch's own attention on the same q, k and mask."""
    sizes = (
        f"Here {counted(queries, 'query', 'queries')} {verb(queries, 'comes', 'come')} from the decoder, and "
        f"{counted(keys, 'key')} with {verb(keys, 'its value comes', 'their values come')} from the encoder."
    )
    if apart < ROUNDING:
        how = f"to within {format_number(apart)}" if apart else "to the last bit"
        return (
            f"**Cross-attention is the same operation with another source.** {sizes} PyTorch’s own attention gives the "
            f"same weights in every head of every layer, {how}."
        )
    difference = (
        f"differ by up to {format_number(apart)}" if np.isfinite(apart) else "cannot be compared: some are not numbers"
    )
    return (
        f"**Cross-attention is not the same operation here.** {sizes} The weights of PyTorch’s own attention "
        f"{difference}."
    )


def describe_decoder_layer(future: float, masked: bool, feeds_forward: bool, unit: str = "word") -> str:
    """future: the largest weight that any word being written gives to a later one. masked, feeds_forward: whether the
    causal mask and the feed-forward network are there. unit: what a token of the sentence is called."""
    parts = ["masked self-attention over the target" if masked else "self-attention over the target"]
    parts += ["cross-attention to the source"]
    if feeds_forward:
        title = f"**A decoder layer has three parts**: {', '.join(parts)}, and the feed-forward network."
    else:
        title = f"**Two of the three parts of a decoder layer are left**: {' and '.join(parts)}."
    if masked and not future:
        sentence = f"In self-attention, later {unit}s have weight exactly 0."
    elif masked:
        sentence = f"In self-attention, a later {unit} has a weight of up to {format_number(future)}, "
        sentence += "although the mask is there."
    elif future:
        sentence = (
            f"The mask is removed, so in self-attention a later {unit} has a weight of up to {format_number(future)}."
        )
    else:
        sentence = f"The mask is removed, but in self-attention no {unit} attends to a later one."
    return f"{title} {'The first two' if feeds_forward else 'Both'} are the maps above. {sentence}"


def describe_decoding(tokens: int, each: str, apart: float, ended: bool, attends_ahead: bool) -> str:
    """tokens: how many were said, the end mark among them; each: what one of them is called.

    apart: how far ln p of one of them, as it was said after the others, is from that of one pass over the finished
    sentence.
    attends_ahead: no mask keeps the words of the finished sentence from attending to later ones.
    """
    end = f"The model {'ended' if ended else 'did not end'} the sentence itself."
    words = counted(tokens - ended, each)
    generated = (
        "Only the end token was generated."
        if tokens == ended
        else f"{words} and the end token were generated one after another."
        if ended
        else f"{words} {verb(tokens, 'was generated.', 'were generated one after another.')}"
    )
    title = f"**Decoding goes {each} by {each}.**"
    if not np.isfinite(apart):
        return (
            f"{title} {generated} {'Its ln p is not a number' if tokens == 1 else 'Some ln p are not numbers'}. {end}"
        )
    one_pass = f"One pass over the finished sentence gives {verb(tokens, 'it', 'them')}"
    if apart < ALIKE:
        how = f"to within {format_number(apart)}" if apart else "to the last bit"
        return f"{title} {generated} {one_pass} the same ln p, {how}. {end}"
    why = (
        f"Without the mask, a {each} of the finished sentence attends to later ones, which did not exist when it was "
        "generated."
        if attends_ahead
        else f"The two ways do not read the same {each}s."
    )
    title = f"**Decoding goes {each} by {each}, and one pass is not the same here.**"
    return f"{title} {generated} {one_pass} an ln p that differs by up to {format_number(apart)}. {why} {end}"
