"""Under each figure its sentence, its table and its files; and the page as one file."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from viz.canvas.components import component
from viz.pack import pack
from viz.theme import Theme


def save(
    figure: str,
    file: str,
    *,
    key: str,
    reading: Sequence[tuple[str, bool]],
    quiet: bool,
    open: bool,
    origin: Mapping[str, Any],
    python: str,
    made: tuple[str, bytes] | None,
    theme: Theme,
    on_table: Callable[[], None],
    on_ask: Callable[[dict[str, Any]], None],
) -> None:
    """Under the figure with that key: its sentence, the table behind it, and its files.

    reading: the sentence in pieces (text, stressed or not), small when `quiet`; open: the table is shown now; origin:
    what every file carries; python: the lines that recompute the figure; made: the ending of a file that was asked for
    and the file, in the run after. on_ask is called with {"kind", "footer", "link"} of the file that is asked for.
    """
    header = {
        "figure": figure,
        "file": file,
        "reading": list(reading),
        "quiet": quiet,
        "open": open,
        "origin": dict(origin),
        "python": python,
        "made": made[0] if made else None,
        "theme": vars(theme),
    }
    arrays = {"bytes": np.frombuffer(made[1], dtype=np.uint8)} if made else {}
    component("save")(
        key=key,
        data=pack(header, **arrays),
        on_table_change=on_table,
        on_ask_change=lambda: on_ask(st.session_state[key]["ask"]),
    )


def whole(
    data: Sequence[tuple[str, str, bytes]] | None, *, key: str, theme: Theme, on_ask: Callable[[str], None]
) -> None:
    """The page as one poster or one archive.

    data: (figure, "csv" or "npz", the file) for every figure, in the run after on_ask, which is called with the link.
    """
    header = {"data": None if data is None else [(figure, kind) for figure, kind, _ in data], "theme": vars(theme)}
    arrays = {f"file{at}": np.frombuffer(file, dtype=np.uint8) for at, (*_, file) in enumerate(data or ())}
    component("save_page")(
        key=key, data=pack(header, **arrays), on_ask_change=lambda: on_ask(st.session_state[key]["ask"])
    )
