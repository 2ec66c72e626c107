"""Functions of lessons' answers, and their arguments, under the names of earlier versions.

Lessons are files of other people, so an old name is accepted for ever.
"""

from collections.abc import Mapping
from typing import Any

# function of an earlier version → the function of today
FUNCTIONS = {
    "ahead": "attention_to_future",
    "apart": "attention_distance",
    "copied": "copy_accuracy",
    "costliest": "most_important_part",
    "ends_at": "schemes_with_a_limit",
    "listens": "affected_sentences",
    "looked_up": "most_attended_source",
    "missed_most": "most_important_head",
    "moved_before": "changed_before",
    "outside_the_hull": "output_outside_hull",
    "reshuffled": "shuffle_invariant",
    "seen": "visible_keys",
    "share_right": "accuracy",
    "side_of_entropy": "above_or_below_entropy",
    "strongest": "most_attended",
}

# function of today → argument of an earlier version → the argument of today
ARGUMENTS = {
    "accuracy": {"signs": "length"},
    "changed_before": {"at": "position"},
    "copy_accuracy": {"signs": "length"},
    "most_attended_source": {"says": "target_token"},
    "most_important_part": {"among": "parts"},
    "schemes_with_a_limit": {"signs": "length"},
}


def of_today(function: str, arguments: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The same call in the names of today. An argument that is given under both names keeps its old one."""
    function = FUNCTIONS.get(function, function)
    names = ARGUMENTS.get(function, {})
    return function, {
        name if names.get(name, name) in arguments else names.get(name, name): value
        for name, value in arguments.items()
    }
