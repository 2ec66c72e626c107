"""How does one sentence become another? A source, what is written for it word by word, and where each word looked."""

import streamlit as st

from viz.pages.translate import ablation as translate_ablation
from viz.pages.translate import (
    accuracy_by_length,
    alignment_map,
    beam_tree,
    claims,
    compute,
    coreference,
    decoded,
    decoding_steps,
    side_by_side,
    views,
    word_rows,
)
from viz.pages.translate import controls as translate_controls
from viz.ui import controls, figure_panel, visitor

theme = visitor.theme()
notices = st.container()
asked = translate_controls.asked()
experiment = asked.experiment
controls.unknown_words(experiment, translate_controls.set_source, compute.unit(experiment.weights))

if asked.reads_pairs:
    one = decoded.written(experiment, asked.how)
    size = views.sizes(experiment.weights)
    layer, head = views.look(experiment.weights, *size)
    step, pinned = views.step(len(one.said)), views.pinned()
    row = decoded.lit_row(one, layer, head)
    place = st.container()
    if one.maps:
        which = views.which(asked.network)
        left, right = st.columns([11, 9], gap="medium")
        with left:
            in_words = one.pieces and word_rows.choose()
            by_word = word_rows.merged(one, which, layer, head) if in_words else None
            alignment_map.show_map(one, which, layer, head, row, pinned, theme, by_word)
        with right:
            alignment_map.show_hits(one, layer, head, in_words)
        shares = which != "source" and by_word is None
    else:
        shares = True
    with place:
        decoding_steps.show(one, layer, head, step, pinned, shares, theme)
        if asked.how.method == "beam":
            beam_tree.show(one, step, theme)

    match views.section(asked.job, asked.network):
        case "Side by side":
            side_by_side.show(asked.job, experiment, word_rows.row_of(one, row), theme)
        case "Accuracy by length":
            accuracy_by_length.show(theme)
        case "Ablation":
            translate_ablation.show(experiment, layer, head, row, theme)
        case "Claims checked":
            claims.show(one)
else:
    coreference.show(experiment, theme)

figure_panel.lesson("translate")
with notices:
    controls.link_mishaps()
