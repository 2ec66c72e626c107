"""Every sentence that the lab makes from numbers, each branch once, to be read from top to bottom.

python tests/support/captions.py [FILE]
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import caption_cases
import caption_cases_pages

CASES = {**caption_cases.CASES, **caption_cases_pages.CASES}


def sentences() -> Iterator[tuple[str, str, str]]:
    """(function, case, sentence) of the whole table."""
    for function, cases in CASES.items():
        for case, call in cases.items():
            yield function, case, call()


def text() -> str:
    """The table as one text: a heading for each function, a line for each case."""
    lines, last = [], ""
    for function, case, sentence in sentences():
        lines += ["", f"## {function}"] if function != last else []
        lines += [f"- [{case}] {sentence}" if case else f"- {sentence}"]
        last = function
    return "\n".join(lines).lstrip() + "\n"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(text(), encoding="utf-8")
    else:
        print(text())
