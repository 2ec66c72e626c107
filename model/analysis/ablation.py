"""Ablation: what a model loses without a part, on held-out text, and without each of its heads."""

from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random

import numpy as np
import torch
from torch import Tensor

from model.checkpoint import card
from model.compute.progress import steps
from model.evaluation.language_model import Batch, to_batch, word_losses
from model.run import Array, model
from model.switches import Switches
from model.tasks import TASKS, Sentence
from model.tasks.passages import PASSAGES, as_sentence
from model.transformer import Trace

# Sentences, and the seed they are drawn with. Training and the card use other seeds; a short sentence may come twice.
HELD_OUT, SEED = 128, 4
MOST_CELLS = 2**21  # of the maps of all heads in one batch: every stage of each is kept
MOST_NUMBERS = 2**24  # of the keys and values of all heads in one batch


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
