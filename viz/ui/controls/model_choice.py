"""The model: which one is chosen, and what becomes of one that this page cannot show."""

import streamlit as st

from model import checkpoint
from viz.labels import escape_markdown
from viz.ui import model_calls
from viz.ui.state import DEFAULTS, Key, Param

FIRST: str = DEFAULTS[Param.WEIGHTS]  # the model that a visitor meets first


def model_control(pairs: bool) -> str:
    """The chosen model. pairs: whether models of two sentences are offered."""
    for fault in checkpoint.faults():
        st.caption(f"{escape_markdown(fault)} It is not listed below.")
    names = (*model_calls.text_models(), *model_calls.kept_models(), *(model_calls.pair_models() if pairs else ()))
    gone = st.session_state.get(Param.WEIGHTS)
    if pairs:
        _return_to_pair_model()
    elif (wanted := gone or "".join(_opened_with(Param.WEIGHTS)[:1])) in model_calls.pair_models():
        st.session_state[Key.PAIR_MODEL], st.session_state[Param.WEIGHTS] = wanted, FIRST
        st.session_state[Key.OPENED_WITH].pop(Param.WEIGHTS, None)
    elif gone is not None and gone not in names:  # a model from elsewhere that was let go meanwhile
        st.session_state[Param.WEIGHTS] = FIRST
        st.session_state[Key.OPENED_WITH][Param.WEIGHTS] = [gone]
    return st.selectbox(
        "Model", names, index=names.index(FIRST), key=Param.WEIGHTS, bind="query-params", on_change=_choose_model
    )


def _opened_with(name: Param) -> list[str]:
    """The values of this name in the link, while they have not been checked."""
    values: list[str] = st.session_state.get(Key.OPENED_WITH, {}).get(name, [])
    return values


def _return_to_pair_model() -> None:
    """Show the model of two sentences that the pages between could not show, unless another was chosen meanwhile."""
    waits = st.session_state.pop(Key.PAIR_MODEL, None)
    chosen = st.session_state.get(Param.WEIGHTS) or FIRST
    if waits in model_calls.pair_models() and chosen == FIRST and Param.WEIGHTS not in st.query_params:
        st.session_state[Param.WEIGHTS] = waits


def _choose_model() -> None:
    """A model that splits words opens by word when a person chooses it. A link without a unit shows its tokens."""
    st.session_state.pop(Key.PAIR_MODEL, None)
    if model_calls.about(st.session_state[Param.WEIGHTS]).splits_words:
        st.session_state[Param.UNITS] = "words"


def choose_weights(name: str) -> None:
    """Take another model, as if it had been chosen in the sidebar."""
    st.session_state[Param.WEIGHTS] = name
    _choose_model()
