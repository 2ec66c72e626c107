"""What the pictures of a translation say, as sentences from their numbers."""

from collections.abc import Mapping, Sequence

import numpy as np

from viz.captions.counting import counted, verb
from viz.captions.positions import format_number, join_with_and
from viz.labels import bold, markdown
from viz.types import Array

LONG = 40  # words: a sentence that goes on has found no end, and its beginning says as much
SOME = 12  # words of such a beginning
OUTSIDE = "This source is outside the generator's language, so there is no reference answer."
LETTERS = "character"  # the unit of sentences whose tokens stand without blanks between them

# In every function `unit` is what one token of the task's sentences is called: "word", "symbol" or "character".


def shortened(text: str, unit: str = "word") -> str:
    """The text, or the beginning of one that finds no end."""
    words, between = (list(text), "") if unit == LETTERS else (text.split(), " ")
    return text if len(words) <= LONG else f"{between.join(words[:SOME])} … ({counted(len(words), unit)})"


def describe_translation(text: str, right: str | None, logprob: float, ended: bool = True, unit: str = "word") -> str:
    """text: what was written; right: what should have been, where it is known; logprob: ln p of all of it;
    ended: whether the network itself ended it."""
    quoted = f"“**{markdown_text(shortened(text, unit))}**”" if text.strip() else f"no {unit}"
    sentence = f"The network writes {quoted} (ln p {format_ln(logprob)})."
    sentence += "" if ended else " It produced no end token and was cut off."
    if right is None:
        return f"{sentence} {OUTSIDE}"
    if text == right:
        return f"{sentence} This is correct, {unit} for {unit}."
    return f"{sentence} The correct answer is “{markdown_text(right)}”."


def format_ln(logprob: float) -> str:
    """The logarithm of a probability: two decimals, or as many as it takes to tell it from certainty."""
    if np.isnan(logprob):
        return "not a number"
    return f"−{format_number(-logprob)}" if logprob < 0 else "0"


def markdown_text(text: str) -> str:
    """A whole sentence with everything that Markdown reads disarmed."""
    return " ".join(map(markdown, text.split()))


def describe_map(
    weights: Array, query_tokens: Sequence[str], key_tokens: Sequence[str], row: int, predicting: bool
) -> str:
    """weights (T, S): the largest weight of a row.

    predicting: the row predicts `query_tokens[row]`; else it is the row of that token.
    """
    values, word = weights[row], bold(query_tokens[row])
    if not np.isfinite(values).all():
        return f"{word}: this row holds values that are not numbers."
    best = int(values.argmax())
    share = f"{bold(key_tokens[best])}, with {values[best]:.2f} of the row"
    if predicting:
        return f"When the model predicts {word}, its decoder attends most to {share}."
    return f"{word} attends most to {share}."


def describe_alignment_hits(n: int, top1: int, mass: float, settled: tuple[int, int], unit: str = "word") -> str:
    """How often the largest weight of a row is on a word of the gold alignment.

    n: rows whose word needs the source; top1: those whose largest weight is on a gold word; mass: their mean weight on
    gold words. settled: rows whose word is determined by the words before it, and how many of them have their largest
    weight on a gold word.
    """
    sentence = f"According to the gold alignment, no {unit} of this sentence needs the source."
    if n == 1:
        does = "attends most" if top1 else "does not attend most"
        sentence = f"**1** {unit} needs the source. It {does} to its gold {unit}; its weight there is {mass:.2f}."
    elif n:
        sentence = (
            f"**{top1 or 'None'}** of the {n} {unit}s that need the source {verb(top1 or 1, 'attends', 'attend')} most "
            f"to {verb(top1 or 1, 'its', 'their')} gold {unit}. The mean weight there is {mass:.2f}."
        )
    if settled[0] == 1:
        does = "attends" if settled[1] else "does not attend"
        sentence += (
            f" {'Another' if n else 'One'} {unit} is determined by the {unit}s before it. It {does} most to "
            f"its gold {unit}, which does not matter."
        )
    elif settled[0]:
        sentence += (
            f" {'Another ' if n else ''}{settled[0]} {unit}s are determined by the {unit}s before them. "
            f"{settled[1] or 'None'} of these {verb(settled[1] or 1, 'attends', 'attend')} most to "
            f"{verb(settled[1] or 1, 'its', 'their')} gold {unit}, which does not matter."
        )
    return sentence


def describe_beam_tree(width: int, kept: int, dropped: int, best: float, greedy: float, same: bool) -> str:
    """kept, dropped: branches drawn; best, greedy: ln p of its sentence and of the greedy one; same: it is one."""
    sentence = (
        f"Beam width {width}: {counted(kept, 'branch was', 'branches were')} kept, and {dropped or 'none'} of the "
        f"discarded ones {verb(dropped or 1, 'is', 'are')} shown. The sentence ranked first has ln p "
        f"**{format_ln(best)}**."
    )
    if same:
        return f"{sentence} Greedy decoding writes the same sentence."
    if greedy > best:
        return (
            f"{sentence} The greedy sentence has {format_ln(greedy)}, which is more: beam search can lose it, and the "
            "length penalty can rank it lower."
        )
    return f"{sentence} The greedy sentence has {format_ln(greedy)}."


def describe_networks(texts: Mapping[str, str], right: str | None, unit: str = "word") -> str:
    """texts: network → what it writes for the same source."""
    if right is None:
        return f"All networks read the same source. {OUTSIDE}"
    good = [name for name, text in texts.items() if text == right]
    bad = [name for name, text in texts.items() if text != right]
    sentence = f"Correct, {unit} for {unit}: **{join_with_and(good)}**." if good else _none_right(bad)
    return (
        f"{sentence}{f' Not correct: {join_with_and(bad)}.' if good and bad else ''} The correct answer is "
        f"“{markdown_text(right)}”."
    )


def _none_right(names: Sequence[str]) -> str:
    return (
        "**None of them** writes the correct answer."
        if len(names) > 1
        else "The network does not write the correct answer."
    )


def describe_accuracy_by_length(
    shares: Mapping[str, Array],
    lengths: Sequence[int],
    trained: int | None,
    n: str,
    what: str,
    labels: Sequence[str] | None = None,
) -> str:
    """shares: network → share right at each of the lengths; NaN where it was not measured; n: texts of each length.

    labels: how the lengths are called, such as "3 to 8 words" for a class of lengths; else the number itself.
    """
    named = dict(zip(lengths, labels or map(str, lengths), strict=True))
    parts = []
    for name, values in shares.items():
        known = [(length, value) for length, value in zip(lengths, values, strict=True) if np.isfinite(value)]
        inside = [(length, value) for length, value in known if trained is None or length <= trained]
        shares_by_length = [
            f"{100 * value:.0f} % at {named[length]}" for length, value in dict.fromkeys([*inside[:1], *inside[-1:]])
        ]
        if len(known) > len(inside):
            shares_by_length.append(
                f"{100 * known[-1][1]:.0f} % at {named[known[-1][0]]}, a length it was not trained on"
            )
        parts.append(f"**{name}** {', '.join(shares_by_length) or 'was not tested'}")
    return f"{what}, {n}: {'; '.join(parts)}."


def describe_typed_unknown(unknown: Mapping[str, tuple[int, int]]) -> str:
    """unknown: network → (unknown tokens, all tokens) of the source that is typed."""
    parts = [f"{count} of {counted(size, 'token')} for the **{name}**" for name, (count, size) in unknown.items()]
    return f"Unknown in this source: {join_with_and(parts)}."


def describe_unknown_words(
    n_words: Sequence[int], shares: Mapping[str, Array], unknown: Mapping[str, Array], n: int
) -> str:
    """shares: network → share right (N,) with each number of misspelt words; unknown: the share of unknown tokens (N,);
    n: sentences for each number."""
    parts = [
        f"**{name}** "
        + ", ".join(
            f"{100 * share:.0f} % correct with {count} misspelt ({100 * lost:.1f} % of its tokens unknown)"
            for count, share, lost in zip(n_words, values, unknown[name], strict=True)
        )
        for name, values in shares.items()
    ]
    return f"{counted(n, 'new sentence')} per point, tested here: {'; '.join(parts)}."


def describe_ablation(a: str, b: str, ablation: str, exact: tuple[float, float], n: int, unit: str = "word") -> str:
    """a, b: what is written whole and without; ablation: "without layer norm", "the same" where nothing is removed;
    exact: shares of n fresh sentences right."""
    fresh = counted(n, "new sentence")
    if ablation == "the same":
        return (
            f"Nothing is removed yet, so A and B are the same. **{100 * exact[0]:.0f} %** of {fresh} "
            f"{verb(n, 'is', 'are')} correct."
        )
    other = f"“{markdown_text(shortened(b, unit))}”" if b.strip() else f"no {unit}"
    verdict = "the same sentence" if a == b else other
    return (
        f"{ablation[0].upper()}{ablation[1:]} the network writes {verdict}. Of {fresh}, the full model writes "
        f"**{100 * exact[0]:.0f} %** correctly, {unit} for {unit}; {ablation} the network writes "
        f"**{100 * exact[1]:.0f} %** correctly."
    )


def describe_nouns(nouns: Sequence[str], probabilities: Array) -> str:
    """nouns, probabilities (N,): what “it” may mean, the most likely first."""
    first = f"The model gives {bold(nouns[0])} a probability of {probabilities[0]:.2f}."
    if len(probabilities) == 1:
        return f"{first} There is no other noun."
    most = "less than 0.01" if probabilities[1] < 0.01 else f"at most {probabilities[1]:.2f}"
    return f"{first} Any other noun has {most}."


def describe_referent(noun: str, probability: float, right: str | None) -> str:
    """noun: what the model says that “it” means; right: what it does mean, where the sentence leaves no doubt."""
    sentence = f"The model predicts that “it” is the {bold(noun)}, with probability {probability:.2f}."
    if right is None:
        return f"{sentence} {OUTSIDE}"
    return f"{sentence} {'This is correct.' if noun == right else f'The correct noun is the {bold(right)}.'}"


def describe_adjective_and_referent(adjective: Array, referent: Array) -> str:
    """adjective, referent (L,): the weight that “it” gives to the adjective and to the noun meant, layer by layer.

    The adjective alone tells which noun is meant, so whoever finds the noun must have looked at the adjective before.
    """
    first, second = int(adjective.argmax()), int(referent.argmax())
    sentence = (
        f"“it” attends most to the adjective in layer {first} ({adjective[first]:.2f}), and most to the noun that is "
        f"meant in layer {second} ({referent[second]:.2f}). Only the adjective decides which noun is meant."
    )
    attends = "attends to it first" if first < second else "does not attend to it first here"
    return f"{sentence} The model {attends}."
