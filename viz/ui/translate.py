"""The sidebar of Translate: task, network, source, parts, the map to enlarge, and how the next word is chosen.

Every control is bound to the address; a network that lacks a part keeps its switch on the screen, and says so.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from html import escape
from random import Random
from typing import Any

import numpy as np
import streamlit as st

from model.run import Experiment, TextError
from model.switches import HEADS, Switches
from model.tasks import PAIRS
from model.tasks import resolver as resolving
from viz.labels import markdown
from viz.ui import controls, pairs, runs, writing
from viz.ui.pairs import ALONE, JOBS, TRANSFORMER, Decoding

METHODS = ("greedy", "sample", "beam")
MAPS = {
    "cross": "target → source",
    "source": "source → source",
    "target": "target → target",
}


@dataclass(frozen=True)
class Asked:
    """What the sidebar says."""

    job: str
    network: str
    experiment: Experiment
    how: Decoding

    @property
    def reads_pairs(self) -> bool:
        """Whether something is written at all; the resolver only reads."""
        return JOBS[self.job].task in PAIRS


def asked() -> Asked:
    """Task, network, source, parts and decoding: everything that decides what is written."""
    controls.remember_link()
    with st.sidebar:
        job = st.selectbox("Task", list(pairs.jobs()), key="task", bind="query-params")
        network = _network(job)
        weights = pairs.jobs()[job][network]
        text = _source(job, weights)
        switches = controls.switches(weights, disabled=network != TRANSFORMER)
        if network != TRANSFORMER:
            st.caption("A recurrent network has none of these parts.")
            switches = Switches()
        elif JOBS[job].task in PAIRS:
            switches = _without_heads(weights, switches)
        how = _decoding() if JOBS[job].task in PAIRS else Decoding()
    experiment = Experiment(weights=weights, text=text, switches=switches)
    try:
        (pairs.source if JOBS[job].task in PAIRS else runs.encoding)(experiment)
    except TextError as error:
        st.info(str(error))
        controls.link_mishaps()
        st.stop()
    return Asked(job, network, experiment, how)


def _network(job: str) -> str:
    there = list(pairs.jobs()[job])
    if st.session_state.get("network", there[0]) not in there:
        st.session_state["network"] = there[0]  # the network of another task
    return st.selectbox("Model", there, key="network", bind="query-params")


def _source(job: str, weights: str) -> str:
    example = JOBS[job].example
    # Another task begins with its own example, unless a link or a person has given it a text.
    before = st.session_state.get("source_of")
    if before is not None and before[0] != job and st.session_state.get("source_text") == before[1]:
        st.session_state["source_text"] = example
    text = st.text_area("Source", value=example, key="source_text", bind="query-params", height=96) or ""
    st.session_state["source_of"] = (job, text)
    kinds = PAIRS[JOBS[job].task].kinds if JOBS[job].task in PAIRS else {"any": "Two to four nouns"}
    st.menu_button(
        "New sentence",
        list(kinds),
        format_func=lambda kind: kinds[kind],
        key="draw_source",
        on_click=_draw,
        args=(JOBS[job].task,),
        width="stretch",
    )
    with st.popover("Words it knows", width="stretch", key="known_source", on_change="rerun") as known:
        if known.open:
            tokenizer = runs.tokenizer(weights)
            words = [word for at, word in enumerate(tokenizer.vocabulary) if at not in tokenizer.silent]
            st.markdown(" ".join(map(markdown, words)))
    return text


def _draw(task: str) -> None:
    kind = st.session_state["draw_source"]
    drawn = resolving.draw(Random()).text if task not in PAIRS else PAIRS[task].draw(kind, Random()).source_text
    set_source(drawn)


def set_source(text: str) -> None:
    """Put a text into the source box, and go back to where the word that is said was chosen."""
    st.session_state["source_text"] = text
    st.session_state["said"] = None


def _without_heads(weights: str, switches: Switches) -> Switches:
    config = runs.about(weights)["config"]
    cells = list(np.ndindex(config["n_layers"], config["n_heads"]))
    names = {
        f"{letter}{layer}H{head}": (field, (layer, head)) for field, letter in HEADS.items() for layer, head in cells
    }
    chosen = st.multiselect(
        "Heads taken out",
        list(names),
        key="heads_out",
        bind="query-params",
        placeholder="none",
        help="L: the target looks at itself. X: the target looks at the source. E: the source looks at itself.",
    )
    off: dict[str, Any] = {
        field: frozenset(names[name][1] for name in chosen if names[name][0] == field) for field in HEADS
    }
    return replace(switches, **off)


def _decoding() -> Decoding:
    """How the next word is chosen."""
    method = controls.choice("Next word", METHODS, key="method", label_visibility="visible", width="stretch")
    if method == "sample":
        return Decoding("sample", **asdict(writing.choosing()))
    if method == "beam":
        with st.container(horizontal=True, gap="small"):
            width = st.number_input("Width", 1, 8, 4, key="beam", bind="query-params", width=100)
            penalty = st.number_input(
                "Length penalty",
                0.0,
                2.0,
                0.6,
                0.1,
                key="penalty",
                bind="query-params",
                width=130,
                help="Sentences are compared by ln p / ((5 + length) / 6)^α. 0: short ones win; 1: almost by the mean.",
            )
            return Decoding("beam", width=int(width), penalty=float(penalty))
    return Decoding()


def look(weights: str, n_layers: int, n_heads: int) -> tuple[int, int | None]:
    """The (layer, head) to enlarge; head None: the mean of the layer's heads."""
    for name, count in (("layer", n_layers), ("head", n_heads)):
        if (st.session_state.get(name) or 0) >= count:
            st.session_state[name] = count - 1  # the layer of another model
    layer, head = controls.head(n_layers, n_heads, default=headline(weights))
    with st.sidebar:
        averaged = st.toggle("All heads, averaged", True, key="averaged", bind="query-params")
    return layer, None if averaged else head


@st.cache_resource(max_entries=16, show_spinner=False)
def headline(weights: str) -> tuple[int, int]:
    """The layer whose heads together, and of it the head that alone, looks most often where it should, by the card."""
    told = runs.about(weights).get("alignment", {})
    if not told:
        return 0, 0
    n = np.array([score["n"] for score in told.values()])
    top1 = np.array([score["top1"] for score in told.values()])  # (classes, L, H + 1)
    mean = (n[:, None, None] * top1).sum(axis=0) / n.sum()  # (L, H + 1)
    layer = int(mean[:, -1].argmax())
    return layer, int(mean[layer, :-1].argmax())


def which(network: str) -> str:
    """Which of the maps is large."""
    if network != TRANSFORMER:
        return "cross"
    labels = {label: name for name, label in MAPS.items()}
    return labels[controls.choice("Map", list(labels), key="map")]


def step(count: int) -> int:
    """The word that is being said, 1 … count; the last one where none is chosen."""
    if (st.session_state.get("said") or 0) > count:
        st.session_state["said"] = None
    with st.container(key="address"):  # unseen: it ties the step to the address of the page
        at = st.number_input("Word said", 1, count, None, key="said", bind="query-params")
    return count if at is None else int(at)


def step_chosen(count: int, otherwise: int) -> int:
    """The same for figures that light one word: `otherwise` where none is chosen."""
    at = st.session_state.get("said")
    return otherwise if at is None else min(int(at), count)


def choose_step(at: int) -> None:
    """Rest at this word, as if it had been typed."""
    st.session_state["said"] = at


def choose_row(row: int | None) -> None:
    """The same for a row of a map."""
    st.session_state["said"] = None if row is None else row + 1


def alone(network: str) -> bool:
    """Whether the network has one vector and no look at the source."""
    return network == ALONE


SECTIONS = ("Three networks", "Quality and length", "Without a part", "What this shows")


def section(asked: Asked) -> str:
    """Which further figure stands below: what there is for this task and network."""
    there = {
        SECTIONS[0]: len(pairs.jobs()[asked.job]) > 1,
        SECTIONS[1]: True,
        SECTIONS[2]: asked.network == TRANSFORMER,
        SECTIONS[3]: True,
    }
    return controls.choice("More", [name for name, is_there in there.items() if is_there], key="beside")


def pinned() -> bool:
    """Whether a word was chosen."""
    return st.session_state.get("said") is not None


def sizes(weights: str) -> tuple[int, int]:
    """Layers and heads of the looks at the source."""
    config = runs.about(weights)["config"]
    return int(config.get("n_layers", 1)), int(config.get("n_heads", 1))


def small_table(head: Sequence[str], rows: Sequence[Sequence[str]], sentences: bool = False) -> str:
    """A table as HTML, in small letters; sentences: its cells are long and may be broken."""
    lines = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows]
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    kind = "answers sentences" if sentences else "answers"
    return f'<div class="strip"><div class="{kind}"><table><tr>{top}</tr>{body}</table></div></div>'
