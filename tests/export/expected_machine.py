"""What the files of the page “Whole model” must hold, read from the weights and the stages of a pass."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
from expected_files import Reading, Seen, counted, named, reads

from model import Experiment, load, run
from model.checkpoint import load_card
from model.generation.translate import translate
from model.run import encode, encode_pair
from model.tasks import PAIRS
from viz.pair_tasks import example_of

FIELDS = {"L": "heads_off", "X": "cross_off", "E": "encoder_off"}


def ablated(seen: Seen):
    """The experiment of the page, with the heads that its control takes out; with a target where it has one."""
    heads = {
        field: frozenset((int(name[1]), int(name[3])) for name in seen.control("heads_off", []) if name[0] == letter)
        for letter, field in FIELDS.items()
    }
    experiment = replace(seen.experiment, switches=replace(seen.experiment.switches, **heads))
    task = load_card(experiment.weights).task
    if task not in PAIRS:
        return experiment
    text = seen.control("text") or example_of(task)
    target = seen.control("target") or translate(Experiment(experiment.weights, text)).text
    return replace(experiment, text=text, target=target)


def norms(*vectors):
    return np.stack([np.sqrt(np.square(each.astype(np.float64)).sum(axis=-1)) for each in vectors])


def terms(attention, module, removed):
    """What each token gives to each other, (T, S, C): head by head."""
    w_o = module.w_o.weight.detach().numpy().astype(np.float64)
    H, T, D = attention.z.shape
    vectors = np.zeros((T, attention.v.shape[1], len(w_o)))
    for head in range(H):
        if head not in removed:
            read = attention.v[head].astype(np.float64) @ w_o[:, head * D : (head + 1) * D].T  # (S, C)
            vectors += attention.weights[head][..., None] * read
    return vectors


def between(layers, modules, removed, residual):
    """The shares (T, T) of each self-attention. removed: (layer, head) pairs."""
    for index, (layer, module) in enumerate(zip(layers, modules, strict=True)):
        vectors = terms(layer.attention, module.attention, {head for number, head in removed if number == index})
        own = np.eye(len(vectors))[..., None] * layer.resid_pre * residual
        from_each = np.linalg.norm(vectors + own, axis=-1)
        yield from_each / from_each.sum(axis=-1, keepdims=True)


def of_two_sentences(seen: Seen, experiment) -> Reading:
    trace, (source, target) = run(experiment), (side.surface for side in encode_pair(experiment))
    network, _ = load(experiment.weights)
    switches, encoder, decoder = experiment.switches, trace.encoder, trace.decoder
    lengths = {
        "encoder": norms(encoder.embed, *(x for each in encoder.layers for x in (each.resid_mid, each.resid_post))),
        "decoder": norms(
            decoder.embed, *(x for each in decoder.layers for x in (each.resid_mid, each.resid_cross, each.resid_post))
        ),
    }
    added = {
        "encoder": norms(*(x for each in encoder.layers for x in (each.attention.out, each.mlp_out))),
        "decoder": norms(*(x for each in decoder.layers for x in (each.attention.out, each.cross.out, each.mlp_out))),
    }
    read = list(between(encoder.layers, network.encoder, switches.encoder_off, switches.residual))
    written = list(between(decoder.layers, network.decoder, switches.heads_off, switches.residual))
    # The whole path forwards: of each token of the target, what it holds of the tokens of both sentences.
    outputs, target_part, source_part = np.eye(len(source)), np.eye(len(target)), 0.0
    for shares in read:
        outputs = shares @ outputs
    across, kept = [], []
    for index, layer in enumerate(decoder.layers):
        removed = {head for number, head in switches.cross_off if number == index}
        lengths_of_terms = np.linalg.norm(terms(layer.cross, network.decoder[index].cross, removed), axis=-1)
        own = norms(layer.resid_mid)[0] * switches.residual
        total = lengths_of_terms.sum(axis=-1) + own
        across.append(lengths_of_terms / total[:, None])
        kept.append(own / total)
        target_part = kept[-1][:, None] * (written[index] @ target_part)
        source_part = kept[-1][:, None] * (written[index] @ source_part if index else 0.0) + across[-1] @ outputs
    row, layers = int(seen.header("machine")["row"]), range(len(decoder.layers))
    table = {
        "sentence": ["source"] * len(source) + ["target"] * len(target),
        "word": [*counted(source), *counted(target)],
        "share": [*source_part[row], *target_part[row]],
        "length after the embedding": [*lengths["encoder"][0], *lengths["decoder"][0]],
        "length after the last layer": [*lengths["encoder"][-1], *lengths["decoder"][-1]],
    }
    parts = {
        "encoder": [f"layer {layer} {part}" for layer in layers for part in ("attention", "mlp")],
        "decoder": [f"layer {layer} {part}" for layer in layers for part in ("attention", "cross-attention", "mlp")],
    }
    source_names, target_names = named(source), named(target)
    of_source, of_target = {"source_token": source_names}, {"target_token": target_names}
    arrays = {}
    for stack, tokens in (("encoder", of_source), ("decoder", of_target)):
        arrays[f"{stack}_lengths"] = ({f"{stack}_after": ["embedding", *parts[stack]], **tokens}, lengths[stack])
        arrays[f"{stack}_added"] = ({f"{stack}_part": parts[stack], **tokens}, added[stack])
    arrays["encoder_shares"] = (
        {"layer": layers, "source_query": source_names, "source_key": source_names},
        np.stack(read),
    )
    arrays["self_shares"] = (
        {"layer": layers, "target_query": target_names, "target_key": target_names},
        np.stack(written),
    )
    arrays["cross_shares"] = ({"layer": layers, **of_target, **of_source}, np.stack(across))
    arrays["kept"] = ({"layer": layers, **of_target}, np.stack(kept))
    return Reading(table, arrays)


@reads("machine")
def machine(seen: Seen) -> Reading:
    experiment = ablated(seen)
    if experiment.target:
        return of_two_sentences(seen, experiment)
    trace, words = run(experiment), encode(experiment).surface
    transformer, _ = load(experiment.weights)
    layers = trace.layers
    lengths = norms(trace.embed, *(part for layer in layers for part in (layer.resid_mid, layer.resid_post)))
    added = norms(*(part for layer in layers for part in (layer.attention.out, layer.mlp_out)))
    off, residual = experiment.switches.heads_off, experiment.switches.residual
    shares = list(between(layers, transformer.layers, off, residual))
    began = np.linalg.multi_dot([*reversed(shares)])
    row = int(seen.header("machine")["row"])
    parts = [f"layer {layer} {part}" for layer in range(len(layers)) for part in ("attention", "mlp")]
    table = {
        "word": counted(words),
        "share": began[row],
        "length after the embedding": lengths[0],
        "length after the last layer": lengths[-1],
    }
    arrays = {
        "lengths": ({"after": ["embedding", *parts], "word": named(words)}, lengths),
        "added": ({"part": parts, "word": named(words)}, added),
        "shares": ({"layer": range(len(layers)), "query": named(words), "key": named(words)}, np.stack(shares)),
    }
    return Reading(table, arrays)


@reads("hidden_units")
def hidden_units(seen: Seen) -> Reading:
    experiment, row = ablated(seen), int(seen.header("machine")["row"])
    layer = int(seen.control("layer"))
    trace, (transformer, tokenizer) = run(experiment), load(experiment.weights)
    stack, final_norm = transformer, "final_norm"
    if experiment.target:
        trace, stack, final_norm = trace.decoder, SimpleNamespace(layers=transformer.decoder), "decoder_norm"
    hidden = trace.layers[layer].mlp_hidden[row].astype(np.float64)
    columns = stack.layers[layer].mlp_out.weight.detach().numpy().astype(np.float64)
    lengths = abs(hidden) * np.linalg.norm(columns, axis=0)
    units = np.argsort(-lengths)[:8]
    gamma = getattr(transformer, final_norm).weight.detach().numpy()
    unembedding = transformer.unembedding.weight.detach().numpy()
    raised = []
    for unit in units:
        written = hidden[unit] * columns[:, unit]
        changes = unembedding @ ((written - written.mean()) * gamma / trace.final_norm.std[row, 0])
        changes[list(tokenizer.special_ids)] = -np.inf
        raised.append(", ".join(named([tokenizer.vocabulary[token] for token in np.argsort(-changes)[:3]])))
    return Reading({"unit": units, "activation": hidden[units], "length": lengths[units], "raises": raised})
