"""Lessons on the screen: which there are, the step that is open, and the way from one step's page to the next."""

import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path

import streamlit as st

from viz import canvas
from viz.labels import escape_markdown, markdown
from viz.lessons import grading
from viz.lessons.lesson import Fault, Lesson, Step
from viz.lessons.parse import read_folders
from viz.pages.lessons import answers
from viz.pages.lessons.answers.on_screen import NotYet
from viz.ui import present, server_cache, visitor
from viz.ui.links.old_links import of_today
from viz.ui.state import Key, clear, key_of

SHIPPED = visitor.PAGES.parent / "lessons"
CONTENTS = "lessons"  # the page that lists them
FOLDERS = "ATTENTION_LAB_LESSONS"  # further folders, in the environment


def folders() -> list[Path]:
    """Where lessons are: the lab's own, those of the environment, and those named after `streamlit run app.py --`."""
    reader = ArgumentParser(add_help=False)
    reader.add_argument("--lessons", action="append", default=[], metavar="FOLDER")
    named = reader.parse_known_args(sys.argv[1:])[0].lessons
    further = [folder for folder in os.environ.get(FOLDERS, "").split(os.pathsep) if folder]
    return [SHIPPED, *(Path(folder).expanduser() for folder in (*further, *named))]


def load_lessons() -> tuple[dict[str, Lesson], list[Fault]]:
    """Every lesson by its name, in order, and what is wrong with the files that are skipped. A changed one is new."""
    places = folders()
    stamps = tuple((str(path), _stamp(path)) for place in places for path in sorted(place.glob("*.md")))
    return _read(tuple(map(str, places)), stamps)


def _stamp(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:  # a link to nothing; reading it reports that
        return 0


@server_cache.cached
def _read(places: tuple[str, ...], stamps: tuple[tuple[str, int], ...]) -> tuple[dict[str, Lesson], list[Fault]]:
    pages = frozenset(visitor.page_names()) - {CONTENTS}
    lessons, faults = read_folders(map(Path, places), pages, answers.names())
    return {lesson.name: lesson for lesson in lessons}, faults


def lesson_parameter(name: str, index: int) -> str:
    """A step in the address: "masks.3" is the third of the lesson “masks”."""
    return f"{name}.{index + 1}"


def find_lesson(parameter: str) -> tuple[Lesson, int] | None:
    """The lesson and the step, from 0, that an address names; a step that is not there gives the nearest that is."""
    name, _, number = parameter.partition(".")
    lesson = load_lessons()[0].get(name)
    if lesson is None:
        return None
    step = int(number) if number.isascii() and number.isdecimal() and len(number) < 5 else 1
    return lesson, min(max(step, 1), len(lesson.steps)) - 1


def show_banner(page: str) -> None:
    """Show the open step above the page; or go to the page of a step that was chosen on another page."""
    parameter_asked = st.session_state.pop(Key.LESSON_ASKED, None)
    if parameter_asked is not None and page != CONTENTS:
        # The controls of this page hold its part of the address; on the page of lessons there are none.
        st.switch_page(visitor.script_of(CONTENTS), query_params=_address(parameter_asked))
    parameter = parameter_asked or st.query_params.get("lesson", "")
    lesson_and_step = find_lesson(parameter)
    if lesson_and_step is None:
        if parameter:
            st.info(f"There is no lesson “{markdown(parameter)}” here. The page Lessons lists all lessons.")
        return
    lesson, index = lesson_and_step
    elsewhere = page != lesson.steps[index].page
    by_name = lesson.steps[index].state and not set(st.query_params) - {"lesson", "present"}
    if page == CONTENTS or (Key.LESSONS_SEEN not in st.session_state and (elsewhere or by_name)):
        _arrive(lesson, index)  # a link to another page than the step's, or one that names the step and not its state
    _last_steps()[lesson.name] = index
    _strip(lesson, index)


def _address(parameter: str, state: Iterable[tuple[str, str]] = ()) -> list[tuple[str, str]]:
    now = present.presentation()
    presented = [("present", "true")] if now.mode == "present" and parameter else []
    return [*state, *([("lesson", parameter)] if parameter else []), *presented]


def _arrive(lesson: Lesson, index: int) -> None:
    """Open the step's page in the step's own state: nothing of what was set before is left."""
    clear(keep=[Key.LESSONS_SEEN])
    step = lesson.steps[index]
    st.switch_page(
        visitor.script_of(step.page), query_params=_address(lesson_parameter(lesson.name, index), _of_today(step))
    )


def _of_today(step: Step) -> list[tuple[str, str]]:
    """The state of a step under the names of today: a lesson that was written for an earlier version still opens."""
    address: dict[str, list[str]] = {}
    for name, value in step.state:
        address.setdefault(name, []).append(value)
    return [(name, value) for name, values in of_today(step.page, address).items() for value in values]


def _last_steps() -> dict[str, int]:
    seen: dict[str, int] = st.session_state.setdefault(Key.LESSONS_SEEN, {})
    return seen


def _strip(lesson: Lesson, index: int) -> None:
    step = lesson.steps[index]
    verdict, given, message, measured = _judged(lesson, index)
    covered = _is_covered(lesson, index)
    with st.container(key="lesson", gap=None):
        with st.container(key="lesson_text"):
            st.markdown(f"## {step.title}\n\n{step.text}")
        canvas.lesson_step(
            canvas.LessonView(
                lesson=lesson.name,
                title=lesson.title,
                step=index,
                headings=[step.title for step in lesson.steps],
                figure=step.figure,
                question=step.question.text if step.question else "",
                choices=step.question.choices if step.question else (),
                answer=given,
                verdict=verdict,
                feedback=message,
                covered=covered,
                open_figures=step.question.open_figures if step.question else (),
                tolerance=step.question.tolerance if step.question else 0.0,
                measured=measured,
            ),
            key="lesson_way",
            theme=visitor.theme(),
            on_step=lambda to: go_to_step(lesson, to),
            on_answer=lambda answer: _answered(lesson, index, answer),
            on_show=lambda: _show_anyway(lesson, index),
            on_leave=_leave,
        )
        if covered:  # a mark for viz/ui/lesson.css, which covers the page before any of it is drawn
            with st.container(key="lesson_covered"):
                st.html("<i></i>")


def go_to_step(lesson: Lesson, to: int) -> None:
    """Ask for a step, from 0; beyond the last is the page of lessons."""
    st.session_state[Key.LESSON_ASKED] = lesson_parameter(lesson.name, max(to, 0)) if to < len(lesson.steps) else ""
    if to >= len(lesson.steps):
        _last_steps()[lesson.name] = len(lesson.steps)


def _leave() -> None:
    st.query_params.pop("lesson", None)


def _answered(lesson: Lesson, index: int, given: str) -> None:
    st.session_state[Key.LESSON_GIVEN] = (lesson.name, index, given[:60])


def _show_anyway(lesson: Lesson, index: int) -> None:
    st.session_state[Key.LESSON_SHOWN] = (lesson.name, index)


def _is_covered(lesson: Lesson, index: int) -> bool:
    """Whether the figures of this step are covered: it asks something, and no answer to it has been checked.

    An answer that cannot be checked, such as a word instead of a number, leaves them covered.
    """
    question = lesson.steps[index].question
    if question is None or st.session_state.get(Key.LESSON_SHOWN) == (lesson.name, index):
        return False
    name, number, given = st.session_state.get(Key.LESSON_GIVEN, ("", 0, ""))
    checked = not given or bool(question.choices) or grading.is_number(given)
    return (name, number) != (lesson.name, index) or not checked


def _judged(lesson: Lesson, index: int) -> tuple[str, str, str, str]:
    """What to say to the answer that was given to this step: "right", "wrong" or "none", the answer, and a sentence.

    The last value is the right answer, "" while it is not shown. It is computed for what is on the screen now, not for
    what the lesson showed when it was written.
    """
    step = lesson.steps[index]
    name, number, given = st.session_state.get(Key.LESSON_GIVEN, ("", 0, ""))
    if step.question is None or (name, number) != (lesson.name, index):
        return "", "", "", ""
    try:
        answer = answers.compute(step.question.answer)
    except NotYet as error:
        return "none", given, str(error), ""
    except ValueError:
        return "none", given, "This question cannot be answered with the current settings. Open the step again.", ""
    asks_number = not isinstance(answer, str) and not step.question.choices
    formatted = given if step.question.choices and given else grading.format_answer(answer, step.question)
    right = grading.right_answer(step.question, answer)
    if not given:
        return "none", given, f"The answer is {formatted}. {step.question.explanation}", right
    if grading.is_right(step.question, given, answer):
        return "right", given, f"{formatted} is right. {step.question.explanation}", right
    if asks_number and not grading.is_number(given):
        return "wrong", given, "Please enter a number, such as 3 or 0.25.", ""
    return "wrong", given, "That is not what the model computes. Look again.", ""


def show_contents() -> None:
    """Every lesson with its claim to one's time, and the files that could not be read."""
    lessons, faults = load_lessons()
    st.sidebar.caption("To add a folder of your own lessons:")
    st.sidebar.code("streamlit run app.py \\\n  -- --lessons FOLDER", language=None)
    for number, lesson in enumerate(lessons.values()):
        if number % 2 == 0:
            columns = st.columns(2, gap="large")
        with columns[number % 2].container(key=f"entry_{lesson.name}", gap=None):
            _entry(lesson, _last_steps().get(lesson.name))
    if faults:
        listed = "\n".join(f"- {escape_markdown(str(fault))}" for fault in faults)
        st.warning(f"Some files could not be read and were skipped:\n{listed}")


def _entry(lesson: Lesson, seen: int | None) -> None:
    over = seen == len(lesson.steps)
    begin = 0 if over else seen or 0
    st.button(
        lesson.title, key=key_of(Key.OPEN, lesson.name), type="tertiary", on_click=go_to_step, args=(lesson, begin)
    )
    size = [
        "1 step" if len(lesson.steps) == 1 else f"{len(lesson.steps)} steps",
        *([f"{lesson.minutes} minutes"] if lesson.minutes else []),
    ]
    again = ["you have reached its end"] if over else [f"you were at step {seen + 1}"] if seen else []
    st.markdown(f"{lesson.about}  \n:gray[{' · '.join([*size, *again])}]")
