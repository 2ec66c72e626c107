"""Train a model and ship it: `python -m model.train grammar`.

Tries several seeds, holds every head against the gold relations of sentences it has not seen, keeps the seed that comes
nearest to the recipe's goals, and writes weights, card and the snapshots taken along the way.
"""

import argparse
import copy
import math
import shlex
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import torch

from model import checkpoint
from model.config import ModelConfig
from model.exam import Exam, examine, to_batch, word_losses
from model.tasks import TASKS, Sentence
from model.tokenizer import WordTokenizer
from model.transformer import Transformer

TRAINING, CHOOSING, REPORTING = 1, 2, 3  # seeds of the sentences to learn from, to choose a run by, to report on


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run but its seed."""

    task: str
    config: ModelConfig  # its vocab_size is the task's to fill in
    probe_goals: Mapping[str, float]  # probe → the accuracy wished for
    head_goals: Mapping[str, float]  # relation → the weight wished for on its gold keys, in the best head
    steps: int
    batch: int = 32
    lr: float = 3e-3
    warmup: int = 100
    clip: float = 1.0
    foreseeable_weight: float = 4.0  # in the loss, of a word that can be foretold; every other word counts 1
    sentences: int = 60_000  # to learn from
    examined: int = 3_000  # held out: as many to choose a seed by, and as many others to report on
    snapshots: tuple[int, ...] = ()


def draw_sentences(recipe: Recipe, count: int, seed: int, apart_from: frozenset[str] = frozenset()) -> list[Sentence]:
    """`count` sentences of the recipe's task; none of them, word for word, in `apart_from`."""
    rng, draw = Random(seed), TASKS[recipe.task].draw
    drawn: list[Sentence] = []
    while len(drawn) < count:
        sentence = draw(None, rng)
        if sentence.text not in apart_from:
            drawn.append(sentence)
    return drawn


def learning_rate(recipe: Recipe, step: int) -> float:
    """Rises in a straight line for `warmup` steps, then falls to zero along half a cosine."""
    if step < recipe.warmup:
        return recipe.lr * (step + 1) / recipe.warmup
    done = (step - recipe.warmup) / max(1, recipe.steps - recipe.warmup)
    return recipe.lr * 0.5 * (1 + math.cos(math.pi * done))


def make(recipe: Recipe, seed: int) -> tuple[Transformer, WordTokenizer]:
    """An untrained model for the recipe's task, the same for the same seed."""
    tokenizer = WordTokenizer(TASKS[recipe.task].vocabulary)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Transformer(replace(recipe.config, vocab_size=len(tokenizer.vocabulary))), tokenizer


def learn(
    transformer: Transformer, tokenizer: WordTokenizer, sentences: Sequence[Sentence], recipe: Recipe, seed: int
) -> Iterator[float]:
    """Train in place, one step for each loss that is taken; whoever stops taking them stops the training."""
    rng = Random(seed)
    optimizer = torch.optim.AdamW(transformer.parameters(), lr=recipe.lr, betas=(0.9, 0.98), weight_decay=0.01)
    transformer.train()
    for step in range(recipe.steps):
        batch = to_batch(rng.sample(sentences, recipe.batch), tokenizer)
        losses = word_losses(transformer(batch.ids, batch.real).logits, batch.ids)  # (B, T − 1)
        counts = batch.real[:, 1:] * (1 + (recipe.foreseeable_weight - 1) * batch.foreseeable[:, 1:])
        loss = (losses * counts).sum() / counts.sum()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(transformer.parameters(), recipe.clip)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(recipe, step)
        optimizer.step()
        yield loss.item()


def shortfall(exam: Exam, recipe: Recipe) -> float:
    """How far a model is from the recipe's goals: missing accuracy and missing weight of the best head, summed."""
    missing = [goal - exam.probes[name].share for name, goal in recipe.probe_goals.items()]
    missing += [goal - exam.relations[name].mass.max() for name, goal in recipe.head_goals.items()]
    return float(sum(max(0.0, gap) for gap in missing))


@dataclass(frozen=True)
class Run:
    """One seed, trained: the model, how it got there, and what it can do."""

    seed: int
    transformer: Transformer
    snapshots: Mapping[int, Transformer]
    curve: tuple[dict[str, Any], ...]  # step, loss and probe accuracies on held-out sentences, at every snapshot
    exam: Exam
    wall_seconds: float
    cpu_seconds: float


def run_seed(
    recipe: Recipe, seed: int, sentences: Sequence[Sentence], held_out: Sequence[Sentence], bar: "Bar | None" = None
) -> Run:
    """Train one seed from nothing, looking in on it at every step of `recipe.snapshots`."""
    wall, cpu = time.monotonic(), time.process_time()
    transformer, tokenizer = make(recipe, seed)
    snapshots: dict[int, Transformer] = {}
    curve: list[dict[str, Any]] = []

    def look_in(step: int) -> None:
        snapshots[step] = copy.deepcopy(transformer).eval()
        exam = examine(snapshots[step], tokenizer, held_out[:CURVE_SENTENCES])
        accuracies = {name: round(probe.share, 4) for name, probe in exam.probes.items()}
        curve.append({"step": step, "loss": round(exam.loss, 4), "accuracy": accuracies})

    if 0 in recipe.snapshots:
        look_in(0)
    for step, loss in enumerate(learn(transformer, tokenizer, sentences, recipe, seed), start=1):
        if bar is not None:
            bar.show(step, loss)
        if step in recipe.snapshots:
            look_in(step)
    exam = examine(transformer.eval(), tokenizer, held_out)
    spent = time.monotonic() - wall, time.process_time() - cpu
    return Run(seed, transformer, snapshots, tuple(curve), exam, *spent)


def exam_card(exam: Exam) -> dict[str, Any]:
    """An exam as it is written on a card: JSON, with the number of cases beside every figure."""
    return {
        "sentences": exam.sentences,
        "loss": round(exam.loss, 4),
        "accuracy": {name: {"n": probe.n, "share": round(probe.share, 4)} for name, probe in exam.probes.items()},
        "relations": {
            name: {"n": score.n, "mass": score.mass.round(4).tolist(), "top1": score.top1.round(4).tolist()}
            for name, score in exam.relations.items()
        },
    }


def summary(run: Run, recipe: Recipe) -> dict[str, Any]:
    """One seed in a few lines, so that the spread between seeds can be seen."""
    return {
        "seed": run.seed,
        "shortfall": round(shortfall(run.exam, recipe), 4),
        "loss": round(run.exam.loss, 4),
        "accuracy": {name: round(probe.share, 4) for name, probe in run.exam.probes.items()},
        "best_head": {name: round(float(score.mass.max()), 4) for name, score in run.exam.relations.items()},
        "wall_seconds": round(run.wall_seconds, 1),
        "cpu_seconds": round(run.cpu_seconds, 1),
    }


def ship(recipe_name: str, recipe: Recipe, runs: Sequence[Run], command: str, folder: Path) -> dict[str, Any]:
    """Write the run that comes nearest to the goals, its snapshots and its card; return the card."""
    best = min(runs, key=lambda run: (shortfall(run.exam, recipe), run.exam.loss))
    learnt = frozenset(sentence.text for sentence in draw_sentences(recipe, recipe.sentences, TRAINING))
    _, tokenizer = make(recipe, best.seed)
    report = examine(best.transformer, tokenizer, draw_sentences(recipe, recipe.examined, REPORTING, learnt))
    settings = asdict(recipe)
    del settings["config"]  # the checkpoint writes it
    card = {
        "task": recipe.task,
        "command": command,
        "seed": best.seed,
        "recipe": settings,
        "chosen": "of the seeds tried, the one with the least shortfall: missing accuracy and missing weight of the "
        "best head, summed over the goals, on sentences used for nothing else",
        "notes": [
            f"In the loss a word that can be foretold counts {recipe.foreseeable_weight:g} times, any other word once.",
            "Figures under 'exam' are from fresh sentences: not learnt from, and not those the seed was chosen by.",
        ],
        "wall_seconds": round(best.wall_seconds, 1),
        "cpu_seconds": round(best.cpu_seconds, 1),
        "exam": exam_card(report),
        "curve": best.curve,
        "seeds": [summary(run, recipe) for run in runs],
    }
    checkpoint.save(recipe_name, best.transformer, tokenizer, card, folder)
    for step, transformer in best.snapshots.items():
        checkpoint.save_step(recipe_name, transformer, step, folder)
    return card


CURVE_SENTENCES = 400  # held-out sentences that every snapshot is examined on

RECIPES: dict[str, Recipe] = {
    "grammar": Recipe(
        task="grammar",
        config=ModelConfig(vocab_size=1, n_layers=3, n_heads=4, d_model=64, d_ff=256, context=48),
        steps=2400,
        snapshots=(0, 50, 100, 200, 300, 400, 500, 600, 800, 1000, 1300, 1800, 2400),
        probe_goals={"verb in the relative clause": 0.98, "induction": 0.95},
        head_goals={
            "verb → subject, 8+ words away": 0.95,
            "induction": 0.9,
            "previous token": 0.7,
            "possessive → referent": 0.7,
            "word before the closer → opener": 0.65,
        },
    ),
}


class Bar:
    """One line on stderr that fills up."""

    WIDTH = 30

    def __init__(self, title: str, steps: int) -> None:
        self.title, self.steps, self.begun = title, steps, time.monotonic()

    def show(self, step: int, loss: float) -> None:
        done = round(self.WIDTH * step / self.steps)
        left = (time.monotonic() - self.begun) / step * (self.steps - step)
        line = f"\r{self.title} [{'█' * done}{'·' * (self.WIDTH - done)}] {step}/{self.steps}"
        end = "\n" if step == self.steps else ""
        print(f"{line}  loss {loss:.3f}  {left:4.0f} s left", end=end, file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m model.train", description="Train a model and ship the best seed.")
    parser.add_argument("recipe", choices=sorted(RECIPES))
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds to try, from 0 on (default 3)")
    parser.add_argument("--steps", type=int, help="another number of steps than the recipe's")
    parser.add_argument("--folder", type=Path, default=checkpoint.TRAINED, help="where to write")
    asked = parser.parse_args(arguments)
    torch.set_num_threads(1)

    recipe = RECIPES[asked.recipe]
    if asked.steps:
        recipe = replace(recipe, steps=asked.steps, snapshots=tuple(s for s in recipe.snapshots if s <= asked.steps))
    sentences = draw_sentences(recipe, recipe.sentences, TRAINING)
    learnt = frozenset(sentence.text for sentence in sentences)
    held_out = draw_sentences(recipe, recipe.examined, CHOOSING, learnt)

    runs = []
    for seed in range(asked.seeds):
        runs.append(run_seed(recipe, seed, sentences, held_out, Bar(f"{asked.recipe}, seed {seed}", recipe.steps)))
        print(summary(runs[-1], recipe))
    typed = sys.argv[1:] if arguments is None else list(arguments)
    card = ship(asked.recipe, recipe, runs, shlex.join(["python", "-m", "model.train", *typed]), asked.folder)
    print(f"shipped seed {card['seed']} to {asked.folder}")


if __name__ == "__main__":
    main()
