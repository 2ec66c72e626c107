"""The first-digit task: a sequence of letters contains two digits, and the answer is the first of them.

    a 7 f c 2 h ?   →   7

The same symbols in another order have another answer, so a model without positions can only guess between two digits,
with an accuracy of one half. The answer is not part of the text, so an encoder can be trained on the task too.
"""

from dataclasses import dataclass
from random import Random

DIGITS = tuple("0123456789")
LETTERS = tuple("abcdefgh")
QUERY_TOKEN = "?"
WORDS = (*DIGITS, *LETTERS, QUERY_TOKEN)


@dataclass(frozen=True)
class FirstDigitQuestion:
    """`words` ends in "?"; `first` and `second` are its two digits in their order."""

    words: tuple[str, ...]
    first: str
    second: str

    @property
    def text(self) -> str:
        return " ".join(self.words)


def make_question(length: int, rng: Random) -> FirstDigitQuestion:
    """A question of `length` symbols and the question mark.

    Raises:
        ValueError: `length` is less than 2.
    """
    if length < 2:
        raise ValueError(f"a question about two digits has at least 2 symbols, not {length}")
    signs = rng.choices(LETTERS, k=length)
    places = sorted(rng.sample(range(length), 2))
    digits = rng.sample(DIGITS, 2)
    for place, digit in zip(places, digits, strict=True):
        signs[place] = digit
    return FirstDigitQuestion((*signs, QUERY_TOKEN), *digits)
