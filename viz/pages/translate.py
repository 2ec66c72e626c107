"""How does one sentence become another? A source, what is written for it word by word, and where each word looked."""

import streamlit as st

from viz.ui import controls, frame, pairs, panel, translate, writing

theme = frame.theme()
notices = st.container()
asked = translate.asked()
experiment = asked.experiment
controls.unknown_words(experiment, translate.set_source)

if asked.reads_pairs:
    one = writing.written(experiment, asked.how)
    size = translate.sizes(experiment.weights)
    layer, head = translate.look(experiment.weights, *size)
    step = translate.step(len(one.said))
    place = st.container()
    if one.maps:
        which = translate.which(asked.network)
        left, right = st.columns([3, 2], gap="large")
        with left:
            writing.show_map(one, which, layer, head, step, translate.pinned(), theme)
        with right:
            writing.show_hits(one, layer, head)
        shares = which != "source"
    else:
        shares = True
    with place:
        writing.show(one, layer, head, step, shares, theme)
        if asked.how.method == "beam":
            writing.show_tree(one, step, theme)

panel.lesson("translate")
with notices:
    controls.link_mishaps()
