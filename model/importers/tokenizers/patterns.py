"""The regular expressions of a tokenizer: limits of their time, and texts that would show a slow one.

The `tokenizers` library matches them by backtracking without a limit. If a pattern repeats a group that can match in
several ways, its time can grow exponentially with the text, so it is refused. The time of other patterns is at most a
power of the length of the text. It is large for runs of letters that two repetitions share; `probes` tests these runs.
"""

import json
import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tokenizers import Regex, normalizers

from model.checkpoint import CheckpointError

MAX_LENGTH = 4000  # characters of one pattern
MAX_PATTERNS = 64
MAX_LOOPS = 2  # unbounded repetitions in one alternative; published patterns have two
MAX_WAYS = 2000
MAX_TIMES = 16  # a repetition of up to this number counts as bounded
MAX_SAMPLES = 48
ESCAPES_WITH_BRACES = "pPxuo"
# One or two characters of many kinds, besides ASCII: classes of \p{…}, spaces, marks, signs, other scripts.
OTHERS = "éßÀĞЖжΩωאبک中文한あア一٣³¼ⅣªʰǅŁ\u0301\u0903\u20dd“”‘’«»–—…‼￥€©°→√✓😀▁Ġ"
BLANKS = "\u00a0\u2009\u3000\u2028\u200d"  # in addition to ASCII
ALPHABET = string.printable + OTHERS + BLANKS


@dataclass
class _Found:
    least: int = 0  # characters of the shortest match
    loops: int = 0  # maximum number of unbounded repetitions in an alternative
    ways: int = 1  # number of ways to match, without unbounded repetitions
    atoms: list[str] = field(default_factory=list)  # the repeated items, each a class or a letter


def patterns(part: Any) -> Iterator[str]:
    """Every regular expression in a part of a tokenizer's JSON."""
    waiting = [part]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            if isinstance(item.get("Regex"), str):
                yield item["Regex"]
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)


def shortest(pattern: str) -> int:
    """The number of characters of the shortest match.

    Raises:
        CheckpointError: the time of the pattern is not limited, or it is not a pattern.
    """
    return _parsed(pattern).least


def samples(saved: str) -> list[str]:
    """The letters whose runs could make the patterns of a tokenizer slow: those that repetitions share."""
    settings = json.loads(saved)
    parts = [settings.get(name) for name in ("normalizer", "pre_tokenizer")]
    letters_of: dict[str, None] = {}
    for pattern in dict.fromkeys(patterns(parts)):
        sets = [_matched(atom, ALPHABET + pattern) for atom in dict.fromkeys(_parsed(pattern).atoms)]
        for index, letters in enumerate(sets):
            for other in sets[index:]:
                if shared := sorted(letters & other):
                    letters_of |= dict.fromkeys((shared[0], shared[len(shared) // 2], shared[-1]))
    return list(letters_of)[:MAX_SAMPLES]


def _matched(atom: str, letters: str) -> set[str]:
    cut = normalizers.Replace(Regex(atom), "")
    return {letter for letter in set(letters) if not cut.normalize_str(letter)}


def _parsed(pattern: str) -> _Found:
    if len(pattern) > MAX_LENGTH:
        raise _refused(pattern, f"has {len(pattern):,} characters, and {MAX_LENGTH:,} are allowed")
    try:
        group, end = _alternatives(pattern, 0, 0)
    except IndexError:
        raise _refused(pattern, "ends too early") from None
    if end < len(pattern):
        raise _refused(pattern, "has a bracket that nothing opens")
    return group


def _alternatives(pattern: str, index: int, depth: int) -> tuple[_Found, int]:
    """Parse from `index` to the end of the group. Returns the result and the end of the group."""
    if depth > 20:
        raise _refused(pattern, "is nested too deep")
    ways: list[_Found] = [_Found()]
    atoms: list[str] = []
    while index < len(pattern) and pattern[index] != ")":
        if pattern[index] == "|":
            ways.append(_Found())
            index += 1
            continue
        atom, index = _one(pattern, index, depth)
        way = ways[-1]
        way.least += atom.least
        way.loops += atom.loops
        way.ways *= atom.ways
        atoms += atom.atoms
        if way.loops > MAX_LOOPS:
            raise _refused(pattern, f"has more than {MAX_LOOPS} repetitions without an end in one alternative")
        if way.ways > MAX_WAYS:
            raise _refused(pattern, f"can match in more than {MAX_WAYS:,} ways")
    least, loops = min(way.least for way in ways), max(way.loops for way in ways)
    return _Found(least, loops, sum(way.ways for way in ways), atoms), index


def _one(pattern: str, index: int, depth: int) -> tuple[_Found, int]:
    """Parse one letter, class or group with the repetition after it."""
    begin, group = index, pattern[index] == "("
    if group:
        index = _opened(pattern, index)
        around = pattern.startswith(("(?=", "(?!", "(?<"), begin)
        measure, index = _alternatives(pattern, index, depth + 1)
        if pattern[index] != ")":
            raise IndexError
        index += 1
        if around:
            measure.least = 0  # a lookaround has no length
    else:
        index, width = _letter(pattern, index)
        measure = _Found(least=width)
    atom = pattern[begin:index]
    low, high, index = _times(pattern, index)
    if high is None or high > MAX_TIMES:
        if measure.ways > 1 or measure.loops:
            raise _refused(pattern, "repeats a group that can match in several ways")
        measure = _Found(measure.least, 1, 1, [atom])
    elif (low, high) != (1, 1):
        if high > 1 and (measure.loops or measure.ways > 1):
            raise _refused(pattern, "repeats a group that can match in several ways")
        measure.ways *= high - low + 1
    measure.least *= low
    return measure, index


def _opened(pattern: str, index: int) -> int:
    """The index after the opening of a group, "(" or "(?…"."""
    if pattern[index + 1] != "?":
        return index + 1
    for start in ("?:", "?=", "?!", "?>", "?<=", "?<!"):
        if pattern.startswith(start, index + 1):
            return index + 1 + len(start)
    end = index + 2
    while pattern[end] in "imxs-":
        end += 1
    if end > index + 2 and pattern[end] == ":":
        return end + 1
    if end > index + 2 and pattern[end] == ")":
        return end
    raise _refused(pattern, f"opens a group with “{pattern[index : index + 4]}”, which the lab does not follow")


def _letter(pattern: str, index: int) -> tuple[int, int]:
    """The end of a letter, an escape or a class, and the number of characters that it matches."""
    sign = pattern[index]
    if sign == "[":
        return _class(pattern, index), 1
    if sign == "\\":
        return _escape(pattern, index)
    if sign in "*+":
        raise _refused(pattern, "repeats nothing")
    return index + 1, 0 if sign in "^$" else 1


def _escape(pattern: str, index: int) -> tuple[int, int]:
    sign = pattern[index + 1]
    if (sign.isdigit() and sign != "0") or sign in "kgXRK":
        raise _refused(pattern, f"uses “\\{sign}”, which the lab does not follow")
    if sign in ESCAPES_WITH_BRACES and pattern[index + 2 : index + 3] == "{":
        return pattern.index("}", index) + 1 if "}" in pattern[index:] else len(pattern) + 1, 1
    return index + 2, 0 if sign in "bBAzZG" else 1


def _class(pattern: str, index: int) -> int:
    """The end of a class. Classes can contain classes."""
    depth, first, index = 1, True, index + 1
    while depth:
        sign = pattern[index]
        if sign == "\\":
            index += 2
        elif sign == "[":
            depth, first, index = depth + 1, True, index + 1
            continue
        elif sign == "^" and first:
            index += 1
            continue
        elif sign == "]" and not first:
            depth, index = depth - 1, index + 1
        else:
            index += 1
        first = False
    return index


def _times(pattern: str, index: int) -> tuple[int, int | None, int]:
    """The minimum and maximum of a repetition, and its end."""
    low, high = 1, 1
    signs: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
    most: int | None = high
    if pattern[index : index + 1] in signs and index < len(pattern):
        low, most = signs[pattern[index]]
        index += 1
    elif pattern[index : index + 1] == "{" and "}" in pattern[index:]:
        end = pattern.index("}", index)
        first, comma, last = pattern[index + 1 : end].partition(",")
        if not all(number.isascii() and (number.isdigit() or not number) for number in (first, last)) or not (
            first or last
        ):
            return 1, 1, index  # braces that are literal characters, which the next call parses
        low = int(first or 0)
        most = (int(last) if last else None) if comma else low
        index = end + 1
        if max(low, most or 0) > 1000:
            raise _refused(pattern, "repeats something more than 1,000 times")
    if pattern[index : index + 1] in ("?", "+") and index < len(pattern):  # lazy, or possessive
        index += 1
        if pattern[index - 1] == "+" and pattern[index - 2] == "}":
            raise _refused(pattern, "repeats a repetition")
    if pattern[index : index + 1] in ("*", "+", "?") and index < len(pattern):
        raise _refused(pattern, "repeats a repetition")
    return low, most, index


def _refused(pattern: str, why: str) -> CheckpointError:
    shown = pattern if len(pattern) <= 60 else f"{pattern[:60]}…"
    return CheckpointError(
        f"The tokenizer's regular expression “{shown}” {why}. Such a pattern can stall the lab, so it is not used."
    )
