"""The regular expressions in a tokenizer: how long they can take, and which letters show it.

The `tokenizers` library matches them by going back and trying again, without a limit. A pattern that repeats a group
which can itself match in several ways takes time that grows exponentially with the text, so it is refused as written.
What is left is at worst a power of the text's length; the letters that two repetitions share show which power, and
`probes` tries runs of them.
"""

import json
import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tokenizers import Regex, normalizers

from model.checkpoint import CheckpointError

MOST_LENGTH = 4000  # characters of one pattern
MOST_PATTERNS = 64
MOST_LOOPS = 2  # repetitions without an end in one alternative; published patterns have two
MOST_WAYS = 2000
MOST_TIMES = 16  # a repetition up to so often counts as one with an end
MOST_SAMPLES = 48
ESCAPES_WITH_BRACES = "pPxuo"
# One letter or two of many kinds, beside ASCII: what \p{…} names, blanks, marks, signs, other scripts.
OTHERS = "éßÀĞЖжΩωאبک中文한あア一٣³¼ⅣªʰǅŁ\u0301\u0903\u20dd“”‘’«»–—…‼￥€©°→√✓😀▁Ġ"
BLANKS = "\u00a0\u2009\u3000\u2028\u200d"  # beside those of ASCII
ALPHABET = string.printable + OTHERS + BLANKS


@dataclass
class _Found:
    least: int = 0  # characters of the shortest match
    loops: int = 0  # repetitions without an end, in the alternative that has most
    ways: int = 1  # in how many ways it can match, repetitions without an end left aside
    atoms: list[str] = field(default_factory=list)  # what is repeated, each a class or a letter


def patterns(part: Any) -> Iterator[str]:
    """Every regular expression in a part of a tokenizer's JSON."""
    waiting = [part]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if isinstance(one.get("Regex"), str):
                yield one["Regex"]
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)


def shortest(pattern: str) -> int:
    """How many characters the shortest match has.

    Raises:
        CheckpointError: the pattern could take a time without a limit, or is none.
    """
    return _parsed(pattern).least


def samples(saved: str) -> list[str]:
    """Letters whose runs make the patterns of a tokenizer slow, if any do: those that repetitions share."""
    told = json.loads(saved)
    parts = [told.get(name) for name in ("normalizer", "pre_tokenizer")]
    found: dict[str, None] = {}
    for pattern in dict.fromkeys(patterns(parts)):
        sets = [_matched(atom, ALPHABET + pattern) for atom in dict.fromkeys(_parsed(pattern).atoms)]
        for at, letters in enumerate(sets):
            for other in sets[at:]:
                if shared := sorted(letters & other):
                    found |= dict.fromkeys((shared[0], shared[len(shared) // 2], shared[-1]))
    return list(found)[:MOST_SAMPLES]


def _matched(atom: str, letters: str) -> set[str]:
    cut = normalizers.Replace(Regex(atom), "")
    return {letter for letter in set(letters) if not cut.normalize_str(letter)}


def _parsed(pattern: str) -> _Found:
    if len(pattern) > MOST_LENGTH:
        raise _refused(pattern, f"has {len(pattern):,} characters, and {MOST_LENGTH:,} are allowed")
    try:
        found, end = _alternatives(pattern, 0, 0)
    except IndexError:
        raise _refused(pattern, "ends too early") from None
    if end < len(pattern):
        raise _refused(pattern, "has a bracket that nothing opens")
    return found


def _alternatives(pattern: str, at: int, depth: int) -> tuple[_Found, int]:
    """From `at` to the end of the group: what is there, and where the group ends."""
    if depth > 20:
        raise _refused(pattern, "is nested too deep")
    ways: list[_Found] = [_Found()]
    atoms: list[str] = []
    while at < len(pattern) and pattern[at] != ")":
        if pattern[at] == "|":
            ways.append(_Found())
            at += 1
            continue
        one, at = _one(pattern, at, depth)
        way = ways[-1]
        way.least += one.least
        way.loops += one.loops
        way.ways *= one.ways
        atoms += one.atoms
        if way.loops > MOST_LOOPS:
            raise _refused(pattern, f"has more than {MOST_LOOPS} repetitions without an end in one alternative")
        if way.ways > MOST_WAYS:
            raise _refused(pattern, f"can match in more than {MOST_WAYS:,} ways")
    least, loops = min(way.least for way in ways), max(way.loops for way in ways)
    return _Found(least, loops, sum(way.ways for way in ways), atoms), at


def _one(pattern: str, at: int, depth: int) -> tuple[_Found, int]:
    """One letter, class or group with the repetition after it."""
    begin, group = at, pattern[at] == "("
    if group:
        at = _opened(pattern, at)
        around = pattern.startswith(("(?=", "(?!", "(?<"), begin)
        found, at = _alternatives(pattern, at, depth + 1)
        if pattern[at] != ")":
            raise IndexError
        at += 1
        if around:
            found.least = 0  # it looks and takes nothing
    else:
        at, width = _letter(pattern, at)
        found = _Found(least=width)
    atom = pattern[begin:at]
    low, high, at = _times(pattern, at)
    if high is None or high > MOST_TIMES:
        if found.ways > 1 or found.loops:
            raise _refused(pattern, "repeats a group that can match in several ways")
        found = _Found(found.least, 1, 1, [atom])
    elif (low, high) != (1, 1):
        if high > 1 and (found.loops or found.ways > 1):
            raise _refused(pattern, "repeats a group that can match in several ways")
        found.ways *= high - low + 1
    found.least *= low
    return found, at


def _opened(pattern: str, at: int) -> int:
    """Where it goes on after the opening of a group, "(" or "(?…"."""
    if pattern[at + 1] != "?":
        return at + 1
    for start in ("?:", "?=", "?!", "?>", "?<=", "?<!"):
        if pattern.startswith(start, at + 1):
            return at + 1 + len(start)
    end = at + 2
    while pattern[end] in "imxs-":
        end += 1
    if end > at + 2 and pattern[end] == ":":
        return end + 1
    if end > at + 2 and pattern[end] == ")":
        return end
    raise _refused(pattern, f"opens a group with “{pattern[at : at + 4]}”, which the lab does not follow")


def _letter(pattern: str, at: int) -> tuple[int, int]:
    """Where a letter, an escape or a class ends, and how many characters it takes."""
    sign = pattern[at]
    if sign == "[":
        return _class(pattern, at), 1
    if sign == "\\":
        return _escape(pattern, at)
    if sign in "*+":
        raise _refused(pattern, "repeats nothing")
    return at + 1, 0 if sign in "^$" else 1


def _escape(pattern: str, at: int) -> tuple[int, int]:
    sign = pattern[at + 1]
    if (sign.isdigit() and sign != "0") or sign in "kgXRK":
        raise _refused(pattern, f"uses “\\{sign}”, which the lab does not follow")
    if sign in ESCAPES_WITH_BRACES and pattern[at + 2 : at + 3] == "{":
        return pattern.index("}", at) + 1 if "}" in pattern[at:] else len(pattern) + 1, 1
    return at + 2, 0 if sign in "bBAzZG" else 1


def _class(pattern: str, at: int) -> int:
    """Where a class ends. Classes can hold classes."""
    depth, first, at = 1, True, at + 1
    while depth:
        sign = pattern[at]
        if sign == "\\":
            at += 2
        elif sign == "[":
            depth, first, at = depth + 1, True, at + 1
            continue
        elif sign == "^" and first:
            at += 1
            continue
        elif sign == "]" and not first:
            depth, at = depth - 1, at + 1
        else:
            at += 1
        first = False
    return at


def _times(pattern: str, at: int) -> tuple[int, int | None, int]:
    """How often what comes before is repeated, at least and at most, and where this ends."""
    low, high = 1, 1
    signs: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
    most: int | None = high
    if pattern[at : at + 1] in signs and at < len(pattern):
        low, most = signs[pattern[at]]
        at += 1
    elif pattern[at : at + 1] == "{" and "}" in pattern[at:]:
        end = pattern.index("}", at)
        first, comma, last = pattern[at + 1 : end].partition(",")
        if not all(number.isascii() and (number.isdigit() or not number) for number in (first, last)) or not (
            first or last
        ):
            return 1, 1, at  # letters in braces, which stand for themselves: the next call reads them
        low = int(first or 0)
        most = (int(last) if last else None) if comma else low
        at = end + 1
        if max(low, most or 0) > 1000:
            raise _refused(pattern, "repeats something more than 1,000 times")
    if pattern[at : at + 1] in ("?", "+") and at < len(pattern):  # lazy, or possessive
        at += 1
        if pattern[at - 1] == "+" and pattern[at - 2] == "}":
            raise _refused(pattern, "repeats a repetition")
    if pattern[at : at + 1] in ("*", "+", "?") and at < len(pattern):
        raise _refused(pattern, "repeats a repetition")
    return low, most, at


def _refused(pattern: str, why: str) -> CheckpointError:
    shown = pattern if len(pattern) <= 60 else f"{pattern[:60]}…"
    return CheckpointError(
        f"The tokenizer's regular expression “{shown}” {why}. Such a pattern can stall the lab, so it is not used."
    )
