"""Generation, token by token, with the heads beside it."""

from dataclasses import asdict
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from model.generation.decoding import Decoding
from model.generation.generate import continue_text
from model.generation.next_token import sampling_candidates
from model.run import Experiment, InputTextError
from viz import canvas
from viz.captions.heads import describe_sampling
from viz.export.tables import file_name
from viz.labels import escape_markdown
from viz.theme import Theme
from viz.ui import controls, copy_as_python, figure_panel, model_calls, slots
from viz.ui.sampling_controls import Choosing, choosing
from viz.ui.state import Key

SECONDS_PER_WORD = 0.5  # seconds between two words, so that the eye can follow the heads
SHOWN = 8
MAX_SHOWN_LETTERS = 110  # letters of the text that stand beside the buttons
HALF = "\ufffd"  # what a character reads that is not all written yet


def show(experiment: Experiment, position: int, after: str, player: DeltaGenerator, theme: Theme) -> None:
    """position: that of the last token; after: how it reads; player: where the buttons stand, beside the heads."""
    st.session_state[Key.TICK] = 0  # the page was drawn anew: the next tick of the player writes the next word
    left, right = st.columns([2, 3], gap="large")
    with left:
        chosen = choosing()
        st.caption("The buttons Step and Play are above the heads, so that you can see both.")
    with player:
        _player(experiment, chosen)
    with right:
        _candidates(experiment, position, after, chosen, theme)


def _player(experiment: Experiment, choosing: Choosing) -> None:
    playing = bool(st.session_state.get(Key.PLAYING))
    st.session_state[Key.PLAYER] = True  # it is on the page: see frame.open_frame
    st.fragment(_buttons, run_every=SECONDS_PER_WORD if playing else None)(experiment, choosing, playing)


def _buttons(experiment: Experiment, choosing: Choosing, playing: bool) -> None:
    st.session_state[Key.TICK] += 1
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.button("Step", key=Key.WRITE_ONE, on_click=_write, args=(experiment, choosing), disabled=playing)
        if playing:
            st.button("Stop", key=Key.WRITE_STOP, type="primary", on_click=_play, args=(False,))
        else:
            st.button("Play", key=Key.WRITE_PLAY, type="primary", on_click=_play, args=(True,))
        st.caption(
            st.session_state.get(Key.STOPPED) or f"… {escape_markdown(experiment.text[-MAX_SHOWN_LETTERS:])}",
            width="stretch",
        )
    if (
        st.session_state[Key.TICK] > 1
    ):  # a click or a tick ran this part alone; what it changes belongs to the whole page
        if playing and st.session_state.get(Key.PLAYING):
            _write(experiment, choosing)
        st.rerun()


def _play(on: bool) -> None:
    st.session_state[Key.PLAYING] = on
    st.session_state[Key.STOPPED] = None


def _write(experiment: Experiment, choosing: Choosing) -> None:
    """Put one more token into the sentence box, or stop and say why."""
    window = model_calls.about(experiment.weights).context
    if len(model_calls.encoding(experiment).ids) >= window:
        _play(False)
        st.session_state[Key.STOPPED] = f"The window is full: the model was trained on texts of up to {window} tokens."
        return
    st.session_state[Key.STOPPED] = None
    try:
        written = write(experiment, choosing)
    except InputTextError as error:
        _play(False)
        st.session_state[Key.STOPPED] = str(error)
        return
    controls.set_text_to(written)


def write(experiment: Experiment, choosing: Choosing) -> str:
    """The text with one more token; with as many as it takes where that would end in half a character."""
    for tokens in range(1, 5):
        with slots.place("Generating a word", model_calls.operations(experiment, 2)):
            text = continue_text(experiment, tokens, _decoding(choosing)).text
        if not text.endswith(HALF):
            return text
    return text


def _decoding(choosing: Choosing) -> Decoding:
    return Decoding("sample", **asdict(choosing))


def _candidates(experiment: Experiment, position: int, after: str, choosing: Choosing, theme: Theme) -> None:
    chosen = sampling_candidates(experiment, model_calls.trace(experiment), position, _decoding(choosing), SHOWN)
    p, q = chosen.model_probability, chosen.sampling_probability
    words = [model_calls.tokenizer(experiment.weights).vocabulary[index] for index in chosen.ids]
    drawn = canvas.probability_bars({"the model": p, "drawn from": q}, words, key="candidates", theme=theme)
    figure_panel.below(
        drawn,
        sentence=describe_sampling(p, q, words, after, chosen.n_possible),
        table=partial(dict, word=words, model_probability=p, sampling_probability=q),
        file=file_name(experiment.name, f"candidates-{position}"),
        of=experiment,
        python=copy_as_python.python(
            f"decoding = {copy_as_python.code_of(_decoding(choosing))}\n"
            f"chosen = sampling_candidates(experiment, run(experiment), {position}, decoding, n={SHOWN})\n"
            "model_probability, sampling_probability = chosen.model_probability, chosen.sampling_probability  # (n,)",
            "from model.generation.decoding import Decoding\n"
            "from model.generation.next_token import sampling_candidates",
            experiment=experiment,
        ),
    )
