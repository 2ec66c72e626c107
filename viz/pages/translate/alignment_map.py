"""One map large, with the gold alignment outlined where it is known, and how often the looks hit it."""

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
from viz.captions.translate import read_hits, read_map
from viz.export.tables import Labelled, Table, file_name
from viz.labels import numbered
from viz.pages.translate import views, word_rows
from viz.pages.translate.decoded import Written, named
from viz.pages.translate.views import MAPS
from viz.pages.translate.word_rows import InWords
from viz.theme import Theme
from viz.types import Array
from viz.ui import copy_as_python, figure_panel, model_calls


def show_map(
    one: Written,
    which: str,
    layer: int,
    head: int | None,
    row: int,
    pinned: bool,
    theme: Theme,
    by_word: InWords | None,
) -> None:
    """A map of one head, or of the mean; by_word: the same in words, where those are asked for."""
    weights = one.weights(which, layer, head)
    looking = {"cross": one.said, "source": one.source, "target": one.said}[which]
    looked = {"cross": one.source, "source": one.source, "target": one.before}[which]
    upto, size = one.upto, len(one.said)
    cut = {"cross": f"[:{size}]", "source": "", "target": f"[:{size}, :{size}]"}[which]
    python = f'weights = select_map(attention_maps(made.trace)["{which}"], {layer}, {head}){cut}  # (T, S)'
    mask = np.tri(len(looking), dtype=bool)
    if by_word is not None:
        weights, looking, looked, row = by_word.weights, by_word.looking, by_word.looked, by_word.row_of[row]
        upto, python, mask = len(looking), word_rows.lines(one, which, layer, head), by_word.mask
    marks = gold_cells(one.gold, upto) if which == "cross" and one.gold else []
    choosable = which != "source" and by_word is None
    drawn = canvas.maps(
        [Panel("", weights, mask=mask if which == "target" and _is_causal(one.experiment) else None, marks=marks)],
        canvas.Axes(looking, looked),
        key="alignment",
        theme=theme,
        focus=canvas.TokenFocus(None if which == "source" else row, pinned, views.choose_row if choosable else None),
    )
    lit = len(looking) // 2 if which == "source" else row
    # Every table of this page counts alike: the start is 0, so the first word that is written is 1.
    names = numbered(looking, 0 if which == "source" else 1), numbered(looked)
    figure_panel.below(
        drawn,
        sentence=read_map(weights, looking, looked, lit, saying=which != "source"),
        table=partial(_map_table, weights, *names),
        file=file_name(one.name, f"{which}-L{layer}{'' if head is None else f'H{head}'}"),
        of=figure_panel.Subject(
            one.experiment,
            title=f"{MAPS[which].capitalize()}, {named(layer, head, one.maps[which])}"
            + ("; outlined: gold" if marks else ""),
        ),
        arrays=lambda: {"weights": Labelled(weights, dict(zip(("looks", "looked_at"), names, strict=True)))},
        python=copy_as_python.translated(one.experiment, one.how, python),
    )


def _is_causal(experiment: Experiment) -> bool:
    return (experiment.switches & model_calls.trained(experiment.weights)).mask


def _map_table(weights: Array, looking: Sequence[str], looked: Sequence[str]) -> Table:
    return {"looks": list(looking), **{name: weights[:, at] for at, name in enumerate(looked)}}


def in_units(name: str, unit: str) -> str:
    """The name of a class of links, as the sentences of a task are made: "settled by the signs before"."""
    return name.replace("words", f"{unit}s")


def show_hits(one: Written, layer: int, head: int | None, in_words: bool) -> None:
    """How often a look hits the gold word, by class of word: here, and on the fresh sentences of the card."""
    told = model_calls.about(one.experiment.weights).get("alignment", {})
    by_word = word_rows.merged(one, "cross", layer, head) if in_words else None
    weights, upto = (
        (one.weights("cross", layer, head), one.upto) if by_word is None else (by_word.weights, len(by_word.looking))
    )
    here = alignment_hits(weights, one.gold, upto) if one.gold else {}
    column = -1 if head is None else head
    rows = []
    for name in sorted(told, key=lambda name: (name == DETERMINED, -told[name]["n"])):
        score = told[name]
        found = here.get(name)
        rows.append(
            (
                in_units(name, one.unit),
                f"{found.top1} of {found.n}" if found else "",
                f"{100 * score['top1'][layer][column]:.0f} %",
                f"{score['mass'][layer][column]:.2f}",
                f"{score['n']:,}",
            )
        )
    settled = here.get(DETERMINED, AlignmentHits(0, 0, 0.0))
    all_of_them = pool_hits(here)
    if here:
        st.markdown(read_hits(all_of_them.n, all_of_them.top1, all_of_them.mass, (settled.n, settled.top1), one.unit))
    elif told:
        st.markdown(
            "Gold is defined for words. Choose rows of words, and a source that is translated correctly."
            if one.pieces and one.gold
            else "There is no gold for this source, because it is outside the generator's language."
        )
    st.html(
        views.small_table(
            (f"class of the {one.unit} predicted", "hits here", "on new ones", "weight there", "of"), rows, "hits"
        )
    )
    st.caption(
        f"Target → source, {named(layer, head, one.maps['cross'])}. A hit means that the largest weight of a row is on "
        f"a gold {one.unit}. New ones are sentences that were not used in training; the correct {one.unit}s are given "
        f"before each row{'' if one.experiment.switches == Switches() else ', with the full model'}. "
        f"“{in_units(DETERMINED, one.unit).capitalize()}” means that the model does not need the source there, so its "
        "attention there means little."
    )
