"""How does one sentence become another? A source, what is written for it word by word, and where each word looked."""

import streamlit as st

from viz.ui import claims, controls, frame, networks, panel, quality, referent, taken_out, translate, written

theme = frame.theme()
notices = st.container()
asked = translate.asked()
experiment = asked.experiment
controls.unknown_words(experiment, translate.set_source)

if asked.reads_pairs:
    one = written.written(experiment, asked.how)
    size = translate.sizes(experiment.weights)
    layer, head = translate.look(experiment.weights, *size)
    step, pinned = translate.step(len(one.said)), translate.pinned()
    row = written.lit_row(one, layer, head)
    place = st.container()
    if one.maps:
        which = translate.which(asked.network)
        left, right = st.columns([11, 9], gap="medium")
        with left:
            written.show_map(one, which, layer, head, row, pinned, theme)
        with right:
            written.show_hits(one, layer, head)
        shares = which != "source"
    else:
        shares = True
    with place:
        written.show(one, layer, head, step, pinned, shares, theme)
        if asked.how.method == "beam":
            written.show_tree(one, step, theme)

    match translate.section(asked):
        case "Three networks":
            networks.show(asked.job, experiment, row, theme)
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
