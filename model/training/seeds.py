"""Train several seeds of a recipe, keep the best of them, and write its model card."""

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from model import checkpoint
from model.evaluation.language_model import Evaluation, evaluate
from model.tasks import Sentence
from model.training.language_model import build_model, train_steps
from model.training.progress_bar import Bar
from model.training.recipes import CHOOSING, CURVE_SENTENCES, RECIPES, REPORTING, TRAINING, Recipe, draw_sentences
from model.transformer import Transformer


def goal_gap(exam: Evaluation, recipe: Recipe) -> float:
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
    exam: Evaluation
    wall_seconds: float
    cpu_seconds: float


def run_seed(
    recipe: Recipe,
    seed: int,
    sentences: Sequence[Sentence],
    held_out: Sequence[Sentence],
    after_step: Callable[[int, float], None],
) -> Run:
    """Train one seed from nothing, looking in on it at every step of `recipe.snapshots`.

    `after_step` is told the number and the loss of every step.
    """
    wall, cpu = time.monotonic(), time.process_time()
    transformer, tokenizer = build_model(recipe, seed)
    snapshots: dict[int, Transformer] = {}
    curve: list[dict[str, Any]] = []

    def look_in(step: int) -> None:
        snapshots[step] = copy.deepcopy(transformer).eval()
        exam = evaluate(snapshots[step], tokenizer, held_out[:CURVE_SENTENCES])
        accuracies = {name: round(probe.share, 4) for name, probe in exam.probes.items()}
        curve.append({"step": step, "loss": round(exam.loss, 4), "accuracy": accuracies})

    if 0 in recipe.snapshots:
        look_in(0)
    for step, loss in enumerate(train_steps(transformer, tokenizer, sentences, recipe, seed), start=1):
        after_step(step, loss)
        if step in recipe.snapshots:
            look_in(step)
    exam = evaluate(transformer.eval(), tokenizer, held_out)
    spent = time.monotonic() - wall, time.process_time() - cpu
    return Run(seed, transformer, snapshots, tuple(curve), exam, *spent)


def evaluation_card(exam: Evaluation) -> dict[str, Any]:
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


def seed_summary(run: Run, recipe: Recipe) -> dict[str, Any]:
    """One seed in a few lines, so that the spread between seeds can be seen."""
    return {
        "seed": run.seed,
        "shortfall": round(goal_gap(run.exam, recipe), 4),
        "loss": round(run.exam.loss, 4),
        "accuracy": {name: round(probe.share, 4) for name, probe in run.exam.probes.items()},
        "best_head": {name: round(float(score.mass.max()), 4) for name, score in run.exam.relations.items()},
        "curve": run.curve,
        "wall_seconds": round(run.wall_seconds, 1),
        "cpu_seconds": round(run.cpu_seconds, 1),
    }


def goals(exam: Evaluation, recipe: Recipe) -> dict[str, dict[str, Any]]:
    """What was wished for beside what was reached, whether it is enough or not."""
    accuracy = {name: (goal, exam.probes[name].share) for name, goal in recipe.probe_goals.items()}
    best_head = {name: (goal, float(exam.relations[name].mass.max())) for name, goal in recipe.head_goals.items()}
    return {
        title: {name: {"goal": goal, "reached": round(reached, 4)} for name, (goal, reached) in pairs.items()}
        for title, pairs in (("accuracy", accuracy), ("best_head", best_head))
    }


def save_best(recipe_name: str, recipe: Recipe, runs: Sequence[Run], command: str, folder: Path) -> dict[str, Any]:
    """Write the run that comes nearest to the goals, its snapshots and its card; return the card."""
    best = min(runs, key=lambda run: (goal_gap(run.exam, recipe), run.exam.loss))
    learnt = frozenset(sentence.text for sentence in draw_sentences(recipe, recipe.sentences, TRAINING))
    _, tokenizer = build_model(recipe, best.seed)
    report = evaluate(best.transformer, tokenizer, draw_sentences(recipe, recipe.examined, REPORTING, learnt))
    settings = asdict(recipe)
    for told_elsewhere in ("config", "probe_goals", "head_goals"):
        del settings[told_elsewhere]
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
        "goals": goals(report, recipe),
        "exam": evaluation_card(report),
        "curve": best.curve,
        "seeds": [seed_summary(run, recipe) for run in runs],
    }
    checkpoint.save(recipe_name, best.transformer, tokenizer, card, folder)
    for step, transformer in best.snapshots.items() if recipe.kept else ():
        checkpoint.save_step(recipe_name, transformer, step, folder)
    return card


def train_language(name: str, seeds: int, steps: int | None, command: str, folder: Path) -> dict[str, Any]:
    """Every seed of a language model, and the best of them shipped."""
    recipe = RECIPES[name]
    if steps:
        recipe = replace(recipe, steps=steps, snapshots=tuple(s for s in recipe.snapshots if s <= steps))
    sentences = draw_sentences(recipe, recipe.sentences, TRAINING)
    learnt = frozenset(sentence.text for sentence in sentences)
    held_out = draw_sentences(recipe, recipe.examined, CHOOSING, learnt)

    runs = []
    for seed in range(seeds):
        bar = Bar(f"{name}, seed {seed}", recipe.steps)
        runs.append(run_seed(recipe, seed, sentences, held_out, bar.show))
        print({name: figure for name, figure in seed_summary(runs[-1], recipe).items() if name != "curve"})
    return save_best(name, recipe, runs, command, folder)
