"""What a change does to the model's predictions, in numbers: on one text, and on fresh sentences.

Every figure is computed from the model that runs, at the moment it is asked for.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random

import numpy as np
import torch
from torch import Tensor

from model.cache import looks_back
from model.checkpoint import card
from model.cost import operations
from model.exam import Batch, to_batch, word_losses
from model.measure import entropy
from model.overwrite import Overwrite
from model.run import Array, Experiment, encode, model
from model.steps import steps
from model.switches import Switches
from model.tasks import TASKS, Sentence
from model.tasks.passages import PASSAGES, as_sentence
from model.transformer import Trace

# Sentences, and the seed they are drawn with. Training and the card use other seeds; a short sentence may come twice.
HELD_OUT, SEED = 128, 4
MOST_CELLS = 2**21  # of the maps of all heads in one batch: every stage of each is kept
MOST_NUMBERS = 2**24  # of the keys and values of all heads in one batch


def log_probabilities(logits: Array) -> Array:
    """ln of the softmax over the last axis, in float64: finite where p itself would round to 0."""
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def probabilities(logits: Array) -> Array:
    """Softmax over the last axis, in float64."""
    return np.exp(log_probabilities(logits))


def kl(a: Array, b: Array) -> Array:
    """KL(A ‖ B) of the distributions that belong to logits a and b, (…, V) → (…), in nats."""
    ln_a, ln_b = log_probabilities(a), log_probabilities(b)
    return np.asarray((np.exp(ln_a) * (ln_a - ln_b)).sum(axis=-1))


def moved(a: Trace[Array], b: Trace[Array]) -> Array:
    """KL(A ‖ B) of the next-word distributions after each token, in nats: (T,). Not a number where a run is none.

    Where nothing reads words out: how far the last vector of each token turns, 1 − cosine.
    """
    return kl(a.logits, b.logits) if a.logits.size else turned(a.final_norm.out, b.final_norm.out)


def turned(a: Array, b: Array) -> Array:
    """1 − cosine of the angle between vectors a and b (…, C), (…): 0 for the same direction, 2 for the opposite."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    length = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    return np.asarray(1 - (a * b).sum(axis=-1) / np.maximum(length, np.finfo(np.float64).tiny))


def surprise(trace: Trace[Array], ids: tuple[int, ...]) -> float:
    """Loss on one text: mean −ln p of every token but the first, given those before it, in nats."""
    return float(-log_probabilities(trace.logits)[np.arange(len(ids) - 1), ids[1:]].mean())


def spread(trace: Trace[Array]) -> float:
    """Entropy of the attention rows, in nats, mean over all heads and positions."""
    return float(np.mean([entropy(layer.attention.weights).mean() for layer in trace.layers]))


def first_broken(trace: Trace[Array]) -> str | None:
    """The first stage that holds a value which is no number, in words; None when all is well."""
    for index, layer in enumerate(trace.layers):
        stages = {  # in the order in which they are computed
            "resid_pre": layer.resid_pre,
            "attention weights": layer.attention.weights,
            "resid_mid": layer.resid_mid,
            "resid_post": layer.resid_post,
        }
        for name, values in stages.items():
            if not np.isfinite(values).all():
                return f"layer {index}, {name}"
    return None if np.isfinite(trace.logits).all() else "the logits"


@dataclass(frozen=True)
class HeldOut:
    """Results on fresh sentences."""

    sentences: int
    loss: float  # mean over all words, in nats
    accuracy: dict[str, float]  # probe → share of right answers
    n: dict[str, int]  # probe → how many there were


@dataclass(frozen=True)
class _Paper:
    batch: Batch
    at: Tensor  # (P, 2)  sentence and position of each probe
    right: Tensor  # (P,)  the right word
    wrong: Tensor  # (P, W)  the words it is held against, filled up with the first
    names: Array  # (P,)


def _unseen(task: str) -> list[Sentence]:
    """Sentences that no training has used: drawn anew, or the passages of our own where there is no generator."""
    if task not in TASKS or not TASKS[task].words:
        return [as_sentence(text) for text in PASSAGES]
    rng = Random(SEED)
    return [TASKS[task].draw(None, rng) for _ in range(HELD_OUT)]


@lru_cache(maxsize=8)
def _paper(weights: str) -> _Paper:
    transformer, tokenizer = model(weights)
    device = next(transformer.parameters()).device
    sentences = _unseen(card(weights)["task"])
    probes = [(number, probe) for number, sentence in enumerate(sentences) for probe in sentence.probes]
    ids = {word: index for index, word in enumerate(tokenizer.vocabulary)}
    width = max((len(probe.wrong) for _, probe in probes), default=1)
    wrong = [
        [ids[word] for word in (*probe.wrong, *probe.wrong[:1] * (width - len(probe.wrong)))] for _, probe in probes
    ]
    batch = to_batch(sentences, tokenizer)
    return _Paper(
        Batch(batch.ids.to(device), batch.real.to(device), batch.foreseeable.to(device)),
        torch.tensor([(number, probe.position) for number, probe in probes], device=device).view(-1, 2).long(),
        torch.tensor([ids[probe.right] for _, probe in probes], device=device).long(),
        torch.tensor(wrong, device=device).view(-1, width).long(),
        np.array([probe.name for _, probe in probes]),
    )


def held_out(weights: str, switches: Switches = Switches()) -> HeldOut:
    """Loss and accuracy of the model with these parts, on the same fresh sentences every time."""
    transformer, _ = model(weights)
    paper = _paper(weights)
    with torch.inference_mode():
        logits = transformer(paper.batch.ids, paper.batch.real, switches).logits  # (B, T, V)
        losses = word_losses(logits, paper.batch.ids)[paper.batch.real[:, 1:]]
        # A word is foretold where the one before it stands.
        asked = logits[paper.at[:, 0], paper.at[:, 1] - 1]  # (P, V)
        best_wrong = asked.gather(1, paper.wrong).max(dim=1).values  # (P,)
        hits = (asked.gather(1, paper.right[:, None])[:, 0] > best_wrong).cpu().numpy()
    kinds = list(dict.fromkeys(paper.names.tolist()))
    return HeldOut(
        sentences=len(paper.batch.ids),
        loss=losses.mean().item(),
        accuracy={kind: float(hits[paper.names == kind].mean()) for kind in kinds},
        n={kind: int((paper.names == kind).sum()) for kind in kinds},
    )


def knockouts(weights: str, switches: Switches = Switches()) -> dict[tuple[int, int], HeldOut]:
    """(layer, head) → the results with that one head taken out too."""
    config = model(weights)[0].config
    heads = [(layer, head) for layer in range(config.n_layers) for head in range(config.n_heads)]
    return {pair: held_out(weights, replace(switches, heads_off=switches.heads_off | {pair})) for pair in steps(heads)}


def blocked(experiment: Experiment, layer: int, head: int, row: int) -> Array:
    """How far the next word after `row` moves when that row of one head may not look at a key, key by key.

    The rest of the row is scaled up to sum to 1 again. Returns KL(intact ‖ blocked) in nats, (S,); 0 for a key that
    had no weight. Keys run together, as many as memory allows. Where every word looks back only, nothing but the word
    at `row` changes: it is read again alone, on the keys and values of the words before it.
    """
    transformer, _ = model(experiment.weights)
    ids = torch.tensor([encode(experiment).ids], device=next(transformer.parameters()).device)  # (1, T)
    with torch.inference_mode():
        trace = transformer(ids, switches=experiment.switches)
        weights = trace.layers[layer].attention.weights[0, head, row]  # (S,)
        rows = weights.repeat(len(weights), 1).fill_diagonal_(0.0)  # (S, S) row s without key s
        rows = rows / rows.sum(dim=-1, keepdim=True).clamp(min=torch.finfo(rows.dtype).tiny)
        if looks_back(transformer, experiment.switches):
            kept = _before(trace, row)
            read, at = ids[:, row : row + 1], 0  # (1, 1)
            rows = rows[: row + 1, : row + 1]  # the later keys have no weight
            at_once = MOST_NUMBERS // (2 * len(rows) * transformer.config.d_model * transformer.config.n_layers)
        else:
            kept, read, at = None, ids, row
            at_once = MOST_CELLS // (len(weights) ** 2 * transformer.config.n_heads * transformer.config.n_layers)
        after = np.concatenate(
            [
                transformer(
                    read.repeat(len(part), 1),
                    switches=experiment.switches,
                    overwrite=Overwrite(layer, head, at, part),
                    past=None if kept is None else _repeated(kept, len(part)),
                )
                .logits[:, at]
                .cpu()
                .numpy()
                for part in steps(rows.split(max(1, at_once)))
            ]
        )  # (S, V), or as many of the S as stand up to `row`
    worth = np.zeros(len(weights))
    worth[: len(after)] = kl(trace.logits[0, row].cpu().numpy()[None], after)
    return np.where(weights.cpu().numpy() > 0, worth, 0.0)


def cost_of_blocking(experiment: Experiment) -> int:
    """Operations of `blocked`, as model/cost.py counts them."""
    transformer, _ = model(experiment.weights)
    T = len(encode(experiment).ids)
    new = 1 if looks_back(transformer, experiment.switches) else T
    whole = operations(transformer.config, T)
    return whole + operations(transformer.config, new, keys=T, texts=T)


def _before(trace: Trace[Tensor], row: int) -> Trace[Tensor] | None:
    """The record of the words before `row`: of their attention, keys and values."""
    if row == 0:
        return None
    layers = tuple(
        replace(one, attention=replace(one.attention, k=one.attention.k[:, :, :row], v=one.attention.v[:, :, :row]))
        for one in trace.layers
    )
    return replace(trace, layers=layers)


def _repeated(trace: Trace[Tensor], texts: int) -> Trace[Tensor]:
    """The same keys and values (1, H, S, D) for each of so many texts."""
    layers = tuple(
        replace(
            one,
            attention=replace(
                one.attention,
                k=one.attention.k.expand(texts, -1, -1, -1),
                v=one.attention.v.expand(texts, -1, -1, -1),
            ),
        )
        for one in trace.layers
    )
    return replace(trace, layers=layers)


def attributed(experiment: Experiment, layer: int, head: int, row: int) -> Array:
    """What a gradient says each look is worth: weight × ∂ ln p(likeliest next word after `row`) / ∂ weight, (S,).

    Gradient × input (Shrikumar et al. 2016, "Not Just a Black Box"), with the row of weights as the input. A guess from
    an infinitesimal nudge, to be held against `blocked`, which really takes the look away.
    """
    transformer, _ = model(experiment.weights)
    ids = torch.tensor([encode(experiment).ids], device=next(transformer.parameters()).device)  # (1, T)
    with torch.no_grad():
        made = transformer(ids, switches=experiment.switches).layers[layer].attention.weights[0, head, row]  # (S,)
    weights = made.clone().requires_grad_()
    logits = transformer(ids, switches=experiment.switches, overwrite=Overwrite(layer, head, row, weights)).logits
    (slope,) = torch.autograd.grad(logits[0, row].log_softmax(-1).max(), weights)  # (S,)
    return (slope * made).cpu().numpy()


def rank_agreement(a: Array, b: Array) -> float:
    """Spearman's rank correlation of two rows of numbers (N,): 1 when they put everything in the same order."""
    ranks = [np.argsort(np.argsort(values)).astype(float) for values in (a, b)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])
