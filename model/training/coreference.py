"""Training the encoder that finds what “it” refers to."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch.nn import functional as F

from model import checkpoint
from model.config import ModelConfig
from model.evaluation.coreference import CoreferenceScores, evaluate, to_batch
from model.tasks.coreference import WORDS, CoreferenceQuestion, make_question
from model.tokenizer import WordTokenizer
from model.training.optimizer import optimizer_for, train_step, warmup_cosine
from model.transformer import Transformer

TRAINING, CHOOSING, REPORTING = 1, 2, 3  # seeds of the questions to learn from, to choose a run by, to report on


@dataclass(frozen=True)
class ResolverRecipe:
    """Everything that decides a training run but its seed. One head a layer: its look is the whole story."""

    config: ModelConfig = ModelConfig(
        len(WORDS) + 3, n_layers=2, n_heads=1, d_model=64, d_ff=128, context=32, position="sinusoidal", causal=False
    )
    steps: int = 500
    batch: int = 64
    lr: float = 3e-3
    warmup: int = 50
    clip: float = 1.0
    examined: int = 1000


def make_questions(n: int, seed: int) -> list[CoreferenceQuestion]:
    """Questions of one seed. There are about a hundred million, so no two seeds share more than a few."""
    rng = Random(seed)
    return [make_question(rng) for _ in range(n)]


def train_steps(
    transformer: Transformer, tokenizer: WordTokenizer, recipe: ResolverRecipe, seed: int
) -> Iterator[float]:
    """Train in place, one step for each loss that is taken."""
    rng = Random(1000 * seed + TRAINING)
    optimizer = optimizer_for(transformer, recipe.lr)
    transformer.train()
    for step in range(recipe.steps):
        ids, is_token, it_positions, answers = to_batch([make_question(rng) for _ in range(recipe.batch)], tokenizer)
        logits = transformer(ids, is_token).logits[torch.arange(len(ids)), it_positions]  # (B, V)
        loss = F.cross_entropy(logits, answers)
        rate = recipe.lr * warmup_cosine(step, recipe.steps, recipe.warmup)
        yield train_step(transformer, optimizer, loss, rate, recipe.clip)


@dataclass(frozen=True)
class ResolverRun:
    """One seed, trained."""

    seed: int
    transformer: Transformer
    scores: CoreferenceScores
    cpu_seconds: float


def train(recipe: ResolverRecipe, seed: int, after_step: Callable[[int, float], None]) -> ResolverRun:
    """One seed from nothing. `after_step` is told the number and the loss of every step."""
    cpu = time.process_time()
    tokenizer = WordTokenizer(WORDS)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        transformer = Transformer(recipe.config)
    for step, loss in enumerate(train_steps(transformer, tokenizer, recipe, seed), start=1):
        after_step(step, loss)
    cpu = time.process_time() - cpu
    scores = evaluate(transformer.eval(), tokenizer, make_questions(recipe.examined, CHOOSING))
    return ResolverRun(seed, transformer, scores, cpu)


def save_best(
    name: str, recipe: ResolverRecipe, runs: Sequence[ResolverRun], command: str, folder: Path
) -> dict[str, Any]:
    """Write the run whose two looks are plainest to see, in half precision, and its card; return the card."""
    best = max(runs, key=lambda run: (run.scores.clear, -run.seed))
    best.transformer.half().float()  # what is on the card was measured with the numbers that are shipped
    tokenizer = WordTokenizer(WORDS)
    settings = asdict(recipe)
    del settings["config"]
    card = {
        "task": "resolver",
        "command": command,
        "seed": best.seed,
        "recipe": settings,
        "chosen": "of the seeds tried, the one with the most weight from “it” on the adjective and on the referent, in "
        "the best head of each, on questions used for nothing else",
        "notes": [
            "Accuracy: the noun that is meant gets the most of all words, read where “it” stands.",
            "mass: mean weight on the words named; top1: how often the largest weight of the row lies there; both "
            "layers × heads.",
        ],
        "cpu_seconds": round(best.cpu_seconds, 1),
        "examined": recipe.examined,
        **_told(evaluate(best.transformer, tokenizer, make_questions(recipe.examined, REPORTING))),
        "seeds": [{"seed": run.seed, **_told(run.scores)} for run in runs],
    }
    checkpoint.save(name, best.transformer, tokenizer, card, folder, half=True)
    return card


def _told(scores: CoreferenceScores) -> dict[str, Any]:
    return {
        "accuracy": round(scores.accuracy, 4),
        "relations": {
            name: {
                "n": score.n,
                "mass": score.mass.astype(float).round(4).tolist(),
                "top1": score.top1.astype(float).round(4).tolist(),
            }
            for name, score in scores.relations.items()
        },
    }
