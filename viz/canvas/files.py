"""Under each figure its sentence, its table and its files; and the page as one file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from viz.canvas.components import component
from viz.pack import pack
from viz.theme import Theme


@dataclass(frozen=True)
class FigureFiles:
    """What one figure says in words, and what can be saved of it."""

    figure: str  # its key on the page
    name: str  # of its files, without an ending
    sentence: Sequence[tuple[str, bool]]  # pieces (text, stressed or not)
    rows: Sequence[Sequence[tuple[str, bool]]]  # of each row the sentence while the pointer is on it, or nothing
    compact: bool  # the sentence is small
    table_open: bool  # the table is shown now
    provenance: Mapping[str, object]  # what every file carries
    python: str  # the lines that recompute the figure
    ready: tuple[str, bytes] | None  # in the run after a request: the ending of the file, and the file


def save_bar(
    files: FigureFiles,
    *,
    key: str,
    theme: Theme,
    on_table: Callable[[], None],
    on_ask: Callable[[dict[str, Any]], None],
) -> None:
    """Under a figure: its sentence, the table behind it, and its files.

    on_ask is called with {"kind", "foot", "link"} of the file that a person asks for.
    """
    ready = files.ready
    header = {
        "figure": files.figure,
        "file": files.name,
        "reading": list(files.sentence),
        "rows": list(files.rows),
        "compact": files.compact,
        "table_open": files.table_open,
        "origin": dict(files.provenance),
        "python": files.python,
        "ready": ready[0] if ready else None,
        "theme": vars(theme),
    }
    arrays = {"bytes": np.frombuffer(ready[1], dtype=np.uint8)} if ready else {}
    component("save")(
        key=key,
        data=pack(header, **arrays),
        on_table_change=on_table,
        on_ask_change=lambda: on_ask(st.session_state[key]["ask"]),
    )


def save_page(
    data: Sequence[tuple[str, str, bytes]] | None, *, key: str, theme: Theme, on_ask: Callable[[str], None]
) -> None:
    """The page as one poster or one archive.

    data: (figure, "csv" or "npz", the file) for every figure, in the run after on_ask, which is called with the link.
    """
    header = {"data": None if data is None else [(figure, kind) for figure, kind, _ in data], "theme": vars(theme)}
    arrays = {f"file{i}": np.frombuffer(file, dtype=np.uint8) for i, (*_, file) in enumerate(data or ())}
    component("save_page")(
        key=key, data=pack(header, **arrays), on_ask_change=lambda: on_ask(st.session_state[key]["ask"])
    )
