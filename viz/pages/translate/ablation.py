"""What a translation loses with a part: whole beside without, on this source and on fresh ones."""

from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st

from model.analysis.alignment import cross_map, gold_cells, matching_prefix
from model.evaluation import fresh_accuracy
from model.model_card import SUBWORDS
from model.run import Experiment, encode_pair
from model.switches import Switches
from model.tokenizer import EOS
from viz import canvas
from viz.canvas import Panel
from viz.captions.translate import describe_ablation, shortened
from viz.export.tables import NamedArray, Table, file_name
from viz.labels import numbered
from viz.pages.translate import compute, views
from viz.theme import Theme
from viz.types import Array
from viz.ui import ablation, copy_as_python, figure_panel, model_calls, server_cache, slots


@server_cache.cached
def share_right(weights: str, switches: Switches) -> float:
    """Share of fresh sentences that come out right, word for word, with these parts."""
    with slots.long("Translating new sentences"):
        return fresh_accuracy.fresh_accuracy(weights, model_calls.about(weights).task, switches)


def show(experiment: Experiment, layer: int, head: int | None, row: int, theme: Theme) -> None:
    """A: the model whole; B: without what is switched off on the left."""
    ablation.ablation_hints(experiment.weights, experiment.switches)
    whole = replace(experiment, switches=Switches())
    a, b = compute.translation(whole), compute.translation(experiment)
    unit = compute.unit(experiment.weights)
    ablated = ablation.ablation_label(experiment.switches, experiment)
    exact = share_right(whole.weights, whole.switches), share_right(experiment.weights, experiment.switches)
    rows = [
        (name, shortened(text, unit), f"{100 * share:.0f} % of {fresh_accuracy.FRESH}")
        for name, text, share in (("A  full model", a.text, exact[0]), (f"B  {ablated}", b.text, exact[1]))
    ]
    table = views.small_table(("", "writes", "correct, new sentences"), rows, kind="sentences")
    st.html(table)
    sides = [
        compute.teacher_forced_trace(replace(experiment_of_side, target=a.text))
        for experiment_of_side in (whole, experiment)
    ]
    weights_a, weights_b = (cross_map(side, layer, head) for side in sides)
    source = compute.source(whole).surface
    target_tokens = (*encode_pair(replace(whole, target=a.text))[1].surface[1:], EOS)
    gold = (
        None if model_calls.about(whole.weights).tokenizer == SUBWORDS else compute.gold_of(whole)
    )  # gold is of words
    marks = gold_cells(gold, matching_prefix(a.tokens, gold.target) + 1) if gold else []
    drawn = canvas.maps(
        [
            Panel("A  full model", weights_a, marks=marks),
            Panel(f"B  {ablated}", weights_b, marks=marks),
            Panel("A − B", weights_a - weights_b, "signed", limit=1.0),
        ],
        canvas.Axes(target_tokens, source),
        key="taken_out",
        theme=theme,
        focus=canvas.TokenFocus(min(row, len(target_tokens) - 1)),
    )
    figure_panel.below(
        drawn,
        sentence=describe_ablation(a.text, b.text, ablated, exact, fresh_accuracy.FRESH, unit),
        table=partial(_cells, target_tokens, source, weights_a, weights_b),
        file=file_name(experiment.name, "taken-out"),
        of=figure_panel.Subject(experiment, notice=copy_as_python.notice_of_b(experiment)),
        arrays=lambda: {
            name: NamedArray(
                map_,
                {
                    "target_token": numbered(target_tokens, 1),
                    "source_token": numbered(source),
                },
            )
            for name, map_ in (("A", weights_a), ("B", weights_b))
        },
        python=copy_as_python.python(
            f"A, B = (cross_map(run_pair(experiment), {layer}, {head}) for experiment in (a, b))  # (T, S)",
            "from model.run import run_pair\nfrom model.analysis.alignment import cross_map",
            a=replace(whole, target=a.text),
            b=replace(experiment, target=a.text),
        ),
    )
    st.caption(
        f"Both models are given the {unit}s that A writes, so that the rows of both maps are for the same {unit}s."
    )


def _cells(target_tokens: tuple[str, ...], source: tuple[str, ...], a: Array, b: Array) -> Table:
    rows, columns = np.indices(a.shape)
    return {
        "target_token": np.array(numbered(target_tokens, 1), dtype=object)[rows.ravel()],
        "source_token": np.array(numbered(source), dtype=object)[columns.ravel()],
        "A": a.ravel(),
        "B": b.ravel(),
        "A − B": (a - b).ravel(),
    }
