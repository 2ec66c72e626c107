"""The frame of every figure: below it its sentence, the table behind it, and its files."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from viz import canvas
from viz.captions.heads import alt_text, markdown_runs
from viz.export import standalone
from viz.export.tables import Arrays, Table, columns, to_csv, to_npz, with_screen_names
from viz.ui.controls import set_state
from viz.ui.copy_as_python import Source, origin
from viz.ui.state import Key, key_of
from viz.ui.visitor import theme, words

LINK = re.compile(r"^- \[(?P<label>.+?)\]\(\?(?P<state>.*?)\)$", re.MULTILINE)


def page_footer(page: str) -> None:
    """The prose below the figures; its list of links becomes buttons that set the state without leaving the page."""
    _whole_page()
    below = words(page)[1]
    st.markdown(LINK.sub("", below))
    with st.container(horizontal=True, gap="medium"):
        for number, link in enumerate(LINK.finditer(below)):
            state = dict(parse_qsl(link["state"]))
            st.button(link["label"], key=key_of(Key.TRY, number), type="tertiary", on_click=set_state, args=(state,))


@dataclass(frozen=True)
class Subject:
    """What a figure shows, where its files must say more of it than `copy_as_python.Source` does.

    title: what the page says beside the figure and a file has to say itself, such as which head it is; notice: what is
    special about the run, in place of what the experiment itself says.
    """

    of: Source = None
    title: str = ""
    notice: str | None = None


MOST_ROWS = 64  # whose sentences are sent with a figure


@dataclass(frozen=True)
class RowSentences:
    """What a figure says of each row: the browser shows the sentence of the row under the pointer.

    of_row: row → its sentence; focus: the row that is lit while the pointer is on none; rest: what holds of every row.
    """

    of_row: Callable[[int], str]
    n_rows: int
    focus: int
    rest: str = ""

    def text(self, row: int) -> str:
        """The whole caption while this row is lit."""
        return " ".join(filter(None, (self.of_row(row), self.rest)))

    @property
    def texts(self) -> list[str]:
        """The captions of all rows; none of a text so long that its rows are too thin to point at."""
        return [self.text(row) for row in range(self.n_rows)] if self.n_rows <= MOST_ROWS else []


@dataclass(frozen=True)
class Chart:
    """A Plotly figure that is on the page, and the key that names it there."""

    key: str
    figure: go.Figure


def chart(figure: go.Figure, *, key: str, sentence: str, **more: Any) -> None:
    """A Plotly figure in its frame. `key` names it on the page; the rest as in `below`."""
    st.plotly_chart(figure, theme=None, key=key, config={"displayModeBar": False}, alt=alt_text(sentence))
    below(Chart(key, figure), sentence=sentence, **more)


def below(
    drawn: canvas.Drawn | Chart,
    *,
    sentence: str | RowSentences,
    table: Callable[[], Table],
    file: str,
    of: Source | Subject,
    arrays: Callable[[], Arrays] | None = None,
    python: str = "",
    quiet: bool = False,
) -> None:
    """What stands under a figure that is already on the page.

    file: its name in a folder, without an ending; of: what it shows; arrays: its numbers with named axes, the
    columns of the table where there are none; python: the lines that recompute them; quiet: the sentence explains more
    than it tells.
    """
    key, rows = drawn.key, []
    if isinstance(sentence, RowSentences):
        rows, sentence = sentence.texts, sentence.text(sentence.focus)
    subject = of if isinstance(of, Subject) else Subject(of)
    made_by = replace(origin(key, subject.of, subject.notice), subject=subject.title)
    wanted = st.session_state.pop(key_of(Key.ASK, key), None)
    shown = st.session_state.get(key_of(Key.TABLE, key), False)
    file_made = None
    if wanted:
        info = made_by.to_json(str(wanted.get("link", "")))
        file_made = (wanted["kind"], _file_bytes(wanted, drawn, sentence, table, arrays, info))
    if link := st.session_state.get(Key.ASK_PAGE):
        for kind in ("csv", "npz"):
            data = _file_bytes({"kind": kind}, drawn, sentence, table, arrays, made_by.to_json(link))
            st.session_state.setdefault(Key.PAGE_DATA, {})[key, kind] = data
    canvas.save_bar(
        canvas.FigureFiles(
            figure=key,
            name=file,
            sentence=markdown_runs(sentence),
            rows=[markdown_runs(text) for text in rows],
            compact=quiet,
            table_open=shown,
            provenance=made_by.to_json(),
            python=python,
            ready=file_made,
        ),
        key=f"save_{key}",
        theme=theme(),
        on_table=partial(_set, key_of(Key.TABLE, key), not shown),
        on_ask=partial(_set, key_of(Key.ASK, key)),
    )
    if shown:
        shown_table = with_screen_names(table())
        st.dataframe(shown_table, hide_index=True, column_config=number_columns(shown_table))


@contextmanager
def deferred_file(key: str) -> Iterator[None]:
    """Within it the figure makes no file: another run follows that draws it again, and makes the file then."""
    names = (key_of(Key.ASK, key), Key.ASK_PAGE)
    kept = {name: st.session_state.pop(name) for name in names if name in st.session_state}
    try:
        yield
    finally:
        st.session_state.update(kept)


def _file_bytes(
    wanted: Mapping[str, Any],
    drawn: canvas.Drawn | Chart,
    sentence: str,
    table: Callable[[], Table],
    arrays: Callable[[], Arrays] | None,
    info: Mapping[str, object],
) -> bytes:
    """The requested file: {"kind": "csv", "npz" or "html", "foot", "asked"}."""
    if wanted["kind"] == "csv":
        return to_csv(table())
    if wanted["kind"] == "npz":
        return to_npz(arrays() if arrays else columns(table()), info)
    return standalone.page(
        drawn.figure if isinstance(drawn, Chart) else (drawn.component, drawn.data),
        reading=markdown_runs(sentence),
        origin=info,
        theme=theme(),
        foot=bool(wanted.get("foot")),
        picture=wanted.get("asked"),
    ).encode()


def _whole_page() -> None:
    """The page as a poster or an archive. The data are sent on request, once."""
    link = st.session_state.pop(Key.ASK_PAGE, "")
    data = [(*figure, file) for figure, file in st.session_state.pop(Key.PAGE_DATA, {}).items()]
    canvas.save_page(data if link else None, key="whole_page", theme=theme(), on_ask=partial(_set, Key.ASK_PAGE))


def _set(name: str, value: object) -> None:
    st.session_state[name] = value


MOST_DECIMALS = 4  # of a number in a table
FLOAT32 = 1e-6  # how far a rounded number is from itself in float32


def number_columns(table: Table) -> dict[str, Any]:
    """How st.dataframe writes the columns of a table: each column of floats with one number of decimals.

    They are as many as its numbers were rounded to, MOST_DECIMALS at most. A column whose numbers would all become 0 is
    left to Streamlit.
    """
    formats = {}
    for name, column in table.items():
        values = np.asarray(column)
        finite = values[np.isfinite(values)] if values.dtype.kind == "f" else np.zeros(0)
        largest = np.abs(finite).max(initial=0.0)
        if not len(finite) or 0 < largest < 10.0**-MOST_DECIMALS:
            continue
        exact = (d for d in range(MOST_DECIMALS) if np.allclose(finite, finite.round(d), rtol=0, atol=FLOAT32))
        formats[name] = st.column_config.NumberColumn(format=f"%.{next(exact, MOST_DECIMALS)}f")
    return formats


MAX_OPEN_LINES = 24  # lines; a longer table scrolls


def head_table(statistics: Mapping[str, list[object]], *, on_head: Callable[[int, int], None]) -> None:
    """One line a head, sortable by any column; a click on a line chooses its head."""
    key = Key.STATISTICS
    st.dataframe(
        dict(statistics),
        hide_index=True,
        column_config=number_columns(statistics),
        height="content" if len(statistics["layer"]) <= MAX_OPEN_LINES else 35 * MAX_OPEN_LINES,
        key=key,
        selection_mode="single-row",
        on_select=partial(_choose_line, key, statistics, on_head),
    )


def _choose_line(key: str, statistics: Mapping[str, list[object]], on_head: Callable[[int, int], None]) -> None:
    for line in st.session_state[key]["selection"]["rows"]:
        on_head(statistics["layer"][line], statistics["head"][line])
