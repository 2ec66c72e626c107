"""Readings of the figures of Heads, Inside a head and Masks."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from expected_files import REFERENT, Reading, Seen, counted, map_of, named, reads, softmax, words_and_weights
from expected_machine import ablated

from model import Experiment, load, run
from model.generation.cache_comparison import compare
from model.mask import MaskSpec
from model.run import encode, encode_pair, get_model, logit_lens, run_pair


def words_by_probability(experiment, logits):
    """Words by falling probability after logits (V,)."""
    probabilities = softmax(logits)
    order = np.argsort(-probabilities)
    vocabulary = load(experiment.weights)[1].vocabulary
    return [vocabulary[index] for index in order], probabilities[order]


def one_row(words, weights, row):
    table = {
        "position": range(len(words)),
        "key": counted(words),
        f"weight from {counted(words)[row]}": [weights[row][s] for s in range(len(words))],
    }
    return Reading(table, {"weights": ({"key": named(words)}, weights[row])})


@reads("sentence")
def sentence(seen: Seen) -> Reading:
    words, layers = words_and_weights(seen)
    layer, head = seen.header("grid")["selected"]
    return one_row(words, layers[layer][head], seen.header("sentence")["row"])


@reads("layer_0", "layer_1")
def resolver(seen: Seen) -> Reading:
    experiment = Experiment("resolver", seen.control("text") or REFERENT)
    words = encode(experiment).surface
    weights = run(experiment).layers[int(seen.key[-1])].attention.weights[0]
    return one_row(words, weights, seen.header(seen.key)["row"])


@reads("grid")
def grid(seen: Seen) -> Reading:
    words, layers = words_and_weights(seen)
    lines = [
        (layer, head, t, counted(words)[t], s, counted(words)[s], weights[head][t][s])
        for layer, weights in enumerate(layers)
        for head in range(len(weights))
        for t in range(len(words))
        for s in range(len(words))
        if weights[head][t][s] != 0
    ]
    names = ("layer", "head", "row", "query", "column", "key", "weight")
    axes = {"layer": range(len(layers)), "head": range(len(layers[0]))}
    axes |= {"query": named(words), "key": named(words)}
    return Reading(dict(zip(names, zip(*lines, strict=True), strict=True)), {"weights": (axes, np.stack(layers))})


@reads("enlarged")
def enlarged(seen: Seen) -> Reading:
    words, layers = words_and_weights(seen)
    layer, head = seen.header("grid")["selected"]
    stage = seen.control("stage", "weights")
    values = layers[layer][head]
    if stage == "masked":  # q · k, the bias of the positions, and nothing where the mask forbids
        attention = run(seen.experiment).layers[layer].attention
        scores = np.einsum("td,sd->ts", attention.q[head], attention.k[head])
        scores = scores * (np.sqrt(attention.q.shape[-1]) ** -1 if seen.experiment.switches.scale else 1)
        scores = scores + attention.biased[head] - attention.scaled[head]
        values = np.where(np.tri(len(words), dtype=bool), scores, -np.inf)
    axes = {"query": named(words), "key": named(words)}
    return Reading(map_of(values, counted(words), counted(words)), {stage: (axes, values)})


@reads("next")
def next_word(seen: Seen) -> Reading:
    experiment, row = seen.experiment, seen.header("sentence")["row"]
    words, probabilities = words_by_probability(experiment, run(experiment).logits[row])
    return Reading({"word": named(words[:8]), "probability": probabilities[:8]})


@reads("lens")
def layerwise(seen: Seen) -> Reading:
    experiment, row = seen.experiment, seen.header("sentence")["row"]
    predictions = [words_by_probability(experiment, logits[row]) for logits in logit_lens(experiment, run(experiment))]
    lines = [
        (layer, words[n], probabilities[n])
        for layer, (words, probabilities) in enumerate(predictions)
        for n in range(8)
    ]
    return Reading(dict(zip(("layer", "word", "probability"), map(list, zip(*lines, strict=True)), strict=True)))


@reads("rollout")
def rollout(seen: Seen) -> Reading:
    experiment = seen.experiment
    rolled = np.eye(len(run(experiment).tokens))
    for layer in run(experiment).layers:
        mean = sum(layer.attention.weights.astype(np.float64)) / len(layer.attention.weights)
        # A residual connection carries half of each step (Abnar and Zuidema 2020, eq. 1); without one nothing does.
        rolled = ((mean + np.eye(len(mean))) / 2 if experiment.switches.residual else mean) @ rolled
    words = words_and_weights(seen)[0]
    if seen.control("units") == "words":
        of = np.array(encode(experiment).word_ids)
        rolled = np.array(
            [[rolled[of == w][:, of == v].sum(axis=1).mean() for v in range(len(words))] for w in range(len(words))]
        )
    axes = {"query": named(words), "key": named(words)}
    return Reading(map_of(rolled, counted(words), counted(words)), {"rollout": (axes, rolled)})


@reads("candidates")
def candidates(seen: Seen) -> Reading:
    experiment, kept = seen.experiment, int(seen.control("top_k", 0))
    logits = run(experiment).logits[-1].astype(np.float64)
    logits[list(load(experiment.weights)[1].special_ids)] = -np.inf
    words, probabilities = words_by_probability(experiment, logits)
    drawn = np.where(np.arange(len(probabilities)) < (kept or len(probabilities)), probabilities, 0)
    return Reading(
        {
            "word": named(words[:8]),
            "model_probability": probabilities[:8],
            "sampling_probability": (drawn / drawn.sum())[:8],
        }
    )


# Inside a head


@reads("walk")
def walk(seen: Seen) -> Reading:
    if seen.experiment.weights in ("translate", "copy-transformer"):
        return cross_walk(seen)
    experiment, (layer, head) = seen.experiment, seen.head
    attention, words = run(experiment).layers[layer].attention, encode(experiment).surface
    row = seen.header("walk")["row"]
    q, k = attention.q[head].astype(np.float64), attention.k[head].astype(np.float64)
    products = np.array([float(np.dot(q[row], key)) for key in k])
    scaled = products / np.sqrt(q.shape[-1])
    bias = (attention.biased - attention.scaled)[head, row]
    allowed = np.arange(len(words)) <= row
    table = {"key": counted(words), "q·k": products, "scaled": scaled, "bias": bias, "biased": scaled + bias}
    return Reading(table | {"allowed": allowed, "weight": softmax(scaled + bias, allowed)})


def cross_walk(seen: Seen) -> Reading:
    """A query of the decoder against every key of the encoder, each product summed here from the layer's weights."""
    experiment, (layer, head) = ablated(seen), seen.head
    row = seen.header("walk")["query_place"]
    trace, network = run_pair(experiment), get_model(experiment.weights)[0]
    cross, stages = network.decoder[layer].cross, trace.decoder.layers[layer]
    d = network.config.d_model // network.config.n_heads
    mine = slice(head * d, (head + 1) * d)

    def project(linear: Any, x: Any) -> Any:
        weight, bias = (each.detach().numpy().astype(np.float64)[mine] for each in (linear.weight, linear.bias))
        return x.astype(np.float64) @ weight.T + bias

    q, k = project(cross.w_q, stages.norm_cross.out[row]), project(cross.w_k, trace.encoder.final_norm.out)
    words = encode_pair(experiment)[0].surface
    products = k @ q
    scaled = products / np.sqrt(d) if experiment.switches.scale else products
    allowed = np.ones(len(words), dtype=bool)
    table = {"key": counted(words), "q·k": products, "scaled": scaled, "bias": 0 * scaled, "biased": scaled}
    return Reading(table | {"allowed": allowed, "weight": softmax(scaled, allowed)})


@reads("forms")
def forms(seen: Seen) -> Reading:
    (layer, head), words = seen.head, encode(seen.experiment).surface
    weights = run(seen.experiment).layers[layer].attention.weights[head]
    axes = {"query": named(words), "key": named(words)}
    both = {name: (axes, weights) for name in ("word_by_word", "three_products")}
    # What is left is rounding: which of it stands in which cell, only the two forms themselves can tell.
    rest = seen.npz["word_by_word"] - seen.npz["three_products"]
    return Reading(map_of(rest, counted(words), counted(words)), both)


@reads("sizes")
def sizes(seen: Seen) -> Reading:
    n = {name: int(seen.control(name, opens)) for name, opens in (("queries", 6), ("keys", 9))}
    C = C_source = 64
    if seen.control("sizes_from") == "this layer":
        attention, words = run(seen.experiment).layers[seen.head[0]].attention, encode(seen.experiment).surface
        H, d_k, d_v = attention.q.shape[0], attention.q.shape[-1], attention.v.shape[-1]
        scores = attention.biased[:, : n["queries"], : n["keys"]]
        mask = attention.mask[:, : n["queries"], : n["keys"]]
        query_tokens, key_tokens = words[: n["queries"]], words[: n["keys"]]
    else:
        H, d_k, d_v, C_source = 4, 16, 8, 48
        random = torch.Generator().manual_seed(0)
        of = ((n["queries"], C), (n["keys"], C_source), (C, H * d_k), (C_source, H * d_k))
        x, source, w_q, w_k = (torch.randn(shape, generator=random).numpy().astype(float) for shape in of)
        q = np.stack(np.split(x @ w_q / np.sqrt(C), H, axis=1))
        k = np.stack(np.split(source @ w_k / np.sqrt(C_source), H, axis=1))
        scores, mask = np.einsum("htd,hsd->hts", q, k) / np.sqrt(d_k), True
        query_tokens, key_tokens = ([f"{name[0]}{index}" for index in range(n[name])] for name in ("queries", "keys"))
    T, S = n.values()
    shapes = [(T, C), (S, C_source), (C, H * d_k), (C_source, H * d_k), (C_source, H * d_v)]
    shapes += [(H, T, d_k), (H, S, d_k), (H, S, d_v), (H, T, S), (H, T, S), (H, T, d_v), (T, H * d_v)]
    stages = ["x (queries)", "x (keys and values)", "W_Q", "W_K", "W_V"]
    stages += ["q", "k", "v", "scores, scaled, masked", "weights", "z"]
    shapes, stages = [*shapes, (H * d_v, C), (T, C)], [*stages, "heads concatenated", "W_O", "out"]
    table = {"stage": stages, "shape": [" × ".join(map(str, shape)) for shape in shapes]}
    widths = {"n_heads": H, "d_k": d_k, "d_v": d_v, "d_model": C, "d_source": C_source}
    table |= {name: [value] * len(stages) for name, value in (n | widths).items()}
    axes = {"head": range(H), "query": named(query_tokens), "key": named(key_tokens)}
    return Reading(table, {"weights": (axes, softmax(scores, mask))})


@reads("averaging")
def averaging(seen: Seen) -> Reading:
    (layer, head), words = seen.head, encode(seen.experiment).surface
    attention = run(seen.experiment).layers[layer].attention
    weights, v = attention.weights[head].astype(np.float64), attention.v[head].astype(np.float64)
    centred = v - v.mean(axis=0)
    directions = np.linalg.eigh(centred.T @ centred)[1][:, ::-1][:, :2]  # the two of the widest spread
    points = centred @ directions
    points = points * np.sign((points * seen.npz["values"]).sum(axis=0))  # a direction has no sign of its own
    outputs = weights @ points  # a projection is linear: a mean of values lands on the mean of their points
    row = seen.header("averaging")["row"]
    table = {"word": counted(words), "value, first direction": points[:, 0], "value, second direction": points[:, 1]}
    table |= {"weight": weights[row]}
    table |= {"output, first direction": outputs[:, 0], "output, second direction": outputs[:, 1]}
    axes, two = named(words), {"direction": ("first", "second")}
    return Reading(
        table,
        {
            "values": ({"key": axes, **two}, points),
            "outputs": ({"query": axes, **two}, outputs),
            "weights": ({"query": axes, "key": axes}, weights),
        },
    )


@reads("spectrum")
def spectrum(seen: Seen) -> Reading:
    layer, head = seen.head
    attention = load("grammar")[0].layers[layer].attention
    width = attention.w_q.out_features // attention.n_heads
    q, k = (linear.weight.double()[head * width : (head + 1) * width] for linear in (attention.w_q, attention.w_k))
    values = torch.linalg.svdvals(q.T @ k).detach().numpy()
    return Reading({"number": range(1, len(values) + 1), "singular value": values})


# Masks


def masked(seen: Seen) -> Experiment:
    """The experiment with the mask that the page has."""
    kind = seen.control("mask_kind", "trained")
    mask_spec = None if kind == "trained" else MaskSpec(kind, int(seen.control("mask_size")))
    experiment = seen.experiment
    return Experiment(experiment.weights, experiment.text, experiment.switches, mask_spec=mask_spec)


@reads("stages")
def stages(seen: Seen) -> Reading:
    experiment, (layer, head) = masked(seen), seen.head
    attention, words = run(experiment).layers[layer].attention, encode(experiment).surface
    T = len(words)
    scores = np.einsum("td,sd->ts", attention.q[head], attention.k[head]) / np.sqrt(attention.q.shape[-1])
    scores = scores + (attention.biased - attention.scaled)[head]
    t, s = np.indices((T, T))
    mask = (s <= t) if experiment.mask_spec is None else abs(t - s) < experiment.mask_spec.size
    weights, hidden = softmax(scores, mask), np.where(mask, scores, -np.inf)
    cells = [(row, column) for row in range(T) for column in range(T)]
    table = {"query": [counted(words)[t] for t, _ in cells], "key": [counted(words)[s] for _, s in cells]}
    columns = {"score": scores, "allowed": mask, "masked score": hidden, "weight": weights}
    table |= {name: [values[cell] for cell in cells] for name, values in columns.items()}
    axes = {"query": named(words), "key": named(words)}
    arrays = {"scores": scores, "mask": mask, "masked": hidden, "weights": weights}
    return Reading(table, {name: (axes, values) for name, values in arrays.items()})


@reads("leaks")
def leaks(seen: Seen) -> Reading:
    before, position, by = masked(seen), int(seen.control("edit_position")), seen.control("replacement")
    typed = list(encode(before).surface)
    words = [*typed[1:position], by, *typed[position + 1 :]]
    after = Experiment(before.weights, " ".join(words), before.switches, mask_spec=before.mask_spec)
    a, b = run(before).logits.astype(np.float64), run(after).logits.astype(np.float64)
    p, q = softmax(a), softmax(b)
    kl = (p * np.log(p / q)).sum(axis=-1)
    logits = abs(a - b).max(axis=-1)
    table = {"position": range(len(typed)), "word": counted(typed), "largest change of a logit": logits}
    axes = {"word": named(typed)}
    return Reading(table | {"KL of the next word, nats": kl}, {"logits": (axes, logits), "kl": (axes, kl)})


@reads("ways")
def ways(seen: Seen) -> Reading:
    experiment, (layer, head) = seen.experiment, seen.head
    copies = {"this text": 1, "4 times": 4, "8 times": 8}[seen.control("copies")]
    experiment = replace(experiment, text=" ".join([experiment.text] * copies))
    words, weights = encode(experiment).surface, run(experiment).layers[layer].attention.weights[head]
    apart = compare(experiment).max_difference
    table = {"position": range(len(words)), "word": counted(words)}
    table |= {"largest difference in logits, with cache": apart[0], "largest difference in logits, without": apart[1]}
    axes = {"query": named(words), "key": named(words)}
    return Reading(table, {name: (axes, weights) for name in ("one_pass", "with_cache")})


@reads("guessing")
def guessing(seen: Seen) -> Reading:
    words = counted(encode(seen.experiment).surface)
    cells = [(t, s) for t in words for s in words]
    return Reading({"query": [t for t, _ in cells], "key": [s for _, s in cells], "guessed": [False] * len(cells)})
