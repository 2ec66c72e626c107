"""What stands on every page beside its figures: the link, the stage, and the step of a lesson."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from viz.canvas.components import component
from viz.canvas.posts import heard, take
from viz.pack import pack
from viz.theme import Theme


def link(
    *,
    key: str,
    mode: str,
    figure: str,
    code: Mapping[str, Any] | None,
    opened: int,
    theme: Theme,
    on_present: Callable[[str], None],
    on_code: Callable[[str], None],
) -> None:
    """Copy link, QR code, and one figure alone.

    mode: "present", "embed" or "" for the page as it is; figure: the one that is alone; code: the QR code in the run
    after it was asked for; opened: how many links of the page itself were followed: each begins at the top.
    on_present is called with the figure that is presented, or "" when that ends; on_code with the link to encode.
    """
    header = {
        "stage": {"mode": mode, "figure": figure},
        "heard": heard(key),
        "code": code,
        "opened": opened,
        "theme": vars(theme),
    }
    component("share")(
        key=key,
        data=pack(header),
        on_present_change=lambda: on_present(str(take(key, "present")[1])),
        on_code_change=lambda: on_code(str(st.session_state[key]["code"]["link"])),
        on_themed_change=lambda: None,  # the run that it causes is all that is wanted
    )


def lesson(
    *,
    key: str,
    name: str,
    title: str,
    at: int,
    steps: Sequence[str],
    look: str,
    question: str,
    choices: Sequence[str],
    given: str,
    verdict: str,
    told: str,
    theme: Theme,
    on_step: Callable[[int], None],
    on_answer: Callable[[str], None],
    on_leave: Callable[[], None],
) -> None:
    """Where one is in a lesson, its question, and the way on.

    steps: their headings; at: the one that is open, from 0; given: what was answered; verdict: "right", "wrong", "none"
    or "" while nothing was answered; told: what is said to it. on_answer is called with the answer, "" to be told it.
    """
    header = {
        "name": name,
        "title": title,
        "at": at,
        "steps": list(steps),
        "look": look,
        "question": question,
        "choices": list(choices),
        "given": given,
        "verdict": verdict,
        "told": told,
        "theme": vars(theme),
    }
    component("lesson")(
        key=key,
        data=pack(header),
        on_step_change=lambda: on_step(int(st.session_state[key]["step"])),
        on_answer_change=lambda: on_answer(str(st.session_state[key]["answer"])),
        on_leave_change=on_leave,
    )
