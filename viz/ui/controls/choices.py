"""A choice of a few, side by side, and the default that it opens with."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from viz.ui.state import Key, Param


def track_default(defaults: Mapping[Param | Key, Any]) -> None:
    """Where a control opens depends on the model or the text, and one that still stands there goes along.

    A link leaves defaults out: else it would open another state than the one that it was copied from.
    """
    known = st.session_state.setdefault(Key.DEFAULTS, {})
    for name, now in defaults.items():
        if name in st.session_state and known.get(name, now) == st.session_state[name] != now:
            st.session_state[name] = now
        known[name] = now


def name_in_link(*names: Param) -> None:
    """Let controls whose default is another than before write their values into the link again, or take them out."""
    for name in names:
        if name in st.session_state:
            st.session_state[name] = st.session_state[name]


def opened(name: Param, options: Sequence[str]) -> str:
    """What a choice that is drawn further down will be: as the session or the link has it, else the first option."""
    chosen = st.session_state.get(name, st.query_params.get(name))
    return chosen if chosen in options else options[0]


def choice(label: str, options: Sequence[str], *, key: Param | Key, default: str | None = None, **more: Any) -> str:
    """One of a few, side by side. A link that leaves it empty gets the default, the first where none is named."""
    fallback = default or options[0]
    track_default({key: fallback})
    settings: dict[str, Any] = {"label_visibility": "collapsed", "bind": "query-params", "required": True} | more
    chosen: str | None = st.segmented_control(label, options, default=fallback, key=key, **settings)
    return chosen or fallback
