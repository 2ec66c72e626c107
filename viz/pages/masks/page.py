"""Which words may attend to which? Scores, mask, masked scores and weights of one head, under any mask."""

from dataclasses import replace
from functools import partial

import streamlit as st

from viz import canvas
from viz.captions.masks import describe_mask
from viz.export.tables import file_name
from viz.pages.masks import compute, guess, kv_cache, leak_test, no_mask_training
from viz.pages.masks import controls as masks_controls
from viz.ui import controls, copy_as_python, figure_panel, head_facts, model_calls, opening_choice, token_units, visitor

theme = visitor.theme()
notices = st.container()
experiment = controls.experiment(no_effect=masks_controls.no_effect())
config = model_calls.about(experiment.weights).model_config
words = model_calls.encoding(experiment).surface
layer, head = opening_choice.choose_head(experiment)
# The model's own mask decides, so that another mask leaves the same word on the screen.
row, pinned = token_units.query_row(experiment, partial(compute.most_masked_row, experiment, layer, head))
controls.sidebar_footer(experiment)

controls.unknown_words(experiment)
mask_spec, guessed = masks_controls.choose(experiment, len(words))
experiment = replace(experiment, mask_spec=mask_spec)
trace = model_calls.trace(experiment)
attention = trace.layers[layer].attention
scores, mask = attention.biased[head], attention.mask[head]  # (T, S)
masked, weights = attention.masked[head], attention.weights[head]  # (T, S)

if guessed:
    guess.show(guessed, mask, weights, words, experiment, theme, guess.GuessedHead(layer, head, row))
else:
    steps = masks_controls.steps(experiment, len(words), layer, head)
    paint = canvas.Paint(1, partial(masks_controls.painted, mask))
    drawn = canvas.maps(
        steps.maps[steps.value] if steps else masks_controls.stages(scores, mask, masked, weights),
        canvas.Axes(words),
        key="stages",
        theme=theme,
        focus=canvas.TokenFocus(row, pinned, controls.pin_token),
        paint=paint if len(words) <= masks_controls.MAX_PAINTED_TOKENS else None,
        steps=steps,
    )
    figure_panel.below(
        drawn,
        sentence=figure_panel.RowSentences(
            partial(describe_mask, scores, mask, weights, words, unit=token_units.unit_of(experiment)), len(words), row
        ),
        table=partial(masks_controls.table, scores, mask, weights, words),
        file=file_name(experiment.name, f"L{layer}H{head}-stages"),
        of=experiment,
        arrays=partial(head_facts.maps, words, scores=scores, mask=mask, masked=masked, weights=weights),
        python=copy_as_python.stages(
            experiment, layer, head, scores="biased", mask="mask", masked="masked", weights="weights"
        ),
    )

missing = None
match None if guessed else masks_controls.section():  # what stands below would give the answer away
    case "Leak test":
        leak_test.show(experiment, theme)
    case "KV cache":
        kv_cache.show(experiment, layer, head, theme)
    case "Trained without the mask":
        missing = no_mask_training.show(experiment.weights, theme)

figure_panel.page_footer("masks")
if missing:
    missing.compute()
with notices:
    controls.report_bad_link()
