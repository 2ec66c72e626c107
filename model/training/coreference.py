"""The training of the encoder that predicts what “it” refers to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

import torch
from torch import Tensor
from torch.nn import functional as F

from model.config import ModelConfig
from model.evaluation.coreference import CoreferenceScores, evaluate, to_batch
from model.model_card import JsonObject
from model.tasks.coreference import WORDS, CoreferenceQuestion, make_question
from model.tokenizer import WordTokenizer
from model.training.optimizer import Schedule
from model.training.trainer import TRAINING, Options, Run, Training
from model.transformer import Transformer

RESOLVER = "resolver"


@dataclass(frozen=True)
class ResolverRecipe:
    """Everything that determines a training run, except its seed. Each layer has one head, to be easy to read."""

    config: ModelConfig = ModelConfig(
        len(WORDS) + 3, n_layers=2, n_heads=1, d_model=64, d_ff=128, context=32, position="sinusoidal", causal=False
    )
    steps: int = 500
    batch: int = 64
    lr: float = 3e-3
    warmup: int = 50
    clip: float = 1.0
    examined: int = 1000

    @property
    def schedule(self) -> Schedule:
        return Schedule(self.lr, self.steps, self.warmup)

    def with_steps(self, steps: int) -> "ResolverRecipe":
        return replace(self, steps=steps)

    def training(self, name: str) -> "CoreferenceTraining":
        return CoreferenceTraining(name, self)

    def train(self, name: str, options: Options) -> JsonObject:
        return self.training(name).train_seeds(options)


def make_questions(n: int, seed: int) -> list[CoreferenceQuestion]:
    """Questions of one seed. There are about a hundred million, so no two seeds share more than a few."""
    rng = Random(seed)
    return [make_question(rng) for _ in range(n)]


class CoreferenceTraining(Training[Transformer, list[CoreferenceQuestion], CoreferenceScores]):
    """Every batch contains new questions. The seed with the clearest two heads is saved."""

    tokenizer = WordTokenizer(WORDS)
    chosen = (
        "of the seeds tried, the one with the most weight from “it” on the adjective and on the referent, in the best "
        "head of each, on questions used for nothing else"
    )
    notes = (
        "Accuracy: how often the correct noun is the most likely word at “it”.",
        "mass: mean weight on the gold words; top1: how often the largest weight of the row is on one; both layers × "
        "heads.",
    )

    def __init__(self, name: str, recipe: ResolverRecipe) -> None:
        super().__init__(name, "resolver", recipe)
        self.recipe: ResolverRecipe = recipe

    def make_network(self) -> Transformer:
        return Transformer(self.recipe.config)

    def batches(self, seed: int) -> Iterator[list[CoreferenceQuestion]]:
        rng = Random(1000 * seed + TRAINING)
        while True:
            yield [make_question(rng) for _ in range(self.recipe.batch)]

    def loss(self, network: Transformer, batch: list[CoreferenceQuestion]) -> Tensor:
        ids, is_token, it_positions, answers = to_batch(batch, self.tokenizer)
        logits = network(ids, is_token).logits[torch.arange(len(ids)), it_positions]  # (B, V)
        return F.cross_entropy(logits, answers)

    def evaluate(self, network: Transformer, examples: int) -> CoreferenceScores:
        return evaluate(network, self.tokenizer, make_questions(self.recipe.examined, examples))

    def rank(self, run: Run[Transformer, CoreferenceScores]) -> tuple[float, ...]:
        return -run.scores.clear, run.seed

    def measured(
        self,
        best: Run[Transformer, CoreferenceScores],
        report: CoreferenceScores,
        runs: Sequence[Run[Transformer, CoreferenceScores]],
    ) -> JsonObject:
        return {
            "examined": self.recipe.examined,
            **_scores(report),
            "seeds": [{"seed": run.seed, **_scores(run.scores)} for run in runs],
        }


def _scores(scores: CoreferenceScores) -> JsonObject:
    return {
        "accuracy": round(scores.accuracy, 4),
        "relations": {name: score.json() for name, score in scores.relations.items()},
    }
