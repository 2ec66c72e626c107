"""The controls of Translate: task, network, source, parts, and how the next word is chosen.

Every control is bound to the address; a network that lacks a part keeps its switch on the screen, and says so.
"""

from dataclasses import asdict, dataclass
from functools import partial
from random import Random

import streamlit as st

from model.generation.decoding import Decoding
from model.run import Experiment, InputTextError
from model.switches import Switches
from model.tasks import PAIRS
from model.tasks import coreference as resolving
from viz.labels import markdown
from viz.pages.translate import compute
from viz.pages.translate.compute import STACKS, TRANSFORMER, TRANSLATE_TASKS
from viz.ui import ablation, controls, model_calls, sampling_controls, visitor
from viz.ui.state import Key, Param

METHODS = ("greedy", "sample", "beam")


@dataclass(frozen=True)
class TranslateSettings:
    """What the sidebar says."""

    task: str
    network: str
    experiment: Experiment
    decoding: Decoding

    @property
    def reads_pairs(self) -> bool:
        """Whether something is written at all; the resolver only reads."""
        return TRANSLATE_TASKS[self.task].task in PAIRS


def choose_settings() -> TranslateSettings:
    """Task, network, source, parts and decoding: everything that decides what is written."""
    controls.note_link_values()
    task = st.sidebar.selectbox("Task", list(compute.available_tasks()), key=Param.TASK, bind="query-params")
    network = _network(task)
    with st.sidebar:
        weights = compute.available_tasks()[task][network]
        text = _source(task, weights)
        switches = controls.switches(weights, disabled=network not in STACKS)
        if network not in STACKS:
            st.caption("A recurrent network has none of these components.")
            switches = Switches()
        elif TRANSLATE_TASKS[task].task in PAIRS:
            switches = ablation.pair_heads_off(weights, switches)
        how = _decoding(compute.unit(weights)) if TRANSLATE_TASKS[task].task in PAIRS else Decoding()
        if weights in model_calls.pair_models():
            _whole_model_button(weights, text)
    experiment = Experiment(weights=weights, text=text, switches=switches)
    try:
        (compute.source if TRANSLATE_TASKS[task].task in PAIRS else model_calls.encoding)(experiment)
    except InputTextError as error:
        st.info(str(error))
        controls.report_bad_link(whole=False)
        st.stop()
    return TranslateSettings(task, network, experiment, how)


def open_whole_model() -> None:
    """Go to the page Whole model, if its button was pressed, with the same model, source and parts."""
    weights, text = st.session_state.pop(Key.WHOLE_MODEL_OF, ("", ""))
    if weights:
        address = {Param.WEIGHTS.value: weights, Param.TEXT.value: text}
        st.switch_page(visitor.script_of("machine"), query_params=address)


def _whole_model_button(weights: str, text: str) -> None:
    st.button(
        "Open Whole model",
        key=Key.WHOLE_MODEL,
        type="tertiary",
        help="Every part of this model in its place, and the way of one word through them.",
        on_click=lambda: st.session_state.update({Key.WHOLE_MODEL_OF: (weights, text)}),
    )


def _network(task: str) -> str:
    """The networks in the order of their history, over the figure: their difference is what the page is about."""
    networks = list(compute.available_tasks()[task])
    if st.session_state.get(Param.NETWORK, TRANSFORMER) not in networks:
        st.session_state[Param.NETWORK] = TRANSFORMER  # the network of another task
    return controls.choice("Network", networks, key=Param.NETWORK, default=TRANSFORMER)


def _source(task: str, weights: str) -> str:
    example = TRANSLATE_TASKS[task].example
    # Another task begins with its own example; what a link or a person has written stays.
    before, given = st.session_state.get(Key.SOURCE_OF, (task, ""))
    if before != task and st.session_state.get(Param.SOURCE_TEXT) == given:
        st.session_state[Param.SOURCE_TEXT] = example
    text = (
        st.text_area("Source", value=example, key=Param.SOURCE_TEXT, bind="query-params", height=controls.THREE_LINES)
        or ""
    )
    st.session_state[Key.SOURCE_OF] = (task, example if before != task else given or example)
    kinds = (
        PAIRS[TRANSLATE_TASKS[task].task].kinds if TRANSLATE_TASKS[task].task in PAIRS else {"any": "Two to four nouns"}
    )
    controls.new_sentence_button(kinds, Key.DRAW_SOURCE, partial(_draw, TRANSLATE_TASKS[task].task))
    with st.popover("Vocabulary", width="stretch", key=Key.KNOWN_SOURCE, on_change="rerun") as known:
        if known.open:
            tokenizer = model_calls.tokenizer(weights)
            words = [word for index, word in enumerate(tokenizer.vocabulary) if index not in tokenizer.special_ids]
            st.markdown(" ".join(map(markdown, words)))
    return text


def _draw(task: str) -> None:
    kind = st.session_state[Key.DRAW_SOURCE]
    drawn = (
        resolving.make_question(Random()).text if task not in PAIRS else PAIRS[task].draw(kind, Random()).source_text
    )
    set_source(drawn)
    st.session_state[Key.SOURCE_OF] = (st.session_state[Param.TASK], drawn)


def source_words(weights: str) -> controls.SourceWords:
    """What a source of these weights is made of, and how one of its words is replaced."""
    return controls.SourceWords(set_source, partial(model_calls.source_words, weights), "English")


def set_source(text: str) -> None:
    """Put a text into the source box, and go back to where the word that is said was chosen."""
    st.session_state[Param.SOURCE_TEXT] = text
    st.session_state[Param.TARGET_STEP] = None


def _decoding(unit: str) -> Decoding:
    """How the next word, sign or character is chosen."""
    method = controls.choice(f"Next {unit}", METHODS, key=Param.METHOD, label_visibility="visible", width="stretch")
    if method == "sample":
        return Decoding("sample", **asdict(sampling_controls.choosing()))
    if method == "beam":
        with st.container(horizontal=True, gap="small"):
            width = st.number_input("Width", 1, 8, 4, key=Param.BEAM_WIDTH, bind="query-params", width=100)
            penalty = st.number_input(
                "Length penalty",
                0.0,
                2.0,
                0.6,
                0.1,
                key=Param.LENGTH_PENALTY,
                bind="query-params",
                width=130,
                help="Sentences are compared by ln p / ((5 + length) / 6)^α. At 0 this is ln p itself, which favours "
                "short sentences. At 1 it is almost the mean ln p per word.",
            )
            return Decoding("beam", width=int(width), alpha=float(penalty))
    return Decoding()
