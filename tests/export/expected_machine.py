"""What the files of the page “Whole model” must hold, read from the weights and the stages of a pass."""

from dataclasses import replace

import numpy as np
from expected_files import Reading, Seen, counted, named, reads

from model import load, run
from model.run import encode


def ablated(seen: Seen):
    """The experiment of the page, with the heads that its control takes out."""
    heads = {(int(name[1]), int(name[3])) for name in seen.control("heads_off", [])}
    return replace(seen.experiment, switches=replace(seen.experiment.switches, heads_off=frozenset(heads)))


def norms(*vectors):
    return np.stack([np.sqrt(np.square(each.astype(np.float64)).sum(axis=-1)) for each in vectors])


@reads("machine")
def machine(seen: Seen) -> Reading:
    experiment = ablated(seen)
    trace, words = run(experiment), encode(experiment).surface
    transformer, _ = load(experiment.weights)
    layers = trace.layers
    lengths = norms(trace.embed, *(part for layer in layers for part in (layer.resid_mid, layer.resid_post)))
    added = norms(*(part for layer in layers for part in (layer.attention.out, layer.mlp_out)))
    shares = []
    for index, layer in enumerate(layers):
        w_o = transformer.layers[index].attention.w_o.weight.detach().numpy().astype(np.float64)
        H, _, D = layer.attention.v.shape
        vectors = 0
        for head in range(H):  # one vector for each pair of tokens
            if (index, head) not in experiment.switches.heads_off:
                read = layer.attention.v[head].astype(np.float64) @ w_o[:, head * D : (head + 1) * D].T  # (S, C)
                vectors = vectors + layer.attention.weights[head][..., None] * read
        if experiment.switches.residual:  # what a token keeps and what it attends to itself are one vector
            vectors = vectors + np.eye(len(words))[..., None] * layer.resid_pre
        from_each = np.linalg.norm(vectors, axis=-1)
        shares.append(from_each / from_each.sum(axis=-1, keepdims=True))
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
    hidden = trace.layers[layer].mlp_hidden[row].astype(np.float64)
    columns = transformer.layers[layer].mlp_out.weight.detach().numpy().astype(np.float64)
    lengths = abs(hidden) * np.linalg.norm(columns, axis=0)
    units = np.argsort(-lengths)[:8]
    gamma = transformer.final_norm.weight.detach().numpy()
    unembedding = transformer.unembedding.weight.detach().numpy()
    raised = []
    for unit in units:
        written = hidden[unit] * columns[:, unit]
        changes = unembedding @ ((written - written.mean()) * gamma / trace.final_norm.std[row, 0])
        changes[list(tokenizer.special_ids)] = -np.inf
        raised.append(", ".join(named([tokenizer.vocabulary[token] for token in np.argsort(-changes)[:3]])))
    return Reading({"unit": units, "activation": hidden[units], "length": lengths[units], "raises": raised})
