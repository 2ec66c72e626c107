"""Links of earlier versions: what a parameter, or a value of one, is called today.

Streamlit writes the label of a choice into the address. So a label that is improved changes the links, and its old
wording is kept here for ever.
"""

from collections.abc import Mapping, Sequence

# (page, name of an earlier version) → the name of today
NAMES = {("inside", "view"): "aspect", ("positions", "view"): "show"}

# (page, name of today) → value of an earlier version → the value of today
VALUES: dict[tuple[str, str], dict[str, str]] = {
    ("heads", "more"): {"Write on": "Generate"},
    ("inside", "aspect"): {
        "Both forms": "Loop or matrix",
        "Free sizes": "Size and cost",
        "Only averaging": "Average of values",
        "Spectrum": "QK spectrum",
    },
    ("masks", "section"): {"Cheating": "Trained without the mask", "One pass or many": "KV cache"},
    ("positions", "show"): {"Distance": "Position and distance", "Too long": "Length generalisation"},
    ("remove", "then"): {
        "Head knock-outs": "Head ablation",
        "One row by hand": "Override one row",
        "Stream": "Residual stream",
    },
    ("translate", "beside"): {
        "Quality and length": "Accuracy by length",
        "What this shows": "Claims checked",
        "Without a part": "Ablation",
    },
    ("translate", "network"): {"Transformer, in pieces": "Transformer on subwords"},
    ("translate", "task"): {"Who is it": "Coreference"},
}


def of_today(page: str, address: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """The parameters of a link to that page, name → values, as they are called today."""
    renamed = {NAMES.get((page, name), name): values for name, values in address.items()}
    return {
        name: [VALUES.get((page, name), {}).get(value, value) for value in values] for name, values in renamed.items()
    }
