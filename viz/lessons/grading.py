"""Whether an answer is right, and how it is written: numbers to as many digits as their question needs."""

import math

from viz.lessons.lesson import Question

Answer = float | str


def format_answer(answer: Answer, question: Question) -> str:
    """An answer as people read it: to as many digits as the question asks for."""
    if isinstance(answer, str):
        return answer
    if not math.isfinite(answer):
        return "not a number"
    digits = 0 if question.tolerance >= 1 or answer == round(answer) else 2 if question.tolerance >= 0.005 else 4
    return f"{answer:.{digits}f}"


def is_right(question: Question, given: str, answer: Answer) -> bool:
    """Whether what was chosen or typed is the answer. A decimal comma is a point."""
    if isinstance(answer, str):
        return given.strip().casefold() == answer.casefold()
    if question.choices:
        nearest = min(question.choices, key=lambda choice: abs(_number(choice) - answer))
        return given == nearest and abs(_number(nearest) - answer) <= question.tolerance
    return abs(_number(given) - answer) <= question.tolerance


def right_answer(question: Question, answer: Answer) -> str:
    """The right answer as a person would give it: the choice that is right, or the number. "": no choice is right."""
    if not question.choices:
        return format_answer(answer, question)
    return next((choice for choice in question.choices if is_right(question, choice, answer)), "")


def is_number(given: str) -> bool:
    """Whether what was typed can be read as a number."""
    return not math.isnan(_number(given))


def _number(text: str) -> float:
    try:
        return float(text.strip().removesuffix("%").replace("−", "-").replace(",", "."))
    except ValueError:
        return float("nan")
