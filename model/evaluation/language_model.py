"""The evaluation of a language model: loss, accuracy at probes, and the match of each head with gold relations."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from model.evaluation.head_scores import Score, score_relations
from model.model_card import JsonObject
from model.tasks import Relation, Sentence
from model.tokenizer import Tokenizer
from model.transformer import Trace, Transformer

BATCH = 64


@dataclass(frozen=True)
class Accuracy:
    """The accuracy at a probe: how often the correct word is more likely than every wrong one."""

    n: int
    share: float


@dataclass(frozen=True)
class Evaluation:
    """The results of a model on a set of sentences."""

    sentences: int
    loss: float  # mean over all words, in nats
    probes: dict[str, Accuracy]
    relations: dict[str, Score]

    def json(self) -> JsonObject:
        """The results as a model card contains them, with the number of cases of every accuracy."""
        return {
            "sentences": self.sentences,
            "loss": round(self.loss, 4),
            "accuracy": {name: {"n": probe.n, "share": round(probe.share, 4)} for name, probe in self.probes.items()},
            "relations": {name: score.json() for name, score in self.relations.items()},
        }


@dataclass(frozen=True)
class Batch:
    """Sentences as the input of a model, with the words that it predicts."""

    ids: Tensor  # (B, T)
    is_token: Tensor  # (B, T)  False for padding after shorter sentences
    predictable: Tensor  # (B, T)  True if the token is the answer of a probe


def to_batch(sentences: Sequence[Sentence], tokenizer: Tokenizer) -> Batch:
    """Encode sentences and pad them to the longest."""
    rows = [tokenizer.encode(sentence.text).ids for sentence in sentences]
    T = max(len(row) for row in rows)
    ids = torch.zeros(len(rows), T, dtype=torch.int64)
    real = torch.zeros(len(rows), T, dtype=torch.bool)
    foreseeable = torch.zeros(len(rows), T, dtype=torch.bool)
    for b, (row, sentence) in enumerate(zip(rows, sentences, strict=True)):
        ids[b, : len(row)] = torch.tensor(row)
        real[b, : len(row)] = True
        foreseeable[b, [probe.position for probe in sentence.probes]] = True
    return Batch(ids, real, foreseeable)


def word_losses(logits: Tensor, ids: Tensor) -> Tensor:
    """−ln p of every token but the first, given all before it: (B, T − 1)."""
    return F.cross_entropy(logits[:, :-1].transpose(1, 2), ids[:, 1:], reduction="none")


def evaluate(transformer: Transformer, tokenizer: Tokenizer, sentences: Sequence[Sentence]) -> Evaluation:
    """Run the model on the sentences and compare its predictions and attention with their gold annotations."""
    word_ids = {word: index for index, word in enumerate(tokenizer.vocabulary)}
    total, words = 0.0, 0
    right: dict[str, list[bool]] = defaultdict(list)

    def examples() -> Iterator[tuple[np.ndarray, Sequence[Relation]]]:
        nonlocal total, words
        for start in range(0, len(sentences), BATCH):
            part = sentences[start : start + BATCH]
            batch = to_batch(part, tokenizer)
            with torch.inference_mode():
                trace: Trace[Tensor] = transformer(batch.ids, batch.is_token)
            losses = word_losses(trace.logits, batch.ids)[batch.is_token[:, 1:]]
            total += losses.sum().item()
            words += losses.numel()
            logits = trace.logits.numpy()  # (B, T, V)
            weights = torch.stack([layer.attention.weights for layer in trace.layers], 1).numpy()  # (B, L, H, T, T)
            for b, sentence in enumerate(part):
                for probe in sentence.probes:
                    odds = logits[b, probe.position - 1]  # (V,): a word is predicted at the position before it
                    wrong = max(odds[word_ids[word]] for word in probe.wrong)
                    right[probe.name].append(bool(odds[word_ids[probe.right]] > wrong))
                yield weights[b], sentence.relations

    relations = dict(score_relations(examples()))
    probes = {name: Accuracy(len(hits), sum(hits) / len(hits)) for name, hits in right.items()}
    return Evaluation(len(sentences), total / words, probes, relations)
