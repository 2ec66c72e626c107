"""An experiment as the lines of Python that make it again, and the origin that travels with a figure."""

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Any

from model.generation.decoding import Decoding
from model.registry import PREFIX, SESSION_PREFIX
from model.run import Experiment
from model.switches import PARTS, Switches
from viz.export.provenance import Provenance, version_of_lab
from viz.ui import model_calls

HOME = {
    "Experiment": "model",
    "Switches": "model",
    "run": "model",
    "MaskSpec": "model.mask",
    "AttentionOverride": "model.attention",
}


def python(body: str, imports: str = "", **experiments: Experiment) -> str:
    """A script: the imports, each experiment under its name, then `body`."""
    definitions = "\n".join(f"{name} = {code_of(experiment)}" for name, experiment in experiments.items())
    lines = (
        "\n\n".join(part for part in (definitions, body) if part)
        if "\n" in definitions
        else "\n".join(filter(None, (definitions, body)))
    )
    needed = [imports] if imports else []
    for home in sorted(set(HOME.values())):
        names = [name for name in sorted(HOME) if HOME[name] == home and re.search(rf"\b{name}\(", lines)]
        needed += [f"from {home} import {', '.join(names)}"] if names else []
    numbers = ["import numpy as np\n"] if re.search(r"\bnp\.", lines) else []
    elsewhere = sorted(set(re.findall(rf"""["']({PREFIX}[a-z0-9-]+)["']""", lines)))
    if elsewhere:  # imported models: the lines import them too
        needed.append("from model.importers import bring")
        lines = "\n".join(f"bring({str(model_calls.folder(name))!r})  # as {name}" for name in elsewhere) + f"\n{lines}"
    kept = sorted(set(re.findall(rf"""["']({SESSION_PREFIX}[a-z0-9-]+)["']""", lines)))
    if kept:  # steps of live trainings: they are opened from the files that Training saves
        needed.append("from model.training.live.kept_model import open_file")
        lines = "\n".join(f'open_file("{name}.safetensors")  # as Training saved it' for name in kept) + f"\n{lines}"
    return "\n".join([*numbers, *sorted("\n".join(needed).split("\n"))]) + f"\n\n{lines}\n"


def code_of(value: Any) -> str:
    """A record as the call that makes it, without what it would be anyway; what has a name of its own is named."""
    if not is_dataclass(value) or isinstance(value, type):
        return repr(value)
    arguments = [
        f"{f.name}={code_of(getattr(value, f.name))}"
        for f in fields(value)
        if f.name in ("weights", "text") or f.default is MISSING or getattr(value, f.name) != f.default
    ]
    return f"{type(value).__name__}({', '.join(arguments)})"


def parts(switches: Switches) -> str:
    """What is missing, in words: "scaling by √d_k and head L0H1"; empty where nothing is."""
    named = [part.label[0].lower() + part.label[1:] for part in PARTS if not getattr(switches, part.name)]
    named += [f"head {name}" for name in _heads(switches)]
    return f"{', '.join(named[:-1])} and {named[-1]}" if len(named) > 1 else "".join(named)


def _heads(switches: Switches) -> tuple[str, ...]:
    return switches.ablated_heads


def translated(experiment: Experiment, decoding: Decoding, body: str, imports: str) -> str:
    """The lines that make `translation`, what a sequence-to-sequence model writes; then `body`, which reads it.

    If the method has settings, they are there as `decoding`.
    """
    needed, lines, argument = ["from model.generation.translate import translate", imports], [], ""
    if decoding.used:
        settings = ", ".join(f"{name}={value!r}" for name, value in decoding.used.items())
        needed.append("from model.generation.decoding import Decoding")
        lines, argument = [f"decoding = Decoding({settings})"], ", decoding=decoding"
    lines += [f"translation = translate(experiment{argument})", body]
    return python("\n".join(lines), "\n".join(needed), experiment=experiment)


def ablation_notice(experiment: Experiment) -> str:
    """What a picture of this experiment must say of itself; empty for a model as it was trained, with every part."""
    trained = model_calls.trained(experiment.weights)
    written = experiment.override
    sentences = [
        f"trained without {parts(trained)}" if trained != Switches() else "",
        f"without {parts(experiment.switches)}" if experiment.switches != Switches() else "",
        f"with another mask: {experiment.mask_spec.name.removesuffix('-mask').replace('-', ' ')}"
        if experiment.mask_spec
        else "",
        f"L{written.layer}H{written.head}: the row of word {written.row} is overwritten" if written else "",
    ]
    return "; ".join(filter(None, sentences))


@dataclass(frozen=True)
class File:
    """Uploaded arrays, by the name of their file."""

    name: str


@dataclass(frozen=True)
class ModelMaps:
    """Maps that a model gave which can show nothing else: which of them, and of what text."""

    name: str
    stack: str  # "encoder", "decoder" or "cross"
    text: str
    target: str = ""


# An experiment, several weights by name, a file, maps of a model that is run elsewhere, no trained model.
Source = Experiment | tuple[str, ...] | File | ModelMaps | None


def origin(figure: str, of: Source, notice: str | None = None) -> Provenance:
    """Everything that makes the figure again. notice: what its face must say, instead of `face`."""
    if of is None:
        return Provenance(figure, version_of_lab(), notice=notice or "")
    if isinstance(of, File):
        return Provenance(figure, version_of_lab(), file=of.name, notice=notice or "")
    if isinstance(of, ModelMaps):
        notice_of_maps = notice or f"{of.stack} attention"
        return Provenance(figure, version_of_lab(), weights=of.name, text=of.text, notice=notice_of_maps)
    if isinstance(of, tuple):
        seeds = {model_calls.about(weights).seed for weights in of}
        seed = seeds.pop() if len(seeds) == 1 else None
        return Provenance(figure, version_of_lab(), weights=", ".join(of), seed=seed, notice=notice or "")
    written = of.override
    return Provenance(
        figure,
        version_of_lab(),
        weights=of.weights,
        seed=model_calls.about(of.weights).seed,
        text=of.text,
        switches={part.name: getattr(of.switches, part.name) for part in PARTS},
        heads_off=_heads(of.switches),
        trained_without=model_calls.trained(of.weights).removed,
        mask=of.mask_spec.name if of.mask_spec else "",
        overwritten=f"L{written.layer}H{written.head} row {written.row}" if written else "",
        notice=ablation_notice(of) if notice is None else notice,
    )


# The lines of single figures


def stages(experiment: Experiment, layer: int, head: int, **fields_of: str) -> str:
    """Stages (T, S) of one head: variable → its field in AttentionTrace."""
    names, stages = ", ".join(fields_of), ", ".join(f"attention.{stage}[{head}]" for stage in fields_of.values())
    body = f"attention = run(experiment).layers[{layer}].attention\n{names} = {stages}  # (T, S)"
    return python(body, experiment=experiment)


def row(experiment: Experiment, layer: int, head: int, position: int, merged: bool = False) -> str:
    """One row (S,) of weights. Here and below, merged: of words, put together from pieces."""
    if merged:
        return weights(experiment, layer, head, f"[{position}]  # (W,)")
    body = f"weights = run(experiment).layers[{layer}].attention.weights[{head}, {position}]  # (S,)"
    return python(body, experiment=experiment)


MERGED = "merge_to_words({}, encode(experiment).word_ids)"
MERGES = "from model.run import encode\nfrom model.word_aggregation import merge_to_words"


def weights(experiment: Experiment, layer: int, head: int, end: str = "  # (W, W)") -> str:
    """The weights of one head, word by word."""
    head_weights = f"run(experiment).layers[{layer}].attention.weights[{head}]"
    return python(f"weights = {MERGED.format(head_weights)}{end}", MERGES, experiment=experiment)


EVERY = "weights = stack_weights(run(experiment))  # (L, H, T, S)"
STACKS = "from model.analysis.attention_metrics import stack_weights"


def every_head(experiment: Experiment, merged: bool = False) -> str:
    """The weights of all heads."""
    if merged:
        merged_weights = MERGED.format("weights")
        body = f"{EVERY}\nweights = {merged_weights}  # (L, H, W, W)"
        return python(body, f"{STACKS}\n{MERGES}", experiment=experiment)
    return python(EVERY, STACKS, experiment=experiment)


def rolled(experiment: Experiment, merged: bool = False) -> str:
    """Attention rollout (T, T)."""
    residual = (experiment.switches & model_calls.trained(experiment.weights)).residual
    expression = (
        "attention_metrics.rollout(weights)" if residual else "attention_metrics.rollout(weights, residual=False)"
    )
    imports = f"from model.analysis import attention_metrics\n{STACKS}"
    if merged:
        expression, imports = MERGED.format(expression), f"{imports}\n{MERGES}"
    return python(f"{EVERY}\nrollout = {expression}", imports, experiment=experiment)


def next_word(experiment: Experiment, position: int) -> str:
    """The most likely next words of the model's output."""
    return _next(experiment, position, "probabilities[-1]  # (n,)")


def layerwise(experiment: Experiment, position: int) -> str:
    """The most likely next words of every layer, in order."""
    return _next(experiment, position, "probabilities.ravel()  # (L · n,): layer by layer")


def _next(experiment: Experiment, position: int, last: str) -> str:
    body = f"probability = top_next_tokens(experiment, run(experiment), {position}).{last}"
    return python(body, "from model.generation.next_token import top_next_tokens", experiment=experiment)


def two_runs(a: Experiment, b: Experiment) -> str:
    """The weights of all heads, whole and without."""
    return python("A, B = stack_weights(run(a)), stack_weights(run(b))  # (L, H, T, S)", STACKS, a=a, b=b)


def next_token_pairs(a: Experiment, b: Experiment, position: int, n: int = 8) -> str:
    """The most likely words after one token, by either model."""
    body = f"A, B, ids = top_of_two(run(a).logits[{position}], run(b).logits[{position}], n={n})  # (n,)"
    return python(body, "from model.generation.next_token import top_of_two", a=a, b=b)


def streams(a: Experiment, b: Experiment, name: str) -> str:
    """A size of every vector after every sublayer."""
    body = f"A, B = (stream_sizes(run(experiment))[{name!r}] for experiment in (a, b))  # (stages, T)"
    return python(body, "from model.analysis.attention_metrics import stream_sizes", a=a, b=b)


def attribution(experiment: Experiment, layer: int, head: int, position: int) -> str:
    """What each look of one row is worth."""
    body = (
        f"weight = run(experiment).layers[{layer}].attention.weights[{head}, {position}]  # (S,)\n"
        f"KL_when_blocked = key_ablation_effect(experiment, {layer}, {head}, {position})\n"
        f"gradient_weight = gradient_times_weight(experiment, {layer}, {head}, {position})"
    )
    return python(
        body, "from model.analysis.attribution import gradient_times_weight, key_ablation_effect", experiment=experiment
    )


def head_ablation(weights: str) -> str:
    """How much the loss rises without each head."""
    body = (
        f"intact, each = evaluate_held_out({weights!r}), ablate_each_head({weights!r})  # every head in turn\n"
        "loss, accuracy = ablation_costs(intact, each)  # (L, H)"
    )
    return python(body, "from model.analysis.ablation import ablate_each_head, ablation_costs, evaluate_held_out")


def random_heads(sizes: Any) -> str:
    """The weights of random heads of one's own sizes."""
    return python(
        f"weights = run_random({code_of(sizes)}).weights  # (H, T, S)",
        "from model.analysis.attention_cost import AttentionCost, run_random",
    )


def curves(weights: Mapping[str, str], question: str = "") -> str:
    """Learning curves (R, N) of weights by name, from their cards: the loss, or the right answers to one question."""
    lines = [f"{name} = load_card({model!r}).language.learning_curves({question!r})" for name, model in weights.items()]
    return python("\n".join(lines) + "  # (seeds, steps)", "from model.checkpoint import load_card")


def from_maps(file: File | ModelMaps, name: str, value: str, imports: str = "") -> str:
    """The maps of a file or of a model, and what becomes of their weights: `value` under a name."""
    if isinstance(file, ModelMaps):
        needed = sorted(filter(None, ("from model.importers import inspect_folder, transformers_backend", imports)))
        needed += ["from viz.export.attention_arrays import maps as checked"]
        arguments = f"{file.text!r}, {file.target!r}" if file.target else repr(file.text)
        lines = [f"info = inspect_folder({str(model_calls.folder(file.name))!r})"]
        lines += ["model = transformers_backend.load_with_transformers(info)"]
        lines += [f'attention = transformers_backend.attention(model, {arguments})["{file.stack}"]']
        key_tokens = ", attention.key_tokens" if file.stack == "cross" else ""
        lines += [f"maps = checked(attention.weights, attention.query_tokens{key_tokens})", f"{name} = {value}"]
        return "\n".join([*needed, "", *lines]) + "\n"
    needed = sorted(filter(None, ("from viz.export.attention_arrays import read", imports)))
    lines = ["from pathlib import Path\n", *needed, f"\nmaps = read(Path({file.name!r}).read_bytes())"]
    return "\n".join([*lines, f"{name} = {value}\n"])


def notice_of_b(b: Experiment, a: Experiment | None = None) -> str:
    """What the face of a comparison of A, whole, with B says."""
    notice = ablation_notice(b)
    if a is not None and model_calls.trained(a.weights) == model_calls.trained(b.weights) and a.weights != b.weights:
        return f"A: {a.weights}; B: {b.weights}" + (f", {notice}" if notice else "")
    return f"B: {notice}" if notice else ""
