"""Train a model and save it for the lab.

`python -m model.train grammar`, `order-encoder-rope`, `translate`, `stories --text FILE`, or `--all`, which is all but
stories. `--on ray` spreads recipes and seeds over a cluster, or over the cores of this machine (model/cluster/).

The command trains several seeds, measures every head against the gold relations of held-out sentences, chooses the
seed that comes closest to the goals of its recipe, and writes the weights, the model card and the snapshots.
"""

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from model import checkpoint
from model.cluster.configured import VARIABLE
from model.cluster.place import ClusterUnavailable, ThisProcess, TrainingFailed
from model.cluster.ray_place import RayPlace
from model.cluster.seeds import train_all
from model.training import stories
from model.training.language_model import LANGUAGE_RECIPES, LanguageTraining
from model.training.recipes import RECIPES, SEEDED
from model.training.trainer import Options


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m model.train", description="Train a model and ship the best seed.")
    parser.add_argument("recipe", choices=list(RECIPES), nargs="?")
    parser.add_argument("--all", action="store_true", help="every recipe except stories")
    parser.add_argument("--on", choices=("here", "ray"), help=f"where; ray: {VARIABLE}, or the cores of this machine")
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds to try, from 0 on (default 3)")
    parser.add_argument("--steps", type=int, help="another number of steps than the recipe's")
    parser.add_argument("--folder", type=Path, default=checkpoint.TRAINED, help="where to write")
    parser.add_argument("--text", type=Path, help="the books to train stories on, plain text or .xz")
    parser.add_argument("--seed", type=int, default=0, help="stories: the one seed to train (default 0)")
    parser.add_argument("--beside", type=Path, nargs="+", help="stories: cards of other seeds, for the shipped card")
    parser.add_argument(
        "--resume", action="store_true", help="continue an interrupted training of stories, with --all or --on"
    )
    parser.add_argument("--measure-steps", action="store_true", help="train nothing: measure the saved steps again")
    args = parser.parse_args(arguments)
    torch.set_num_threads(1)
    if args.all == (args.recipe is not None):
        parser.error("name one recipe, or --all")
    typed = shlex.join(["python", "-m", "model.train", *(sys.argv[1:] if arguments is None else arguments)])
    options = Options(typed, args.folder, args.seeds, args.seed, args.text, args.resume)
    if args.all or args.on:
        _train_many(parser, args, options)
        return
    if args.measure_steps:
        recipe = LANGUAGE_RECIPES.get(args.recipe)
        if recipe is None or not checkpoint.saved_steps(args.recipe, args.folder):
            parser.error(f"there are no saved steps of {args.recipe}")
        LanguageTraining(args.recipe, recipe).measure_steps(args.folder)
        return
    if args.recipe == stories.NAME and args.text is None and not args.beside:
        parser.error("stories needs books to train on: --text FILE")
    if args.recipe == stories.NAME and args.beside:
        card = stories.add_seeds(args.beside, args.folder)
    else:
        chosen = RECIPES[args.recipe]
        card = (chosen.with_steps(args.steps) if args.steps else chosen).train(args.recipe, options)
    print(f"shipped seed {card['seed']} to {args.folder}")


def _train_many(parser: argparse.ArgumentParser, args: argparse.Namespace, options: Options) -> None:
    """Train recipes at a place. An error of the cluster ends the command with a sentence; what is done is kept."""
    if args.recipe == stories.NAME:
        parser.error("stories is trained in this process only, without --on")
    place = RayPlace(os.environ.get(VARIABLE) or "local") if args.on == "ray" else ThisProcess()
    recipes = list(SEEDED) if args.all else [args.recipe]
    try:
        for card in train_all(place, recipes, options, args.steps):
            print(f"shipped seed {card['seed']} of {card['task']} to {args.folder}")
    except (ClusterUnavailable, TrainingFailed, ArithmeticError) as error:
        parser.exit(1, f"{error} The seeds that are done are kept: add --resume to go on.\n")
    finally:
        place.close()


if __name__ == "__main__":
    main()
