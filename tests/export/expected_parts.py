"""Readings of the figures of Positions and Remove a part."""

from dataclasses import replace
from random import Random

import numpy as np
from expected_files import Reading, Seen, counted, named, reads, softmax

from model import Experiment, Switches, load, run
from model.analysis import score_scaling
from model.analysis.ablation import evaluate_held_out
from model.analysis.attribution import gradient_times_weight
from model.analysis.norm_comparison import compare_norms, make_batch
from model.analysis.position_shift import score_changes
from model.attention import AttentionOverride
from model.checkpoint import read_card
from model.run import encode
from model.tasks import TASKS
from viz.pages.positions.models import NAMES

# Positions


@reads("waves_drawn")
def waves(seen: Seen) -> Reading:
    length, width, base = (int(seen.control(name)) for name in ("length", "width", "base"))
    turns = [base ** (-2 * pair / width) for pair in range(width // 2)]  # radians a place (Vaswani et al. 2017, 3.5)
    sides = ((np.sin, "sin"), (np.cos, "cos"))
    table = {"position": range(length)}
    columns = []
    for dimension in range(width):
        wave, wave_name = sides[dimension % 2]
        columns.append(wave(np.arange(length) * turns[dimension // 2]))
        table[f"{dimension} {wave_name}, wavelength {2 * np.pi / turns[dimension // 2]:.4g}"] = columns[-1]
    lengths = [2 * np.pi / turn for turn in turns]
    arrays = {
        "encoding": ({"position": range(length), "dimension": range(width)}, np.stack(columns, axis=1)),
        "wavelengths": ({"pair": range(width // 2)}, lengths),
    }
    return Reading(table, arrays)


@reads("turns_drawn")
def turns(seen: Seen) -> Reading:
    k, width, base = (int(seen.control(name)) for name in ("k", "rotation_width", "base"))
    angles = np.array([k * base ** (-2 * pair / width) for pair in range(width // 2)])
    R = np.zeros((width, width))
    for pair, angle in enumerate(angles):  # sin(a + b) = sin a cos b + cos a sin b, and its twin for the cosine
        R[2 * pair, 2 * pair], R[2 * pair, 2 * pair + 1] = np.cos(angle), np.sin(angle)
        R[2 * pair + 1, 2 * pair], R[2 * pair + 1, 2 * pair + 1] = -np.sin(angle), np.cos(angle)
    table = {"pair": range(width // 2), "cos(k / base^(2i/d))": np.cos(angles), "sin(k / base^(2i/d))": np.sin(angles)}
    table |= {"largest residual over 256 positions": [0.0] * (width // 2)}
    axes = {"dimension_after": range(width), "dimension_before": range(width)}
    return Reading(table, {"R": (axes, R)})


def cosines(vectors):
    unit = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return unit @ unit.T


@reads("distance")
def distance(seen: Seen) -> Reading:
    kind, width, T = seen.control("model_kind"), int(seen.control("wave_width")), 32
    places = np.arange(T)
    values = dict(zip(NAMES, seen.npz["values"], strict=True))
    table = load(f"order-{kind}-learned")[0].position.table.weight.detach().numpy().astype(np.float64)[:T]
    learned = np.full((T, T), np.nan)
    learned[: len(table), : len(table)] = cosines(table)
    angles = places[:, None] * 10_000.0 ** (-2 * np.arange(width // 2) / width)
    waves = cosines(np.concatenate([np.sin(angles), np.cos(angles)], axis=1))
    slope = 2.0 ** (-8 / load(f"order-{kind}-alibi")[0].config.n_heads)  # of the first head (Press et al. 2022)
    alibi = -slope * abs(places[:, None] - places)
    values |= {"sinusoidal": waves, "rope": waves, "learned": learned, "alibi": alibi, "none": np.zeros((T, T))}
    distances = np.clip(places[None, :] - places[:, None], -16, 16)  # Shaw et al. 2018, equation 4
    vectors = load(f"order-{kind}-shaw")[0].position.key_vectors[0, 0].detach().numpy().astype(np.float64)  # (33, D)
    values["shaw"] = np.sqrt((vectors**2).sum(-1) / vectors.shape[-1])[distances + 16]
    if kind == "encoder":
        assert not np.allclose(values["relative"], values["relative"].T), "ahead and back must differ to be told apart"
    back = {}
    for name, matrix in values.items():
        means = [[matrix[t, t - apart] for t in range(apart, T)] for apart in range(T)]
        back[NAMES[name]] = [
            np.mean([cell for cell in cells if np.isfinite(cell)]) if np.isfinite(cells).any() else np.nan
            for cells in means
        ]
    axes = {"scheme": list(NAMES), "query": range(T), "key": range(T)}
    return Reading({"distance": range(T)} | back, {"values": (axes, np.stack(list(values.values())))})


@reads("shift")
def shift(seen: Seen) -> Reading:
    kind, text, steps = seen.control("model_kind"), seen.control("question"), int(seen.control("shift_by"))
    changes = {False: [], True: []}
    for scheme in NAMES:
        transformer, tokenizer = load(f"order-{kind}-{scheme}")
        ids = tokenizer.encode(text).ids
        for double, changes_of_schemes in changes.items():
            change = score_changes(transformer, ids, (steps,), double)[steps]  # (L, H, T, S)
            every = np.full((1, 1, len(ids), len(ids)), np.nan) if change is None else abs(np.asarray(change))
            changes_of_schemes.append(np.max(np.max(every, axis=0), axis=0))
    words = load(f"order-{kind}-none")[1].encode(text).tokens
    largest = {
        double: [float(np.nanmax(change)) for change in changes_of_schemes]
        for double, changes_of_schemes in changes.items()
    }
    table = {"scheme": list(NAMES.values()), "largest change of a score, float32": largest[False]}
    axes = {"scheme": list(NAMES.values()), "query": named(words), "key": named(words)}
    return Reading(table | {"in float64": largest[True]}, {"changes": (axes, np.stack(changes[False]))})


@reads("shuffled")
def shuffled(seen: Seen) -> Reading:
    experiment = seen.experiment
    encoding, order = encode(experiment), [0, 1, 5, 3, 4, 2]
    order += range(6, len(encoding.ids))
    moved = replace(experiment, text=" ".join(encoding.surface[index] for index in order[1:]))
    cases = {
        "No positions, no mask": Switches(position=False, mask=False),
        "Positions, no mask": Switches(mask=False),
        "Mask, no positions": Switches(position=False),
        "Mask and positions": Switches(),
    }
    change = []
    for switches in cases.values():
        before, after = (
            run(replace(side, switches=switches)).final_norm.out.astype(np.float64) for side in (experiment, moved)
        )
        after = np.stack([after[order.index(token)] for token in range(len(order))])
        change.append(np.linalg.norm(after - before, axis=-1) / np.linalg.norm(before, axis=-1))
    table = {"word": counted(encoding.surface), "position": range(len(order))}
    table["new position"] = [order.index(token) for token in range(len(order))]
    table |= {f"change: {name.lower()}": values for name, values in zip(cases, change, strict=True)}
    return Reading(table, {"change": ({"case": list(cases), "word": named(encoding.surface)}, np.stack(change))})


@reads("lengths")
def lengths(seen: Seen) -> Reading:
    signs, kinds = (4, 8, 12, 16, 20, 24, 32, 48, 64, 96), ("encoder", "decoder")
    tested = seen.npz["accuracy"]  # of the cards, or of models that were asked since: what each is, the lines say
    cards_by_kind = [[read_card(f"order-{kind}-{name}")["accuracy"] for name in NAMES] for kind in kinds]
    cards = np.array([[[card[str(n)] for n in signs] for card in row] for row in cards_by_kind], dtype=float)
    assert np.nanmax(abs(tested - cards)) < 0.25, "fresh questions are answered about as those of the cards"
    lines = [(kind, NAMES[name], *tested[i, j]) for i, kind in enumerate(kinds) for j, name in enumerate(NAMES)]
    names = ("model", "scheme", *(f"length {n}" for n in signs))
    axes = {"kind": kinds, "scheme": list(NAMES), "length": signs}
    return Reading(dict(zip(names, map(list, zip(*lines, strict=True)), strict=True)), {"accuracy": (axes, tested)})


# Remove a part


def sides(seen: Seen) -> tuple[Experiment, Experiment]:
    """A, whole, and B, without what is taken out."""
    experiment = seen.experiment
    off = frozenset((int(name[1]), int(name[3])) for name in seen.control("heads_off", []))
    return replace(experiment, switches=Switches()), replace(
        experiment, switches=replace(experiment.switches, heads_off=off)
    )


@reads("compare")
def compare(seen: Seen) -> Reading:
    a, b = ([layer.attention.weights for layer in run(experiment).layers] for experiment in sides(seen))
    words = encode(seen.experiment).surface
    keys = counted(words)
    lines = [
        (layer, head, keys[t], keys[s], a[layer][head][t][s], b[layer][head][t][s])
        for layer in range(len(a))
        for head in range(len(a[0]))
        for t in range(len(words))
        for s in range(len(words))
        if a[layer][head][t][s] or b[layer][head][t][s]
    ]
    names = ("layer", "head", "query", "key", "A", "B")
    axes = {"layer": range(len(a)), "head": range(len(a[0])), "query": named(words), "key": named(words)}
    return Reading(
        dict(zip(names, zip(*lines, strict=True), strict=True)),
        {"A": (axes, np.stack(a)), "B": (axes, np.stack(b))},
    )


def most_likely_words(a, b, row, n):
    p, q = (softmax(run(experiment).logits[row]) for experiment in (a, b))
    best = np.argsort(-np.maximum(p, q))[:n]
    vocabulary = load(a.weights)[1].vocabulary
    return Reading({"word": named(vocabulary[index] for index in best), "A": p[best], "B": q[best]})


@reads("pairs")
def pairs(seen: Seen) -> Reading:
    return most_likely_words(*sides(seen), seen.header("compare")["row"], 8)


@reads("stream_length", "stream_standard", "stream_mean")
def streams(seen: Seen) -> Reading:
    words, vectors_of_sides = encode(seen.experiment).surface, []
    sizes = {
        "stream_length": lambda x: np.sqrt((x**2).sum()),
        "stream_standard": lambda x: np.sqrt(((x - x.sum() / len(x)) ** 2).sum() / len(x)),
        "stream_mean": lambda x: x.sum() / len(x),
    }
    for experiment in sides(seen):
        layers = run(experiment).layers
        stages = {"embedding": layers[0].resid_pre}
        for index, layer in enumerate(layers):
            stages |= {f"L{index} attention": layer.resid_mid, f"L{index} feed-forward": layer.resid_post}
        vectors_of_sides.append(
            {n: [sizes[seen.key](x.astype(np.float64)) for x in stage] for n, stage in stages.items()}
        )
    a, b = vectors_of_sides
    cells = [(stage, t) for stage in a for t in range(len(words))]
    table = {"stage": [stage for stage, _ in cells], "word": [counted(words)[t] for _, t in cells]}
    table |= {side: [vectors[stage][t] for stage, t in cells] for side, vectors in (("A", a), ("B", b))}
    axes = {"stage": list(a), "word": named(words)}
    return Reading(table, {side: (axes, list(vectors.values())) for side, vectors in (("A", a), ("B", b))})


@reads("knockouts")
def knockouts(seen: Seen) -> Reading:
    config = load("grammar")[0].config
    heads = [(layer, head) for layer in range(config.n_layers) for head in range(config.n_heads)]
    whole = evaluate_held_out("grammar")
    each = [evaluate_held_out("grammar", Switches(heads_off=frozenset({head}))) for head in heads]
    loss = [scores.loss - whole.loss for scores in each]
    table = {"head": [f"L{layer}H{head}" for layer, head in heads], "loss": loss}
    table |= {kind: [share - scores.accuracy[kind] for scores in each] for kind, share in whole.accuracy.items()}
    axes = {"layer": range(config.n_layers), "head": range(config.n_heads)}
    return Reading(table, {"loss": (axes, np.reshape(loss, (config.n_layers, config.n_heads)))})


@reads("overwritten")
def overwritten(seen: Seen) -> Reading:
    whole, (layer, head) = sides(seen)[0], seen.head
    row = int(seen.file.rpartition("-")[2])
    T = len(encode(whole).surface)
    even = tuple(1 / (row + 1) if s <= row else 0.0 for s in range(T))
    return most_likely_words(whole, replace(whole, override=AttentionOverride(layer, head, row, even)), row, 5)


@reads("worth")
def worth(seen: Seen) -> Reading:
    whole, (layer, head) = sides(seen)[0], seen.head
    row = int(seen.file.split("-")[-2])
    words, weights = encode(whole).surface, run(whole).layers[layer].attention.weights[head, row].astype(np.float64)
    p = softmax(run(whole).logits[row])
    blocked = []
    for key in range(len(words)):
        rest = np.where(np.arange(len(words)) == key, 0.0, weights)
        other = replace(whole, override=AttentionOverride(layer, head, row, tuple((rest / rest.sum()).tolist())))
        q = softmax(run(other).logits[row])
        blocked.append((p * np.log(p / q)).sum() if weights[key] else 0.0)
    slopes = gradient_times_weight(whole, layer, head, row)
    table = {"word": counted(words), "weight": weights, "KL when blocked": blocked, "gradient × weight": slopes}
    return Reading(table)


def of_cards(cards, what):
    """Learning curves by model and seed, read from the cards."""
    points = [point["step"] for point in read_card("grammar")["curve"]]
    table, arrays = {"step": points}, {}
    for name, weights in cards.items():
        seeds = [seed["curve"] for seed in read_card(weights)["seeds"]]
        values = [[what(point) for point in curve] for curve in seeds]
        table |= {f"{name}, seed {i}": curve_values for i, curve_values in enumerate(values)}
        word = name.replace(" ", "_")
        arrays[word] = ({f"seed_{word}": range(len(values)), "step": points}, values)
    return Reading(table, arrays)


@reads("loss_curves")
def loss_curves(seen: Seen) -> Reading:
    both = {"with every part": "grammar", "trained without it": "grammar-without-scale"}
    return of_cards(both, lambda point: point["loss"])


@reads("answer_curves")
def answer_curves(seen: Seen) -> Reading:
    both = {"with every part": "grammar", "trained without it": "grammar-without-scale"}
    return of_cards(both, lambda point: point["accuracy"]["verb in the relative clause"])


@reads("cheating")
def cheating(seen: Seen) -> Reading:
    return of_cards(
        {"with the mask": "grammar", "trained without it": "grammar-without-mask"}, lambda point: point["loss"]
    )


@reads("saturation")
def saturated(seen: Seen) -> Reading:
    steps = score_scaling.sweep_widths()
    table = {"d_k": [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]}
    assert [step.d_k for step in steps] == table["d_k"]
    table["variance of q·k / d_k"] = [step.undivided.variance / step.d_k for step in steps]
    for name in ("variance", "entropy", "largest", "jacobian"):
        table[f"{name}, undivided"] = [getattr(step.undivided, name) for step in steps]
        table[f"{name}, divided"] = [getattr(step.divided, name) for step in steps]
    for step in steps:  # Var[q·k] = d_k, and dividing by √d_k makes it 1
        assert abs(step.undivided.variance / step.d_k - 1) < 0.1 and abs(step.divided.variance - 1) < 0.1
    return Reading(table)


def densities(values, edges, drawn):
    """The histogram of the values; what is drawn, in each bin where only values on an edge, to rounding, can differ."""
    counts = np.histogram(values, bins=edges)[0]
    on_edge = np.abs(values[:, None] - edges).min(axis=1) < 1e-5 * np.abs(edges).max()
    low, high = (np.histogram(values[on_edge] + step, bins=edges)[0] for step in (-1e-3, 1e-3))
    wide = np.diff(edges)
    near = np.abs(drawn * len(values) * wide - counts) <= low + high + 1e-6
    return np.where(near, drawn, counts / len(values) / wide)


@reads("head_scores")
def head_scores(seen: Seen) -> Reading:
    (layer, head), rng = seen.head, Random(5)
    sentences = [TASKS["grammar"].draw(None, rng) for _ in range(96)]
    measured = score_scaling.head_scores(*load("grammar"), sentences, layer, head)
    products, rows, n = [], {"undivided": [], "divided": []}, []
    for sentence in sentences:
        attention = run(Experiment(text=sentence.text)).layers[layer].attention
        dots = np.einsum("td,sd->ts", attention.q[head], attention.k[head]).astype(np.float64)
        bias = (attention.biased - attention.scaled)[head]
        mask = np.tri(len(dots), dtype=bool)
        products += dots[1:][mask[1:]].tolist()  # a row with one key has nothing to choose
        for name, divisor in (("undivided", 1), ("divided", np.sqrt(attention.q.shape[-1]))):
            rows[name] += list(softmax(dots / divisor + bias, mask)[1:])
        n += range(2, len(dots) + 1)
    d_k = attention.q.shape[-1]
    variance = float(np.var(products, ddof=1))
    cells = {}
    for name, weights in rows.items():
        spread = [-(p[p > 0] * np.log(p[p > 0])).sum() for p in weights]
        steep = [np.linalg.norm(np.diag(p) - np.outer(p, p)) for p in weights]
        by = 1 if name == "undivided" else d_k
        cells[name] = [variance / by, variance / by / d_k, np.mean(spread), np.mean(np.log(n))]
        cells[name] += [np.mean([p.max() for p in weights]), np.mean(steep)]
    labels = ["variance", "variance / d_k", "entropy (nats)", "highest entropy", "largest weight", "Jacobian"]
    middles = {"bin_center": (measured.edges[:-1] + measured.edges[1:]) / 2}
    raw, scaled = (
        densities(np.array(products) / by, measured.edges, drawn)
        for by, drawn in ((1, measured.raw), (np.sqrt(d_k), measured.scaled))
    )
    return Reading({"measure": labels} | cells, {"raw": (middles, raw), "scaled": (middles, scaled)})


@reads("query_gradient")
def query_gradient(seen: Seen) -> Reading:
    steps = score_scaling.query_gradients()
    table = {"d_k": [4, 8, 16, 32, 64, 128, 256]}
    table["‖∂loss/∂W_q‖ undivided"] = [step.undivided for step in steps]
    return Reading(table | {"‖∂loss/∂W_q‖ divided": [step.divided for step in steps]})


def batch(replaced):
    sentences, substitutes = make_batch(TASKS["grammar"], 6)
    return compare_norms(*load("grammar"), sentences, replaced, substitutes[replaced])


@reads("moved_layer", "moved_batch")
def moved(seen: Seen) -> Reading:
    replaced = int(seen.control("replaced")) - 1
    shown, sentences = batch(replaced), make_batch(TASKS["grammar"], 6)[0]
    values = shown.change[f"{seen.key.removeprefix('moved_')} norm"]
    words = [["<s>", *sentence.words] for sentence in sentences]
    cells = [(b, t) for b in range(6) for t in range(len(words[b])) if b != replaced]
    table = {"sentence": [b + 1 for b, _ in cells], "position": [t for _, t in cells]}
    table |= {"word": [counted(words[b])[t] for b, t in cells], "change": [values[cell] for cell in cells]}
    axes = {"sentence": range(1, 7), "position": range(values.shape[1])}
    if seen.key == "moved_layer":
        assert np.nanmax(values) < 1e-6, "a layer norm listens to nobody else"
    else:
        assert np.nanmax(values) > 1e-3, "a batch norm listens to its batch"
    return Reading(table, {"change": (axes, values)})


@reads("over_layer", "over_batch")
def over(seen: Seen) -> Reading:
    shown, sentences = batch(0), make_batch(TASKS["grammar"], 6)[0]
    words = [["<s>", *sentence.words] for sentence in sentences]
    stream = np.array(shown.resid)
    for b, sentence in enumerate(sentences):  # what stands in the batch is what the sentence alone is embedded as
        alone = run(Experiment(text=sentence.text)).layers[0].resid_pre
        assert np.allclose(stream[b, : len(alone)], alone, atol=1e-5)
    B, T, C = stream.shape
    arrays = {"stream": ({"sentence": range(1, B + 1), "position": range(T), "channel": range(C)}, stream)}
    if seen.key == "over_layer":
        column = f"“{words[0][3]}” in sentence 1"
        return Reading({"channel": range(C), column: stream[0, 3]}, arrays)
    cells = [(b, t) for b in range(B) for t in range(len(words[b]))]
    channel = int(np.argmax(abs(np.mean([stream[cell] for cell in cells], axis=0))))
    table = {"sentence": [b + 1 for b, _ in cells], "position": [t for _, t in cells]}
    table |= {"word": [counted(words[b])[t] for b, t in cells]}
    return Reading(table | {f"channel {channel}": [stream[b, t, channel] for b, t in cells]}, arrays)


@reads("epsilon")
def epsilon(seen: Seen) -> Reading:
    sentences = make_batch(TASKS["grammar"], 6)[0]
    vectors = np.concatenate([run(Experiment(text=sentence.text)).layers[0].resid_pre for sentence in sentences])
    variance, eps = vectors.astype(float).var(axis=1), 1e-5
    drawn = np.logspace(-14, 1, 31)
    inside, outside = np.sqrt(drawn / (drawn + eps)), np.sqrt(drawn) / (np.sqrt(drawn) + eps)
    table = {"variance": drawn, "standard deviation, ε inside": inside, "standard deviation, ε outside": outside}
    apart = np.sqrt(variance) / (np.sqrt(variance) + eps) - np.sqrt(variance / (variance + eps))
    axes = {"epsilon": ["inside", "outside"], "variance": drawn}
    arrays = {"std": (axes, [inside, outside]), "difference": ({"vector": range(len(variance))}, apart)}
    return Reading(table, arrays)
