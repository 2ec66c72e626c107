"""The same small model with every position scheme, as encoder and as decoder, asked which of two digits came first.

Trained on short questions, examined on long ones too. `python -m model.train order-encoder-rope` trains one again.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from model import checkpoint
from model.config import ModelConfig
from model.descent import descend, optimizer_for, rise_and_fall
from model.position import POSITIONS
from model.steps import steps
from model.tasks.first_digit import WORDS, Question, ask
from model.tokenizer import Tokenizer, WordTokenizer
from model.transformer import Transformer

KINDS = {"encoder": False, "decoder": True}  # name → is it causal?
TRAINING, CHOOSING, REPORTING = 1, 2, 3  # seeds of the questions to learn from, to choose a run by, to report on
MOST_CELLS = 2**16  # of the (T, S) maps of one head in one batch: every stage of every head is kept


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


def to_ids(questions: Sequence[Question], tokenizer: Tokenizer) -> tuple[Tensor, Tensor]:
    """Questions of one length: ids (B, T), and the ids (B, 2) of the right answer and of the wrong one."""
    ids = torch.tensor([tokenizer.encode(question.text).ids for question in questions])
    id_of = {sign: index for index, sign in enumerate(tokenizer.vocabulary)}
    answers = [(id_of[question.first], id_of[question.second]) for question in questions]
    return ids, torch.tensor(answers)


def chances(transformer: Transformer, tokenizer: Tokenizer, questions: Sequence[Question]) -> Tensor:
    """Probability of the right digit against the wrong one, read where "?" stands: (N,). Questions of one length.

    Raises:
        ValueError: the questions are longer than a learned position table.
    """
    at_once = max(1, MOST_CELLS // (len(questions[0].words) + 1) ** 2)
    found = []
    with torch.inference_mode():
        for start in steps(range(0, len(questions), at_once)):
            ids, answers = to_ids(questions[start : start + at_once], tokenizer)
            odds = transformer(ids).logits[:, -1].gather(1, answers)  # (B, 2)
            found.append(odds.softmax(dim=-1)[:, 0])
    return torch.cat(found)


def accuracy(transformer: Transformer, tokenizer: Tokenizer, length: int, n: int, seed: int) -> float | None:
    """Share of `n` questions of this length answered rightly; None where a learned position table has ended."""
    rng = Random(1000 * seed + length)
    try:
        right = chances(transformer, tokenizer, [ask(length, rng) for _ in range(n)])
    except ValueError:
        return None
    return (right > 0.5).float().mean().item()


def learn(transformer: Transformer, tokenizer: Tokenizer, recipe: OrderRecipe, seed: int) -> Iterator[float]:
    """Train in place, one step for each loss that is taken. Every batch holds fresh questions of one length."""
    rng = Random(1000 * seed + TRAINING)
    optimizer = optimizer_for(transformer, recipe.lr)
    transformer.train()
    for step in range(recipe.steps):
        length = rng.randint(recipe.shortest, recipe.longest)
        ids, answers = to_ids([ask(length, rng) for _ in range(recipe.batch)], tokenizer)
        loss = F.cross_entropy(transformer(ids).logits[:, -1], answers[:, 0])
        rate = recipe.lr * rise_and_fall(step, recipe.steps, recipe.warmup)
        yield descend(transformer, optimizer, loss, rate, recipe.clip)


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
    for step, loss in enumerate(learn(transformer, tokenizer, recipe, seed), start=1):
        after_step(step, loss)
    transformer.eval()
    cpu = time.process_time() - cpu
    shares = {n: accuracy(transformer, tokenizer, n, recipe.examined, CHOOSING) for n in recipe.lengths}
    return OrderRun(seed, transformer, shares, cpu)


def ship(name: str, recipe: OrderRecipe, runs: Sequence[OrderRun], command: str, folder: Path) -> dict[str, Any]:
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
            length: rounded(accuracy(best.transformer, tokenizer, length, recipe.examined, REPORTING))
            for length in recipe.lengths
        },
        "seeds": [
            {"seed": run.seed, "accuracy": {length: rounded(share) for length, share in run.accuracy.items()}}
            for run in runs
        ],
    }
    checkpoint.save(name, best.transformer, tokenizer, card, folder)
    return card


def rounded(share: float | None) -> float | None:
    """A share as it is written on a card."""
    return None if share is None else round(share, 4)
