"""The figure of the whole model: what its parts did to each token, and what reached the token in focus."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from model.analysis.whole_model.architecture import Step, architecture, position_place
from model.analysis.whole_model.data_flow import DataFlow, flow_to, most_important_tokens
from model.config import ModelConfig
from model.probability import probabilities
from model.run import Experiment
from model.switches import PARTS
from model.transformer import Trace
from viz import canvas
from viz.captions import machine as captions
from viz.export.tables import NamedArray, Table, file_name
from viz.labels import numbered, truncate
from viz.theme import Theme
from viz.types import Array
from viz.ui import ablation, controls, copy_as_python, figure_panel, model_calls
from viz.ui.links import part_pages

MOST_TOKENS = 24  # rows that the eye can follow
CANDIDATES = 5  # predicted words
NAMED = 0.03  # the least share of a token that a sentence names


@dataclass(frozen=True)
class Pass:
    """One run of the model on a text of T tokens, and what it is compared with."""

    experiment: Experiment
    trace: Trace[Array]
    full: Trace[Array]  # the same text with every part
    flow: DataFlow
    config: ModelConfig
    words: Sequence[str]  # T


def show(run: Pass, row: int, pinned: bool, detail: str, theme: Theme) -> None:
    """The whole model, with the token at `row` followed through it."""
    experiment, words = run.experiment, run.words
    drawn_tokens = most_important_tokens(run.flow.sources, row, MOST_TOKENS)
    view = _view(run, drawn_tokens)
    drawn = canvas.machine(
        view,
        key="machine",
        focus=canvas.TokenFocus(row, pinned, controls.pin_token),
        detail=detail,
        events=canvas.MachineEvents(
            on_part=toggle_part,
            on_layer=partial(toggle_layer, run.config, "L"),
            on_head=partial(toggle_head, run.config, "L"),
            on_open=partial(_request_page, run.config),
        ),
        theme=theme,
    )
    began = run.flow.sources[row]  # (T,)
    figure_panel.below(
        drawn,
        sentence=captions.describe_machine(
            words[row], largest(began, words, row), float(began[row]), len(drawn_tokens), len(words)
        ),
        table=partial(_table, run.flow, words, row),
        file=file_name(experiment.name, "whole-model"),
        of=experiment,
        arrays=partial(_arrays, run.flow, words),
        python=copy_as_python.python(
            "flow = data_flow(experiment, run(experiment))\n"
            "lengths, added = flow.lengths, flow.added  # (2L + 1, T), (2L, T)\n"
            f"shares = flow.shares  # (L, T, S)\nbegan = flow.sources[{row}]  # (T,)",
            "from model.analysis.whole_model.data_flow import data_flow",
            experiment=experiment,
        ),
    )


# What a browser sends may be anything: a part that the model does not have is ignored.


def toggle_part(name: str) -> None:
    """Remove a part or put it back."""
    if name in {part.name for part in PARTS}:
        ablation.toggle_part(name)


def toggle_layer(config: ModelConfig, letters: str, layer: int, letter: str) -> None:
    """Remove all heads of an attention, or put them back. letters: those of the attentions that the model has."""
    if layer in range(config.n_layers) and letter in tuple(letters):
        ablation.toggle_layer(layer, config.n_heads, letter)


def toggle_head(config: ModelConfig, letters: str, layer: int, head: int, letter: str) -> None:
    """Remove a head or put it back. letters: as in toggle_layer."""
    if layer in range(config.n_layers) and head in range(config.n_heads) and letter in tuple(letters):
        ablation.toggle_head(layer, head, letter)


def _request_page(config: ModelConfig, kind: str, layer: int, head: int, _stack: str) -> None:
    if layer in range(-1, config.n_layers) and head in range(-1, config.n_heads):
        part_pages.request(kind, layer, head)


def _view(run: Pass, tokens: Sequence[int]) -> canvas.MachineView:
    """What the figure draws, of the tokens at these positions only."""
    trace, flow, experiment = run.trace, run.flow, run.experiment
    reach, edges = flow_to(flow.shares, tokens)
    kept = list(tokens)
    attention = [layer.attention for layer in trace.layers]
    steps = architecture(run.config, experiment.switches)
    predictions = _next_tokens(run, kept)
    return canvas.MachineView(
        tokens=[run.words[token] for token in tokens],
        positions=kept,
        parts=[_part(step, run) for step in steps],
        switches=part_switches(experiment),
        heads_off=experiment.switches.ablated_heads,
        arrays={
            "weights": np.stack([each.weights[:, kept][:, :, kept] for each in attention]),
            "mask": np.stack([each.mask[:, kept][:, :, kept] for each in attention]),
            "stream": flow.stream[:, kept],
            "hidden": np.stack([layer.mlp_hidden[kept] for layer in trace.layers]),
            "lengths": flow.lengths[:, kept],
            "added": flow.added[:, kept],
            "reach": reach[:, :, kept],
            "edges": edges,
        },
        sentences=[_sentences(run, steps, token, row) for token, row in zip(tokens, predictions, strict=True)],
        next_tokens=[row for row in predictions if row],
        predicts="Next word" if run.config.predicts == "next" else "Predicted word",
        position_place=position_place(run.config),
        words=canvas.MachineWords(
            captions.NAMES,
            captions.PURPOSES,
            captions.SHORT,
            {kind: page.label for kind, page in part_pages.PAGE_OF.items()},
        ),
    )


def part_switches(experiment: Experiment) -> list[canvas.MachineSwitch]:
    """The parts that a click removes and puts back."""
    removable = model_calls.removable_parts(experiment.weights)
    return [
        canvas.MachineSwitch(
            part.name,
            captions.LABELS[part.name],
            getattr(experiment.switches, part.name) and getattr(removable, part.name),
            getattr(removable, part.name),
        )
        for part in PARTS
    ]


def _part(step: Step, run: Pass) -> canvas.MachinePart:
    T, config = len(run.words), run.config
    shape = {
        "embedding": f"{T} × {config.d_model}",
        "attention": f"{config.n_heads} maps of {T} × {T}",
        "mlp": f"{T} × {config.d_ff}",
        "unembedding": f"{T} × {config.vocab_size:,}",
    }[step.kind]
    return canvas.MachinePart(step.kind, step.layer, step.norm, step.present, shape)


# Word, probability, and probability in the full model.
Prediction = tuple[str, float, float]


def _sentences(run: Pass, steps: Sequence[Step], token: int, predictions: Sequence[Prediction]) -> list[str]:
    """What each part did to the token, in the order of the parts. predictions: the most probable word first."""
    flow, word = run.flow, truncate(run.words[token])
    residual = (run.experiment.switches & run.config.trained).residual
    sentences = []
    for step in steps:
        if step.kind == "embedding":
            sentences.append(captions.describe_embedding(word, float(flow.lengths[0, token])))
        elif step.kind == "attention" and step.layer is not None:
            shares = largest(flow.shares[step.layer, token], run.words, token)
            before, added = flow.lengths[2 * step.layer, token], flow.added[2 * step.layer, token]
            sentences.append(captions.describe_attention(word, float(before), float(added), shares, residual, NAMED))
        elif step.kind == "mlp" and step.layer is not None:
            hidden = run.trace.layers[step.layer].mlp_hidden[token]
            before, added = flow.lengths[2 * step.layer + 1, token], flow.added[2 * step.layer + 1, token]
            active = int((hidden > 0).sum())
            sentences.append(captions.describe_mlp(word, float(before), float(added), active, len(hidden), residual))
        else:
            predicted, share, _ = predictions[0]
            sentences.append(captions.describe_unembedding(word, truncate(predicted), share, run.config.predicts))
    return sentences


def largest(shares: Array, words: Sequence[str], own: int | None, most: int = 2) -> list[tuple[str, float]]:
    """The tokens other than `own` with the largest shares; one that occurs twice is named with its position."""
    order = [int(token) for token in np.argsort(-shares, kind="stable") if token != own][:most]
    return [(_name(words, token), float(shares[token])) for token in order if shares[token] >= NAMED]


def _name(words: Sequence[str], token: int) -> str:
    name = truncate(words[token])
    return f"{name}, token {token}" if words.count(words[token]) > 1 else name


def _next_tokens(run: Pass, tokens: Sequence[int]) -> list[list[Prediction]]:
    """Of each token the most probable words; none where the model predicts no words."""
    if run.config.read_out == "none":
        return [[] for _ in tokens]
    return next_tokens(run.experiment.weights, run.trace.logits[list(tokens)], run.full.logits[list(tokens)])


def next_tokens(weights: str, logits: Array, full: Array) -> list[list[Prediction]]:
    """The most probable words of each row of logits (N, V), beside their probabilities in the full model."""
    vocabulary = model_calls.tokenizer(weights).vocabulary
    now, before = probabilities(logits), probabilities(full)  # (N, V)
    best = np.argsort(-now, axis=-1, kind="stable")[:, :CANDIDATES]
    return [
        [(vocabulary[word], float(now[row, word]), float(before[row, word])) for word in words]
        for row, words in enumerate(best)
    ]


def _table(flow: DataFlow, words: Sequence[str], row: int) -> Table:
    """One line for each token: what of the followed token began there."""
    return {
        "word": numbered(words),
        "share": flow.sources[row],
        "length after the embedding": flow.lengths[0],
        "length after the last layer": flow.lengths[-1],
    }


def _arrays(flow: DataFlow, words: Sequence[str]) -> dict[str, NamedArray]:
    """Of the stream, of what each part gives, and the shares, layer by layer."""
    n_layers = len(flow.shares)
    parts = [f"layer {layer} {part}" for layer in range(n_layers) for part in ("attention", "mlp")]
    return {
        "lengths": NamedArray(flow.lengths, {"after": ["embedding", *parts], "word": words}),
        "added": NamedArray(flow.added, {"part": parts, "word": words}),
        "shares": NamedArray(flow.shares, {"layer": range(n_layers), "query": words, "key": words}),
    }
