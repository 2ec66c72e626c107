"""How does one sentence become another? A source, what is written for it word by word, and where each word looked."""

import streamlit as st

from viz.ui import (
    claims,
    controls,
    frame,
    networks,
    pairs,
    panel,
    quality,
    referent,
    taken_out,
    translate_controls,
    translate_view,
    written,
    written_map,
    written_steps,
    written_tree,
    written_words,
)

theme = frame.theme()
notices = st.container()
asked = translate_controls.asked()
experiment = asked.experiment
controls.unknown_words(experiment, translate_controls.set_source, pairs.unit(experiment.weights))

if asked.reads_pairs:
    one = written.written(experiment, asked.how)
    size = translate_view.sizes(experiment.weights)
    layer, head = translate_view.look(experiment.weights, *size)
    step, pinned = translate_view.step(len(one.said)), translate_view.pinned()
    row = written.lit_row(one, layer, head)
    place = st.container()
    if one.maps:
        which = translate_view.which(asked.network)
        left, right = st.columns([11, 9], gap="medium")
        with left:
            in_words = one.pieces and written_words.choose()
            by_word = written_words.merged(one, which, layer, head) if in_words else None
            written_map.show_map(one, which, layer, head, row, pinned, theme, by_word)
        with right:
            written_map.show_hits(one, layer, head, in_words)
        shares = which != "source" and by_word is None
    else:
        shares = True
    with place:
        written_steps.show(one, layer, head, step, pinned, shares, theme)
        if asked.how.method == "beam":
            written_tree.show(one, step, theme)

    match translate_view.section(asked.job, asked.network):
        case "Side by side":
            networks.show(asked.job, experiment, written_words.row_of(one, row), theme)
        case "Quality and length":
            quality.show(theme)
        case "Without a part":
            taken_out.show(experiment, layer, head, row, theme)
        case "What this shows":
            claims.show(one)
else:
    referent.show(experiment, theme)

panel.lesson("translate")
with notices:
    controls.link_mishaps()
