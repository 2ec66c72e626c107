"""The frame of every figure: below it its sentence, the table behind it, and its files."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import plotly.graph_objects as go
import streamlit as st

from viz import head_grid
from viz.export import Table, to_csv
from viz.reading import alt_text, pieces
from viz.ui.controls import set_state
from viz.ui.frame import theme, words

LINK = re.compile(r"^- \[(?P<label>.+?)\]\(\?(?P<state>.*?)\)$", re.MULTILINE)


def lesson(page: str) -> None:
    """The prose below the figures; its list of links becomes buttons that set the state without leaving the page."""
    below = words(page)[1]
    st.markdown(LINK.sub("", below))
    with st.container(horizontal=True, gap="medium"):
        for number, link in enumerate(LINK.finditer(below)):
            state = dict(parse_qsl(link["state"]))
            st.button(link["label"], key=f"try_{number}", type="tertiary", on_click=set_state, args=(state,))


def chart(figure: go.Figure, *, key: str, sentence: str, table: Callable[[], Table], file: str) -> None:
    """A Plotly figure in its frame. `key` names it on the page, `file` in a folder."""
    st.plotly_chart(figure, theme=None, key=key, config={"displayModeBar": False}, alt=alt_text(sentence))
    below(key, sentence=sentence, table=table, file=file)


def below(key: str, *, sentence: str, table: Callable[[], Table], file: str, quiet: bool = False) -> None:
    """What stands under a figure that is already on the page. `quiet`: the sentence explains more than it tells."""
    asked = st.session_state.pop(f"csv_{key}", False)
    shown = st.session_state.get(f"table_{key}", False)
    head_grid.save(
        key,
        file,
        key=f"save_{key}",
        reading=pieces(sentence),
        quiet=quiet,
        open=shown,
        csv=to_csv(table()).decode() if asked else None,
        theme=theme(),
        on_table=partial(_set, f"table_{key}", not shown),
        on_csv=partial(_set, f"csv_{key}", True),
    )
    if shown:
        st.dataframe(dict(table()), hide_index=True)


def _set(name: str, value: bool) -> None:
    st.session_state[name] = value


def head_table(statistics: Mapping[str, list[Any]], *, on_head: Callable[[int, int], None]) -> None:
    """One line a head, sortable by any column; a click on a line chooses its head."""
    key = "statistics"
    st.dataframe(
        dict(statistics),
        hide_index=True,
        height="content",
        key=key,
        selection_mode="single-row",
        on_select=partial(_choose_line, key, statistics, on_head),
    )


def _choose_line(key: str, statistics: Mapping[str, list[Any]], on_head: Callable[[int, int], None]) -> None:
    for line in st.session_state[key]["selection"]["rows"]:
        on_head(statistics["layer"][line], statistics["head"][line])
