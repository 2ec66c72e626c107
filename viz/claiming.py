"""What Translate shows, claim by claim: a sentence from its numbers, which says so where the claim does not hold."""

from collections.abc import Sequence

import numpy as np

from viz.counting import counted, verb
from viz.places import ROUNDING, spelt

ALIKE = 0.01  # nats: ln p of a word that differ by more than this were not computed from the same words
HALF = 0.5


def read_one_vector(signs: Sequence[int], alone: Sequence[float], looking: Sequence[float], of_each: int) -> str:
    """alone, looking: share of copies right at each number of signs, from one vector and with attention.

    of_each: how many copies there were of each. The last number of signs decides whether the claim holds.
    """
    lengths = ", ".join(map(str, signs))
    shares = [", ".join(f"{100 * share:.0f}" for share in each) for each in (alone, looking)]
    title = (
        "**One vector is not enough.**"
        if alone[-1] < HALF <= looking[-1]
        else "**Whether one vector is enough, these numbers do not decide.**"
        if alone[-1] <= looking[-1]
        else "**One vector is enough here.**"
    )
    return (
        f"{title} A GRU that must copy {lengths} signs from one vector gets {shares[0]} % right; a GRU with attention "
        f"{shares[1]} % ({of_each} of each, by the cards; both were trained on these lengths)."
    )


def read_nouns(which: str, share: float) -> str:
    """share of the nouns of fresh sentences for which the weights of `which` are largest at the right word."""
    holds = share >= HALF
    return (
        f"**{'Each word has a context of its own' if holds else 'A context of its own need not be the right one'}.** "
        f"By the card, on fresh sentences with every part in place, {which} looks most at the right word for "
        f"{100 * share:.0f} % of the nouns."
    )


def read_pronouns(referent: float, tells: float, layer: int) -> str:
    """Of il and elle: the best share, of any layer, of looks at the noun meant; and at the adjective that tells which
    it is, in the best `layer`."""
    noun = f"the noun that they stand for in {100 * referent:.0f} %"
    adjective = f"the adjective that tells in {100 * tells:.0f} %, in layer {layer}"
    if referent >= HALF:
        also = f"; at {adjective}" if tells > referent else ""
        return f" For il and elle it holds as well: the best layer looks most at {noun}{also}."
    if tells >= HALF:
        return f" For il and elle it does not hold: the best layer looks most at {noun}, but at {adjective}."
    return f" For il and elle it does not hold: the best layer looks most at {noun}, and at {adjective}."


def read_settled(share: float) -> str:
    """share of the words that the words before them settle which look where gold points."""
    return (
        f" Words that the words before them settle look most where gold points in {100 * share:.0f} %: nothing has to "
        "be looked up for them."
    )


def read_cross(queries: int, keys: int, apart: float) -> str:
    """apart: how far the weights of every head are from those of PyTorch's own attention on the same q, k and mask."""
    read = f"{counted(keys, 'key')} and as many values from the encoder"
    sizes = f"{counted(queries, 'query', 'queries')} from the decoder, {read}"
    if apart < ROUNDING:
        how = f"to {spelt(apart)}" if apart else "to the last bit"
        return (
            f"**Cross-attention is the same operation with another source.** {sizes}; PyTorch’s own attention gives "
            f"the same weights for them, in every head of every layer, {how}."
        )
    return (
        f"**Cross-attention is not the same operation here.** {sizes}; PyTorch’s own attention gives weights for them "
        f"that differ by up to {spelt(apart)}."
    )


def read_decoder_layer(future: float, masked: bool, feeds_forward: bool, unit: str = "word") -> str:
    """future: the largest weight that any word being written gives to a later one. masked, feeds_forward: whether the
    causal mask and the feed-forward network are there. unit: what a token of the sentence is called."""
    parts = ["a masked look at what is written" if masked else "a look at what is written", "a look at the source"]
    parts += ["the feed-forward network"] if feeds_forward else []
    title = f"**A decoder layer is three things**: {', '.join(parts[:-1])}, and {parts[-1]}."
    if not feeds_forward:
        title = f"**Of the three things in a decoder layer two are left**: {' and '.join(parts)}."
    if masked and not future:
        seen = "in the first the future has weight 0, exactly."
    elif masked:
        seen = f"in the first the future has weight {spelt(future)}, although the mask is there."
    elif future:
        seen = f"the mask is taken out, so in the first a later {unit} has a weight of up to {spelt(future)}."
    else:
        seen = f"the mask is taken out, but in the first no {unit} looks at a later one."
    return f"{title} {'The first two' if feeds_forward else 'Both'} are the maps above; {seen}"


def read_word_by_word(tokens: int, each: str, apart: float, ended: bool, looks_ahead: bool) -> str:
    """tokens: how many were said, the end mark among them; each: what one of them is called.

    apart: how far ln p of one of them, as it was said after the others, is from that of one pass over the finished
    sentence.
    looks_ahead: no mask keeps the words of the finished sentence from looking at later ones.
    """
    end = f"The model {'ended' if ended else 'did not end'} the sentence itself."
    said = f"{counted(tokens - ended, each)}{' and the end mark' if ended else ''} one after another"
    if tokens == ended:
        said = "The end mark alone"
    if not np.isfinite(apart):
        some = "its ln p is not a number" if tokens == 1 else "some of their ln p are not numbers"
        return f"**Decoding goes {each} by {each}.** {said}: {some}. {end}"
    if apart < ALIKE:
        how = f"to {spelt(apart)}" if apart else "to the last bit"
        return (
            f"**Decoding goes {each} by {each}.** {said} {verb(tokens, 'gets', 'get')} the ln p that one pass over the "
            f"finished sentence gives, {how}. {end}"
        )
    why = (
        f"without the mask a {each} of the finished sentence looks at later ones, which were not there when it was "
        "written"
        if looks_ahead
        else "what was read one after another is not what one pass reads"
    )
    return (
        f"**Decoding goes {each} by {each}, and one pass is not the same here.** {said} {verb(tokens, 'gets', 'get')} "
        f"an ln p that differs by up to {spelt(apart)} from that of one pass over the finished sentence: {why}. {end}"
    )
