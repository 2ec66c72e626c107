"""The components as functions: arrays and words in; what the person chose comes back through a callback."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import numpy as np
import streamlit as st

from viz.head_grid.posts import heard, take
from viz.labels import shorten
from viz.pack import MOST_PIXELS, encode_difference, encode_weights, pack
from viz.styles import style_of
from viz.theme import Theme

Array = np.ndarray[Any, Any]


@cache
def component(name: str) -> Callable[..., Any]:
    """The component of that name, with its script and its style."""
    # At the first use, not at the import: Streamlit finds the files only while it runs.
    drawn = st.components.v2.component(f"attention-lab.{name}", js=f"{name}.js", css=f"{style_of(name)}.css")

    def mount(*, key: str, data: bytes, **callbacks: Any) -> Any:
        vars(_mounted)[key] = (name, data)
        return drawn(key=key, data=data, **callbacks)

    return mount


_mounted = threading.local()  # of each visitor's run of the script: key → name and data


def mounted(key: str) -> tuple[str, bytes] | None:
    """Name and data of the component that this run has drawn under that key, once: then they are forgotten."""
    return vars(_mounted).pop(key, None)


@dataclass(frozen=True)
class Measure:
    """A number that is followed over all steps: its name, the limits of its axis, and a level to compare with."""

    name: str
    limits: tuple[float, float]
    digits: int = 2
    log: bool = False
    level: float | None = None
    level_name: str = ""


def sentence(
    weights: Array,
    tokens: Sequence[str],
    *,
    key: str,
    mask: Array,
    row: int,
    pinned: bool,
    unknown: Sequence[int],
    theme: Theme,
    on_pin: Callable[[int | None], None],
    looked: Sequence[str] | None = None,
) -> None:
    """The words twice, with lines from the word that looks (above) to the words it looks at (below).

    weights, mask (T, S) of one head; row: the word to show when none is hovered; unknown: positions to mark; looked:
    the S words below, where they are others. on_pin is called with the position of a clicked word, or with None when it
    is let go.
    """
    header = {
        "key": key,
        **_words(tokens),
        "looked": None if looked is None else _words(looked),
        "unknown": list(unknown),
        "row": row,
        "pinned": pinned,
        "theme": vars(theme),
    }
    data = pack(header, weights=weights.astype(np.float32), mask=mask.astype(np.uint8))
    component("sentence")(key=key, data=data, on_pin_change=lambda: on_pin(st.session_state[key]["pin"]["row"]))


def _words(tokens: Sequence[str]) -> dict[str, list[str]]:
    return {"tokens": [shorten(token) for token in tokens], "full": [shorten(token, 200) for token in tokens]}


def grid(
    weights: Array,
    tokens: Sequence[str],
    *,
    key: str,
    mask: Array,
    jobs: Sequence[Sequence[Sequence[str]]],
    selected: tuple[int, int],
    row: int,
    pinned: bool,
    theme: Theme,
    on_head: Callable[[int, int], None],
    on_pin: Callable[[int | None], None],
    looked: Sequence[str] | None = None,
) -> None:
    """Every head of every layer.

    weights, mask (L, H, T, S), or the uint8 cells that `encode_weights` made of them; jobs[l][h]: what that head does,
    best first; row: the row to light when none is hovered; looked: the S words of the columns, where they are others.
    on_head is called with a clicked (layer, head).
    """
    header = {
        "key": key,
        "tokens": [shorten(token) for token in tokens],
        "looked": None if looked is None else [shorten(token) for token in looked],
        "jobs": jobs,
        "selected": selected,
        "row": row,
        "pinned": pinned,
        "pooled": max(len(tokens), len(looked or ())) > MOST_PIXELS,
        "theme": vars(theme),
    }
    cells = weights if weights.dtype == np.uint8 else encode_weights(weights, mask)
    data = pack(header, cells=cells)
    component("grid")(
        key=key,
        data=data,
        on_head_change=lambda: on_head(*st.session_state[key]["head"]),
        on_pin_change=lambda: on_pin(st.session_state[key]["pin"]["row"]),
    )


def compare(
    a: Array,
    b: Array,
    tokens: Sequence[str],
    *,
    key: str,
    masks: tuple[Array, Array],
    titles: tuple[str, str, str],
    moved: Array,
    measure: tuple[str, str],
    selected: tuple[int, int],
    row: int,
    pinned: bool,
    theme: Theme,
    on_head: Callable[[int, int], None],
    on_pin: Callable[[int | None], None],
) -> None:
    """Two runs of one text beside each other, and their difference: one head large, every head small.

    a, b and both masks (L, H, T, S); titles of A, B and A − B; moved (T,): how far each prediction moved, as `measure`
    says in two lines.
    """
    either = masks[0] | masks[1]
    layer, head = selected
    one_a, one_b = a[layer, head], b[layer, head]
    sides = ((one_a, masks[0]), (one_b, masks[1]), (one_a - one_b, either))
    large = np.stack(
        [np.where(mask[layer, head], np.where(np.isfinite(values), values, np.inf), np.nan) for values, mask in sides]
    )
    header = {
        "key": key,
        "tokens": [shorten(token) for token in tokens],
        "titles": titles,
        "measure": measure,
        "selected": selected,
        "row": row,
        "pinned": pinned,
        "theme": vars(theme),
    }
    data = pack(
        header,
        a=encode_weights(a, masks[0]),
        b=encode_weights(b, masks[1]),
        difference=encode_difference(a - b, either),
        large=large.astype(np.float32),
        moved=moved.astype(np.float32),
    )
    component("compare")(
        key=key,
        data=data,
        on_head_change=lambda: on_head(*st.session_state[key]["head"]),
        on_pin_change=lambda: on_pin(st.session_state[key]["pin"]["row"]),
    )


def saturation(
    steps: Sequence[int],
    *,
    key: str,
    d_k: int,
    rows: Array,
    density: Array,
    edges: Sequence[float],
    numbers: Array,
    measures: Sequence[Measure],
    titles: tuple[str, str],
    notes: tuple[str, str],
    sentences: Sequence[str],
    theme: Theme,
    on_d_k: Callable[[int], None],
) -> None:
    """What happens to a softmax as d_k grows, all N `steps` at once: first without the division, then with.

    rows (2, N, R, S): the same R rows of weights; density (2, N, bins): histograms of the scores between `edges`, in
    standard deviations; numbers (2, N, M): M `measures`, the first of them the variance; sentences: one for each step.
    on_d_k is called with the step at which the slider was let go.
    """
    header = {
        "key": key,
        "steps": list(steps),
        "d_k": d_k,
        "heard": heard(key),
        "edges": list(edges),
        "measures": [asdict(measure) for measure in measures],
        "titles": titles,
        "notes": notes,
        "sentences": list(sentences),
        "theme": vars(theme),
    }
    arrays = {"rows": rows, "density": density, "numbers": numbers}
    data = pack(header, **{name: array.astype(np.float32) for name, array in arrays.items()})
    component("saturation")(key=key, data=data, on_d_k_change=lambda: on_d_k(take(key, "d_k")))


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
    mounted(key)  # it is no figure, and may hold a large file


def whole(
    data: Sequence[tuple[str, str, bytes]] | None, *, key: str, theme: Theme, on_ask: Callable[[str], None]
) -> None:
    """The page as one poster or one archive.

    data: (figure, "csv" or "npz", the file) for every figure, in the run after on_ask, which is called with the link.
    """
    header = {"data": None if data is None else [(figure, kind) for figure, kind, _ in data], "theme": vars(theme)}
    arrays = {f"file{at}": np.frombuffer(file, dtype=np.uint8) for at, (*_, file) in enumerate(data or ())}
    component("whole")(key=key, data=pack(header, **arrays), on_ask_change=lambda: on_ask(st.session_state[key]["ask"]))
    mounted(key)
