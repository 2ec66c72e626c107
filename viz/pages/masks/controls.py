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
from viz.pages.masks.compute import CUSTOM, KINDS, mask_of
from viz.types import Array
from viz.ui import controls, model_calls, server_cache, slots
from viz.ui.state import Param, in_address

GUESSES = ("mask", "strongest")
SECTIONS = ("Leak test", "KV cache", "Trained without the mask")
MAX_PAINTED_TOKENS = 64  # tokens; more cells than that cannot be hit
MAX_SWEPT_TOKENS = 24  # tokens; the maps for all numbers are then at most 220 kB


def no_effect() -> dict[str, str]:
    """Switches that do nothing under the chosen mask, and why."""
    own = KINDS[controls.opened(Param.MASK_KIND, tuple(KINDS))] is None
    return {} if own else {"mask": "The mask that you chose replaces the model's own mask."}


def choose(experiment: Experiment, tokens: int) -> tuple[MaskSpec | None, str | None]:
    """Which mask the model runs with, None for its own; and what is to be guessed before it is shown, if anything."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        kind = controls.choice(
            "Mask",
            tuple(KINDS),
            key=Param.MASK_KIND,
            label_visibility="visible",
            on_change=_kind_chosen,
            width="content",
        )
        rule = KINDS[kind]
        guess: str | None = st.segmented_control(
            "Guess first", GUESSES, key=Param.GUESS, bind="query-params", width="content"
        )
        with in_address():
            drawing = st.text_input("Drawing", key=Param.MASK_ROWS, bind="query-params")
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="mask_means"):
        slid = not guess and slides(rule, tokens)
        number = MASKS[rule].parameter_label if rule and not slid else None
        means = "Guess before you see it." if guess == "mask" else _means(experiment, rule, tokens)
        st.markdown(means + (f" {number}:" if number else ""), width="content")
        with st.container(key="unseen_size" if slid else "size_typed", width=130):
            size = _size(rule, tokens)
    if kind == CUSTOM and drawing and mask_from_hex(drawing) is None:
        st.info("The drawing in this link cannot be read. Until you draw, the drawn mask is causal.")
    return mask_of(kind, size, drawing), guess


def _size(kind: str | None, tokens: int) -> int:
    """The number that the rule takes; 0 for a rule that takes none."""
    if kind is None or not MASKS[kind].parameter_label:
        return 0
    label, least, opens_with = MASKS[kind].parameter_label, MASKS[kind].minimum, min(MASKS[kind].default, tokens)
    size = st.session_state.get(Param.MASK_SIZE)
    if size is not None and not least <= size <= tokens:
        st.session_state[Param.MASK_SIZE] = min(max(size, least), tokens)
    return int(
        st.number_input(
            str(label),
            least,
            tokens,
            opens_with,
            key=Param.MASK_SIZE,
            bind="query-params",
            label_visibility="collapsed",
        )
    )


def _kind_chosen() -> None:
    kind = KINDS.get(st.session_state[Param.MASK_KIND])
    if kind and MASKS[kind].parameter_label:
        st.session_state[Param.MASK_SIZE] = MASKS[kind].default


def _means(experiment: Experiment, kind: str | None, tokens: int) -> str:
    config = model_calls.about(experiment.weights).model_config
    trained = config.causal and config.trained.mask
    if kind is None:
        if trained and experiment.switches.mask:
            return f"The model's own mask is causal. {MASKS['causal'].description}"
        why = (
            "The model's own mask is switched off on the left." if trained else "This model was trained without a mask."
        )
        return f"{why} {MASKS['none'].description}"
    description = MASKS[kind].description
    if kind == "drawn":
        description += " Click or drag on the mask to allow or forbid cells."
    if tokens > MAX_PAINTED_TOKENS:
        description += f" In a text of more than {MAX_PAINTED_TOKENS} tokens the cells are too small to draw on."
    return description


def slides(kind: str | None, tokens: int) -> bool:
    """Whether the browser can hold the maps for every value of the number: then a slider picks among them."""
    return kind is not None and bool(MASKS[kind].parameter_label) and tokens <= MAX_SWEPT_TOKENS


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
    spec = experiment.mask_spec
    if spec is None or not slides(spec.kind, tokens):
        return None
    sizes = range(MASKS[spec.kind].minimum, tokens + 1)
    swept = _swept(replace(experiment, mask_spec=None), spec.kind, tuple(sizes), layer, head)
    limit = float(np.abs(swept.scores[np.isfinite(swept.scores)]).max(initial=0.0)) or 1.0
    maps = {
        size: stages(swept.scores[k], swept.mask[k], swept.masked[k], swept.weights[k], limit)
        for k, size in enumerate(sizes)
    }
    return Steps(MASKS[spec.kind].parameter_label or "", spec.size, maps, slid)


@server_cache.cached
def _swept(experiment: Experiment, kind: str, sizes: tuple[int, ...], layer: int, head: int) -> MaskSweep:
    with slots.place("Running the model under every mask", model_calls.operations(experiment, len(sizes))):
        return sweep_masks(experiment, [MaskSpec(kind, size) for size in sizes], layer, head)


def slid(size: int) -> None:
    """The slider was let go at this number."""
    st.session_state[Param.MASK_SIZE] = size


def painted(mask: Array, cells: Sequence[tuple[int, int, bool]]) -> None:
    """A stroke on the mask: what was shown, with these cells changed, is the drawing from now on. mask (T, S)."""
    st.session_state[Param.MASK_ROWS] = mask_from_cells(with_cells(mask, cells).tolist()).hex_rows
    st.session_state[Param.MASK_KIND] = CUSTOM
    controls.pin_token(cells[-1][0] if cells else None)  # the sentence is about the row that was drawn on


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
        "query": [names[row] for row in rows],
        "key": [names[column] for column in columns],
        "score": scores.ravel(),
        "allowed": mask.ravel(),
        "masked score": np.where(mask, scores, -np.inf).ravel(),
        "weight": weights.ravel(),
    }


def section() -> str:
    """Which further question the page answers below the maps."""
    return controls.choice("Look closer", SECTIONS, key=Param.VIEW)
