"""The accuracy of a coreference model, and its attention from “it”."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from model.evaluation.head_scores import Score, score_relations
from model.probability import probabilities
from model.run import Array, Experiment, get_model
from model.tasks.coreference import ADJECTIVE, NOUNS, REFERENT, CoreferenceQuestion
from model.tokenizer import WordTokenizer
from model.transformer import Trace, Transformer


def to_batch(
    questions: Sequence[CoreferenceQuestion], tokenizer: WordTokenizer
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Returns ids (B, T), is_token (B, T), the position of "it" (B,), and the id of the noun that it refers to (B,)."""
    rows = [tokenizer.encode(question.text).ids for question in questions]
    T = max(len(row) for row in rows)
    ids = torch.tensor([row + (0,) * (T - len(row)) for row in rows])
    is_token = torch.arange(T) < torch.tensor([len(row) for row in rows])[:, None]
    it_positions = torch.tensor([question.it for question in questions])
    return ids, is_token, it_positions, torch.tensor([tokenizer.id_by_word[question.answer] for question in questions])


@dataclass(frozen=True)
class CoreferenceScores:
    """The results of a model on some questions."""

    accuracy: float
    relations: dict[str, Score]  # each (L, H)

    @property
    def clear(self) -> float:
        """The weight on the adjective plus the weight on the referent, each in its best head."""
        return float(self.relations[ADJECTIVE].mass.max() + self.relations[REFERENT].mass.max())


def evaluate(
    transformer: Transformer, tokenizer: WordTokenizer, questions: Sequence[CoreferenceQuestion]
) -> CoreferenceScores:
    """Compare the answers and the attention with the gold answers of these questions."""
    ids, is_token, it_positions, answers = to_batch(questions, tokenizer)
    with torch.inference_mode():
        trace = transformer(ids, is_token)
    predicted = trace.logits[torch.arange(len(ids)), it_positions].argmax(-1)  # (B,)
    weights = torch.stack([layer.attention.weights for layer in trace.layers], 1).numpy()  # (B, L, H, T, T)
    examples = ((weights[b], question.relations) for b, question in enumerate(questions))
    return CoreferenceScores((predicted == answers).float().mean().item(), dict(score_relations(examples)))


def noun_probabilities(experiment: Experiment, trace: Trace[Array], position: int) -> tuple[tuple[str, ...], Array]:
    """The N nouns that "it" at `position` can refer to, most likely first, and their probabilities (N,)."""
    vocabulary = get_model(experiment.weights)[1].vocabulary
    known = {noun for group in NOUNS.values() for noun in group}
    shares = probabilities(trace.logits[position])  # (V,)
    ids = sorted((index for index, word in enumerate(vocabulary) if word in known), key=lambda index: -shares[index])
    return tuple(vocabulary[index] for index in ids), shares[ids]
