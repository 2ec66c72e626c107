"""Who may look at whom? Scores, mask, masked scores and weights of one head, under any mask, also a drawn one."""

from dataclasses import replace
from functools import partial

import streamlit as st

from viz import head_grid
from viz.export import file_name
from viz.masking import masked_row, read_mask
from viz.ui import (
    controls,
    facts,
    frame,
    masks,
    masks_cache,
    masks_cheat,
    masks_guess,
    masks_leak,
    panel,
    recompute,
    runs,
    units,
)

theme = frame.theme()
notices = st.container()
experiment = controls.experiment()
config = runs.about(experiment.weights)["config"]
words = runs.encoding(experiment).surface
layer, head = controls.head(config["n_layers"], config["n_heads"], default=facts.headline(experiment.weights))
pinned = controls.token(words, units.each(experiment))
controls.foot(experiment)

controls.unknown_words(experiment)
looks, guess = masks.choose(experiment, len(words))
experiment = replace(experiment, mask_spec=looks)
trace = runs.trace(experiment)
attention = trace.layers[layer].attention
scores, mask = attention.biased[head], attention.mask[head]  # (T, S)
masked, weights = attention.masked[head], attention.weights[head]  # (T, S)
row = masked_row(scores, mask, weights) if pinned is None else pinned

if guess:
    masks_guess.show(guess, mask, weights, words, experiment, theme)
else:
    steps = masks.steps(experiment, len(words), layer, head)
    head_grid.panels(
        steps.maps[steps.at] if steps else masks.stages(scores, mask, masked, weights),
        words,
        words,
        key="stages",
        theme=theme,
        row=row,
        pinned=pinned is not None,
        on_pin=controls.choose_token,
        paint=1 if len(words) <= masks.MOST_PAINTED else None,
        on_paint=partial(masks.painted, mask),
        steps=steps,
        on_step=masks.slid,
    )
    panel.below(
        "stages",
        sentence=read_mask(scores, mask, weights, words, row, units.each(experiment)),
        table=partial(masks.table, scores, mask, weights, words),
        file=file_name(experiment.name, f"L{layer}H{head}-stages"),
        of=experiment,
        arrays=partial(facts.maps, words, scores=scores, mask=mask, masked=masked, weights=weights),
        python=recompute.stages(
            experiment, layer, head, scores="biased", mask="mask", masked="masked", weights="weights"
        ),
    )

match None if guess else masks.section():  # what stands below would give the answer away
    case "Leak test":
        masks_leak.show(experiment, theme)
    case "One pass or many":
        masks_cache.show(experiment, layer, head, theme)
    case "Cheating":
        masks_cheat.show(experiment.weights, theme)

panel.lesson("masks")
with notices:
    controls.link_mishaps()
