"""Train a model and ship it: `python -m model.train grammar`, `order-encoder-rope`, `translate`, `stories --text FILE`.

Tries several seeds, measures every head against the gold relations of held-out sentences, keeps the seed that comes
nearest to the goals of its recipe, and writes the weights, the model card and the snapshots of the training.
"""

import argparse
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from model import checkpoint
from model.training import coreference, first_digit, seq2seq, stories
from model.training.progress_bar import Bar
from model.training.recipes import RECIPES
from model.training.seeds import train_language

RESOLVER = "resolver"


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m model.train", description="Train a model and ship the best seed.")
    known = [*sorted(RECIPES), *first_digit.ORDER_RECIPES, *seq2seq.PAIR_RECIPES, RESOLVER, stories.NAME]
    parser.add_argument("recipe", choices=known)
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds to try, from 0 on (default 3)")
    parser.add_argument("--steps", type=int, help="another number of steps than the recipe's")
    parser.add_argument("--folder", type=Path, default=checkpoint.TRAINED, help="where to write")
    parser.add_argument("--text", type=Path, help="the books that stories learns from, plain text or .xz")
    parser.add_argument("--seed", type=int, default=0, help="stories: the one seed to train (default 0)")
    parser.add_argument("--beside", type=Path, nargs="+", help="stories: cards of other seeds, for the shipped card")
    parser.add_argument("--resume", action="store_true", help="stories: go on where a stopped training was")
    args = parser.parse_args(arguments)
    torch.set_num_threads(1)
    typed = shlex.join(["python", "-m", "model.train", *(sys.argv[1:] if arguments is None else arguments)])
    if args.recipe == stories.NAME and args.beside:
        card = stories.add_seeds(args.beside, args.folder)
    elif args.recipe == stories.NAME:
        if args.text is None:
            parser.error("stories needs books to learn from: --text FILE")
        card = train_stories(args.text, args.seed, args.steps, args.folder, args.resume)
    elif args.recipe in first_digit.ORDER_RECIPES:
        card = train_order(args.recipe, args.seeds, args.steps, typed, args.folder)
    elif args.recipe in seq2seq.PAIR_RECIPES:
        card = train_pair(args.recipe, args.seeds, args.steps, typed, args.folder)
    elif args.recipe == RESOLVER:
        card = train_resolver(args.seeds, args.steps, typed, args.folder)
    else:
        card = train_language(args.recipe, args.seeds, args.steps, typed, args.folder)
    print(f"shipped seed {card['seed']} to {args.folder}")


def train_order(name: str, seeds: int, steps: int | None, command: str, folder: Path) -> dict[str, Any]:
    """Every seed of a model that is asked which digit came first, and the best of them shipped: see order.py."""
    recipe = first_digit.ORDER_RECIPES[name]
    recipe = replace(recipe, steps=steps or recipe.steps)
    runs = [first_digit.train(recipe, seed, Bar(f"{name}, seed {seed}", recipe.steps).show) for seed in range(seeds)]
    return first_digit.save_best(name, recipe, runs, command, folder)


def train_pair(name: str, seeds: int, steps: int | None, command: str, folder: Path) -> dict[str, Any]:
    """Every seed of a model that reads one sentence and writes another, and the best of them shipped."""
    recipe = seq2seq.PAIR_RECIPES[name]
    recipe = replace(recipe, steps=steps or recipe.steps)
    runs = []
    for seed in range(seeds):
        runs.append(seq2seq.train(recipe, seed, Bar(f"{name}, seed {seed}", recipe.steps).show))
        print(f"seed {seed}: {runs[-1].exact:.3f} exact")
    return seq2seq.save_best(name, recipe, runs, command, folder)


def train_resolver(seeds: int, steps: int | None, command: str, folder: Path) -> dict[str, Any]:
    """Every seed of the model that says what "it" means, and the plainest of them shipped: see resolve.py."""
    recipe = coreference.ResolverRecipe()
    recipe = replace(recipe, steps=steps or recipe.steps)
    runs = [
        coreference.train(recipe, seed, Bar(f"{RESOLVER}, seed {seed}", recipe.steps).show) for seed in range(seeds)
    ]
    return coreference.save_best(RESOLVER, recipe, runs, command, folder)


def train_stories(text: Path, seed: int, steps: int | None, folder: Path, resume: bool) -> dict[str, Any]:
    """One seed of the model of English prose: see stories.py."""
    recipe = stories.StoriesRecipe()
    command = f"python -m model.train {stories.NAME} --text FILE"  # where the books lie is nobody else's business
    command += f" --seed {seed}" if seed else ""
    command += f" --steps {steps}" if steps and steps != recipe.steps else ""
    recipe = replace(recipe, steps=steps or recipe.steps)
    bar = Bar(f"{stories.NAME}, seed {seed}", recipe.steps)
    return stories.train_stories(text, recipe, seed, command, folder, resume, bar.show)


if __name__ == "__main__":
    main()
