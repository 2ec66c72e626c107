"""Who looks at whom? Every head of every layer on one sentence, one of them large."""

from functools import partial

import streamlit as st

from model import Switches
from viz import head_grid
from viz.export import file_name
from viz.heatmap import heatmap
from viz.reading import read_grid, read_layers, read_next, read_rolled_row, read_rollout, read_row, telling_row
from viz.ui import asides, controls, facts, frame, panel, recompute, runs, units, writing

theme = frame.theme()
notices = st.container()
experiment = controls.experiment()
trace = runs.trace(experiment)
shown = units.choose(experiment, trace)
words, all_weights, all_masks = shown.words, shown.weights, shown.mask  # (W,), (L, H, W, W)
n_layers, n_heads = all_weights.shape[:2]

layer, head = controls.head(n_layers, n_heads, default=facts.headline(experiment.weights))
attention = trace.layers[layer].attention
weights, mask = all_weights[layer, head], all_masks[layer, head]  # (W, W)
pinned = controls.token(words, shown.each)
row = telling_row(weights) if pinned is None else pinned
jobs = facts.jobs(experiment.weights, n_layers, n_heads)
controls.foot(experiment)

controls.unknown_words(experiment)
head_grid.sentence(
    weights,
    words,
    key="sentence",
    mask=mask,
    row=row,
    pinned=pinned is not None,
    unknown=shown.unknown,
    theme=theme,
    on_pin=controls.choose_token,
)
panel.below(
    "sentence",
    sentence="",
    table=partial(facts.row_table, weights, words, row),
    file=file_name(experiment.name, f"L{layer}H{head}-row-{row}"),
    of=experiment,
    arrays=partial(facts.row_arrays, weights, words, row),
    python=recompute.row(experiment, layer, head, row, shown.merged),
)

player = st.container()
every_head, one_head = st.columns([6, 5], gap="medium")
with every_head:
    head_grid.grid(
        all_weights,
        words,
        key="grid",
        mask=all_masks,
        jobs=jobs,
        selected=(layer, head),
        row=row,
        pinned=pinned is not None,
        theme=theme,
        on_head=controls.choose_head,
        on_pin=controls.choose_token,
    )
    panel.below(
        "grid",
        sentence=read_grid(
            jobs,
            facts.naming(experiment.weights),
            intact=experiment.switches == Switches(),
            pooled=len(words) > head_grid.MOST_PIXELS,
            each=shown.each,
        )
        + facts.bounded(all_weights),
        table=partial(facts.cell_table, all_weights, words),
        file=file_name(experiment.name, "all-heads"),
        of=experiment,
        arrays=partial(facts.all_maps, words, weights=all_weights),
        python=recompute.every_head(experiment, shown.merged),
        quiet=True,
    )

with one_head:
    does = facts.measured_whole(jobs[layer][head], experiment.switches)
    stage = controls.stage(layer, head, does, shown.merged)
    values = weights if shown.merged else getattr(attention, stage)[head]  # (W, W)
    head_grid.panels(
        [
            head_grid.Panel(
                "",
                values,
                kind="weight" if stage == "weights" else "signed",
                mask=mask if stage in ("masked", "weights") else None,
            )
        ],
        words,
        words,
        key="enlarged",
        theme=theme,
        row=row,
        pinned=pinned is not None,
        on_pin=controls.choose_token,
    )
    panel.below(
        "enlarged",
        sentence=read_row(weights, words, row, each=shown.each),
        table=partial(facts.map_table, values, words),
        file=file_name(experiment.name, f"L{layer}H{head}-{stage}"),
        of=experiment,
        shows=": ".join([f"Layer {layer}, head {head}", *does[:1]]) + ("" if stage == "weights" else f"; {stage}"),
        arrays=partial(facts.maps, words, **{stage: values}),
        python=recompute.weights(experiment, layer, head)
        if shown.merged
        else recompute.stages(experiment, layer, head, **{stage: stage}),
    )

at = shown.last(row)
match controls.more(asides.foretells(experiment.weights) != "nothing"):
    case "Next word" if asides.says_words(experiment.weights):
        asides.note(experiment.weights)
        following = runs.next_words(experiment, at)
        now, layerwise = st.columns([2, 3], gap="large")
        with now:
            head_grid.bars({"": following.probabilities[-1]}, following.words[-1], key="next", theme=theme)
            panel.below(
                "next",
                sentence=read_next(
                    following.probabilities[-1],
                    following.words[-1],
                    words[row],
                    says=asides.foretells(experiment.weights),
                ),
                table=partial(facts.next_table, following),
                file=file_name(experiment.name, f"next-word-{at}"),
                of=experiment,
                python=recompute.next_word(experiment, at),
            )
        with layerwise:
            head_grid.guesses(
                following.probabilities[:, :5], [choices[:5] for choices in following.words], key="lens", theme=theme
            )
            panel.below(
                "lens",
                sentence=read_layers(following.words, following.probabilities),
                table=partial(facts.guess_table, following),
                file=file_name(experiment.name, f"layers-{at}"),
                of=experiment,
                python=recompute.layerwise(experiment, at),
            )
    case "Write on" if asides.writes_on(experiment.weights):
        writing.show(experiment, len(trace.tokens) - 1, words[-1], player, theme)
    case "Head statistics":
        panel.head_table(facts.statistics(experiment), on_head=controls.choose_head)
    case "Rollout":
        rolled, reached = shown.merge_map(*facts.rolled(experiment))
        with st.columns(2)[0]:
            panel.chart(
                heatmap(rolled, words, words, theme=theme, mask=reached, row=row),
                key="rollout",
                sentence=read_rollout(facts.has_residual(experiment))
                + read_rolled_row(rolled, words, row, each=shown.each),
                table=partial(facts.map_table, rolled, words),
                file=file_name(experiment.name, "rollout"),
                of=experiment,
                arrays=partial(facts.maps, words, rolled=rolled),
                python=recompute.rolled(experiment, shown.merged),
            )

panel.lesson("heads")
with notices:
    controls.link_mishaps()
