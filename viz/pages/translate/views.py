"""How Translate is looked at: the head and the map that are large, the word that is being said, what stands below."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from model.config import ModelConfig
from viz.pages.translate import compute
from viz.pages.translate.compute import STACKS
from viz.ui import controls, model_calls
from viz.ui.state import Param, in_address

MAPS = {
    "cross": "target → source",
    "source": "source → source",
    "target": "target → target",
}


def choose_head(weights: str, n_layers: int, n_heads: int) -> tuple[int, int | None]:
    """The (layer, head) to enlarge; head None: the mean of the layer's heads. A single weight is no choice here."""
    if (n_layers, n_heads) == (1, 1):
        return 0, None
    for name, count in ((Param.LAYER, n_layers), (Param.HEAD, n_heads)):
        if (st.session_state.get(name) or 0) >= count:
            st.session_state[name] = count - 1  # the layer of another model
    layer, head = controls.head(n_layers, n_heads, default=compute.default_head(weights))
    with st.sidebar:
        averaged = st.toggle("All heads, averaged", True, key=Param.MEAN_HEADS, bind="query-params")
    return layer, None if averaged else head


def choose_map(network: str) -> str:
    """Which of the maps is large."""
    if network not in STACKS:
        return "cross"
    labels = {label: name for name, label in MAPS.items()}
    return labels[controls.choice("Map", list(labels), key=Param.MAP)]


def step(count: int) -> int:
    """The word that is being said, 1 … count; the last one where none is chosen."""
    if (st.session_state.get(Param.TARGET_STEP) or 0) > count:
        st.session_state[Param.TARGET_STEP] = None
    with in_address():
        chosen = st.number_input("Target word", 1, count, None, key=Param.TARGET_STEP, bind="query-params")
    return count if chosen is None else int(chosen)


def selected_step(count: int, otherwise: int) -> int:
    """The same for figures that light one word: `otherwise` where none is chosen."""
    chosen = st.session_state.get(Param.TARGET_STEP)
    return otherwise if chosen is None else min(int(chosen), count)


def choose_step(chosen: int) -> None:
    """Rest at this word, as if it had been typed."""
    st.session_state[Param.TARGET_STEP] = chosen


def choose_row(row: int | None) -> None:
    """The same for a row of a map."""
    st.session_state[Param.TARGET_STEP] = None if row is None else row + 1


SECTIONS = ("Side by side", "Accuracy by length", "Ablation", "Claims checked", "Unknown words")


def section(task: str, network: str) -> str:
    """Which further figure stands below: what there is for this task and network."""
    available = {
        SECTIONS[0]: len(compute.available_tasks()[task]) > 1,
        SECTIONS[1]: True,
        SECTIONS[2]: network in STACKS,
        SECTIONS[3]: True,
        SECTIONS[4]: task == "Translation" and set(STACKS) <= compute.available_tasks()[task].keys(),
    }
    return controls.choice("More", [name for name, is_there in available.items() if is_there], key=Param.PANEL)


def pinned() -> bool:
    """Whether a word was chosen."""
    return st.session_state.get(Param.TARGET_STEP) is not None


def sizes(weights: str) -> tuple[int, int]:
    """Layers and heads of the cross-attention."""
    config = model_calls.about(weights).config
    return (config.n_layers, config.n_heads) if isinstance(config, ModelConfig) else (1, 1)


def small_table(head: Sequence[str], rows: Sequence[Sequence[str]], kind: str = "") -> str:
    """A table as HTML, in small letters. kind: "sentences" where cells are long, "hits" where the first is."""
    lines = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows]
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f'<div class="strip"><div class="answers {kind}"><table><tr>{top}</tr>{body}</table></div></div>'
