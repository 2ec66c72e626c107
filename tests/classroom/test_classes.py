"""What a lecturer and a student can do in a class, and what each of them sees."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viz.classroom import classes as rules
from viz.classroom.classes import ClassError, Classes
from viz.classroom.code import LENGTH, SYMBOLS, new_code, read_code, spoken
from viz.classroom.question import BINS, Question, QuestionError, distribution
from viz.classroom.rate_limit import RateLimit
from viz.classroom.store import MAX_TEXT, MemoryStore

ANN, BEN = "a" * 32, "b" * 32
COLOURS = Question("Which colour?", ("red", "blue", "green"))
WEIGHT = Question("How much weight?", tolerance=0.05)


class Clock:
    """A clock that a test moves."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def classes(clock):
    return Classes(MemoryStore(clock), clock)


@pytest.fixture
def room(classes):
    """A class with two students: its code and its key."""
    code, key = classes.start()
    classes.join(code, ANN)
    classes.join(code, BEN)
    return code, key


def test_a_code_is_read_as_it_is_spoken_and_nothing_else_is():
    code = new_code()
    assert len(code) == LENGTH and read_code(spoken(code)) == read_code(code.lower()) == code
    assert read_code(f" {code[:4]} {code[4:]} ") == code
    for typed in ("", code[:-1], code + "B", "AAAA-AAAA", "00000000", "../../etc", "ＢＢＢＢ2222"):
        assert read_code(typed) is None, typed
    assert len(SYMBOLS) ** LENGTH > 2**38
    assert len({new_code() for _ in range(500)}) == 500


def test_only_the_key_of_a_class_speaks_for_its_lecturer(classes, room):
    code, key = room
    other_code, other_key = classes.start()
    for wrong in ("", "x", key[:-1], other_key, ANN):
        for forbidden in (
            lambda wrong=wrong: classes.show(code, wrong, "masks", ""),
            lambda wrong=wrong: classes.ask(code, wrong, COLOURS),
            lambda wrong=wrong: classes.reveal(code, wrong),
            lambda wrong=wrong: classes.close(code, wrong),
            lambda wrong=wrong: classes.answers(code, wrong),
            lambda wrong=wrong: classes.lecturer_view(code, wrong),
            lambda wrong=wrong: classes.end(code, wrong),
        ):
            with pytest.raises(ClassError, match="Only the lecturer"):
                forbidden()
    assert classes.version(code) and classes.version(other_code)
    assert key not in classes.store.read(code), "the store holds no key"


def test_students_see_the_page_that_the_lecturer_shows(classes, room):
    code, key = room
    before = classes.version(code)
    classes.show(code, key, "masks", "text=a+b")
    assert classes.version(code) != before
    view = classes.student_view(code, ANN)
    assert (view["page"], view["query"], view["moves"], view["follows"]) == ("masks", "text=a+b", 1, True)
    classes.show(code, key, "masks", "text=a+b")
    assert classes.student_view(code, ANN)["moves"] == 1, "the same page is no move"
    with pytest.raises(ClassError, match="too long"):
        classes.show(code, key, "masks", "x" * (rules.MAX_QUERY + 1))


def test_who_joins_late_sees_where_the_class_is(classes, room):
    code, key = room
    classes.show(code, key, "why", "view=Windows")
    classes.ask(code, key, COLOURS)
    classes.join(code, "c" * 32)
    view = classes.student_view(code, "c" * 32)
    assert (view["page"], view["question"]["text"]) == ("why", "Which colour?")


def test_a_student_lets_go_and_comes_back(classes, room):
    code, key = room
    classes.follow(code, ANN, False)
    assert not classes.student_view(code, ANN)["follows"] and classes.student_view(code, BEN)["follows"]
    assert classes.lecturer_view(code, key)["following"] == 1
    classes.follow(code, ANN, True)
    assert classes.lecturer_view(code, key)["following"] == 2


def test_answers_are_hidden_from_students_until_they_are_revealed(classes, room):
    code, key = room
    classes.ask(code, key, COLOURS)
    classes.answer(code, ANN, "red")
    classes.answer(code, BEN, "blue")
    view = classes.student_view(code, ANN)
    assert view["results"] is None and view["given"] == "red"
    assert "blue" not in json.dumps({**view, "question": None})
    results = classes.lecturer_view(code, key)["results"]
    assert [(bar["label"], bar["count"]) for bar in results["bars"]] == [("red", 1), ("blue", 1), ("green", 0)]
    classes.reveal(code, key, "blue")
    results = classes.student_view(code, ANN)["results"]
    assert (results["right"], results["had_it"], results["answers"]) == ("blue", 1, 2)


def test_an_answer_is_changed_until_it_is_revealed(classes, room):
    code, key = room
    with pytest.raises(ClassError, match="No question"):
        classes.answer(code, ANN, "red")
    classes.ask(code, key, COLOURS)
    classes.answer(code, ANN, "red")
    classes.answer(code, ANN, "green")
    assert classes.lecturer_view(code, key)["answered"] == 1
    classes.reveal(code, key)
    with pytest.raises(ClassError, match="no more answers"):
        classes.answer(code, ANN, "red")
    assert classes.student_view(code, ANN)["given"] == "green"
    assert classes.student_view(code, ANN)["results"]["had_it"] is None, "nothing was measured"
    classes.close(code, key)
    assert classes.student_view(code, ANN)["question"] is None
    with pytest.raises(ClassError, match="No question"):
        classes.reveal(code, key)


def test_what_is_no_answer_is_refused(classes, room):
    code, key = room
    classes.ask(code, key, COLOURS)
    for given_answer in ("purple", "", "0", "red "):
        with pytest.raises(ClassError, match="Choose one of the answers"):
            classes.answer(code, ANN, given_answer)
    classes.ask(code, key, WEIGHT)
    for given_answer in ("much", "", "nan", "inf", "1e999"):
        with pytest.raises(ClassError, match="Enter a number"):
            classes.answer(code, ANN, given_answer)
    with pytest.raises(ClassError, match="Enter a number"):
        classes.reveal(code, key, "much")


def test_numbers_are_right_within_the_tolerance(classes, room):
    code, key = room
    classes.ask(code, key, WEIGHT)
    classes.answer(code, ANN, "0,55")
    classes.answer(code, BEN, "0.66")
    classes.reveal(code, key, "0.60")
    assert classes.student_view(code, ANN)["results"]["had_it"] == 1


def test_the_rows_of_the_answers_do_not_say_who_gave_which(classes, room):
    code, key = room
    classes.ask(code, key, COLOURS)
    classes.answer(code, BEN, "blue")
    classes.answer(code, ANN, "red")
    first = classes.answers(code, key)
    classes.reveal(code, key, "red")
    assert first == [(1, "Which colour?", "red", ""), (1, "Which colour?", "blue", "")]
    assert [row[3] for row in classes.answers(code, key)] == ["yes", "no"]
    swapped, other_key = classes.start()
    for student in (ANN, BEN):
        classes.join(swapped, student)
    classes.ask(swapped, other_key, COLOURS)
    classes.answer(swapped, ANN, "blue")
    classes.answer(swapped, BEN, "red")
    assert classes.answers(swapped, other_key) == first


def test_a_class_that_has_ended_leaves_nothing(classes, room):
    code, key = room
    classes.student_view(code, ANN)
    classes.end(code, key)
    assert classes.version(code) is None and classes.store.members(code) == {}
    for gone in (lambda: classes.join(code, ANN), lambda: classes.show(code, key, "", "")):
        with pytest.raises(ClassError, match="no class with this code"):
            gone()
    assert code not in classes._known and code not in classes._counted


def test_who_is_gone_is_not_counted_and_makes_room_in_a_full_class(classes, room, clock, monkeypatch):
    code, key = room
    monkeypatch.setattr("viz.classroom.store.MAX_MEMBERS", 2)
    with pytest.raises(ClassError, match="full"):
        classes.join(code, "c" * 32)
    classes.ask(code, key, COLOURS)
    classes.answer(code, ANN, "red")
    clock.now += rules.HERE + 1
    assert classes.lecturer_view(code, key)["present"] == 0
    classes.join(code, "c" * 32)
    assert set(classes.store.members(code)) == {ANN, "c" * 32}, "an answer is kept"


def test_what_is_seen_changes_when_somebody_is_gone_although_nobody_has_written(classes, room, clock):
    code, key = room
    before = classes.version(code)
    assert classes.version(code) == before
    clock.now += rules.HERE + 1
    assert classes.version(code) != before and classes.lecturer_view(code, key)["present"] == 0


def test_the_name_of_a_browser_is_a_random_word(classes, room):
    for name in ("", "Ann", "x" * 50, "a" * 20 + "/", "é" * 20, "a" * 20 + "\n"):
        with pytest.raises(ClassError, match="no name"):
            classes.join(room[0], name)


def test_all_answers_of_a_student_fit_into_what_is_kept_of_one(classes, room):
    code, key = room
    for _ in range(rules.MAX_QUESTIONS):
        classes.ask(code, key, WEIGHT)
        classes.answer(code, ANN, "0." + "1" * 22)
    assert len(classes.store.member(code, ANN)) <= MAX_TEXT
    with pytest.raises(ClassError, match="new class"):
        classes.ask(code, key, WEIGHT)


@pytest.mark.parametrize(
    ("text", "choices", "tolerance"),
    [
        ("", (), 0.01),
        ("x" * 401, (), 0.01),
        ("one choice", ("a",), 0.01),
        ("twice the same", ("a", "a"), 0.01),
        ("nine", tuple("abcdefghi"), 0.01),
        ("an empty one", ("a", ""), 0.01),
        ("a long one", ("a", "b" * 81), 0.01),
        ("tolerance", (), -1.0),
        ("tolerance", (), float("nan")),
        ("tolerance", (), float("inf")),
    ],
)
def test_what_is_no_question_is_refused_in_one_sentence(text, choices, tolerance):
    with pytest.raises(QuestionError, match=r"^[A-Z][^.]+\.$"):
        Question(text, choices, tolerance)


@given(st.lists(st.floats(-1e6, 1e6).map(lambda value: f"{value:.4g}"), min_size=1, max_size=60))
def test_every_number_is_counted_in_one_bar(answers):
    bars = distribution(WEIGHT, answers)
    assert sum(bar.count for bar in bars) == len(answers) and 1 <= len(bars) <= BINS
    assert len({bar.label for bar in bars}) == len(bars) or len(set(answers)) > BINS


def test_many_numbers_are_counted_in_ten_intervals_by_hand():
    bars = distribution(WEIGHT, [str(value) for value in range(21)])
    assert [bar.count for bar in bars] == [2, 2, 2, 2, 2, 2, 2, 2, 2, 3], "the last interval includes its upper end"
    assert (bars[0].label, bars[-1].label) == ("0 to 2", "18 to 20")


def test_a_limit_lets_so_many_pass_at_once_and_so_many_a_second(clock):
    limit = RateLimit(at_once=3, each_second=0.5, clock=clock)
    assert [limit.spend("a") for _ in range(4)] == [True, True, True, False]
    assert limit.spend("b"), "another name has its own"
    clock.now += 2
    assert limit.spend("a") and not limit.spend("a")
    clock.now += 1000
    assert [limit.spend("a") for _ in range(4)] == [True, True, True, False], "no more than at once"
    for number in range(5000):
        limit.spend(str(number))
    assert len(limit._left) <= 4096
