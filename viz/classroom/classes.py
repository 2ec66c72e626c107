"""Everything that a lecturer and a student can do, and what each of them sees of the class."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from viz.classroom.code import digest, is_key, new_code, new_key, spoken
from viz.classroom.question import MAX_CHOICE, Question, QuestionError, distribution
from viz.classroom.store import Store

SECONDS = 3 * 3600.0  # after which a class ends by itself
HERE = 45.0  # seconds since a member was seen last that still count as being here
MAX_QUESTIONS = 40  # of one class; what is kept of a member is bounded by it
MAX_QUERY = 6000  # characters of the state that students follow
MAX_MEMBER = 40  # characters of the name that a browser gives itself
SPREAD = 0.006  # seconds for each student over which the students of a class follow: their pages are computed in turn
MAX_SPREAD = 1.5

NO_CLASS = "There is no class with this code. It may have ended."
NO_ROOM = "This server has no room for another class. End a class first, or wait until one has ended."
FULL = "This class is full."
NOT_THE_LECTURER = "Only the lecturer of this class can do this."
ENOUGH = f"A class can have {MAX_QUESTIONS} questions. Start a new class to ask more."
CLOSED = "The answer has been revealed. This question takes no more answers."
NOTHING_ASKED = "No question is open now."


class ClassError(Exception):
    """Something that is refused. Its text is one sentence for a person; `status` is that of HTTP."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True)
class PosedQuestion:
    """A question to the class, and its measured answer once the lecturer has revealed it."""

    question: Question
    revealed: bool = False
    right: str = ""  # "": nothing was measured

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> "PosedQuestion":
        question = entry["question"]
        known = Question(question["text"], tuple(question["choices"]), question["tolerance"])
        return cls(known, entry["revealed"], entry["right"])


@dataclass(frozen=True)
class ClassRecord:
    """What the store keeps of a class."""

    key: str  # the digest of the lecturer's key
    page: str = ""  # the last part of the path of the page that the lecturer shows
    query: str = ""  # the parameters of its link
    moves: int = 0  # how often the lecturer has shown something else
    questions: tuple[PosedQuestion, ...] = ()
    is_open: bool = False  # whether the last question is on the screen

    @classmethod
    def read(cls, text: str) -> "ClassRecord":
        entries = json.loads(text)
        return cls(**{**entries, "questions": tuple(map(PosedQuestion.read, entries["questions"]))})

    def text(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))


@dataclass(frozen=True)
class Member:
    """What the store keeps of a student's browser: no name, no address."""

    follows: bool = True
    answers: Mapping[str, str] = field(default_factory=dict)  # number of the question → answer

    @classmethod
    def read(cls, text: str) -> "Member":
        return cls(**json.loads(text))

    def text(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"), ensure_ascii=False)


class Classes:
    """All classes of a store. Every method checks what it was given: it came from a browser."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self.store, self._clock = store, clock
        self._known: dict[str, tuple[int, ClassRecord, dict[str, Member]]] = {}  # code → version and what it holds
        self._counted: dict[str, tuple[float, frozenset[str]]] = {}  # code → when it was counted, and who is here

    # The lecturer

    def start(self) -> tuple[str, str]:
        """Start a class. Returns its code and the lecturer's key.

        Raises:
            ClassError: there is no room.
        """
        code, key = new_code(), new_key()
        if not self.store.create(code, ClassRecord(digest(key)).text(), SECONDS):
            raise ClassError(NO_ROOM, 503)
        return code, key

    def end(self, code: str, key: str) -> None:
        """End the class; nothing of it is kept."""
        self._lecturers(code, key)
        self.store.delete(code)

    def show(self, code: str, key: str, page: str, query: str) -> None:
        """Let the students follow to this page in this state."""
        record = self._lecturers(code, key)
        if len(page) > MAX_MEMBER or len(query) > MAX_QUERY:
            raise ClassError("This link is too long to be followed by a class.", 413)
        if (page, query) != (record.page, record.query):
            self.store.write(code, replace(record, page=page, query=query, moves=record.moves + 1).text())

    def ask(self, code: str, key: str, question: Question) -> None:
        """Ask the class. The question before is closed."""
        record = self._lecturers(code, key)
        if len(record.questions) >= MAX_QUESTIONS:
            raise ClassError(ENOUGH)
        self.store.write(
            code, replace(record, questions=(*record.questions, PosedQuestion(question)), is_open=True).text()
        )

    def reveal(self, code: str, key: str, right: str = "") -> None:
        """Show the answers of the class, and the measured one. right: "" where nothing was measured."""
        record = self._lecturers(code, key)
        if not record.is_open:
            raise ClassError(NOTHING_ASKED, 409)
        *before, posed = record.questions
        try:
            checked = posed.question.read_answer(right) if right else ""
        except QuestionError as error:
            raise ClassError(str(error)) from error
        self.store.write(
            code, replace(record, questions=(*before, replace(posed, revealed=True, right=checked))).text()
        )

    def close(self, code: str, key: str) -> None:
        """Take the question off the screen."""
        self.store.write(code, replace(self._lecturers(code, key), is_open=False).text())

    def answers(self, code: str, key: str) -> list[tuple[int, str, str, str]]:
        """Number and text of the question, answer, and "yes", "no" or "" for whether it is the measured one.

        One row an answer. The rows of a question are in the order of their answers, so that they do not say who gave
        which.
        """
        self._lecturers(code, key)
        _, record, members = self._read(code)
        rows = []
        for number, posed in enumerate(record.questions, start=1):
            for given in sorted(_answers(members, number - 1)):
                verdict = "" if not posed.right else "yes" if posed.question.is_right(given, posed.right) else "no"
                rows.append((number, posed.question.text, posed.question.show(given), verdict))
        return rows

    # The students

    def join(self, code: str, member: str) -> None:
        """Be a member of the class. Whoever has joined before keeps their answers."""
        self._find(code)
        if not 16 <= len(member) <= MAX_MEMBER or not member.isascii() or not member.isalnum():
            raise ClassError("This browser has no name that the class can use.")
        if self.store.member(code, member) is None and not self._add(code, member):
            self._make_room(code)
            if not self._add(code, member):
                raise ClassError(FULL, 503)
        self.store.touch(code, member)

    def follow(self, code: str, member: str, follows: bool) -> None:
        """Follow the lecturer's page, or explore."""
        self._write(code, member, replace(self._member(code, member), follows=follows))

    def answer(self, code: str, member: str, given: str) -> None:
        """Answer the question that is open, or change the answer."""
        record, known = self._find(code), self._member(code, member)
        if not record.is_open:
            raise ClassError(NOTHING_ASKED, 409)
        posed = record.questions[-1]
        if posed.revealed:
            raise ClassError(CLOSED, 409)
        try:
            checked = posed.question.read_answer(given[: MAX_CHOICE + 1])
        except QuestionError as error:
            raise ClassError(str(error)) from error
        number = str(len(record.questions) - 1)
        self._write(code, member, replace(known, answers={**known.answers, number: checked}))

    def leave(self, code: str, member: str) -> None:
        """Be no member any more. What was answered is forgotten."""
        self.store.remove_member(code, member)

    # What each of them sees

    def version(self, code: str) -> tuple[int, int] | None:
        """It changes when what anybody sees has changed. None: the class has ended."""
        version = self.store.version(code)
        return None if version is None else (version, len(self._present(code)))

    def lecturer_view(self, code: str, key: str) -> dict[str, Any]:
        """What the lecturer sees: who is here, and the answers as they come."""
        self._lecturers(code, key)
        _, record, members = self._read(code)
        present = self._present(code)
        return {
            "code": spoken(code),
            "present": len(present),
            "following": sum(members[name].follows for name in present if name in members),
            "moves": record.moves,
            "question": _question(record),
            "answered": len(_answers(members, len(record.questions) - 1)) if record.is_open else 0,
            "results": _results(record, members) if record.is_open else None,
        }

    def student_view(self, code: str, member: str) -> dict[str, Any]:
        """What a student sees. The answers of the class are in it only after the lecturer has revealed them."""
        _, record, members = self._read(code)
        if member not in members:
            raise ClassError(NO_CLASS, 404)
        me, number = members[member], str(len(record.questions) - 1)
        return {
            "code": spoken(code),
            "page": record.page,
            "query": record.query,
            "moves": record.moves,
            "spread": min(MAX_SPREAD, SPREAD * len(members)),
            "follows": me.follows,
            "question": _question(record),
            "given": record.questions[-1].question.show(me.answers.get(number, "")) if record.is_open else "",
            "results": _results(record, members) if record.is_open and record.questions[-1].revealed else None,
        }

    def touch(self, code: str, member: str) -> None:
        """The browser of this student is still there."""
        self.store.touch(code, member)

    # Within

    def _find(self, code: str) -> ClassRecord:
        text = self.store.read(code)
        if text is None:
            self._known.pop(code, None)
            self._counted.pop(code, None)
            raise ClassError(NO_CLASS, 404)
        return ClassRecord.read(text)

    def _lecturers(self, code: str, key: str) -> ClassRecord:
        record = self._find(code)
        if not is_key(key, record.key):
            raise ClassError(NOT_THE_LECTURER, 403)
        return record

    def _member(self, code: str, member: str) -> Member:
        text = self.store.member(code, member)
        if text is None:
            raise ClassError(NO_CLASS, 404)
        return Member.read(text)

    def _add(self, code: str, member: str) -> bool:
        return self.store.write_member(code, member, Member().text())

    def _write(self, code: str, member: str, known: Member) -> None:
        if not self.store.write_member(code, member, known.text()):
            raise ClassError(NO_CLASS, 404)

    def _read(self, code: str) -> tuple[int, ClassRecord, dict[str, Member]]:
        """The class and its members, read again only when something has changed."""
        version = self.store.version(code)
        known = self._known.get(code)
        if known is None or known[0] != version:
            record = self._find(code)
            members = {name: Member.read(text) for name, text in self.store.members(code).items()}
            known = (-1 if version is None else version, record, members)
            self._known[code] = known
        return known

    def _present(self, code: str) -> frozenset[str]:
        """Who is here, counted at most once a second."""
        now = self._clock()
        counted = self._counted.get(code)
        if counted is None or now - counted[0] >= 1.0:
            seen = self.store.last_seen(code)
            counted = (now, frozenset(name for name, ago in seen.items() if ago < HERE))
            self._counted[code] = counted
        return counted[1]

    def _make_room(self, code: str) -> None:
        """Forget the members of a full class that are gone and have answered nothing."""
        seen = self.store.last_seen(code)
        for name, text in self.store.members(code).items():
            if seen.get(name, HERE) >= HERE and not Member.read(text).answers:
                self.store.remove_member(code, name)


def _answers(members: Mapping[str, Member], number: int) -> list[str]:
    return [given for known in members.values() if (given := known.answers.get(str(number))) is not None]


def _question(record: ClassRecord) -> dict[str, Any] | None:
    if not record.is_open:
        return None
    posed = record.questions[-1]
    return {
        "number": len(record.questions),
        "text": posed.question.text,
        "choices": list(posed.question.choices),
        "revealed": posed.revealed,
    }


def _results(record: ClassRecord, members: Mapping[str, Member]) -> dict[str, Any]:
    posed = record.questions[-1]
    answers = _answers(members, len(record.questions) - 1)
    had = sum(posed.question.is_right(given, posed.right) for given in answers) if posed.right else None
    return {
        "answers": len(answers),
        "bars": [asdict(bar) for bar in distribution(posed.question, answers)],
        "right": posed.question.show(posed.right),
        "had_it": had,
    }
