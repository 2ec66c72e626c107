"""What breaks when a part goes? The model whole, the model without, and the difference."""

from dataclasses import replace
from functools import partial

import streamlit as st

from model import Switches
from model.analysis.prediction_change import prediction_change
from viz import head_grid
from viz.export import file_name
from viz.reading import read_change, read_next
from viz.ui import (
    asides,
    controls,
    facts,
    frame,
    knockouts,
    norms,
    panel,
    recompute,
    removal,
    rows,
    runs,
    saturation,
    streams,
    twins,
    units,
)

theme = frame.theme()
notices = st.container()
experiment = controls.experiment()
config = runs.about(experiment.weights)["config"]
n_layers, n_heads = config["n_layers"], config["n_heads"]
off = removal.heads_off(n_layers, n_heads)

whole = replace(experiment, switches=Switches())
removed = replace(experiment, switches=replace(experiment.switches, heads_off=off))
without = removal.side_b(removed)
layer, head = controls.head(n_layers, n_heads, default=facts.headline(experiment.weights))
told = removal.without(removed.switches, without)
a, b = runs.trace(whole), runs.trace(without)
words = runs.encoding(whole).surface
pinned = controls.token(words, units.each(experiment))
(weights_a, mask_a), (weights_b, mask_b) = facts.all_weights(a), facts.all_weights(b)  # (L, H, T, S)
kl = prediction_change(a, b)  # (T,)
says = asides.foretells(experiment.weights)
row = facts.moved_row(kl, weights_a[layer, head]) if pinned is None else pinned
controls.foot(experiment)

controls.unknown_words(experiment)
match removal.view(experiment.weights):
    case "What breaks":
        removal.offers(experiment.weights, removed.switches)
        removal.strip((whole, a), (without, b), words)
        head_grid.compare(
            weights_a,
            weights_b,
            words,
            key="compare",
            masks=(mask_a, mask_b),
            titles=(f"A  full model, layer {layer} head {head}", f"B  {told}", "A − B"),
            moved=kl,
            measure=asides.MEASURE[says],
            selected=(layer, head),
            row=row,
            pinned=pinned is not None,
            theme=theme,
            on_head=controls.choose_head,
            on_pin=controls.choose_token,
        )
        panel.below(
            "compare",
            sentence=read_change(kl, words, told, says) + facts.bounded(weights_a),
            table=partial(facts.pair_table, weights_a, weights_b, words),
            file=file_name(without.name, "compare"),
            of=without,
            says=recompute.side_b(without),
            arrays=partial(facts.all_maps, words, A=weights_a, B=weights_b),
            python=recompute.both(whole, without),
        )
        match removal.then(says != "nothing"):
            case "Next word" if asides.says_words(experiment.weights):
                asides.note(experiment.weights)
                p, q, likely = removal.next_words(a, b, row, experiment.weights)
                with st.columns([3, 2])[0]:
                    head_grid.bars({"A": p, "B": q}, likely, key="pairs", theme=theme)
                    panel.below(
                        "pairs",
                        sentence=read_next(p, likely, words[row], who="A", says=says)
                        + " "
                        + read_next(q, likely, words[row], who="B", says=says),
                        table=partial(dict, word=likely, A=p, B=q),
                        file=file_name(without.name, f"next-word-{row}"),
                        of=without,
                        says=recompute.side_b(without),
                        python=recompute.pairs(whole, without, row),
                    )
            case "Stream":
                streams.show((whole, without), a, b, words, theme)
            case "Head knock-outs":
                knockouts.show(experiment.weights, theme)
            case "One row by hand":
                rows.show(whole, layer, head, row, theme)
    case "Trained without":
        twins.show(experiment.weights, theme)
    case "Why √d_k":
        saturation.show(experiment.weights, layer, head)
    case "Layer norm, batch norm":
        norms.show(experiment.weights)

panel.lesson("remove")
with notices:
    controls.link_mishaps()
