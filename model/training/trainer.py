"""The training that all models of the lab share: several seeds, the best of them saved, and its model card.

What differs between the kinds of model stands in a subclass of `Training`: its network, batches, loss, evaluation and
card. A recipe is the record of the numbers that decide a training, and knows its `Training`.
"""

import copy
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import torch
from torch import Tensor

from model import checkpoint
from model.model_card import AnyNetwork, JsonObject
from model.tokenizer import Tokenizer
from model.training.optimizer import Schedule, optimizer_for, train_step
from model.training.progress_bar import Bar

# Seeds of the examples: to learn from, to choose a run by, to report on.
TRAINING, CHOOSING, REPORTING = 1, 2, 3

OnStep = Callable[[int, float], None]  # is given the number, from 1, and the loss of every step


@dataclass(frozen=True)
class Options:
    """What the command line says beside the recipe."""

    command: str = ""  # the line that was typed, for the card
    folder: Path = checkpoint.TRAINED  # where to write
    seeds: int = 3  # how many seeds to try, from 0 on
    seed: int = 0  # stories: the one seed to train
    text: Path | None = None  # stories: the books to learn from
    resume: bool = False  # stories: go on where a stopped training was


class Recipe(Protocol):
    """The numbers that decide a training. Every recipe is a frozen dataclass with these fields, and more."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def steps(self) -> int: ...

    @property
    def clip(self) -> float: ...

    @property
    def schedule(self) -> Schedule:
        """The learning rate of every step."""

    def with_steps(self, steps: int) -> "Recipe":
        """The same recipe with another number of steps."""

    def train(self, name: str, options: Options) -> JsonObject:
        """Train, save the best weights under this name, and return their card."""


N = TypeVar("N", bound=AnyNetwork)
B = TypeVar("B")  # a batch
S = TypeVar("S")  # what an evaluation gives


@dataclass(frozen=True)
class Run(Generic[N, S]):
    """One seed, trained, and how it does on the examples that a seed is chosen by."""

    seed: int
    network: N
    scores: S
    losses: dict[int, float]  # mean loss in training up to that step, since the one before: ten of them
    cpu_seconds: float
    wall_seconds: float
    snapshots: dict[int, N] = field(default_factory=dict)  # step → the network as it was then
    curve: tuple[JsonObject, ...] = ()  # what was measured of the snapshots


def recipe_settings(recipe: Recipe) -> JsonObject:
    """The numbers of a recipe as a card writes them. The config has an entry of its own."""
    return {f.name: getattr(recipe, f.name) for f in fields(recipe) if f.name != "config"}


class TrainingLoop(ABC, Generic[N, B]):
    """A network, the batches that it learns from, its loss, and the loop over them."""

    def __init__(self, name: str, recipe: Recipe) -> None:
        self.name, self.recipe = name, recipe

    @abstractmethod
    def make_network(self) -> N:
        """An untrained network; `build` seeds the random numbers."""

    @abstractmethod
    def loss(self, network: N, batch: B) -> Tensor:
        """The loss of the network on a batch."""

    def build(self, seed: int) -> N:
        """An untrained network, the same for the same seed. The random numbers of the caller stay as they are."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return self.make_network()

    def train_steps(
        self,
        network: N,
        batches: Iterable[B],
        optimizer: torch.optim.Optimizer | None = None,
        start: int = 0,
    ) -> Iterator[float]:
        """Train in place, one step for each loss that is taken. The training stops when no more losses are taken.

        start: how many steps the network was trained before.
        """
        optimizer = optimizer or optimizer_for(network, self.recipe.schedule.lr)
        network.train()
        for step, batch in zip(range(start, self.recipe.steps), batches, strict=False):
            loss, rate = self.loss(network, batch), self.recipe.schedule.rate(step)
            yield train_step(network, optimizer, loss, rate, self.recipe.clip)


class Training(TrainingLoop[N, B], Generic[N, B, S]):
    """A kind of training of which several seeds are tried: how a seed is measured, chosen and described."""

    half = True  # whether the weights are stored in half precision
    chosen: str  # for the card: how the seed was chosen
    notes: tuple[str, ...]  # for the card: what its numbers mean
    snapshot_steps: tuple[int, ...] = ()  # the steps at which the network is kept and measured

    def __init__(self, name: str, task: str, recipe: Recipe) -> None:
        super().__init__(name, recipe)
        self.task = task

    @property
    @abstractmethod
    def tokenizer(self) -> Tokenizer:
        """The tokenizer of the model, the same for every seed."""

    @abstractmethod
    def batches(self, seed: int) -> Iterator[B]:
        """Batches to learn from, without end."""

    @abstractmethod
    def evaluate(self, network: N, examples: int) -> S:
        """How the network does on examples of this seed: CHOOSING or REPORTING."""

    @abstractmethod
    def rank(self, run: Run[N, S]) -> tuple[float, ...]:
        """The run with the smallest rank is saved."""

    @abstractmethod
    def measured(self, best: Run[N, S], report: S, runs: Sequence[Run[N, S]]) -> JsonObject:
        """The entries of the card that are measured. report: the evaluation of the saved weights on new examples."""

    def settings(self) -> JsonObject:
        """The recipe as the card writes it."""
        return recipe_settings(self.recipe)

    def look(self, network: N) -> JsonObject:
        """What is measured of a snapshot."""
        return {}

    def summary(self, run: Run[N, S]) -> str:
        """A line to print after a seed; "" prints nothing."""
        return ""

    def run_seed(self, seed: int, on_step: OnStep) -> Run[N, S]:
        """One seed from nothing."""
        wall, cpu = time.monotonic(), time.process_time()
        network = self.build(seed)
        snapshots: dict[int, N] = {}
        curve: list[JsonObject] = []
        losses: dict[int, float] = {}
        lately: list[float] = []

        def take_snapshot(step: int) -> None:
            if step in self.snapshot_steps:
                snapshots[step] = copy.deepcopy(network)
                snapshots[step].eval()
                curve.append({"step": step, **self.look(snapshots[step])})

        take_snapshot(0)
        every = max(1, self.recipe.steps // 10)
        for step, loss in enumerate(self.train_steps(network, self.batches(seed)), start=1):
            on_step(step, loss)
            lately.append(loss)
            if step % every == 0:
                losses[step] = round(sum(lately) / len(lately), 4)
                lately = []
            take_snapshot(step)
        network.eval()
        spent = time.process_time() - cpu, time.monotonic() - wall
        return Run(seed, network, self.evaluate(network, CHOOSING), losses, *spent, snapshots, tuple(curve))

    def save_best(self, runs: Sequence[Run[N, S]], options: Options) -> JsonObject:
        """Write the best run and its card; return the card."""
        best = min(runs, key=self.rank)
        if self.half:
            best.network.half().float()  # the numbers on the card are measured with the weights that are saved
        report = self.evaluate(best.network, REPORTING)
        card = {
            "task": self.task,
            "command": options.command,
            "seed": best.seed,
            "recipe": self.settings(),
            "chosen": self.chosen,
            "notes": list(self.notes),
            "cpu_seconds": round(best.cpu_seconds, 1),
            **self.measured(best, report, runs),
        }
        checkpoint.save(self.name, best.network, self.tokenizer, card, options.folder, half=self.half)
        return card

    def train_seeds(self, options: Options) -> JsonObject:
        """Train every seed, and save the best."""
        runs = []
        for seed in range(options.seeds):
            runs.append(self.run_seed(seed, Bar(f"{self.name}, seed {seed}", self.recipe.steps).show))
            if line := self.summary(runs[-1]):
                print(line)
        return self.save_best(runs, options)
