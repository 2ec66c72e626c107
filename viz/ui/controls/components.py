"""A toggle for each part of the model that can be removed."""

from collections.abc import Mapping, Set

import streamlit as st

from model.switches import PARTS, Switches
from viz.ui import model_calls
from viz.ui.controls.choices import name_in_link
from viz.ui.state import Key, Param


def switches(
    weights: str,
    disabled: bool = False,
    no_effect: Mapping[str, str] | None = None,
    off: Set[str] = frozenset(),
) -> Switches:
    """A toggle for each part; disabled where the model has none of them, was trained without it, or it does nothing.

    no_effect and off: as in `experiment`.
    """
    st.caption("Components")
    removable = model_calls.removable_parts(weights)
    defaults, removed = st.session_state.setdefault(Key.DEFAULTS, {}), []
    for part in PARTS:
        has = getattr(removable, part.name)
        hint = f"Without it: {part.hint}" if has else "This model was trained without it, so it cannot be removed."
        hint = (no_effect or {}).get(part.name, hint)
        inert = disabled or not has or hint in (no_effect or {}).values()
        opens, name = part.name not in off, Param(part.name)
        if defaults.get(name, opens) != opens:
            name_in_link(name)
        defaults[name] = opens
        on = st.toggle(part.label, opens, key=Param(part.name), help=hint, disabled=inert, bind="query-params")
        if has and not on:
            removed.append(part.name)
    return Switches().without(*removed)
