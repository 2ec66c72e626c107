"""Which came first? Among letters stand two digits, and only their order answers the question.

    a 7 f c 2 h ?   →   7

The same signs in another order have another answer, so whoever knows no order can only guess between the two: half
of the answers are right. The answer is no part of the text: an encoder, which sees all of it, is asked the same.
"""

from dataclasses import dataclass
from random import Random

DIGITS = tuple("0123456789")
LETTERS = tuple("abcdefgh")
QUERY_TOKEN = "?"
WORDS = (*DIGITS, *LETTERS, QUERY_TOKEN)


@dataclass(frozen=True)
class FirstDigitQuestion:
    """`words` ends in "?"; `first` and `second` are its two digits, in the order in which they stand."""

    words: tuple[str, ...]
    first: str
    second: str

    @property
    def text(self) -> str:
        return " ".join(self.words)


def make_question(length: int, rng: Random) -> FirstDigitQuestion:
    """A question of `length` signs and the question mark.

    Raises:
        ValueError: two digits do not fit in.
    """
    if length < 2:
        raise ValueError(f"a question about two digits has at least 2 signs, not {length}")
    signs = rng.choices(LETTERS, k=length)
    places = sorted(rng.sample(range(length), 2))
    digits = rng.sample(DIGITS, 2)
    for place, digit in zip(places, digits, strict=True):
        signs[place] = digit
    return FirstDigitQuestion((*signs, QUERY_TOKEN), *digits)
