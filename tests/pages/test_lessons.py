"""Lessons: every shipped one opens and answers truly; broken files are named by line and skipped."""

import re
from functools import cache
from pathlib import Path

import pytest
import streamlit
from screen import ROOT, at_path, notices, visit, well
from streamlit.testing.v1 import AppTest

from model import Experiment, Switches
from model.mask import MaskSpec, mask_from_hex
from model.switches import PARTS
from viz.captions.heads import strip_markdown
from viz.lessons import old_answers
from viz.lessons.grading import format_answer, is_right, right_answer
from viz.lessons.lesson import Call, Lesson, LessonError, Question, Step
from viz.lessons.parse import read, read_folders
from viz.pages.lessons import answers, banner
from viz.pages.lessons.answers.on_screen import OnScreen, on_screen
from viz.pages.training.runs import RUNS
from viz.ui.state import Key

PAGES = frozenset(path.parent.name for path in ROOT.glob("viz/pages/*/page.py")) - {"lessons"}
SHIPPED, FAULTS = read_folders([banner.SHIPPED], PAGES, answers.names())
STEPS = [(lesson, index) for lesson in SHIPPED for index in range(len(lesson.steps))]
every_step = pytest.mark.parametrize(("lesson", "index"), STEPS, ids=lambda value: getattr(value, "name", value))
asking = pytest.mark.parametrize(
    ("lesson", "index"),
    [(lesson, index) for lesson, index in STEPS if lesson.steps[index].question],
    ids=lambda value: getattr(value, "name", value),
)


@cache
def opened(lesson: Lesson, index: int) -> AppTest:
    """The page of a step in the step's state, as its link opens it; opened once for all tests, which only read it."""
    step = lesson.steps[index]
    return visit(f"viz/pages/{step.page}/page.py", **dict(step.state))


def attended(lesson: Lesson, index: int) -> AppTest:
    """The whole app at a step, by the short link to it."""
    screen = AppTest.from_file(str(ROOT / "viz/app/contents.py"), default_timeout=120)
    screen.query_params["lesson"] = banner.lesson_parameter(lesson.name, index)
    return at_path(screen, "lessons").run()


def figures(screen):
    mounts = [mount.proto.id for mount in screen.get("bidi_component")] + [
        chart.proto.id for chart in screen.get("plotly_chart")
    ]
    return {identifier.rpartition("-")[2] for identifier in mounts}


def test_the_lab_ships_eight_lessons_that_follow_the_course():
    assert not FAULTS
    assert [lesson.name for lesson in SHIPPED] == [
        "recurrence",
        "inside",
        "scaling",
        "masks",
        "positions",
        "parts",
        "costs",
        "training",
    ]
    for lesson in SHIPPED:
        assert 4 <= len(lesson.steps) <= 8 and lesson.minutes and lesson.about
        assert all(re.fullmatch(r"[A-H]\d", claim) for claim in lesson.claims)


def test_the_last_step_of_every_lesson_asks_something():
    assert not [lesson.name for lesson in SHIPPED if not lesson.steps[-1].question]


@asking
def test_the_drawings_that_stay_open_are_on_the_page_and_the_words_that_a_step_counts_stand_there(
    lesson, index, monkeypatch
):
    step = lesson.steps[index]
    assert set(step.question.open_figures) <= figures(opened(lesson, index))
    monkeypatch.setattr(streamlit, "session_state", lesson_state(lesson, index))
    for word, position in COUNTED.findall(f"{step.question.text} {step.text}"):
        assert on_screen().words[int(position)] == word


COUNTED = re.compile(r"“([^” ]+)”, word (\d+)")


def test_a_step_is_covered_until_an_answer_is_checked(monkeypatch):
    masks = next(lesson for lesson in SHIPPED if lesson.name == "masks")
    parts = next(lesson for lesson in SHIPPED if lesson.name == "parts")
    inside = next(lesson for lesson in SHIPPED if lesson.name == "inside")
    session = {}
    monkeypatch.setattr(streamlit, "session_state", session)
    assert not banner._is_covered(inside, 0), "a step that asks nothing"
    for lesson, given, covered in (
        (masks, "six", True),
        (masks, "5", False),
        (masks, "0,5", False),
        (masks, "", False),
        (parts, "verb → subject", False),
    ):
        assert banner._is_covered(lesson, 0)
        session[Key.LESSON_GIVEN] = (lesson.name, 0, given)
        assert banner._is_covered(lesson, 0) is covered, given
        assert banner._is_covered(lesson, 1), "another step has a question of its own"
        del session[Key.LESSON_GIVEN]
    session[Key.LESSON_SHOWN] = ("masks", 1)
    assert not banner._is_covered(masks, 1) and banner._is_covered(masks, 2)


@every_step
def test_a_step_opens_without_mishap_and_shows_what_it_points_at(lesson, index):
    screen = well(opened(lesson, index))
    assert "Part of this link could not be used" not in notices(screen)
    step = lesson.steps[index]
    assert step.figure in figures(screen)
    for name, value in step.state:
        used = screen.session_state[name]
        assert (str(used).lower() if isinstance(used, bool) else str(used)) == value


@asking
def test_the_right_answer_is_accepted_and_others_are_not(lesson, index, monkeypatch):
    question = lesson.steps[index].question
    monkeypatch.setattr(streamlit, "session_state", lesson_state(lesson, index))
    if lesson.steps[index].page == "training":
        train_to_the_end(RUNS.find(streamlit.session_state[Key.TRAINING]))
    answer = answers.compute(question.answer)
    if isinstance(answer, str):
        assert answer in question.choices, "the answer is one of the choices in the step's own state"
        assert is_right(question, answer, answer)
        assert not any(is_right(question, choice, answer) for choice in question.choices if choice != answer)
    elif question.choices:
        right = [choice for choice in question.choices if is_right(question, choice, answer)]
        assert len(right) == 1, "one choice is near enough to what is measured"
    else:
        assert is_right(question, format_answer(answer, question), answer), "what is told must count as right"
        for wrong in (answer + 2.5 * question.tolerance + 0.001, answer - 2.5 * question.tolerance - 0.001):
            assert not is_right(question, f"{wrong}", answer)
        assert not any(is_right(question, given, answer) for given in ("", "x", "nan", "inf", "--1"))


def lesson_state(lesson, index):
    """What the controls hold at this step."""
    state = opened(lesson, index).session_state
    return {name: state[name] for name in CONTROLS if name in state}


def train_to_the_end(run):
    """As somebody who presses Play and waits."""
    run.play()
    while not run.wait(1):
        run.touch()  # as a browser does
    assert run.pair.ended


CONTROLS = (
    Key.TRAINING,
    "weights",
    "text",
    "layer",
    "head",
    "mask_kind",
    "mask_size",
    "mask_rows",
    *(part.name for part in PARTS),
)


def test_the_answer_follows_the_live_state():
    call = Call("visible_keys", (("row", 5),))
    masked = answers.ANSWERS[call.name](OnScreen(Experiment(text="a b c d e f ."), 0, 0), row=5)
    free = Experiment(text="a b c d e f .", switches=Switches(mask=False))
    assert (masked, answers.ANSWERS[call.name](OnScreen(free, 0, 0), row=5)) == (6.0, 8.0)


@pytest.mark.parametrize(
    ("given", "right"), [("0,97", True), ("0.97", True), (" .97 ", True), ("0.95", False), ("", False)]
)
def test_a_number_may_be_typed_in_many_ways(given, right):
    assert is_right(Question("?", Call("weight", ())), given, 0.972) is right


def test_a_link_to_a_step_opens_its_page_in_its_state():
    masks = next(lesson for lesson in SHIPPED if lesson.name == "masks")
    screen = well(attended(masks, 3))
    assert screen.query_params["lesson"] == "masks.4"
    assert screen.session_state["mask_kind"] == "none"
    assert "leaks" in figures(screen) and "lesson_way" in figures(screen)


def test_a_link_to_a_step_on_the_page_of_another_opens_the_steps_own():
    screen = AppTest.from_file(str(ROOT / "viz/app/contents.py"), default_timeout=120)
    screen.query_params["lesson"], screen.query_params["scale"] = "masks.1", "false"
    well(screen.run())
    assert {"stages", "lesson_way"} <= set(figures(screen))


def test_without_a_lesson_there_is_no_strip():
    assert "lesson_way" not in figures(visit())


@pytest.mark.parametrize("link", ["nobody.1", "masks.99", "masks", "masks.x", ".", "masks.-1", "<b>.2", "x" * 5000])
def test_a_bad_link_to_a_lesson_harms_nothing(link):
    well(visit(lesson=link))


# Files of others

GOOD = """---
title: Mine
order: 2
---

## One
page: heads
state: ?layer=1
look: grid
question: Which?
choices: a | b
answer: most_attended(row=2)

Text.
"""


def written(folder: Path, text: str | bytes, name: str = "mine.md") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_file_of_ones_own_is_read(tmp_path):
    lesson = read(written(tmp_path, GOOD), PAGES, answers.names())
    question = Question("Which?", Call("most_attended", (("row", 2),)), ("a", "b"))
    assert lesson.steps == (Step("One", "Text.", "heads", (("layer", "1"),), "grid", question, 6),)


def test_a_lesson_that_was_written_for_an_earlier_version_opens_its_state(tmp_path, monkeypatch):
    old = GOOD.replace("page: heads", "page: masks").replace(
        "?layer=1", "?looks=prefix&size=4&section=Cheating&token=5"
    )
    written(tmp_path, old.replace("look: grid", "look: stages"))
    monkeypatch.setenv(banner.FOLDERS, str(tmp_path))
    screen = AppTest.from_file(str(ROOT / "viz/app/contents.py"), default_timeout=120)
    screen.query_params["lesson"] = "mine.1"
    screen = well(at_path(screen, "lessons").run())
    state = {"mask_kind": "prefix", "mask_size": 4, "view": "Trained without the mask", "query": 5}
    assert {name: screen.session_state[name] for name in state} == state
    assert "Part of this link" not in notices(screen)
    assert {"stages", "lesson_way"} <= set(figures(screen))


def test_the_question_of_a_lesson_is_about_the_mask_on_the_screen(monkeypatch):
    held = {"text": "a b c d e f .", "mask_kind": "prefix", "mask_size": 0}
    monkeypatch.setattr(streamlit, "session_state", held)
    assert on_screen().experiment.mask_spec == MaskSpec("prefix", 0)
    held |= {"mask_kind": "custom", "mask_rows": "1.3.7"}
    assert on_screen().experiment.mask_spec == mask_from_hex("1.3.7")
    held |= {"mask_kind": "trained"}
    assert on_screen().experiment.mask_spec is None


BROKEN = {
    "no front matter": (GOOD.replace("---\ntitle", "title", 1), 1, "---"),
    "front matter without end": (
        GOOD.replace("order: 2\n---", "order: 2", 1).replace("---\ntitle", "---\ntitle"),
        1,
        "no end",
    ),
    "no title": (GOOD.replace("title: Mine\n", ""), 1, "title"),
    "unknown setting": (GOOD.replace("order:", "ordre:"), 3, "ordre"),
    "setting twice": (GOOD.replace("order: 2", "order: 2\norder: 3"), 4, "twice"),
    "order no number": (GOOD.replace("order: 2", "order: second"), 3, "second"),
    "no step": (GOOD.split("## One")[0], 5, "no step"),
    "text before a step": (GOOD.replace("## One", "Hello.\n\n## One"), 6, "before"),
    "no page": (GOOD.replace("page: heads\n", ""), 6, "page"),
    "unknown page": (GOOD.replace("page: heads", "page: heds"), 7, "heds"),
    "bad state": (GOOD.replace("?layer=1", "?layer"), 8, "query"),
    "reserved state": (GOOD.replace("?layer=1", "?lesson=x.1"), 8, "lesson"),
    "bad figure": (GOOD.replace("look: grid", "look: grid, lens"), 9, "grid, lens"),
    "question without answer": (GOOD.replace("answer: most_attended(row=2)\n", ""), 10, "no answer"),
    "answer without question": (GOOD.replace("question: Which?\n", ""), 11, "needs a question"),
    "bad open figure": (GOOD.replace("answer:", "open: grid, lens\nanswer:"), 12, "grid,"),
    "open without question": (
        re.sub("question.*\n|choices.*\n|answer.*\n", "", GOOD).replace("look: grid", "look: grid\nopen: grid"),
        10,
        "needs a question",
    ),
    "one choice": (GOOD.replace("a | b", "a"), 11, "choices"),
    "stored number": (GOOD.replace("most_attended(row=2)", "0.97"), 12, "computed"),
    "unknown function": (GOOD.replace("most_attended(", "most_atended("), 12, "most_atended"),
    "unknown argument": (GOOD.replace("row=2", "rows=2"), 12, "rows"),
    "code": (GOOD.replace("most_attended(row=2)", "__import__('os').system('ls')"), 12, "computed"),
    "no text": (GOOD.replace("Text.\n", ""), 6, "no text"),
    "no setting": (GOOD.replace("look: grid", "look at the grid"), 9, "key: value"),
    "not UTF-8": (GOOD.encode().replace(b"Text.", b"\xff\xfe"), 14, "UTF-8"),
    "empty": ("", 1, "---"),
}


@pytest.mark.parametrize(("text", "line", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_named_by_line(tmp_path, text, line, message):
    with pytest.raises(LessonError) as error:
        read(written(tmp_path, text), PAGES, answers.names())
    assert (error.value.fault.file, error.value.fault.line) == ("mine.md", line)
    assert message in error.value.fault.message


# Every answer line of the lessons of the last release whose function or argument has another name today.
OLD_ANSWERS = {
    "ahead(row=5)": "attention_to_future(row=5)",
    "apart(row=3)": "attention_distance(row=3)",
    'copied(network="GRU without attention", signs=12)': 'copy_accuracy(network="GRU without attention", length=12)',
    'costliest(among="scale norm")': 'most_important_part(parts="scale norm")',
    "ends_at(signs=24)": "schemes_with_a_limit(length=24)",
    'listens(norm="batch norm", replaced=3)': 'affected_sentences(norm="batch norm", replaced=3)',
    'looked_up(says="rue")': 'most_attended_source(target_token="rue")',
    "missed_most()": "most_important_head()",
    'moved_before(at=8, by="bridges")': 'changed_before(position=8, by="bridges")',
    "outside_the_hull()": "output_outside_hull()",
    "reshuffled(position=False, mask=True)": "shuffle_invariant(position=False, mask=True)",
    "seen(row=5)": "visible_keys(row=5)",
    'share_right(scheme="none", signs=16, kind="decoder")': 'accuracy(scheme="none", length=16, kind="decoder")',
    'side_of_entropy(weights="grammar-without-mask")': 'above_or_below_entropy(weights="grammar-without-mask")',
    "strongest(row=10)": "most_attended(row=10)",
}


def answer_of(folder, line):
    return read(written(folder, GOOD.replace("most_attended(row=2)", line)), PAGES, answers.names()).steps[0].question


@pytest.mark.parametrize(("old", "new"), OLD_ANSWERS.items(), ids=OLD_ANSWERS.values())
def test_a_lesson_of_an_earlier_version_asks_for_the_same_answer(tmp_path, old, new):
    assert answer_of(tmp_path, old) == answer_of(tmp_path, new)


def test_every_old_name_of_an_answer_leads_to_one_of_today():
    assert {old.partition("(")[0] for old in OLD_ANSWERS} == old_answers.FUNCTIONS.keys()
    assert set(old_answers.FUNCTIONS.values()) <= answers.ANSWERS.keys()
    assert not old_answers.FUNCTIONS.keys() & answers.ANSWERS.keys()
    for function, arguments in old_answers.ARGUMENTS.items():
        assert set(arguments.values()) <= answers.names()[function]
        assert not arguments.keys() & answers.names()[function]


def test_an_argument_given_under_both_names_is_refused(tmp_path):
    with pytest.raises(LessonError, match="does not take “at”"):
        answer_of(tmp_path, 'moved_before(at=8, position=8, by="bridges")')


def test_a_broken_file_is_skipped_and_the_rest_goes_on(tmp_path, monkeypatch):
    written(tmp_path, GOOD)
    written(tmp_path, GOOD.replace("page: heads", "page: heds"), "other.md")
    written(tmp_path, GOOD, "masks.md")
    written(tmp_path, GOOD, "Bad Name.md")
    (tmp_path / "gone.md").symlink_to(tmp_path / "nowhere.md")
    monkeypatch.setenv(banner.FOLDERS, f"{tmp_path}:{tmp_path / 'nowhere'}")
    screen = well(AppTest.from_file(str(ROOT / "viz/pages/lessons/page.py"), default_timeout=120).run())
    labels = {button.label for button in screen.button}
    assert "Mine" in labels and {lesson.title for lesson in SHIPPED} <= labels
    (warning,) = [strip_markdown(note.value) for note in screen.warning]
    for expected in (
        "other.md, line 7",
        "heds",
        "masks.md, line 1",
        "Bad Name.md",
        "gone.md, line 1",
        "no such folder",
    ):
        assert expected in warning


def test_a_changed_file_is_read_anew(tmp_path, monkeypatch):
    path = written(tmp_path, GOOD)
    monkeypatch.setenv(banner.FOLDERS, str(tmp_path))
    screen = AppTest.from_file(str(ROOT / "viz/pages/lessons/page.py"), default_timeout=120).run()
    path.write_text(GOOD.replace("title: Mine", "title: Mended"), encoding="utf-8")
    labels = {button.label for button in well(screen.run()).button}
    assert "Mended" in labels and "Mine" not in labels


def test_folders_are_named_on_the_command_line(monkeypatch):
    monkeypatch.setattr("sys.argv", ["app.py", "--lessons", "/one", "--other", "--lessons=/two"])
    assert banner.folders()[1:] == [Path("/one"), Path("/two")]


def test_the_right_answer_to_a_class_is_a_choice_or_the_number_that_was_measured():
    call = Call("x", ())
    assert right_answer(Question("How many?", call, tolerance=0.01), 0.12345) == "0.12"
    near = Question("About how much?", call, ("0.1", "0.5", "0.9"), tolerance=0.2)
    assert right_answer(near, 0.55) == "0.5" and right_answer(near, 5.0) == ""
    assert right_answer(Question("Which?", call, ("The mask", "The norm")), "the norm") == "The norm"
