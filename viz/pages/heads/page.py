"""Which words attend to which? Every head of every layer on one sentence, one of them large."""

from functools import partial

import streamlit as st

from model import Switches
from viz import canvas
from viz.captions.heads import (
    describe_head_grid,
    describe_logit_lens,
    describe_next_token,
    describe_opening,
    describe_rollout,
    describe_rollout_row,
    describe_row,
    describe_sink,
)
from viz.export.tables import file_name
from viz.figures.heatmap import heatmap
from viz.pages.heads import generate
from viz.ui import (
    controls,
    copy_as_python,
    figure_panel,
    head_facts,
    model_calls,
    not_available,
    opening_choice,
    token_units,
    visitor,
)

theme = visitor.theme()
notices = st.container()
experiment = controls.experiment()
trace = model_calls.trace(experiment)
shown = token_units.choose_units(experiment, trace)
words, all_weights, all_masks = shown.words, shown.weights, shown.mask  # (W,), (L, H, W, W)
n_layers, n_heads = all_weights.shape[:2]

opening = opening_choice.opening_head(experiment)
layer, head = opening_choice.choose_head(experiment)
attention = trace.layers[layer].attention
weights, mask = all_weights[layer, head], all_masks[layer, head]  # (W, W)
automatic = partial(opening_choice.opening_row, experiment, layer, head, shown.merge)
row, pinned = token_units.query_row(experiment, automatic, merged=shown.is_merged)
axes, focus = canvas.Axes(words), canvas.TokenFocus(row, pinned, controls.pin_token)
roles = head_facts.head_roles(experiment.weights, n_layers, n_heads)
controls.sidebar_footer(experiment)

controls.unknown_words(experiment)
drawn = canvas.token_lines(weights, mask, axes, key="sentence", focus=focus, theme=theme, unknown=shown.unknown)
figure_panel.below(
    drawn,
    sentence="",
    table=partial(head_facts.row_table, weights, words, row),
    file=file_name(experiment.name, f"L{layer}H{head}-row-{row}"),
    of=experiment,
    arrays=partial(head_facts.row_arrays, weights, words, row),
    python=copy_as_python.row(experiment, layer, head, row, shown.is_merged),
)

player = st.container()
every_head, one_head = st.columns([6, 5], gap="medium")
with every_head:
    drawn = canvas.head_grid(
        all_weights,
        all_masks,
        axes,
        key="grid",
        head_roles=roles,
        selected=canvas.SelectedHead(layer, head, controls.choose_head),
        focus=focus,
        theme=theme,
    )
    figure_panel.below(
        drawn,
        sentence=describe_head_grid(
            roles,
            head_facts.naming(experiment.weights),
            intact=experiment.switches == Switches(),
            pooled=len(words) > canvas.MOST_PIXELS,
            unit=shown.unit,
        )
        + head_facts.truncation_note(all_weights),
        table=partial(head_facts.cell_table, all_weights, words),
        file=file_name(experiment.name, "all-heads"),
        of=experiment,
        arrays=partial(head_facts.all_maps, words, weights=all_weights),
        python=copy_as_python.every_head(experiment, shown.is_merged),
        quiet=True,
    )

with one_head:
    does = head_facts.roles_of_full_model(roles[layer][head])
    stage = controls.stage(layer, head, does, shown.is_merged)
    values = weights if shown.is_merged else getattr(attention, stage)[head]  # (W, W)
    panel = canvas.Panel(
        "",
        values,
        kind="weight" if stage == "weights" else "signed",
        mask=mask if stage in ("masked", "weights") else None,
    )
    drawn = canvas.maps([panel], axes, key="enlarged", theme=theme, focus=focus)
    figure_panel.below(
        drawn,
        sentence=figure_panel.RowSentences(
            partial(describe_row, weights, words, unit=shown.unit),
            len(words),
            row,
            rest=" ".join(
                filter(
                    None,
                    (
                        describe_sink(weights, words),
                        describe_opening(
                            layer,
                            head,
                            opening.role,
                            shown.unit,
                            role_is_sink=opening.role_is_sink,
                            all_sinks=opening.all_sinks,
                        )
                        if (layer, head) == opening.place
                        else "",
                    ),
                )
            ),
        ),
        table=partial(head_facts.map_table, values, words),
        file=file_name(experiment.name, f"L{layer}H{head}-{stage}"),
        of=figure_panel.Subject(
            experiment,
            title=": ".join([f"Layer {layer}, head {head}", *does[:1]]) + ("" if stage == "weights" else f"; {stage}"),
        ),
        arrays=partial(head_facts.maps, words, **{stage: values}),
        python=copy_as_python.weights(experiment, layer, head)
        if shown.is_merged
        else copy_as_python.stages(experiment, layer, head, **{stage: stage}),
    )

position = shown.last_token(row)
match controls.choose_panel(not_available.prediction_kind(experiment.weights) != "nothing"):
    case "Next word" if missing := not_available.requires_lm_head(experiment.weights):
        st.info(missing)
    case "Next word":
        if note := not_available.masked_lm_note(experiment.weights):
            st.caption(note)
        following = model_calls.next_words(experiment, position)
        now, layerwise = st.columns([2, 3], gap="large")
        with now:
            drawn = canvas.probability_bars(
                {"": following.probabilities[-1]}, following.words[-1], key="next", theme=theme
            )
            figure_panel.below(
                drawn,
                sentence=describe_next_token(
                    following.probabilities[-1],
                    following.words[-1],
                    words[row],
                    predicts=not_available.prediction_kind(experiment.weights),
                ),
                table=partial(head_facts.next_table, following),
                file=file_name(experiment.name, f"next-word-{position}"),
                of=experiment,
                python=copy_as_python.next_word(experiment, position),
            )
        with layerwise:
            drawn = canvas.logit_lens(
                following.probabilities[:, :5], [choices[:5] for choices in following.words], key="lens", theme=theme
            )
            figure_panel.below(
                drawn,
                sentence=describe_logit_lens(following.words, following.probabilities),
                table=partial(head_facts.guess_table, following),
                file=file_name(experiment.name, f"layers-{position}"),
                of=experiment,
                python=copy_as_python.layerwise(experiment, position),
            )
    case "Generate" if missing := not_available.requires_causal_lm(experiment.weights):
        st.info(missing)
    case "Generate":
        generate.show(experiment, len(trace.tokens) - 1, words[-1], player, theme)
    case "Head statistics":
        figure_panel.head_table(head_facts.statistics(experiment), on_head=controls.choose_head)
    case "Rollout":
        rolled, reached = shown.merge_map(*head_facts.rolled(experiment))
        with st.columns(2)[0]:
            figure_panel.chart(
                heatmap(rolled, words, words, theme=theme, mask=reached, row=row),
                key="rollout",
                sentence=describe_rollout(head_facts.has_residual(experiment))
                + describe_rollout_row(rolled, words, row, unit=shown.unit),
                table=partial(head_facts.map_table, rolled, words),
                file=file_name(experiment.name, "rollout"),
                of=experiment,
                arrays=partial(head_facts.maps, words, rollout=rolled),
                python=copy_as_python.rolled(experiment, shown.is_merged),
            )

figure_panel.page_footer("heads")
with notices:
    controls.report_bad_link()
