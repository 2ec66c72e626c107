"""The address as it was opened, a link that is followed within the page, and what of a link could not be used."""

import math
import re
from collections.abc import Mapping
from typing import Any

import streamlit as st

from model.registry import PREFIX, SESSION_PREFIX
from model.switches import PARTS
from viz.captions.typed_text import describe_pair_model
from viz.labels import markdown
from viz.lessons.parse import RESERVED
from viz.pair_tasks import place_of
from viz.ui import model_calls
from viz.ui.links.tracking_parameters import is_tracking
from viz.ui.present import CLASS
from viz.ui.state import Key, Param

FRAME = (*RESERVED, Param.MAPS_MODEL, CLASS)  # names in the address that no control takes from it
TEXTS = (
    Param.TEXT,
    Param.SOURCE_TEXT,
    Param.TARGET,
    Param.MAPS_TEXT,
    Param.MAPS_TARGET,
    Param.QUESTION,
    Param.WORD_ORDER,
    Param.MASK_ROWS,
)  # names whose value a person wrote


def note_link_values() -> None:
    """Keep the address as it was opened: the controls read it next, and clear what they cannot use."""
    if Key.OPENED_WITH not in st.session_state:
        link = {name: st.query_params.get_all(name) for name in st.query_params}
        st.session_state[Key.OPENED_WITH] = link
        endless = [name for name, values in link.items() if name not in TEXTS and any(map(_endless, values))]
        for name in endless:
            del st.query_params[name]  # Streamlit would make an integer of it, and fail
        if endless:
            st.rerun()  # the controls read the address as it is at the start of a run


def _endless(value: str) -> bool:
    """Whether this is a number beyond all bounds, such as 1e309, or none, such as nan."""
    try:
        return not math.isfinite(float(value))
    except ValueError:
        return False


def set_state(state: Mapping[str, str]) -> None:
    """Set controls as a link would: every part present and no word chosen, then what the state names."""
    st.session_state[Key.LINKS_OPENED] = st.session_state.get(Key.LINKS_OPENED, 0) + 1
    st.session_state.update({Param(part.name): True for part in PARTS} | {Param.QUERY: None, Param.TARGET_STEP: None})
    if st.session_state.pop(Key.TARGET_OF, None):
        st.session_state[Param.TARGET] = ""
    for name, value in state.items():
        if name not in st.session_state:
            st.query_params[name] = value  # a control that is not on the page yet does not write its own part
        st.session_state[name] = _typed(name, value)


def _typed(name: str, value: str) -> Any:
    """As the control holds what the link spells."""
    if value in ("true", "false"):
        return value == "true"
    if name in (Param.TEXT, Param.TARGET):
        return value
    return int(value) if value.isdigit() else float(value) if re.fullmatch(r"\d+\.\d+", value) else value


def _same_number(text: str, used: Any) -> bool:
    try:
        return not isinstance(used, bool) and float(text) == used
    except ValueError:
        return False


def report_bad_link(whole: bool = True) -> None:
    """Say once which values of the link could not be used, and which names.

    Call it when every control of the page is drawn; whole: whether they are. Names that mean nothing here leave the
    address, so that no copy of the link holds them.
    """
    problems = []
    for name, values in st.session_state.get(Key.OPENED_WITH, {}).items():
        if name not in st.session_state:
            added = is_tracking(name, values[0])  # on the way, by a mail program or a network: no note
            if whole and name not in FRAME and not added:
                problems.append(f"{markdown(name)} (unknown setting)")
            if added or (whole and name not in FRAME):
                st.query_params.pop(name, None)
            continue
        used = st.session_state[name]
        if name == Param.WEIGHTS and values != [used] and place_of(values[0]):
            st.info(describe_pair_model(values[0], used, values[0] in model_calls.pair_models()))
            continue
        if name == Param.WEIGHTS and values[0].startswith(SESSION_PREFIX) and values != [used]:
            st.info(
                f"The model {markdown(values[0])} was kept from a live training in another visit, so {used} is shown. "
                "If it was saved as a file, the page “Your model” opens it."
            )
            continue
        if name == Param.WEIGHTS and values[0].startswith(PREFIX) and values != [used]:
            st.info(
                f"The model {markdown(values[0])} is not loaded on this server, so {used} is shown. Load it on the "
                "page “Your model”."
            )
            continue
        formatted = [
            str(value).lower() if isinstance(value, bool) else str(value)
            for value in (used if isinstance(used, list) else [used])
        ]
        if values not in (formatted, [""]) and not (len(values) == 1 and _same_number(values[0], used)):
            nothing = "automatic" if name == Param.QUERY else "none"
            instead = nothing if used is None else ", ".join(formatted) or nothing
            problems.append(f"{name} = “{markdown(', '.join(values))}” (shown: {markdown(instead)})")
    if problems:
        st.info(f"Part of this link could not be used: {', '.join(problems)}.")
    st.session_state[Key.OPENED_WITH] = {}
