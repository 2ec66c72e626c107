"""Words that a word vocabulary lacks: fresh sentences with misspelt words, and how many each network translates.

Sub-words were introduced for words that training has not seen (Sennrich et al. 2016, section 1). The generator of the
sentences has a closed vocabulary, so an unknown word has to be made: two neighbouring letters are exchanged. The right
translation stays that of the word as it was.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from random import Random

from model.evaluation.fresh_accuracy import SEED, SENTENCES
from model.evaluation.seq2seq import exact_match
from model.run import get_seq2seq
from model.tasks import PAIRS, Pair
from model.tasks.pair_sampling import draw_pairs
from model.tokenizer import UNKNOWN

TASK = "translation"
MISSPELT = (0, 1, 2)  # words of a sentence
LEAST_LETTERS = 4  # of a word that is misspelt


def misspellings(word: str) -> tuple[str, ...]:
    """The word with two neighbouring letters exchanged, in every way that keeps the first letter and is no known word.

    Empty for a word of fewer than LEAST_LETTERS letters.
    """
    if len(word) < LEAST_LETTERS:
        return ()
    swapped = (word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(1, len(word) - 1))
    return tuple(other for other in dict.fromkeys(swapped) if other not in (word, *PAIRS[TASK].words))


@lru_cache(maxsize=len(MISSPELT))
def misspelt_pairs(n_words: int) -> tuple[Pair, ...]:
    """SENTENCES held-out pairs with `n_words` misspelt source words. The sentences are the same for every number.

    Raises:
        ValueError: n_words is not in MISSPELT.
    """
    if n_words not in MISSPELT:
        raise ValueError(f"the number of misspelt words is one of {MISSPELT}")
    rng, drawn = Random(SEED), _long_enough(Random(SEED))
    return tuple(_misspell(next(drawn), rng, n_words) for _ in range(SENTENCES))


def _long_enough(rng: Random) -> Iterator[Pair]:
    while True:
        for pair in draw_pairs(TASK, SENTENCES, rng, fresh=True):
            if sum(bool(misspellings(word)) for word in pair.source) >= MISSPELT[-1]:
                yield pair


def _misspell(pair: Pair, rng: Random, n_words: int) -> Pair:
    """The pair with its first `n_words` words of a random order misspelt. The draws do not depend on `n_words`."""
    words = list(pair.source)
    positions = rng.sample([p for p, word in enumerate(words) if misspellings(word)], MISSPELT[-1])
    others = [rng.choice(misspellings(words[p])) for p in positions]
    for position, other in zip(positions[:n_words], others[:n_words], strict=True):
        words[position] = other
    return replace(pair, source=tuple(words))


def misspelt_accuracy(weights: str, n_words: int) -> float:
    """Exact match on the sentences with `n_words` misspelt words."""
    return exact_match(*get_seq2seq(weights), misspelt_pairs(n_words))


def unknown_tokens(weights: str, n_words: int) -> tuple[int, int]:
    """(unknown tokens, all tokens) of these sources as the network reads them, without the start token."""
    tokenizer = get_seq2seq(weights)[1]
    tokens = [token for pair in misspelt_pairs(n_words) for token in tokenizer.encode(pair.source_text).tokens[1:]]
    return tokens.count(UNKNOWN), len(tokens)


def unknown_share(weights: str, n_words: int) -> float:
    """The share of unknown tokens among these."""
    unknown, size = unknown_tokens(weights, n_words)
    return unknown / size
