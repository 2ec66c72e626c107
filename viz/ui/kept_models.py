"""Steps of live trainings that a visit keeps as models: the list, with a way to open, to save and to remove each."""

from functools import partial

import streamlit as st

from model.checkpoint import CheckpointError
from model.training.live.kept_model import MOST_FILE, example, from_file, to_file
from viz.captions.counting import counted
from viz.labels import escape_markdown
from viz.ui import controls, model_calls, visitor
from viz.ui.state import Key, Param, key_of

MOST = 8  # models that one visit keeps


def remember(name: str) -> None:
    """Let this visit choose the model on every page. Of more than MOST the oldest is forgotten."""
    others = [other for other in st.session_state.get(Key.KEPT_MODELS, ()) if other != name]
    st.session_state[Key.KEPT_MODELS] = (*others, name)[-MOST:]


def upload() -> None:
    """The place to drop a file that Training has saved. A file that cannot be opened is refused in one sentence."""
    st.file_uploader(
        "A step of a live training, a .safetensors file that the page Training saved",
        type=["safetensors"],
        key=Key.SAVED_STEP,
        max_upload_size=MOST_FILE // 1_000_000,
        on_change=_open_upload,
    )
    if st.session_state.get(Key.SAVED_STEP) is not None and (fault := st.session_state.get(Key.SAVED_STEP_FAULT)):
        st.info(escape_markdown(fault))


def _open_upload() -> None:
    file = st.session_state.get(Key.SAVED_STEP)
    st.session_state[Key.SAVED_STEP_FAULT] = ""
    if file is not None:
        try:
            remember(from_file(file.getvalue()))
        except CheckpointError as error:
            st.session_state[Key.SAVED_STEP_FAULT] = str(error)


def show() -> None:
    """The models of this visit, the newest first."""
    names = model_calls.kept_models()
    if names:
        st.markdown("**Kept from live trainings, under “Model” on every page in this visit**")
    for name in reversed(names):
        card = model_calls.about(name).json
        what = f"{card['settings']['task']}, {counted(card['step'], 'step')}"
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"kept_{name}"):
            st.markdown(f"**{escape_markdown(card['title'])}** :gray[{what}; {name}]", width="content")
            opens = st.button("Open on Heads", key=key_of(Key.OPEN_KEPT, name), type="tertiary")
            st.download_button(
                "Save",
                partial(to_file, name),
                f"{name}.safetensors",
                key=key_of(Key.KEPT_FILE, name),
                type="tertiary",
                on_click="ignore",
            )
            st.button("Remove", key=key_of(Key.LET_KEPT_GO, name), type="tertiary", on_click=_forget, args=(name,))
        if opens:
            controls.choose_weights(name)
            st.session_state[Param.TEXT] = example(model_calls.about(name).task)
            st.switch_page(visitor.script_of("heads"), query_params={str(Param.WEIGHTS): name})


def _forget(name: str) -> None:
    st.session_state[Key.KEPT_MODELS] = tuple(other for other in model_calls.kept_models() if other != name)
