"""Training on “which digit came first”: one small model for each position scheme."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch.nn import functional as F

from model import checkpoint
from model.config import ModelConfig
from model.evaluation.first_digit import accuracy, to_ids
from model.position import POSITIONS
from model.tasks.first_digit import WORDS, make_question
from model.tokenizer import Tokenizer, WordTokenizer
from model.training.optimizer import optimizer_for, train_step, warmup_cosine
from model.transformer import Transformer

KINDS = {"encoder": False, "decoder": True}  # name → is it causal?
TRAINING, CHOOSING, REPORTING = 1, 2, 3  # seeds of the questions to learn from, to choose a run by, to report on


@dataclass(frozen=True)
class OrderRecipe:
    """Everything that decides a training run but its seed."""

    config: ModelConfig
    shortest: int = 4  # signs of a question in training
    longest: int = 16
    steps: int = 700
    batch: int = 64
    lr: float = 6e-3
    warmup: int = 50
    clip: float = 1.0
    lengths: tuple[int, ...] = (4, 8, 12, 16, 20, 24, 32, 48, 64, 96)  # examined at
    examined: int = 1000  # questions of each length


def _recipe(position: str, causal: bool) -> OrderRecipe:
    sizes = ModelConfig(len(WORDS) + 3, n_layers=2, n_heads=4, d_model=32, d_ff=64, position=position, causal=causal)
    return OrderRecipe(replace(sizes, context=OrderRecipe.longest + 2))  # <s> and "?" stand around the signs


ORDER_RECIPES = {
    f"order-{kind}-{position}": _recipe(position, causal) for kind, causal in KINDS.items() for position in POSITIONS
}


def train_steps(transformer: Transformer, tokenizer: Tokenizer, recipe: OrderRecipe, seed: int) -> Iterator[float]:
    """Train in place, one step for each loss that is taken. Every batch holds fresh questions of one length."""
    rng = Random(1000 * seed + TRAINING)
    optimizer = optimizer_for(transformer, recipe.lr)
    transformer.train()
    for step in range(recipe.steps):
        length = rng.randint(recipe.shortest, recipe.longest)
        ids, answers = to_ids([make_question(length, rng) for _ in range(recipe.batch)], tokenizer)
        loss = F.cross_entropy(transformer(ids).logits[:, -1], answers[:, 0])
        rate = recipe.lr * warmup_cosine(step, recipe.steps, recipe.warmup)
        yield train_step(transformer, optimizer, loss, rate, recipe.clip)


@dataclass(frozen=True)
class OrderRun:
    """One seed, trained, and its accuracy at every length."""

    seed: int
    transformer: Transformer
    accuracy: dict[int, float | None]
    cpu_seconds: float

    def missing(self, recipe: OrderRecipe) -> float:
        """Mean share of wrong answers at the lengths it was trained on: what a seed is chosen by."""
        trained = [share for length, share in self.accuracy.items() if length <= recipe.longest and share is not None]
        return 1 - sum(trained) / len(trained)


def train(recipe: OrderRecipe, seed: int, after_step: Callable[[int, float], None]) -> OrderRun:
    """One seed from nothing. `after_step` is told the number and the loss of every step."""
    cpu = time.process_time()
    tokenizer = WordTokenizer(WORDS)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        transformer = Transformer(recipe.config)
    for step, loss in enumerate(train_steps(transformer, tokenizer, recipe, seed), start=1):
        after_step(step, loss)
    transformer.eval()
    cpu = time.process_time() - cpu
    shares = {n: accuracy(transformer, tokenizer, n, recipe.examined, CHOOSING) for n in recipe.lengths}
    return OrderRun(seed, transformer, shares, cpu)


def save_best(name: str, recipe: OrderRecipe, runs: Sequence[OrderRun], command: str, folder: Path) -> dict[str, Any]:
    """Write the run with the fewest wrong answers at the trained lengths, and its card; return the card."""
    best = min(runs, key=lambda run: (run.missing(recipe), run.seed))
    tokenizer = WordTokenizer(WORDS)
    settings = asdict(recipe)
    del settings["config"]
    card = {
        "task": "order",
        "command": command,
        "seed": best.seed,
        "recipe": settings,
        "chosen": "of the seeds tried, the one with the fewest wrong answers at the trained lengths, on questions used "
        "for nothing else; how it does beyond them had no say",
        "notes": [
            "A length is the number of signs before the question mark. Guessing between the two digits is right half "
            "of the time.",
            "'accuracy' is of the shipped seed on fresh questions; 'seeds' are on the questions a seed was chosen by.",
            "None: a learned position table has ended.",
        ],
        "cpu_seconds": round(best.cpu_seconds, 1),
        "examined": recipe.examined,
        "accuracy": {
            length: rounded_accuracy(accuracy(best.transformer, tokenizer, length, recipe.examined, REPORTING))
            for length in recipe.lengths
        },
        "seeds": [
            {"seed": run.seed, "accuracy": {length: rounded_accuracy(share) for length, share in run.accuracy.items()}}
            for run in runs
        ],
    }
    checkpoint.save(name, best.transformer, tokenizer, card, folder)
    return card


def rounded_accuracy(share: float | None) -> float | None:
    """A share as it is written on a card."""
    return None if share is None else round(share, 4)
