"""Dates, character by character: "3 May 1979", "05/03/1979" and four other formats become "1979-05-03"."""

from collections.abc import Callable
from datetime import date, timedelta
from random import Random

from model.tasks.pair import DETERMINED, Pair, PairBuilder, PairTask
from model.tokenizer import BLANK

FIRST, LAST = date(1900, 1, 1), date(2099, 12, 31)
MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def ordinal(day: int) -> str:
    """ "1st", "2nd", "3rd", "4th" … "11th" … "31st" """
    return f"{day}{'th' if day in (11, 12, 13) else {1: 'st', 2: 'nd', 3: 'rd'}.get(day % 10, 'th')}"


# Each format of a date: its parts in order, as names and as functions of the date.
WAYS: dict[str, Callable[[date], tuple[tuple[str, str], ...]]] = {
    "3 May 1979": lambda d: (("day", f"{d.day}"), ("month", MONTHS[d.month - 1]), ("year", f"{d.year}")),
    "May 3, 1979": lambda d: (("month", MONTHS[d.month - 1]), ("day", f"{d.day},"), ("year", f"{d.year}")),
    "3rd of May, 1979": lambda d: (
        ("day", ordinal(d.day)), ("", "of"), ("month", f"{MONTHS[d.month - 1]},"), ("year", f"{d.year}"),
    ),
    "Thursday 3 May 1979": lambda d: (
        ("", WEEKDAYS[d.weekday()]), ("day", f"{d.day}"), ("month", MONTHS[d.month - 1]), ("year", f"{d.year}"),
    ),
    "3.5.1979": lambda d: (("day", f"{d.day}."), ("month", f"{d.month}."), ("year", f"{d.year}")),
    "05/03/1979": lambda d: (("month", f"{d.month:02}/"), ("day", f"{d.day:02}/"), ("year", f"{d.year}")),
}  # fmt: skip


def write_date(day: date, way: str) -> Pair:
    """One date in one format of WAYS, and its ISO 8601 form.

    Each digit of the year is linked to the same digit; month and day are linked to all characters of their part.
    """
    draft = PairBuilder()
    spans: dict[str, list[int]] = {}
    tight = way in ("3.5.1979", "05/03/1979")
    for part, text in WAYS[way](day):
        if draft.source and not tight:
            draft.read(BLANK)
        spans[part] = [draft.read(letter) for letter in text]
    for part, digits in (("year", f"{day:%Y}"), ("month", f"{day:%m}"), ("day", f"{day:%d}")):
        if part != "year":
            draft.write("-", DETERMINED, *spans[part])
        for index, digit in enumerate(digits):
            keys = [spans[part][index]] if part == "year" else spans[part]
            draft.write(digit, part, *keys)
    return draft.finish(way, between="")


def draw(kind: str | None, rng: Random) -> Pair:
    """A random date of two centuries, in the format `kind`; None: in a random format."""
    if kind is not None and kind not in WAYS:
        raise ValueError(f"the date task has the kinds {', '.join(WAYS)}, not {kind!r}")
    day = FIRST + timedelta(rng.randrange((LAST - FIRST).days + 1))
    return write_date(day, kind or rng.choice(list(WAYS)))


DATES = PairTask(
    name="dates",
    title="Dates",
    kinds={way: way for way in WAYS},
    words=(*"0123456789abcdefghijklmnopqrstuvwxyz", BLANK, *".,/-"),
    draw=draw,
    spelled=True,
    unit="character",
)
