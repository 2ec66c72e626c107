"""How often the encoder finds what “it” refers to."""

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
    """ids (B, T), real (B, T), where "it" stands (B,), and the id of the noun that it means (B,)."""
    rows = [tokenizer.encode(question.text).ids for question in questions]
    T = max(len(row) for row in rows)
    ids = torch.tensor([row + (0,) * (T - len(row)) for row in rows])
    is_token = torch.arange(T) < torch.tensor([len(row) for row in rows])[:, None]
    it_positions = torch.tensor([question.it for question in questions])
    return ids, is_token, it_positions, torch.tensor([tokenizer.id_by_word[question.answer] for question in questions])


@dataclass(frozen=True)
class CoreferenceScores:
    """How a model does on some questions."""

    accuracy: float
    relations: dict[str, Score]  # each (L, H)

    @property
    def clear(self) -> float:
        """How plain the two looks are to see: weight on the adjective and on the referent, in the best head of each."""
        return float(self.relations[ADJECTIVE].mass.max() + self.relations[REFERENT].mass.max())


def evaluate(
    transformer: Transformer, tokenizer: WordTokenizer, questions: Sequence[CoreferenceQuestion]
) -> CoreferenceScores:
    """Answers and looks on these questions, held against what the generator knows."""
    ids, is_token, it_positions, answers = to_batch(questions, tokenizer)
    with torch.inference_mode():
        trace = transformer(ids, is_token)
    predicted = trace.logits[torch.arange(len(ids)), it_positions].argmax(-1)  # (B,)
    weights = torch.stack([layer.attention.weights for layer in trace.layers], 1).numpy()  # (B, L, H, T, T)
    looks = ((weights[b], question.relations) for b, question in enumerate(questions))
    return CoreferenceScores((predicted == answers).float().mean().item(), dict(score_relations(looks)))


def noun_probabilities(experiment: Experiment, trace: Trace[Array], position: int) -> tuple[tuple[str, ...], Array]:
    """The N nouns that "it" at `position` can mean, the most likely first, and their probabilities (N,)."""
    vocabulary = get_model(experiment.weights)[1].vocabulary
    known = {noun for group in NOUNS.values() for noun in group}
    shares = probabilities(trace.logits[position])  # (V,)
    ids = sorted((index for index, word in enumerate(vocabulary) if word in known), key=lambda index: -shares[index])
    return tuple(vocabulary[index] for index in ids), shares[ids]
