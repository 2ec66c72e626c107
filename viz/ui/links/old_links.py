"""Links of earlier versions: what a parameter, or a value of one, is called today.

Streamlit writes the label of a choice into the address. So a label that is improved changes the links, and its old
wording is kept here for ever. The names of parameters are the names of the session: see viz/ui/state.py.
"""

from collections.abc import Mapping, Sequence

from viz.ui.links.tracking_parameters import is_tracking

# Name of an earlier version → the name of today, on every page that has it.
EVERYWHERE = {"token": "query"}
# (page, name of an earlier version) → the name of today
NAMES = {
    ("heads", "more"): "panel",
    ("inside", "aspect"): "view",
    ("inside", "looked"): "key",
    ("inside", "source"): "sizes_from",
    ("inside", "step"): "step_number",
    ("masks", "section"): "view",
    ("masks", "looks"): "mask_kind",
    ("masks", "size"): "mask_size",
    ("masks", "drawn"): "mask_rows",
    ("masks", "edit"): "edit_position",
    ("masks", "with"): "replacement",
    ("positions", "show"): "view",
    ("positions", "kind"): "model_kind",
    ("positions", "moved_by"): "shift_by",
    ("positions", "order"): "word_order",
    ("positions", "signs"): "question_length",
    ("positions", "asked"): "question_id",
    ("positions", "turning"): "rotation_width",
    ("remove", "off"): "heads_off",
    ("remove", "how"): "ablation",
    ("remove", "then"): "panel",
    ("remove", "cost"): "metric",
    ("remove", "row_is"): "override",
    ("translate", "beside"): "panel",
    ("translate", "said"): "target_step",
    ("translate", "heads_out"): "heads_off",
    ("translate", "averaged"): "mean_heads",
    ("translate", "beam"): "beam_width",
    ("translate", "penalty"): "length_penalty",
    ("your_model", "more"): "panel",
    ("your_model", "foreign"): "maps_model",
    ("your_model", "foreign_text"): "maps_text",
    ("your_model", "foreign_target"): "maps_target",
}

# (page, name of an earlier version): it counted from 0, and its name of today counts from 1.
COUNTED_FROM_0 = {("inside", "step")}

# (page, name of today) → value of an earlier version → the value of today
VALUES: dict[tuple[str, str], dict[str, str]] = {
    ("heads", "panel"): {"Write on": "Generate"},
    ("inside", "view"): {
        "Both forms": "Loop or matrix",
        "Free sizes": "Size and cost",
        "Only averaging": "Average of values",
        "Spectrum": "QK spectrum",
    },
    ("masks", "mask_kind"): {"own": "trained", "drawn": "custom"},
    ("masks", "view"): {"Cheating": "Trained without the mask", "One pass or many": "KV cache"},
    ("positions", "view"): {"Distance": "Position and distance", "Too long": "Length generalisation"},
    ("remove", "panel"): {
        "Head knock-outs": "Head ablation",
        "One row by hand": "Override one row",
        "Stream": "Residual stream",
    },
    ("translate", "panel"): {
        "Quality and length": "Accuracy by length",
        "What this shows": "Claims checked",
        "Without a part": "Ablation",
    },
    ("translate", "network"): {"Transformer, in pieces": "Transformer on subwords"},
    ("translate", "task"): {"Who is it": "Coreference"},
}


def name_of_today(page: str, name: str) -> str:
    """The name of a parameter of that page, whatever it was called in an earlier version."""
    return NAMES.get((page, name)) or EVERYWHERE.get(name, name)


def value_of_today(page: str, name: str, value: str) -> str:
    """The value of today for a value that a link gives to a parameter under this name, of today or of before."""
    if (page, name) in COUNTED_FROM_0 and value.isascii() and value.isdecimal() and len(value) < 5:
        return str(int(value) + 1)
    return VALUES.get((page, name_of_today(page, name)), {}).get(value, value)


def of_today(page: str, address: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """The parameters of a link to that page, name → values, as they are called today.

    A name of today that is in the link too goes before the old one.
    """
    today: dict[str, list[str]] = {}
    for name, values in address.items():
        added = bool(values) and is_tracking(name, values[0])  # on the way, by a mail program: it is no setting
        new = name if added else name_of_today(page, name)
        if new == name or new not in address:
            today[new] = [value_of_today(page, name, value) for value in values]
    return today
