"""What a translation loses with a part: whole beside without, on this source and on fresh ones."""

from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st

from model.analysis.alignment import attention_maps, gold_cells, matching_prefix, select_map
from model.checkpoint import SUBWORDS
from model.evaluation import fresh_accuracy
from model.run import Experiment, encode_pair
from model.switches import Switches
from model.tokenizer import EOS
from viz import canvas
from viz.canvas import Panel
from viz.captions.translate import read_removed, shortened
from viz.export.tables import Labelled, Table, file_name
from viz.labels import numbered
from viz.pages.translate import compute, views
from viz.theme import Theme
from viz.types import Array
from viz.ui import ablation, copy_as_python, figure_panel, model_calls, server_cache, slots


@server_cache.cached
def share_right(weights: str, switches: Switches) -> float:
    """Share of fresh sentences that come out right, word for word, with these parts."""
    with slots.long("Translating new sentences"):
        return fresh_accuracy.fresh_accuracy(weights, str(model_calls.about(weights)["task"]), switches)


def show(experiment: Experiment, layer: int, head: int | None, row: int, theme: Theme) -> None:
    """A: the model whole; B: without what is switched off on the left."""
    ablation.offers(experiment.weights, experiment.switches)
    whole = replace(experiment, switches=Switches())
    a, b = compute.translation(whole), compute.translation(experiment)
    unit = compute.unit(experiment.weights)
    said = ablation.without(experiment.switches, experiment)
    exact = share_right(whole.weights, whole.switches), share_right(experiment.weights, experiment.switches)
    rows = [
        (name, shortened(text, unit), f"{100 * share:.0f} % of {fresh_accuracy.FRESH}")
        for name, text, share in (("A  full model", a.text, exact[0]), (f"B  {said}", b.text, exact[1]))
    ]
    table = views.small_table(("", "writes", "correct, new sentences"), rows, kind="sentences")
    st.html(table)
    sides = [compute.told(replace(one, target=a.text)) for one in (whole, experiment)]
    weights_a, weights_b = (select_map(attention_maps(side)["cross"], layer, head) for side in sides)
    source = compute.source(whole).surface
    saying = (*encode_pair(replace(whole, target=a.text))[1].surface[1:], EOS)
    gold = (
        None if model_calls.about(whole.weights).get("tokenizer") == SUBWORDS else compute.gold_of(whole)
    )  # gold is of words
    marks = gold_cells(gold, matching_prefix(a.tokens, gold.target) + 1) if gold else []
    drawn = canvas.maps(
        [
            Panel("A  full model", weights_a, marks=marks),
            Panel(f"B  {said}", weights_b, marks=marks),
            Panel("A − B", weights_a - weights_b, "signed", limit=1.0),
        ],
        canvas.Axes(saying, source),
        key="taken_out",
        theme=theme,
        focus=canvas.TokenFocus(min(row, len(saying) - 1)),
    )
    figure_panel.below(
        drawn,
        sentence=read_removed(a.text, b.text, said, exact, fresh_accuracy.FRESH, unit),
        table=partial(_cells, saying, source, weights_a, weights_b),
        file=file_name(experiment.name, "taken-out"),
        of=figure_panel.Subject(experiment, notice=copy_as_python.side_b(experiment)),
        arrays=lambda: {
            name: Labelled(
                one,
                {
                    "says": numbered(saying, 1),
                    "source": numbered(source),
                },
            )
            for name, one in (("A", weights_a), ("B", weights_b))
        },
        python=copy_as_python.python(
            f'A, B = (select_map(attention_maps(run_pair(one))["cross"], {layer}, {head}) for one in (a, b))  # (T, S)',
            "from model.run import run_pair\nfrom model.analysis.alignment import attention_maps, select_map",
            a=replace(whole, target=a.text),
            b=replace(experiment, target=a.text),
        ),
    )
    st.caption(
        f"Both models are given the {unit}s that A writes, so that the rows of both maps are for the same {unit}s."
    )


def _cells(saying: tuple[str, ...], source: tuple[str, ...], a: Array, b: Array) -> Table:
    rows, columns = np.indices(a.shape)
    return {
        "says": np.array(numbered(saying, 1), dtype=object)[rows.ravel()],
        "looks at": np.array(numbered(source), dtype=object)[columns.ravel()],
        "A": a.ravel(),
        "B": b.ravel(),
        "A − B": (a - b).ravel(),
    }
