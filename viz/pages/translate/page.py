"""How does one sentence become another? A source, what is written for it word by word, and where each word looked."""

import streamlit as st

from viz.pages.translate import ablation as translate_ablation
from viz.pages.translate import (
    accuracy_by_length,
    alignment_map,
    beam_tree,
    claims,
    coreference,
    decoded,
    decoding_steps,
    side_by_side,
    unknown_words,
    views,
    word_rows,
)
from viz.pages.translate import controls as translate_controls
from viz.ui import controls, figure_panel, visitor

translate_controls.open_whole_model()
theme = visitor.theme()
notices = st.container()
settings = translate_controls.choose_settings()
experiment = settings.experiment
controls.unknown_words(experiment, translate_controls.source_words(experiment.weights))

missing = None
if settings.reads_pairs:
    decoding = decoded.decode(experiment, settings.decoding)
    size = views.sizes(experiment.weights)
    layer, head = views.choose_head(experiment.weights, *size)
    step, pinned = views.step(len(decoding.target)), views.pinned()
    row = decoded.highlighted_row(decoding, layer, head)
    place = st.container()
    if decoding.maps:
        which = views.choose_map(settings.network)
        left, right = st.columns([11, 9], gap="medium")
        with left:
            in_words = decoding.is_subword and word_rows.choose()
            by_word = word_rows.merged(decoding, which, layer, head) if in_words else None
            alignment_map.show_map(decoding, which, layer, head, row, pinned, theme, by_word)
        with right:
            alignment_map.show_hits(decoding, layer, head, in_words)
        shares = which != "source" and by_word is None
    else:
        shares = True
    with place:
        decoding_steps.show(decoding, layer, head, step, pinned, shares, theme)
        if settings.decoding.method == "beam":
            beam_tree.show(decoding, step, theme)

    match views.section(settings.task, settings.network):
        case "Side by side":
            side_by_side.show(settings.task, experiment, word_rows.row_of(decoding, row), theme)
        case "Accuracy by length":
            missing = accuracy_by_length.show(theme)
        case "Ablation":
            translate_ablation.show(experiment, layer, head, row, theme)
        case "Claims checked":
            claims.show(decoding)
        case "Unknown words":
            missing = unknown_words.show(experiment, theme)
else:
    coreference.show(experiment, theme)

figure_panel.page_footer("translate")
if missing:
    missing.compute()
with notices:
    controls.report_bad_link()
