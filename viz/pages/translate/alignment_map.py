"""One map large, with the gold alignment outlined where it is known, and how often the largest weights hit it."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import streamlit as st

from model.analysis.alignment import AlignmentHits, alignment_hits, gold_cells, pool_hits
from model.run import Experiment
from model.switches import Switches
from model.tasks.pair import DETERMINED
from viz import canvas
from viz.canvas import Panel
from viz.captions.translate import describe_alignment_hits, describe_map
from viz.export.tables import NamedArray, Table, file_name
from viz.labels import numbered
from viz.pages.translate import views, word_rows
from viz.pages.translate.decoded import DecodedSentence, head_label
from viz.pages.translate.views import MAPS
from viz.pages.translate.word_rows import WordMap
from viz.theme import Theme
from viz.types import Array
from viz.ui import copy_as_python, figure_panel, model_calls


def show_map(
    decoded: DecodedSentence,
    which: str,
    layer: int,
    head: int | None,
    row: int,
    pinned: bool,
    theme: Theme,
    by_word: WordMap | None,
) -> None:
    """A map of one head, or of the mean; by_word: the same by word, if words are chosen."""
    weights = decoded.weights(which, layer, head)
    python = f'weights = generated_map(translation, "{which}", {layer}, {head})  # (T, S)'
    imports = "from model.analysis.alignment import generated_map"
    query_tokens = {"cross": decoded.target, "source": decoded.source, "target": decoded.target}[which]
    key_tokens = {"cross": decoded.source, "source": decoded.source, "target": decoded.before}[which]
    n_gold = decoded.n_gold
    mask = np.tri(len(query_tokens), dtype=bool)
    if by_word is not None:
        weights, query_tokens, key_tokens, row = (
            by_word.weights,
            by_word.query_tokens,
            by_word.key_tokens,
            by_word.row_of[row],
        )
        n_gold, mask = len(query_tokens), by_word.mask
        python, imports = word_rows.lines(decoded, which, layer, head), word_rows.IMPORTS
    marks = gold_cells(decoded.gold, n_gold) if which == "cross" and decoded.gold else []
    choosable = which != "source" and by_word is None
    drawn = canvas.maps(
        [Panel("", weights, mask=mask if which == "target" and _is_causal(decoded.experiment) else None, marks=marks)],
        canvas.Axes(query_tokens, key_tokens),
        key="alignment",
        theme=theme,
        focus=canvas.TokenFocus(None if which == "source" else row, pinned, views.choose_row if choosable else None),
    )
    highlighted = len(query_tokens) // 2 if which == "source" else row
    # Every table of this page counts alike: the start is 0, so the first word that is written is 1.
    names = numbered(query_tokens, 0 if which == "source" else 1), numbered(key_tokens)
    figure_panel.below(
        drawn,
        sentence=describe_map(weights, query_tokens, key_tokens, highlighted, predicting=which != "source"),
        table=partial(_map_table, weights, *names),
        file=file_name(decoded.name, f"{which}-L{layer}{'' if head is None else f'H{head}'}"),
        of=figure_panel.Subject(
            decoded.experiment,
            title=f"{MAPS[which].capitalize()}, {head_label(layer, head, decoded.maps[which])}"
            + ("; outlined: gold" if marks else ""),
        ),
        arrays=lambda: {"weights": NamedArray(weights, dict(zip(("query", "key"), names, strict=True)))},
        python=copy_as_python.translated(decoded.experiment, decoded.decoding, python, imports),
    )


def _is_causal(experiment: Experiment) -> bool:
    return (experiment.switches & model_calls.trained(experiment.weights)).mask


def _map_table(weights: Array, query_tokens: Sequence[str], key_tokens: Sequence[str]) -> Table:
    return {"query": list(query_tokens), **{name: weights[:, index] for index, name in enumerate(key_tokens)}}


def in_units(name: str, unit: str) -> str:
    """The name of a class of links, as the sentences of a task are made: "settled by the signs before"."""
    return name.replace("words", f"{unit}s")


def show_hits(decoded: DecodedSentence, layer: int, head: int | None, in_words: bool) -> None:
    """How often a look hits the gold word, by class of word: here, and on the fresh sentences of the card."""
    measured = model_calls.about(decoded.experiment.weights).alignment
    by_word = word_rows.merged(decoded, "cross", layer, head) if in_words else None
    weights, n_gold = (
        (decoded.weights("cross", layer, head), decoded.n_gold)
        if by_word is None
        else (by_word.weights, len(by_word.query_tokens))
    )
    hits = alignment_hits(weights, decoded.gold, n_gold) if decoded.gold else {}
    column = -1 if head is None else head
    rows = []
    for name in sorted(measured, key=lambda name: (name == DETERMINED, -measured[name].n)):
        score = measured[name]
        hit = hits.get(name)
        rows.append(
            (
                in_units(name, decoded.unit),
                f"{hit.top1} of {hit.n}" if hit else "",
                f"{100 * score.top1[layer, column]:.0f} %",
                f"{score.mass[layer, column]:.2f}",
                f"{score.n:,}",
            )
        )
    settled = hits.get(DETERMINED, AlignmentHits(0, 0, 0.0))
    all_of_them = pool_hits(hits)
    if hits:
        st.markdown(
            describe_alignment_hits(
                all_of_them.n, all_of_them.top1, all_of_them.mass, (settled.n, settled.top1), decoded.unit
            )
        )
    elif measured:
        st.markdown(
            "Gold is defined for words. Choose rows of words, and a source that is translated correctly."
            if decoded.is_subword and decoded.gold
            else "There is no gold for this source, because it is outside the generator's language."
        )
    st.html(
        views.small_table(
            (f"class of the {decoded.unit} predicted", "hits here", "on new ones", "weight there", "of"), rows, "hits"
        )
    )
    st.caption(
        f"Target → source, {head_label(layer, head, decoded.maps['cross'])}. A hit means that the largest weight of a "
        f"row is on a gold {decoded.unit}. New ones are sentences that were not used in training; the correct "
        f"{decoded.unit}s are given before each "
        f"row{'' if decoded.experiment.switches == Switches() else ', with the full model'}. "
        f"“{in_units(DETERMINED, decoded.unit).capitalize()}” means that the model does not need the source there, so "
        "its attention there means little."
    )
