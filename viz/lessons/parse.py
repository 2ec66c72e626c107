"""From a Markdown file to a lesson: front matter, then steps, each a heading, a few `key: value` lines, and its text.

    ---
    title: Which words may attend to which?
    about: Nothing from the future, and what it costs.
    order: 4
    minutes: 10
    claims: D1 D2
    ---
    ## Nothing from the future
    page: masks
    state: ?layer=1&query=9
    look: stages
    question: How much of its attention goes to words that come later?
    answer: ahead(layer=1, row=9)

    The text of the step, in Markdown.

`page` is a file of viz/pages, `state` the query string of a link, `look` the key of the figure to look at. `choices`,
separated by |, turn a question into buttons. Without them the reader types a number, which is right when it is `within`
this much of the answer. `answer` names a function that computes the answer from the page as it stands: a number written
there would be right for one state only. `because` is the feedback to a right answer. Until an answer is checked, the
figures of the page and their texts are covered. `open` names those, separated by spaces, whose drawing is needed for
the answer and does not give it away. Nothing is drawn here: this file only reads.
"""

import ast
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qsl

from viz.lessons.lesson import Call, Fault, Lesson, LessonError, Question, Step
from viz.lessons.old_answers import of_today

NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
KEY = re.compile(r"[A-Za-z0-9_-]+")  # of a figure; it becomes part of a style rule
SETTING = re.compile(r"([A-Za-z]+):(?:\s+(.*))?")
FENCE = re.compile(r"\s*(```|~~~)")
LARGEST = 200_000  # characters
RESERVED = ("lesson", "present", "figure")  # names in the address that the lab itself sets

Answers = Mapping[str, frozenset[str]]  # functions that compute answers, and the names of what they take


def read_folders(folders: Iterable[Path], pages: frozenset[str], answers: Answers) -> tuple[list[Lesson], list[Fault]]:
    """All lessons of these folders in their order, and what is wrong with the files that are skipped.

    pages, answers: what a step may name.
    """
    lessons: dict[str, Lesson] = {}
    faults = []
    for folder in folders:
        if not folder.is_dir():
            faults.append(Fault(str(folder), 1, "there is no such folder."))
            continue
        for path in sorted(folder.glob("*.md")):
            try:
                lesson = read(path, pages, answers)
                if lesson.name in lessons:
                    raise _wrong(path, 1, f"there is already a lesson “{lesson.name}”; give this file another name.")
                lessons[lesson.name] = lesson
            except LessonError as error:
                faults.append(error.fault)
    return sorted(lessons.values(), key=lambda lesson: (lesson.order, lesson.name)), faults


def read(path: Path, pages: frozenset[str], answers: Answers) -> Lesson:
    """The lesson in this file.

    Raises:
        LessonError: it is none; says in which line.
    """
    if not NAME.fullmatch(path.stem):
        raise _wrong(
            path, 1, "a lesson's file name may have small letters, digits and hyphens only: it is part of the address."
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise _wrong(path, line, "this is not UTF-8 text.") from None
    except OSError as error:
        raise _wrong(path, 1, f"it cannot be read ({error.strerror}).") from None
    if len(text) > LARGEST:
        raise _wrong(path, 1, f"{len(text):,} characters are too many: a lesson may have up to {LARGEST:,}.")
    lines = text.splitlines()
    end = _end_of_front_matter(path, lines)
    settings = _settings(path, lines, 1, end, {"title", "about", "order", "minutes", "claims"})
    if not settings.get("title", (0, ""))[1]:
        raise _wrong(path, 1, "the front matter names no title.")
    steps = tuple(_step(path, lines, *span, pages, answers) for span in _sections(path, lines, end + 1))
    if not steps:
        raise _wrong(path, len(lines) or 1, "there is no step; a step begins with a heading, “## …”.")
    return Lesson(
        name=path.stem,
        title=settings["title"][1],
        about=settings.get("about", (0, ""))[1],
        order=_number(path, settings["order"]) if "order" in settings else math.inf,
        minutes=round(_number(path, settings["minutes"])) if "minutes" in settings else 0,
        claims=tuple(re.split(r"[,\s]+", settings["claims"][1])) if "claims" in settings else (),
        steps=steps,
    )


def _wrong(path: Path, line: int, message: str) -> LessonError:
    return LessonError(Fault(path.name, line, message))


def _end_of_front_matter(path: Path, lines: list[str]) -> int:
    """The line, from 0, that closes the lesson's own settings."""
    if not lines or lines[0].strip() != "---":
        raise _wrong(path, 1, "a lesson begins with a line “---”, its title, and another “---”.")
    end = next((index for index in range(1, len(lines)) if lines[index].strip() == "---"), None)
    if end is None:
        raise _wrong(path, 1, "the front matter has no end; close it with a line “---”.")
    return end


def _settings(path: Path, lines: list[str], start: int, end: int, known: set[str]) -> dict[str, tuple[int, str]]:
    """`key: value` lines as key → (line from 1, value)."""
    settings: dict[str, tuple[int, str]] = {}
    for index in range(start, end):
        if not lines[index].strip():
            continue
        match = SETTING.fullmatch(lines[index].strip())
        if not match:
            raise _wrong(path, index + 1, f"“{lines[index].strip()[:40]}” is not of the form “key: value”.")
        key, value = match[1], (match[2] or "").strip()
        if key not in known:
            raise _wrong(path, index + 1, f"“{key}” is not known here; known are {', '.join(sorted(known))}.")
        if key in settings:
            raise _wrong(path, index + 1, f"“{key}” is given twice.")
        settings[key] = (index + 1, value)
    return settings


def _number(path: Path, setting: tuple[int, str]) -> float:
    line, value = setting
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or number < 0:
        raise _wrong(path, line, f"“{value}” is not a number of 0 or more.")
    return number


def _sections(path: Path, lines: list[str], start: int) -> Iterator[tuple[int, int]]:
    """First and last line, from 0 and exclusive, of every step: from its heading to the next."""
    heads, fenced = [], False
    for index in range(start, len(lines)):
        fenced ^= bool(FENCE.match(lines[index]))
        if not fenced and re.match(r"##? ", lines[index]):
            heads.append(index)
        elif not heads and lines[index].strip():
            raise _wrong(path, index + 1, "this text stands before the first heading and belongs to no step.")
    yield from pairwise([*heads, len(lines)])


STEP = {"page", "state", "look", "question", "choices", "answer", "within", "because", "open"}


def _step(path: Path, lines: list[str], start: int, end: int, pages: frozenset[str], answers: Answers) -> Step:
    blank = next((index for index in range(start + 1, end) if not lines[index].strip()), end)
    settings = _settings(path, lines, start + 1, blank, STEP)
    text = "\n".join(lines[blank:end]).strip()
    if not text:
        raise _wrong(path, start + 1, "this step has no text; write it after an empty line.")
    if "page" not in settings:
        raise _wrong(path, start + 1, "this step names no page.")
    line, page = settings["page"]
    if page not in pages:
        raise _wrong(path, line, f"there is no page “{page}”; there are {', '.join(sorted(pages))}.")
    look = settings.get("look", (0, ""))
    if look[1] and not KEY.fullmatch(look[1]):
        raise _wrong(path, look[0], f"“{look[1]}” is not the key of a figure.")
    return Step(
        title=lines[start].lstrip("#").strip(),
        text=text,
        page=page,
        state=_state(path, settings["state"]) if "state" in settings else (),
        figure=look[1],
        question=_question(path, settings, answers),
        line=start + 1,
    )


def _state(path: Path, setting: tuple[int, str]) -> tuple[tuple[str, str], ...]:
    line, value = setting
    try:
        pairs = tuple(parse_qsl(value.removeprefix("?"), keep_blank_values=True, strict_parsing=bool(value.strip("?"))))
    except ValueError:
        raise _wrong(path, line, f"“{value}” is not the query of a link, like ?layer=2&scale=false.") from None
    reserved = [name for name, _ in pairs if name in RESERVED]
    if reserved:
        raise _wrong(path, line, f"“{reserved[0]}” cannot be part of a state; the lab sets it.")
    return pairs


def _question(path: Path, settings: dict[str, tuple[int, str]], answers: Answers) -> Question | None:
    alone = next((key for key in ("answer", "choices", "within", "because", "open") if key in settings), None)
    if "question" not in settings:
        if alone:
            raise _wrong(path, settings[alone][0], f"“{alone}” needs a question.")
        return None
    line, text = settings["question"]
    if "answer" not in settings:
        raise _wrong(path, line, "this question has no answer: name the function that computes it.")
    choices: tuple[str, ...] = ()
    if "choices" in settings:
        choices = tuple(part.strip() for part in settings["choices"][1].split("|"))
        if len(choices) < 2 or not all(choices) or len(set(choices)) < len(choices):
            raise _wrong(path, settings["choices"][0], "choices are two or more different answers, separated by “|”.")
    open_figures = tuple(settings["open"][1].split()) if "open" in settings else ()
    if strange := [key for key in open_figures if not KEY.fullmatch(key)]:
        raise _wrong(path, settings["open"][0], f"“{strange[0]}” is not the key of a figure.")
    return Question(
        text=text,
        answer=_call(path, settings["answer"], answers),
        choices=choices,
        tolerance=_number(path, settings["within"]) if "within" in settings else 0.01,
        explanation=settings.get("because", (0, ""))[1],
        open_figures=open_figures,
    )


def _call(path: Path, setting: tuple[int, str], answers: Answers) -> Call:
    """`name(key=value, …)` with plain values. It is read, never run."""
    line, source = setting
    try:
        node = ast.parse(source, mode="eval").body
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.args:
            raise ValueError
        arguments = {str(word.arg): ast.literal_eval(word.value) for word in node.keywords if word.arg}
        if len(arguments) < len(node.keywords) or not all(isinstance(v, int | float | str) for v in arguments.values()):
            raise ValueError
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        hint = "an answer is computed, like most_attended(row=10); a number or word here would be right once only."
        raise _wrong(path, line, f"“{source[:60]}”: {hint}") from None
    name, arguments = of_today(node.func.id, arguments)
    if name not in answers:
        raise _wrong(path, line, f"no function “{name}” computes answers; there are {', '.join(sorted(answers))}.")
    takes = answers[name]
    if strange := sorted(arguments.keys() - takes):
        raise _wrong(path, line, f"“{name}” does not take “{strange[0]}”; it takes {', '.join(sorted(takes))}.")
    return Call(name, tuple(arguments.items()))
