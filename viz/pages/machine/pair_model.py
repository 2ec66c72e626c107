"""The whole model of two sentences: an encoder, a decoder, and the cross-attention from the one to the other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import streamlit as st

from model.analysis.whole_model.architecture import Step, pair_architecture, position_place
from model.analysis.whole_model.data_flow import most_important_tokens
from model.analysis.whole_model.pair_flow import PairFlow, PairPaths, most_mixed_pair_row, pair_paths
from model.config import ModelConfig
from model.encoder_decoder import EncoderDecoderTrace
from model.run import Experiment, InputTextError, encode_pair
from viz import canvas
from viz.captions import machine as captions
from viz.export.tables import NamedArray, Table, file_name
from viz.labels import numbered, truncate
from viz.pages.machine import compute, feed_forward, pair_pages
from viz.pages.machine.whole_model import (
    MOST_TOKENS,
    NAMED,
    Prediction,
    largest,
    next_tokens,
    part_switches,
    toggle_head,
    toggle_layer,
    toggle_part,
)
from viz.theme import Theme
from viz.types import Array
from viz.ui import ablation, controls, copy_as_python, figure_panel, model_calls, opening_choice, present, slots
from viz.ui.state import Key, Param

MOST_PROJECTED = 6  # rows of each sentence on a projector, where letters are large
LETTERS = "LXE"  # of the three attentions in names of heads


@dataclass(frozen=True)
class PairPass:
    """One run of the model on a source of S tokens and a target of T, and what it is compared with."""

    experiment: Experiment
    trace: EncoderDecoderTrace[Array]
    full: EncoderDecoderTrace[Array]  # the same sentences with every part
    flow: PairFlow
    config: ModelConfig
    source: Sequence[str]  # S
    target: Sequence[str]  # T


def show(experiment: Experiment, theme: Theme) -> None:
    """The controls of a model of two sentences, its figure, and the hidden units of its decoder."""
    config = model_calls.about(experiment.weights).model_config
    with st.sidebar:
        experiment = replace(experiment, switches=ablation.pair_heads_off(experiment.weights, experiment.switches))
    pair_pages.open_requested(experiment.weights, experiment.text)
    try:
        written = model_calls.translation(opening_choice.full_model(experiment))
        target = _target(experiment, written)
        experiment = replace(experiment, target=target or written)
        full = opening_choice.full_model(experiment)
        trace, whole = model_calls.pair_trace(experiment), model_calls.pair_trace(full)
        removed = experiment.switches != full.switches
        rewritten = model_calls.translation(experiment) if removed else None
    except (InputTextError, slots.TooMuch) as error:
        st.info(str(error))
        controls.report_bad_link(whole=False)
        st.stop()
    source, read = encode_pair(experiment)
    run = PairPass(experiment, trace, whole, compute.paired_flow(experiment), config, source.surface, read.surface)
    pinned = controls.token(run.target, f"{model_calls.pair_task(experiment.weights).unit} of the target")
    row = most_mixed_pair_row(compute.paired_flow(full)) if pinned is None else pinned
    layer = controls.layer(config.n_layers, config.n_layers - 1)
    controls.sidebar_footer(experiment)
    known = partial(model_calls.source_words, experiment.weights)
    controls.unknown_words(experiment, controls.SourceWords(controls.set_text, known, "English"))
    detail = controls.choice("Below each part", ("words", "shapes", "numbers"), key=Param.DETAIL)
    _figure(run, row, pinned is not None, detail, theme)
    st.markdown(captions.describe_translations(written, rewritten, bool(target)))
    st.markdown(f"#### The feed-forward network of decoder layer {layer}")
    if (experiment.switches & config.trained).mlp:
        feed_forward.show(experiment, layer, row, run.target[row], theme)
    else:
        st.info("This model has no feed-forward networks now, so there are no hidden units to show.")


def _target(experiment: Experiment, written: str) -> str:
    """The target that the person named; empty: the decoder reads what the full model writes."""
    source = (experiment.weights, experiment.text)
    if st.session_state.get(Key.TARGET_OF, source) != source:
        st.session_state[Param.TARGET] = ""  # it was named for another source
    st.session_state[Key.TARGET_OF] = source
    with st.sidebar:
        return (
            st.text_area(
                "Target",
                key=Param.TARGET,
                bind="query-params",
                height=96,
                placeholder=written,
                help="The sentence that the decoder reads, from left to right. Empty: what the full model writes.",
            )
            or ""
        ).strip()


def _figure(run: PairPass, row: int, pinned: bool, detail: str, theme: Theme) -> None:
    experiment, flow = run.experiment, run.flow
    most = MOST_PROJECTED if present.presentation().mode == "present" else MOST_TOKENS
    kept = list(most_important_tokens(flow.from_target, row, most))
    order = np.argsort(-flow.from_source[row], kind="stable")[:most]
    sources = sorted(int(token) for token in order)
    drawn = canvas.machine(
        _view(run, kept, sources),
        key="machine",
        focus=canvas.TokenFocus(row, pinned, controls.pin_token),
        detail=detail,
        events=canvas.MachineEvents(
            on_part=toggle_part,
            on_layer=partial(toggle_layer, run.config, LETTERS),
            on_head=partial(toggle_head, run.config, LETTERS),
            on_open=partial(_request_page, run.config),
        ),
        theme=theme,
    )
    from_source, from_target = flow.from_source[row], flow.from_target[row]
    figure_panel.below(
        drawn,
        sentence=captions.describe_pair_machine(
            run.target[row],
            largest(from_source, run.source, None),
            largest(from_target, run.target, row),
            float(from_source.sum()),
            len(kept) + len(sources),
            len(run.target) + len(run.source),
        ),
        table=partial(_table, run, row),
        file=file_name(experiment.name, "whole-model"),
        of=experiment,
        arrays=partial(_arrays, run),
        python=copy_as_python.python(
            "flow = pair_flow(experiment, run(experiment))\n"
            f"from_source, from_target = flow.from_source[{row}], flow.from_target[{row}]  # (S,), (T,)\n"
            "encoder_lengths, decoder_lengths = flow.encoder.lengths, flow.lengths  # (2L + 1, S), (3L + 1, T)\n"
            "encoder_added, decoder_added = flow.encoder.added, flow.added  # (2L, S), (3L, T)\n"
            "encoder_shares, self_shares = flow.encoder.shares, flow.self_shares  # (L, S, S), (L, T, T)\n"
            "cross_shares, kept = flow.cross_shares, flow.kept  # (L, T, S), (L, T)",
            "from model.analysis.whole_model.pair_flow import pair_flow",
            experiment=experiment,
        ),
    )


def _request_page(config: ModelConfig, kind: str, layer: int, head: int, stack: str) -> None:
    # What a browser sends may be anything: a part that the model does not have is ignored.
    if layer in range(-1, config.n_layers) and head in range(-1, config.n_heads):
        pair_pages.request(kind, layer, head, stack)


def _view(run: PairPass, kept: list[int], sources: list[int]) -> canvas.MachineView:
    """What the figure draws: the target tokens at `kept` and the source tokens at `sources`."""
    flow, experiment, steps = run.flow, run.experiment, pair_architecture(run.config, run.experiment.switches)
    paths = pair_paths(flow, kept, sources)
    encoder, decoder = run.trace.encoder, run.trace.decoder
    reached = paths.source_reach[:, -1]  # (R, S)
    followed = [int(token) for token in np.argmax(np.nan_to_num(reached[:, sources]), axis=1)]
    logits = [trace.decoder.logits[kept] for trace in (run.trace, run.full)]
    predictions = next_tokens(experiment.weights, *logits)
    return canvas.MachineView(
        tokens=[run.target[token] for token in kept],
        positions=kept,
        parts=[_part(step, run) for step in steps],
        switches=part_switches(experiment),
        heads_off=experiment.switches.ablated_heads,
        arrays={
            "weights": np.stack([layer.attention.weights[:, kept][:, :, kept] for layer in decoder.layers]),
            "mask": np.stack([layer.attention.mask[:, kept][:, :, kept] for layer in decoder.layers]),
            "stream": flow.stream[:, kept],
            "hidden": np.stack([layer.mlp_hidden[kept] for layer in decoder.layers]),
            "lengths": flow.lengths[:, kept],
            "added": flow.added[:, kept],
            "reach": paths.reach[:, :, kept],
            "edges": paths.self_edges,
        },
        sentences=[
            _sentences(run, steps, paths, index, sources[followed[index]], predictions[index][0])
            for index in range(len(kept))
        ],
        next_tokens=predictions,
        predicts="Next word",
        position_place=position_place(run.config),
        words=canvas.MachineWords(captions.NAMES, captions.PURPOSES, captions.SHORT, pair_pages.LABELS),
        source=canvas.MachineSource(
            tokens=[run.source[token] for token in sources],
            followed=followed,
            arrays={
                "weights": np.stack([layer.attention.weights[:, sources][:, :, sources] for layer in encoder.layers]),
                "mask": np.stack([layer.attention.mask[:, sources][:, :, sources] for layer in encoder.layers]),
                "stream": flow.encoder.stream[:, sources],
                "hidden": np.stack([layer.mlp_hidden[sources] for layer in encoder.layers]),
                "lengths": flow.encoder.lengths[:, sources],
                "added": flow.encoder.added[:, sources],
                "reach": paths.source_reach[:, :, sources],
                "edges": paths.source_edges,
                "output": encoder.final_norm.out[None, sources],
            },
            cross={
                "weights": np.stack([layer.cross.weights[:, kept][:, :, sources] for layer in decoder.layers]),
                "mask": np.stack([layer.cross.mask[:, kept][:, :, sources] for layer in decoder.layers]),
                "edges": paths.cross_edges,
            },
        ),
    )


def _part(step: Step, run: PairPass) -> canvas.MachinePart:
    S, T, config = len(run.source), len(run.target), run.config
    own = S if step.stack == "encoder" else T
    shape = {
        "embedding": f"{own} × {config.d_model}",
        "attention": f"{config.n_heads} maps of {own} × {own}",
        "cross": f"{config.n_heads} maps of {T} × {S}",
        "mlp": f"{own} × {config.d_ff}",
        "output": f"{S} × {config.d_model}",
        "unembedding": f"{T} × {config.vocab_size:,}",
    }[step.kind]
    return canvas.MachinePart(step.kind, step.layer, step.norm, step.present, shape, step.stack)


def _sentences(
    run: PairPass, steps: Sequence[Step], paths: PairPaths, index: int, source: int, predicted: Prediction
) -> list[str]:
    """What each part did, in the order of the parts: in the decoder to the followed token of the target, in the encoder
    to the token of the source that gives most to it.

    index: of the followed token among those that are drawn; source: position of that source token; predicted: the most
    probable next word.
    """
    token = int(np.argmax(paths.reach[index, -1]))
    residual = (run.experiment.switches & run.config.trained).residual
    sentences = []
    joints = {"encoder": -1, "decoder": -1}  # of each stack, the part that acted last on its stream
    for step in steps:
        reads = step.stack == "encoder"
        words, place = (run.source, source) if reads else (run.target, token)
        stream = run.flow.encoder if reads else run.flow
        word, joint = truncate(words[place]), joints[step.stack]
        if step.kind == "embedding":
            sentences.append(captions.describe_embedding(word, float(stream.lengths[0, place])))
        elif step.kind == "output":
            share = float(paths.source_reach[index, -1, source])
            sentences.append(captions.describe_output(truncate(run.target[token]), word, share))
        elif step.kind == "unembedding":
            sentences.append(captions.describe_unembedding(word, truncate(predicted[0]), predicted[1], "next"))
        elif step.layer is not None:
            before, gave = float(stream.lengths[joint, place]), float(stream.added[joint, place])
            if step.kind == "mlp":
                layers = run.trace.encoder.layers if reads else run.trace.decoder.layers
                hidden = layers[step.layer].mlp_hidden[place]
                active = int((hidden > 0).sum())
                sentences.append(captions.describe_mlp(word, before, gave, active, len(hidden), residual))
            elif step.kind == "cross":
                shares = largest(run.flow.cross_shares[step.layer, token], run.source, None)
                sentences.append(captions.describe_cross(word, before, gave, shares, residual, NAMED))
            else:
                own = run.flow.encoder.shares if reads else run.flow.self_shares
                shares = largest(own[step.layer, place], words, place)
                sentences.append(captions.describe_attention(word, before, gave, shares, residual, NAMED))
        joints[step.stack] += 1
    return sentences


def _table(run: PairPass, row: int) -> Table:
    """One line for each token of both sentences: what of the followed token began there."""
    flow = run.flow
    return {
        "sentence": ["source"] * len(run.source) + ["target"] * len(run.target),
        "word": [*numbered(run.source), *numbered(run.target)],
        "share": np.concatenate([flow.from_source[row], flow.from_target[row]]),
        "length after the embedding": np.concatenate([flow.encoder.lengths[0], flow.lengths[0]]),
        "length after the last layer": np.concatenate([flow.encoder.lengths[-1], flow.lengths[-1]]),
    }


def _arrays(run: PairPass) -> dict[str, NamedArray]:
    """Of both streams, of what each part gives, and the shares, layer by layer."""
    flow, layers = run.flow, range(run.config.n_layers)
    encoder = [f"layer {layer} {part}" for layer in layers for part in ("attention", "mlp")]
    decoder = [f"layer {layer} {part}" for layer in layers for part in ("attention", "cross-attention", "mlp")]
    read, write = {"source_token": run.source}, {"target_token": run.target}
    in_source = {"layer": layers, "source_query": run.source, "source_key": run.source}
    in_target = {"layer": layers, "target_query": run.target, "target_key": run.target}
    return {
        "encoder_lengths": NamedArray(flow.encoder.lengths, {"encoder_after": ["embedding", *encoder], **read}),
        "encoder_added": NamedArray(flow.encoder.added, {"encoder_part": encoder, **read}),
        "encoder_shares": NamedArray(flow.encoder.shares, in_source),
        "decoder_lengths": NamedArray(flow.lengths, {"decoder_after": ["embedding", *decoder], **write}),
        "decoder_added": NamedArray(flow.added, {"decoder_part": decoder, **write}),
        "self_shares": NamedArray(flow.self_shares, in_target),
        "cross_shares": NamedArray(flow.cross_shares, {"layer": layers, **write, **read}),
        "kept": NamedArray(flow.kept, {"layer": layers, **write}),
    }
