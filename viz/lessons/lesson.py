"""What a lesson is: steps in order, each a page in a state, what to look at there, and maybe a question."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """What is wrong with a file, and in which of its lines (counted from 1)."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.message}"


class LessonError(ValueError):
    """A file that is no lesson; `fault` says where and why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


@dataclass(frozen=True)
class Call:
    """`strongest(layer=2, row=10)`: which function computes the answer, and of what."""

    name: str
    arguments: tuple[tuple[str, float | str], ...]


@dataclass(frozen=True)
class Question:
    """A question. Without choices the answer is a number, right when it is `within` this much of the true one."""

    text: str
    answer: Call
    choices: tuple[str, ...] = ()
    tolerance: float = 0.01
    explanation: str = ""
    open_figures: tuple[str, ...] = ()  # keys of the figures that are drawn while everything else is still covered


@dataclass(frozen=True)
class Step:
    """One stop: the page and the state it shows, what to look at there, and what to say about it."""

    title: str
    text: str
    page: str
    state: tuple[tuple[str, str], ...] = ()
    figure: str = ""
    question: Question | None = None
    line: int = 0


@dataclass(frozen=True)
class Lesson:
    """Steps in order. `name`, the file's, is its place in the address."""

    name: str
    title: str
    about: str
    order: float
    minutes: int
    claims: tuple[str, ...]
    steps: tuple[Step, ...]
