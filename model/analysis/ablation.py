"""Ablation: loss and accuracy on held-out text, without a part of the model and without each of its heads."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random

import numpy as np
import torch
from torch import Tensor

from model.checkpoint import load_card
from model.compute.progress import steps
from model.evaluation.language_model import Batch, to_batch, word_losses
from model.run import Array, get_transformer
from model.switches import Switches
from model.tasks import TASKS, Sentence
from model.tasks.passages import PASSAGES, as_sentence
from model.transformer import Trace

# Number of sentences and random seed. Training and cards use other seeds; a short sentence can occur twice.
HELD_OUT, SEED = 128, 4
MAX_CELLS = 2**21  # of the maps of all heads in one batch: every stage of each is kept
MAX_KV_NUMBERS = 2**24  # of the keys and values of all heads in one batch


@dataclass(frozen=True)
class HeldOutScores:
    """Results on fresh sentences."""

    sentences: int
    loss: float  # mean over all words, in nats
    accuracy: dict[str, float]  # probe → accuracy
    n: dict[str, int]  # probe → number of cases


@dataclass(frozen=True)
class _Paper:
    batch: Batch
    probe_positions: Tensor  # (P, 2)  sentence and position of each probe
    right: Tensor  # (P,)  the correct word
    wrong: Tensor  # (P, W)  the words that it is compared with, padded with the first
    names: Array  # (P,)


def _unseen(task: str) -> list[Sentence]:
    """Sentences that were not used in training: newly generated, or our own passages if there is no generator."""
    if task not in TASKS or not TASKS[task].words:
        return [as_sentence(text) for text in PASSAGES]
    rng = Random(SEED)
    return [TASKS[task].draw(None, rng) for _ in range(HELD_OUT)]


@lru_cache(maxsize=8)
def _paper(weights: str) -> _Paper:
    transformer, tokenizer = get_transformer(weights)
    device = next(transformer.parameters()).device
    sentences = _unseen(load_card(weights).task)
    probes = [(number, probe) for number, sentence in enumerate(sentences) for probe in sentence.probes]
    ids = {word: index for index, word in enumerate(tokenizer.vocabulary)}
    width = max((len(probe.wrong) for _, probe in probes), default=1)
    wrong = [
        [ids[word] for word in (*probe.wrong, *probe.wrong[:1] * (width - len(probe.wrong)))] for _, probe in probes
    ]
    batch = to_batch(sentences, tokenizer)
    return _Paper(
        Batch(batch.ids.to(device), batch.is_token.to(device), batch.predictable.to(device)),
        torch.tensor([(number, probe.position) for number, probe in probes], device=device).view(-1, 2).long(),
        torch.tensor([ids[probe.right] for _, probe in probes], device=device).long(),
        torch.tensor(wrong, device=device).view(-1, width).long(),
        np.array([probe.name for _, probe in probes]),
    )


def evaluate_held_out(weights: str, switches: Switches = Switches()) -> HeldOutScores:
    """Loss and accuracy of the model with these parts, always on the same held-out sentences."""
    transformer, _ = get_transformer(weights)
    paper = _paper(weights)
    with torch.inference_mode():
        logits = transformer(paper.batch.ids, paper.batch.is_token, switches).logits  # (B, T, V)
        losses = word_losses(logits, paper.batch.ids)[paper.batch.is_token[:, 1:]]
        # A word is predicted at the position before it.
        probe_logits = logits[paper.probe_positions[:, 0], paper.probe_positions[:, 1] - 1]  # (P, V)
        best_wrong = probe_logits.gather(1, paper.wrong).max(dim=1).values  # (P,)
        hits = (probe_logits.gather(1, paper.right[:, None])[:, 0] > best_wrong).cpu().numpy()
    kinds = list(dict.fromkeys(paper.names.tolist()))
    return HeldOutScores(
        sentences=len(paper.batch.ids),
        loss=losses.mean().item(),
        accuracy={kind: float(hits[paper.names == kind].mean()) for kind in kinds},
        n={kind: int((paper.names == kind).sum()) for kind in kinds},
    )


def ablate_each_head(weights: str, switches: Switches = Switches()) -> dict[tuple[int, int], HeldOutScores]:
    """(layer, head) → the results with that head removed too."""
    config = get_transformer(weights)[0].config
    heads = [(layer, head) for layer in range(config.n_layers) for head in range(config.n_heads)]
    return {
        pair: evaluate_held_out(weights, replace(switches, heads_off=switches.heads_off | {pair}))
        for pair in steps(heads)
    }


def _repeat_kv(trace: Trace[Tensor], texts: int) -> Trace[Tensor]:
    """The keys and values (1, H, S, D) of a trace, repeated for `texts` texts."""
    layers = tuple(
        replace(
            layer,
            attention=replace(
                layer.attention,
                k=layer.attention.k.expand(texts, -1, -1, -1),
                v=layer.attention.v.expand(texts, -1, -1, -1),
            ),
        )
        for layer in trace.layers
    )
    return replace(trace, layers=layers)


def ablation_costs(
    intact: HeldOutScores, each: Mapping[tuple[int, int], HeldOutScores]
) -> tuple[Array, dict[str, Array]]:
    """The cost of removing each head: the increase of the loss (L, H), and for each probe the loss of accuracy (L, H).

    intact: results of the full model; each: results without each head, from `ablate_each_head`.
    """
    shape = (max(layer for layer, _ in each) + 1, max(head for _, head in each) + 1)
    loss = np.array([scores.loss - intact.loss for scores in each.values()]).reshape(shape)
    accuracy = {
        kind: np.array([share - scores.accuracy[kind] for scores in each.values()]).reshape(shape)
        for kind, share in intact.accuracy.items()
    }
    return loss, accuracy
