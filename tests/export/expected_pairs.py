"""Readings of the figures of Translate. `made`, the translation, is what the copied lines of Python leave behind."""

import re

import numpy as np
from expected_files import REFERENT, Reading, Seen, counted, map_of, merged, named, reads, softmax

from model import Experiment, Switches, load, run
from model.checkpoint import read_card
from model.evaluation.seq2seq import token_word_ids
from model.run import encode, encode_pair, run_pair
from model.tasks.coreference import NOUNS
from model.tasks.parse import PARSERS
from model.tokenizer import split


def maps_of(trace, which):
    """Weights (L, H, T, S) of the source, the target, or across."""
    if which == "source":
        return [layer.attention.weights for layer in trace.encoder.layers]
    if hasattr(trace.decoder, "layers"):
        return [(layer.cross if which == "cross" else layer.attention).weights for layer in trace.decoder.layers]
    return [trace.decoder.attention.weights]


def head_or_mean(weights, head):
    """A head (T, S), or the mean of all of a layer's (H, T, S)."""
    return sum(weights.astype(np.float64)) / len(weights) if head is None else weights[head]


def chosen(seen: Seen):
    """Which map is large: cross, source or target, its layer, and its head or None."""
    which = re.search(r"-(cross|source|target)-L(\d+)(?:H(\d+))?$", seen.header("save_alignment")["file"])
    if which is None:
        return "cross", 0, None
    return which[1], int(which[2]), None if which[3] is None else int(which[3])


def read_words(experiment):
    return encode_pair(experiment)[0].surface


@reads("writing")
def writing(seen: Seen) -> Reading:
    namespace = seen.python
    translation, experiment = namespace["translation"], namespace["experiment"]
    target, source = list(translation.tokens), read_words(experiment)
    before = ["<s>", *target[:-1]]
    n = len(target)
    table = {"step": range(1, n + 1), "target_token": counted(target, 1), "probability": np.exp(translation.logprobs)}
    arrays = {}
    labels = counted(target, 1)
    has_maps = "save_alignment" in {mount.proto.id.rpartition("-")[2] for mount in seen.screen.get("bidi_component")}
    _, layer, head = chosen(seen) if has_maps else ("", 0, None)
    sides = (
        ("cross", source, "most attended source token", "cross_attention"),
        ("target", before, "most attended target token", "self_attention"),
    )
    for which, side, most, name in sides:
        if name not in namespace:
            continue
        weights = (
            head_or_mean(maps_of(translation.trace, which)[layer], head)[:n, : len(side)]
            if has_maps
            else namespace[name]
        )
        # Of weights that differ by rounding alone the first one counts.
        best = [max(range(len(side)), key=lambda s, row=row: round(float(row[s]), 6)) for row in weights]
        table[most] = [counted(side)[s] for s in best]
        table[f"{most}: weight"] = [row[s] for row, s in zip(weights, best, strict=True)]
        axis = "source_token" if which == "cross" else "target_prefix"
        arrays[name] = ({"target_token": labels, axis: named(side)}, weights)
    tokenizer = load(experiment.weights)[1]
    logits = translation.trace.decoder.logits[:n].astype(np.float64)
    logits[:, [index for index in tokenizer.special_ids if tokenizer.vocabulary[index] != "</s>"]] = -np.inf
    probabilities = softmax(
        logits / float(seen.control("temperature") or 1) if seen.control("method") == "sample" else logits
    )
    best = np.argsort(-probabilities, axis=-1)[:, :5]
    for nth in range(5):
        table[f"candidate {nth + 1}"] = named(tokenizer.vocabulary[row[nth]] for row in best)
        table[f"probability {nth + 1}"] = [probabilities[t, row[nth]] for t, row in enumerate(best)]
    probabilities = np.take_along_axis(probabilities, best, axis=-1)
    arrays = {"probability": ({"target_token": labels, "candidate": range(1, 6)}, probabilities), **arrays}
    if "vector" in namespace:
        arrays["vector"] = (
            {"number": range(len(translation.trace.encoder.final_state))},
            translation.trace.encoder.final_state,
        )
    return Reading(table, arrays)


@reads("alignment")
def alignment(seen: Seen) -> Reading:
    namespace = seen.python
    translation, (which, layer, head) = namespace["translation"], chosen(seen)
    experiment, target = namespace["experiment"], list(translation.tokens)
    source, before = list(read_words(experiment)), ["<s>", *target[:-1]]
    weights = maps_of(translation.trace, which)[layer]
    if experiment.weights == "translate-pieces" and seen.control("units") == "words":
        weights, target, source, before = in_words(experiment, weights, which)
    query_tokens, key_tokens = {"cross": (target, source), "source": (source, source), "target": (target, before)}[
        which
    ]
    weights = head_or_mean(weights, head)[: len(query_tokens), : len(key_tokens)]
    rows, columns = counted(query_tokens, 0 if which == "source" else 1), counted(key_tokens)
    return Reading(map_of(weights, rows, columns), {"weights": ({"query": rows, "key": columns}, weights)})


def in_words(experiment, weights, which):
    """The weights by word, and the words: said, of the source, and before each that is said."""
    pair, tokenizer = PARSERS["translation"](split(experiment.text)), load(experiment.weights)[1]
    source_rows = [0, *token_word_ids(tokenizer, pair.source_text, pair.source), len(pair.source) + 1]
    word_ids = token_word_ids(tokenizer, pair.target_text, pair.target)
    target_rows, before = [*(word - 1 for word in word_ids), len(pair.target)], [0, *word_ids]
    rows, columns = {
        "cross": (target_rows, source_rows),
        "source": (source_rows, source_rows),
        "target": (target_rows, before),
    }[which]
    words = [*pair.target, "</s>"], ["<s>", *pair.source, "</s>"], ["<s>", *pair.target]
    return merged(weights[:, : len(rows), : len(columns)], rows, columns), *words


@reads("tree")
def tree(seen: Seen) -> Reading:
    translation = seen.python["translation"]
    vocabulary = load("translate")[1].vocabulary
    best = [*translation.beam.best.ids, vocabulary.index("</s>")]
    lines = []
    kept_before = [()]
    for step, candidates in enumerate(translation.beam.steps, 1):
        dropped = [each for each in candidates if not each.kept][:3]
        kept = []
        for each in candidates:
            if not each.kept and all(each is not other for other in dropped):
                continue
            words = (*kept_before[each.parent], each.id)
            number = len(kept) if each.kept else None
            if each.kept:
                kept.append(words)
            on_the_way = each.kept and list(words) == best[: len(words)]
            after = each.parent if step > 1 else None
            word = named([vocabulary[each.id]])[0]
            lines.append((step, word, number, after, each.total, each.kept, each.ended, on_the_way))
        kept_before = kept
    names = ("step", "word", "branch", "after branch", "ln p", "kept", "ends", "on the way to the best")
    return Reading(dict(zip(names, map(list, zip(*lines, strict=True)), strict=True)))


@reads("networks")
def networks(seen: Seen) -> Reading:
    copies = seen.control("task") == "Copy"
    names = {"GRU with attention": "gru-attention", "Transformer": "transformer"}
    if copies:
        weights = {name: f"copy-{end}" for name, end in names.items()}
        text = seen.control("text") or "c a f e b a d g e f a c"
    else:
        weights = {"GRU with attention": "translate-gru-attention", "Transformer": "translate"}
        text = seen.control("text") or "the animal did not cross the street because it was too tired ."
    first = next(iter(weights.values()))
    source = read_words(Experiment(first, text))
    pair = PARSERS["copy" if copies else "translation"](tuple(source[1:-1]))
    target = pair.target_text
    maps = {}
    for name, one_of in weights.items():
        trace = run_pair(Experiment(one_of, text, target=target))
        scores = read_card(one_of)["alignment"].values()
        of_all = sum(np.array(score["top1"])[:, -1] * score["n"] for score in scores)
        maps[name] = head_or_mean(maps_of(trace, "cross")[int(np.argmax(of_all))], None)
    target_labels, source_labels = counted([*pair.target, "</s>"], 1), counted(source)
    cells = [(t, s) for t in range(len(target_labels)) for s in range(len(source_labels))]
    table = {"target_token": [target_labels[t] for t, _ in cells], "source_token": [source_labels[s] for _, s in cells]}
    table |= {name: [weights[cell] for cell in cells] for name, weights in maps.items()}
    axes = {"network": list(maps), "target_token": target_labels, "source_token": source_labels}
    return Reading(table, {"weights": (axes, np.stack(list(maps.values())))})


@reads("taken_out")
def taken_out(seen: Seen) -> Reading:
    namespace = seen.python
    whole, without = namespace["a"], namespace["b"]
    assert (whole.switches, without.switches) == (Switches(), Switches(norm=False))
    source = counted(read_words(whole))
    target = counted([*encode_pair(whole)[1].surface[1:], "</s>"], 1)
    _, layer, head = chosen(seen)
    a, b = (head_or_mean(maps_of(run_pair(side), "cross")[layer], head) for side in (whole, without))
    cells = [(t, s) for t in range(len(target)) for s in range(len(source))]
    table = {"target_token": [target[t] for t, _ in cells], "source_token": [source[s] for _, s in cells]}
    table |= {name: [values[cell] for cell in cells] for name, values in (("A", a), ("B", b), ("A − B", a - b))}
    axes = {"target_token": target, "source_token": source}
    return Reading(table, {"A": (axes, a), "B": (axes, b)})


@reads("copies")
def copies(seen: Seen) -> Reading:
    names = {"Transformer": "copy-transformer", "GRU with attention": "copy-gru-attention"}
    names |= {"GRU without attention": "copy-gru"}
    lengths = range(1, 25)
    shares = {name: [read_card(weights)["lengths"][str(n)] for n in lengths] for name, weights in names.items()}
    axes = {"network": list(names), "length": lengths}
    return Reading({"length": lengths} | shares, {"accuracy": (axes, np.array(list(shares.values())))})


@reads("translations")
def translations(seen: Seen) -> Reading:
    classes = ("3 to 8", "9 to 12", "13 to 16", "17 to 20", "21 to 24")
    networks = ["Transformer", "GRU with attention", "GRU without attention", "Transformer on subwords"]
    shares = np.asarray(seen.python["accuracy"])  # asked again by the copied lines
    assert shares.shape == (len(networks), len(classes))
    table = {"words": classes, **dict(zip(networks, shares, strict=True))}
    return Reading(table, {"accuracy": ({"network": networks, "words": classes}, shares)})


@reads("misspelt")
def misspelt(seen: Seen) -> Reading:
    networks, counts = ["Transformer", "Transformer on subwords"], [0, 1, 2]
    right, unknown = (np.asarray(seen.python[name]) for name in ("accuracy", "unknown"))  # from the copied lines
    assert right.shape == unknown.shape == (len(networks), len(counts))
    table = {"network": np.repeat(networks, 3), "misspelt words": counts * 2}
    table |= {"unknown tokens": unknown.ravel(), "accuracy": right.ravel()}
    axes = {"network": networks, "misspelt_words": counts}
    return Reading(table, {"accuracy": (axes, right), "unknown": (axes, unknown)})


@reads("meant")
def meant(seen: Seen) -> Reading:
    experiment = Experiment("resolver", seen.control("text") or REFERENT)
    position = list(encode(experiment).surface).index("it")
    probabilities, vocabulary = softmax(run(experiment).logits[position]), load("resolver")[1].vocabulary
    known = {noun for group in NOUNS.values() for noun in group}
    nouns = [(probabilities[index], word) for index, word in enumerate(vocabulary) if word in known]
    best = sorted(nouns, reverse=True)[:6]
    words, values = [word for _, word in best], [p for p, _ in best]
    return Reading({"noun": words, "probability": values}, {"probability": ({"noun": words}, values)})
