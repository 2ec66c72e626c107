"""What breaks when a part goes? The model whole, the model without, and the difference."""

from dataclasses import replace
from functools import partial

import streamlit as st

from model.analysis.prediction_change import prediction_change
from viz import canvas
from viz.captions.heads import describe_change, describe_next_token
from viz.export.tables import file_name
from viz.pages.remove import (
    batch_norm,
    compute,
    head_ablation,
    override_row,
    residual_stream,
    score_scaling,
    summary,
    trained_without,
)
from viz.pages.remove import controls as remove_controls
from viz.ui import (
    ablation,
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
acting = remove_controls.acting()
experiment = controls.experiment(acting, off=remove_controls.out_by_default())
config = model_calls.about(experiment.weights).model_config
n_layers, n_heads = config.n_layers, config.n_heads
off = ablation.heads_off(n_layers, n_heads, acting)

whole = opening_choice.full_model(experiment)
removed = replace(experiment, switches=replace(experiment.switches, heads_off=off))
other = remove_controls.model_of_b(experiment.weights, acting)
is_other = other != experiment.weights
without = replace(removed, weights=other) if is_other else remove_controls.ablated_experiment(removed, acting)
layer, head = opening_choice.choose_head(experiment, acting)
ablated = ablation.ablation_label(removed.switches, without, other if is_other else "")
a, b = model_calls.trace(whole), model_calls.trace(without)
words = model_calls.encoding(whole).surface
row, pinned = token_units.query_row(experiment, partial(opening_choice.changed_row, experiment, other), acting=acting)
(weights_a, mask_a), (weights_b, mask_b) = head_facts.all_weights(a), head_facts.all_weights(b)  # (L, H, T, S)
kl = prediction_change(a, b)  # (T,)
predicts = not_available.prediction_kind(experiment.weights)
controls.sidebar_footer(experiment)

controls.unknown_words(experiment)
missing = None
match remove_controls.choose_view(experiment.weights):
    case "What breaks":
        if not is_other:
            ablation.ablation_hints(experiment.weights, removed.switches)
        summary.metrics_bar((whole, a), (without, b), words)
        drawn = canvas.compare(
            canvas.ComparedRun(
                f"A  {whole.weights if is_other else 'full model'}, layer {layer} head {head}", weights_a, mask_a
            ),
            canvas.ComparedRun(f"B  {ablated}", weights_b, mask_b),
            words,
            key="compare",
            change=canvas.PredictionChange(kl, not_available.MEASURE[predicts]),
            selected=canvas.SelectedHead(layer, head, controls.choose_head),
            focus=canvas.TokenFocus(row, pinned, controls.pin_token),
            theme=theme,
        )
        figure_panel.below(
            drawn,
            sentence=describe_change(kl, words, ablated, predicts) + head_facts.truncation_note(weights_a),
            table=partial(head_facts.pair_table, weights_a, weights_b, words),
            file=file_name(without.name, "compare"),
            of=figure_panel.Subject(without, notice=copy_as_python.notice_of_b(without, whole)),
            arrays=partial(head_facts.all_maps, words, A=weights_a, B=weights_b),
            python=copy_as_python.two_runs(whole, without),
        )
        match remove_controls.choose_panel(predicts != "nothing"):
            case "Next word" if reason := not_available.requires_lm_head(experiment.weights):
                st.info(reason)
            case "Next word":
                if note := not_available.masked_lm_note(experiment.weights):
                    st.caption(note)
                p, q, likely = compute.next_words(a, b, row, experiment.weights)
                with st.columns([3, 2])[0]:
                    drawn = canvas.probability_bars({"A": p, "B": q}, likely, key="pairs", theme=theme)
                    figure_panel.below(
                        drawn,
                        sentence=describe_next_token(p, likely, words[row], who="A", predicts=predicts)
                        + " "
                        + describe_next_token(q, likely, words[row], who="B", predicts=predicts),
                        table=partial(dict, word=likely, A=p, B=q),
                        file=file_name(without.name, f"next-word-{row}"),
                        of=figure_panel.Subject(without, notice=copy_as_python.notice_of_b(without, whole)),
                        python=copy_as_python.next_token_pairs(whole, without, row),
                    )
            case "Residual stream":
                residual_stream.show((whole, without), a, b, words, theme)
            case "Head ablation":
                missing = head_ablation.show(experiment.weights, theme)
            case "Override one row":
                override_row.show(whole, layer, head, row, theme)
    case "Trained without":
        missing = trained_without.show(experiment.weights, theme)
    case "Why √d_k":
        score_scaling.show(experiment.weights, layer, head)
    case "Layer norm, batch norm":
        batch_norm.show(experiment.weights)

figure_panel.page_footer("remove")
if missing:
    missing.compute()
with notices:
    controls.report_bad_link()
