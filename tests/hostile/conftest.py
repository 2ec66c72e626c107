"""What all attacks share: the mark `hostile`, and a count of the inputs by their outcome at the end of a run."""

from collections import Counter
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    for item in items:
        if HERE in Path(item.fspath).parents:
            item.add_marker(pytest.mark.hostile)


@pytest.fixture
def outcome(request):
    """Counts inputs: outcome("refused in a sentence", 3)."""

    def counted(what, inputs=1):
        request.node.user_properties.append(("hostile", (what, inputs)))

    return counted


def pytest_terminal_summary(terminalreporter):
    counted = Counter()
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "hostile" and report.when == "call":
                counted[value[0]] += value[1]
    if counted:
        terminalreporter.section(f"hostile inputs: {sum(counted.values())}")
        for what, inputs in counted.most_common():
            terminalreporter.line(f"{inputs:6d}  {what}")
