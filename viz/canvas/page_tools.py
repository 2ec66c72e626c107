"""What is on a page beside its figures: the link, the stage, the step of a lesson, and a question for a class."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from viz.canvas.components import component
from viz.canvas.posts import acknowledged, take
from viz.pack import pack
from viz.theme import Theme


@dataclass(frozen=True)
class StripPart:
    """One part of a Transformer in the strip at the head of a page."""

    name: str
    label: str
    hint: str  # what a click opens
    lit: bool  # whether the page is about it


@dataclass(frozen=True)
class PageState:
    """What stands at the head of a page."""

    mode: str  # "present", "embed" or "" for the page as it is
    figure: str  # the one that is alone
    code: Mapping[str, Any] | None  # the QR code, in the run after a person requested it
    opened: int  # how many links of the page itself were followed: each begins at the top
    strip: Sequence[StripPart]
    join: str  # the code of the class in the link that was opened; "" for none
    followed: int  # the number of the last move of the lecturer that this page has followed, -1 for none
    lookahead: Sequence[str]  # the keys of the switches whose clicks the browser may answer before the server
    removed: Sequence[str]  # those of them that are off


def share(
    state: PageState,
    *,
    key: str,
    theme: Theme,
    on_present: Callable[[str], None],
    on_code: Callable[[str], None],
    on_part: Callable[[str], None],
    on_follow: Callable[[str, str, int], None],
) -> None:
    """The strip of the model's parts; Copy link, QR code, one figure alone, and a class.

    on_present is called with the figure that is presented, or "" when that ends; on_code with the link to encode;
    on_part with the name of the part whose page is to be opened; on_follow with page and parameters of the link that
    the lecturer of a class shows, and the number of this move.
    """
    header = {
        "stage": {"mode": state.mode, "figure": state.figure},
        "acknowledged": acknowledged(key),
        "code": state.code,
        "opened": state.opened,
        "join": state.join,
        "followed": state.followed,
        "strip": [vars(part) for part in state.strip],
        "lookahead": list(state.lookahead),
        "removed": list(state.removed),
        "theme": vars(theme),
    }
    component("share")(
        key=key,
        data=pack(header),
        on_present_change=lambda: on_present(str(take(key, "present")[1])),
        on_code_change=lambda: on_code(str(st.session_state[key]["code"]["link"])),
        on_part_change=lambda: on_part(str(st.session_state[key]["part"])),
        on_follow_change=lambda: _follow(st.session_state[key]["follow"], on_follow),
        on_themed_change=lambda: None,  # the run that it causes is all that is wanted
    )


def _follow(link: Mapping[str, Any], on_follow: Callable[[str, str, int], None]) -> None:
    on_follow(str(link["page"]), str(link["query"]), int(link["move"]))


@dataclass(frozen=True)
class LessonView:
    """One step of a lesson as the page shows it."""

    lesson: str  # its name in links
    title: str
    step: int  # the one that is open, from 0
    headings: Sequence[str]  # of all steps
    figure: str  # the key of the figure to look at, or ""
    question: str
    choices: Sequence[str]
    answer: str  # the one that a person gave
    verdict: str  # "right", "wrong", "none", or "" before there is an answer
    feedback: str  # the sentence about the answer
    covered: bool  # the figures and what they say are covered: no answer has been checked
    open_figures: Sequence[str]  # keys of those that are drawn all the same
    tolerance: float  # how far a right number may be from the measured one
    measured: str  # the measured answer once it is shown, or ""


def lesson_step(
    view: LessonView,
    *,
    key: str,
    theme: Theme,
    on_step: Callable[[int], None],
    on_answer: Callable[[str], None],
    on_show: Callable[[], None],
    on_leave: Callable[[], None],
) -> None:
    """The position in a lesson, its question, and the way to the next step.

    on_answer is called with the answer, or with "" when a person wants to see the right one; on_show when they want to
    see what is covered without an answer.
    """
    header = {
        "name": view.lesson,
        "title": view.title,
        "step": view.step,
        "headings": list(view.headings),
        "figure_key": view.figure,
        "question": view.question,
        "choices": list(view.choices),
        "answer": view.answer,
        "verdict": view.verdict,
        "feedback": view.feedback,
        "covered": view.covered,
        "open_figures": list(view.open_figures),
        "tolerance": view.tolerance,
        "measured": view.measured,
        "theme": vars(theme),
    }
    component("lesson")(
        key=key,
        data=pack(header),
        on_step_change=lambda: on_step(int(st.session_state[key]["step"])),
        on_answer_change=lambda: on_answer(str(st.session_state[key]["answer"])),
        on_show_change=on_show,
        on_leave_change=on_leave,
    )


@dataclass(frozen=True)
class ClassQuestion:
    """A question about the page that the lecturer of a class can ask."""

    text: str
    choices: Sequence[str]  # none: the answer is a number
    measured: str  # the measured answer once it is shown, or ""


def class_question(question: ClassQuestion, *, key: str, theme: Theme, on_reveal: Callable[[], None]) -> None:
    """Offers the question under “Ask” of a class; it draws nothing.

    on_reveal is called when the lecturer reveals the measured answer to the class.
    """
    header = {
        "theme": vars(theme),
        "text": question.text,
        "choices": list(question.choices),
        "measured": question.measured,
    }
    component("class_question")(key=key, data=pack(header), on_reveal_change=on_reveal)
