"""A question to a class, what counts as an answer, and the distribution of the answers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

MAX_TEXT = 400  # characters of a question
MAX_CHOICES = 8
MAX_CHOICE = 80  # characters of a choice
MAX_NUMBER = 24  # characters of a number
BINS = 10  # of the histogram of numbers


class QuestionError(ValueError):
    """Something that is no question, or no answer to one. Its text is one sentence for a person."""


@dataclass(frozen=True)
class Question:
    """One question. Without choices, the answer is a number."""

    text: str
    choices: tuple[str, ...] = ()
    tolerance: float = 0.01  # how far a right number may be from the measured one

    def __post_init__(self) -> None:
        if not self.text or len(self.text) > MAX_TEXT:
            raise QuestionError(f"A question has 1 to {MAX_TEXT} characters.")
        if len(self.choices) == 1 or len(self.choices) > MAX_CHOICES or len(set(self.choices)) < len(self.choices):
            raise QuestionError(f"A question has 2 to {MAX_CHOICES} different choices, or none for a number.")
        if not all(0 < len(choice) <= MAX_CHOICE for choice in self.choices):
            raise QuestionError(f"A choice has 1 to {MAX_CHOICE} characters.")
        if not 0 <= self.tolerance < math.inf:
            raise QuestionError("The tolerance of a number is 0 or more.")

    def read_answer(self, given: str) -> str:
        """The answer as it is kept: the index of a choice, or the number as it was typed.

        Raises:
            QuestionError: it is none of the choices, or no number.
        """
        if self.choices:
            if given not in self.choices:
                raise QuestionError("Choose one of the answers.")
            return str(self.choices.index(given))
        if not math.isfinite(number(given)):
            raise QuestionError("Enter a number, such as 3 or 0.25.")
        return given.strip()

    def show(self, kept: str) -> str:
        """An answer as a person reads it."""
        return self.choices[int(kept)] if self.choices and kept else kept

    def is_right(self, kept: str, right: str) -> bool:
        """Whether a kept answer is the measured one. Numbers may differ by the tolerance."""
        if self.choices:
            return kept == right
        return abs(number(kept) - number(right)) <= self.tolerance + 1e-12


def number(text: str) -> float:
    """A number as people type it; NaN if it is none. A decimal comma is a point."""
    try:
        return float(text.strip()[:MAX_NUMBER].removesuffix("%").replace("−", "-").replace(",", "."))
    except ValueError:
        return math.nan


@dataclass(frozen=True)
class Bar:
    """One bar of the distribution: what it counts, and how many answers."""

    label: str
    count: int


def distribution(question: Question, answers: Sequence[str]) -> list[Bar]:
    """How many of the kept answers each choice has; of numbers, how many are in each interval.

    Up to ten different numbers have a bar each. More are counted in ten intervals of equal width, from the smallest to
    the largest answer; the last interval includes its upper end.
    """
    if question.choices:
        return [Bar(choice, answers.count(str(index))) for index, choice in enumerate(question.choices)]
    numbers = sorted(number(answer) for answer in answers)
    values = sorted(set(numbers))
    if len(values) <= BINS:
        return [Bar(f"{value:g}", numbers.count(value)) for value in values]
    low, width = numbers[0], (numbers[-1] - numbers[0]) / BINS
    counts = [0] * BINS
    for value in numbers:
        counts[min(int((value - low) / width), BINS - 1)] += 1
    return [Bar(f"{low + i * width:.3g} to {low + (i + 1) * width:.3g}", count) for i, count in enumerate(counts)]
