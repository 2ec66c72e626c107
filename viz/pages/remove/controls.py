"""The controls of the page: which question, which heads, and what B is."""

from dataclasses import replace

import streamlit as st

from model import checkpoint
from model.run import Experiment
from model.switches import PARTS, Switches
from viz.ui import controls, model_calls
from viz.ui.state import Key, Param

VIEWS = ("What breaks", "Trained without", "Why √d_k", "Layer norm, batch norm")
AS_A = "as A"
HOW = ("removed now", "trained without")
ACTING = {  # view → the controls of the sidebar that do something in it
    VIEWS[0]: controls.EVERY,
    VIEWS[1]: frozenset({controls.Control.MODEL}),
    VIEWS[2]: frozenset({controls.Control.MODEL, controls.Control.HEAD}),
    VIEWS[3]: frozenset({controls.Control.MODEL}),
}
THEN = ("Next word", "Residual stream", "Head ablation", "Override one row")


def acting() -> frozenset[controls.Control]:
    """The controls of the sidebar that do something in the open view."""
    return ACTING[controls.opened(Param.VIEW, VIEWS)]


def out_by_default() -> frozenset[str]:
    """The parts that are out where nothing else is removed: the scaling, so that A and B differ as the page opens.

    Call it before the switches are drawn. When a person removes another part, the scaling comes back; when they leave
    the page, too.
    """
    session = st.session_state
    heads = session.get(Param.HEADS_OFF) or st.query_params.get_all(Param.HEADS_OFF)
    others = (
        bool(heads) or _other_model() or any(_is_off(Param(part.name)) for part in PARTS if part.name != Param.SCALE)
    )
    if Key.OPENED_WITHOUT not in session:
        session[Key.OPENED_WITHOUT] = not others and Param.SCALE not in st.query_params and not _is_off(Param.SCALE)
        if session[Key.OPENED_WITHOUT]:
            session[Param.SCALE] = False
    elif session[Key.OPENED_WITHOUT]:
        session[Param.SCALE] = others or session.get(Param.SCALE, False)
        session[Key.OPENED_WITHOUT] = not session[Param.SCALE]
    return frozenset() if others else frozenset({str(Param.SCALE)})


def _is_off(name: Param) -> bool:
    return st.session_state[name] is False if name in st.session_state else st.query_params.get(name) == "false"


def _other_model() -> bool:
    """Whether B has other weights than A, as the session or the link has it."""
    name = st.session_state.get(Param.MODEL_B) or st.query_params.get(Param.MODEL_B) or AS_A
    return bool(name != AS_A)


def model_of_b(weights: str, shown: frozenset[controls.Control]) -> str:
    """The weights of B: those of A, or others whose heads and tokens can be compared with them."""
    others = model_calls.comparable(weights)
    if not others:
        return weights
    if st.session_state.get(Param.MODEL_B) not in (None, AS_A, *others):
        st.session_state[Param.MODEL_B] = AS_A  # A is another model now
    with controls.place(controls.Control.COMPONENTS, shown, "_model_b"):
        chosen = st.selectbox(
            "Model of B",
            (AS_A, *others),
            key=Param.MODEL_B,
            bind="query-params",
            help="Weights with as many heads and the same words, such as another step of the same training.",
        )
    return weights if chosen == AS_A else chosen


def ablated_experiment(removed: Experiment, shown: frozenset[controls.Control]) -> Experiment:
    """What B is: the same weights with the parts removed now, or weights that never had the part."""
    if not has_trained_without(removed.weights):
        return removed
    with controls.place(controls.Control.COMPONENTS, shown, "_how"):
        how = controls.choice(
            "Ablation method",
            HOW,
            key=Param.ABLATION,
            label_visibility="visible",
            width="stretch",
            help=(
                "Removed now: B has A's weights, and the part is left out. Trained without: B has other weights, which "
                "were trained without the part."
            ),
        )
        if how == "removed now":
            return removed
        weights = trained_without(removed)
        if weights is None:
            st.caption(
                "Models trained without a part exist for one part at a time, and for no single head. So in B the part "
                "is removed now."
            )
            return removed
        st.caption("B was trained separately, so its heads do not correspond to A's heads.")
    return replace(removed, weights=weights, switches=Switches())


def has_trained_without(weights: str) -> bool:
    """Whether models were trained without a part, to stand beside these weights."""
    return any(f"{weights}-without-{part.name}" in checkpoint.names() for part in PARTS)


def trained_without(removed: Experiment) -> str | None:
    """The name of the weights that were trained without the one part removed here, if there are such."""
    parts = removed.switches.removed
    name = f"{removed.weights}-without-{parts[0]}" if len(parts) == 1 and not removed.switches.heads_off else ""
    return name if name in checkpoint.names() else None


def choose_view(weights: str) -> str:
    """Which question the page answers."""
    return controls.choice(
        "Question", [name for name in VIEWS if name != VIEWS[1] or has_trained_without(weights)], key=Param.VIEW
    )


def choose_panel(predicts_words: bool) -> str:
    """Which further figure stands below the comparison; without predictions it opens with the residual stream."""
    return controls.choice("More about this removal", THEN, key=Param.PANEL, default=THEN[0 if predicts_words else 1])
