"""The Masks page's own controls: which mask, its number, the drawing; all of it in the address."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import streamlit as st

from model.analysis.mask_sweep import MaskSweep, sweep_masks
from model.mask import MASKS, MaskSpec, mask_from_cells, mask_from_hex
from model.run import Experiment
from viz.canvas import Panel, Steps
from viz.export.tables import Table
from viz.labels import numbered
from viz.types import Array
from viz.ui import controls, model_calls, server_cache, slots

OWN = "own"
GUESSES = ("mask", "strongest")
SECTIONS = ("Leak test", "KV cache", "Trained without the mask")
MOST_PAINTED = 64  # tokens; more cells than that cannot be hit
MOST_SLID = 24  # tokens; the maps for all numbers are then at most 220 kB


def choose(experiment: Experiment, tokens: int) -> tuple[MaskSpec | None, str | None]:
    """Which mask the model runs with, None for its own; and what is to be guessed before it is shown, if anything."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        kind = controls.choice(
            "Mask", (OWN, *MASKS), key="looks", label_visibility="visible", on_change=_kind_chosen, width="content"
        )
        guess: str | None = st.segmented_control(
            "Guess first", GUESSES, key="guess", bind="query-params", width="content"
        )
        with st.container(key="address"):  # unseen: it ties the drawing to the address of the page
            drawing = st.text_input("Drawing", key="drawn", bind="query-params")
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="mask_means"):
        slid = not guess and slides(kind, tokens)
        number = MASKS[kind].parameter_label if kind != OWN and not slid else None
        means = "Guess before you see it." if guess == "mask" else _means(experiment, kind, tokens)
        st.markdown(means + (f" {number}:" if number else ""), width="content")
        with st.container(key="unseen_size" if slid else "size_typed", width=130):
            size = _size(kind, tokens)
    drawn = mask_from_hex(drawing or "")
    if kind == "drawn" and drawing and drawn is None:
        st.info("The drawing in this link cannot be read. Until you draw, the drawn mask is causal.")
    if kind == OWN:
        return None, guess
    return (drawn if kind == "drawn" and drawn else MaskSpec(kind, size)), guess


def _size(kind: str, tokens: int) -> int:
    """The number that the rule takes; 0 for a rule that takes none."""
    if kind == OWN or not MASKS[kind].parameter_label:
        return 0
    label, least, opens_with = MASKS[kind].parameter_label, MASKS[kind].minimum, min(MASKS[kind].default, tokens)
    asked = st.session_state.get("size")
    if asked is not None and not least <= asked <= tokens:
        st.session_state["size"] = min(max(asked, least), tokens)
    return int(
        st.number_input(
            str(label), least, tokens, opens_with, key="size", bind="query-params", label_visibility="collapsed"
        )
    )


def _kind_chosen() -> None:
    kind = st.session_state["looks"]
    if kind in MASKS and MASKS[kind].parameter_label:
        st.session_state["size"] = MASKS[kind].default


def _means(experiment: Experiment, kind: str, tokens: int) -> str:
    config = model_calls.about(experiment.weights)["config"]
    trained = config["causal"] and config["trained"]["mask"]
    if kind == OWN:
        if trained and experiment.switches.mask:
            return f"The model's own mask is causal. {MASKS['causal'].description}"
        why = (
            "The model's own mask is switched off on the left." if trained else "This model was trained without a mask."
        )
        return f"{why} {MASKS['none'].description}"
    told = MASKS[kind].description
    if kind == "drawn":
        told += " Click or drag on the mask to allow or forbid cells."
    if tokens > MOST_PAINTED:
        told += f" In a text of more than {MOST_PAINTED} tokens the cells are too small to draw on."
    if not experiment.switches.mask:
        told += " It replaces the model's own mask, so the switch “Causal mask” has no effect."
    return told


def slides(kind: str, tokens: int) -> bool:
    """Whether the browser can hold the maps for every value of the number: then a slider picks among them."""
    return kind != OWN and bool(MASKS[kind].parameter_label) and tokens <= MOST_SLID


def stages(scores: Array, mask: Array, masked: Array, weights: Array, limit: float | None = None) -> list[Panel]:
    """The four maps (T, S) of one head, on one scale for both kinds of scores."""
    reach = limit or float(np.abs(scores[np.isfinite(scores)]).max(initial=0.0)) or 1.0
    return [
        Panel("scores", scores, "signed", limit=reach),
        Panel("mask", mask, "mask"),
        Panel("masked scores", masked, "signed", mask=mask, limit=reach),
        Panel("weights", weights, "weight", mask=mask),
    ]


def steps(experiment: Experiment, tokens: int, layer: int, head: int) -> Steps | None:
    """The same maps for every value of the mask's number; None: no number, or too many cells."""
    looks = experiment.mask_spec
    if looks is None or not slides(looks.kind, tokens):
        return None
    sizes = range(MASKS[looks.kind].minimum, tokens + 1)
    swept = _swept(replace(experiment, mask_spec=None), looks.kind, tuple(sizes), layer, head)
    limit = float(np.abs(swept.scores[np.isfinite(swept.scores)]).max(initial=0.0)) or 1.0
    maps = {
        size: stages(swept.scores[k], swept.mask[k], swept.masked[k], swept.weights[k], limit)
        for k, size in enumerate(sizes)
    }
    return Steps(MASKS[looks.kind].parameter_label or "", looks.size, maps, slid)


@server_cache.cached
def _swept(experiment: Experiment, kind: str, sizes: tuple[int, ...], layer: int, head: int) -> MaskSweep:
    with slots.place("Running the model under every mask", model_calls.operations(experiment, len(sizes))):
        return sweep_masks(experiment, [MaskSpec(kind, size) for size in sizes], layer, head)


def slid(size: int) -> None:
    """The slider was let go at this number."""
    st.session_state["size"] = size


def painted(mask: Array, cells: Sequence[tuple[int, int, bool]]) -> None:
    """A stroke on the mask: what was shown, with these cells changed, is the drawing from now on. mask (T, S)."""
    st.session_state["drawn"] = mask_from_cells(with_cells(mask, cells).tolist()).hex_rows
    st.session_state["looks"] = "drawn"
    controls.choose_token(cells[-1][0] if cells else None)  # the sentence speaks of the row that was drawn on


def with_cells(mask: Array, cells: Sequence[tuple[int, int, bool]]) -> Array:
    """mask (T, S) with some of its cells (row, column, allowed) changed; cells outside it are left alone."""
    after = mask.copy()
    for row, column, allowed in cells:
        if 0 <= row < mask.shape[0] and 0 <= column < mask.shape[1]:
            after[row, column] = allowed
    return after


def table(scores: Array, mask: Array, weights: Array, words: Sequence[str]) -> Table:
    """Every cell of the four maps (T, S) as a line; −inf where the mask forbids."""
    rows, columns = np.indices(mask.shape).reshape(2, -1)
    names = numbered(words)
    return {
        "looks": [names[row] for row in rows],
        "looked at": [names[column] for column in columns],
        "score": scores.ravel(),
        "may look": mask.ravel(),
        "masked score": np.where(mask, scores, -np.inf).ravel(),
        "weight": weights.ravel(),
    }


def section() -> str:
    """Which further question the page answers below the maps."""
    return controls.choice("Look closer", SECTIONS, key="section")
