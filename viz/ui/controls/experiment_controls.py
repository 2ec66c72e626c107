"""Model, sentence and components: all that decides what the model does."""

from collections.abc import Mapping, Set
from dataclasses import replace

import streamlit as st

from model.run import Experiment, InputTextError
from viz.captions.typed_text import describe_pair_model
from viz.ui import model_calls
from viz.ui.controls.components import switches
from viz.ui.controls.link_values import note_link_values, report_bad_link
from viz.ui.controls.model_choice import FIRST, model_control
from viz.ui.controls.places import EVERY, Control, place
from viz.ui.controls.text_box import example_text, text_control
from viz.ui.state import Key


def experiment(
    acting: Set[Control] = EVERY,
    no_effect: Mapping[str, str] | None = None,
    off: Set[str] = frozenset(),
    pairs: bool = False,
) -> Experiment:
    """Model, sentence and parts: everything that decides what the model does.

    acting: the controls that do something in the open view. no_effect: name of a part → why its switch does nothing.
    off: the parts that are out where neither a person nor a link says otherwise. pairs: whether the page shows models
    of two sentences too; the text is then their source.
    """
    note_link_values()
    with place(Control.MODEL, acting):
        weights = model_control(pairs)
    if Control.MODEL in acting and weights == FIRST and Key.PAIR_MODEL in st.session_state:
        st.info(describe_pair_model(st.session_state[Key.PAIR_MODEL], weights, True))
    with place(Control.TEXT, acting):
        text = text_control(weights)
    with place(Control.COMPONENTS, acting):
        parts = switches(weights, no_effect=no_effect, off=off)
    chosen = Experiment(weights=weights, text=text, switches=parts)
    try:
        model_calls.encoding(chosen)
    except InputTextError as error:
        if Control.TEXT not in acting:
            return replace(chosen, text=example_text(weights))  # what was typed is refused where it is used
        st.info(str(error))
        report_bad_link(whole=False)
        st.stop()
    return chosen
