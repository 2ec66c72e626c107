"""Many recipes and seeds, trained at a place. Each seed is kept when it is done, so an interrupted call can go on.

When all seeds of a recipe are there, the best is saved as `model.train` saves it, and what was kept is removed.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from model.cluster.packing import unpack
from model.cluster.place import Place, Seed
from model.cluster.progress_view import ProgressView
from model.cluster.workers import pack_run, unpack_run
from model.model_card import JsonObject
from model.training.trainer import Options


def train_all(place: Place, recipes: Sequence[str], options: Options, steps: int | None = None) -> list[JsonObject]:
    """Train `options.seeds` seeds of every recipe, and save the best of each. Returns the cards.

    options.resume: use the seeds that an interrupted call has kept in `options.folder`.

    Raises:
        ArithmeticError, TrainingFailed, ClusterUnavailable: as `Place.train`. The seeds that are done are kept.
    """
    options.folder.mkdir(parents=True, exist_ok=True)
    every = [Seed(recipe, seed, steps) for recipe in recipes for seed in range(options.seeds)]
    missing = [seed for seed in every if not (options.resume and _is_kept(options.folder, seed))]
    view = ProgressView(len(every), kept=len(every) - len(missing))
    cards = [_save(recipe, every, options) for recipe in recipes if _complete(recipe, every, missing)]
    for seed, run in place.train(tuple(missing), view.show):
        _keep(_kept(options.folder, seed), pack_run(run).tobytes())
        view.done(seed)
        missing.remove(seed)
        if _complete(seed.recipe, every, missing):
            cards.append(_save(seed.recipe, every, options))
    return cards


def _complete(recipe: str, every: Sequence[Seed], missing: Sequence[Seed]) -> bool:
    return any(seed.recipe == recipe for seed in every) and all(seed.recipe != recipe for seed in missing)


def _save(recipe: str, every: Sequence[Seed], options: Options) -> JsonObject:
    mine = [seed for seed in every if seed.recipe == recipe]
    training = mine[0].training()
    paths = [_kept(options.folder, seed) for seed in mine]
    runs = [unpack_run(training, path.read_bytes()) for path in paths]
    card = training.save_best(runs, options)
    for path in paths:
        path.unlink()
    return card


def _kept(folder: Path, seed: Seed) -> Path:
    steps = f".steps-{seed.steps}" if seed.steps else ""
    return folder / f"{seed.recipe}.seed-{seed.seed}{steps}.part"


def _is_kept(folder: Path, seed: Seed) -> bool:
    try:
        unpack(_kept(folder, seed).read_bytes())
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return True


def _keep(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: the call can be interrupted at any moment."""
    part = path.with_suffix(".part.new")
    part.write_bytes(content)
    os.replace(part, path)
