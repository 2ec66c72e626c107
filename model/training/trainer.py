"""The training that all models of the lab share: several seeds, the best of them saved, and its model card.

Each kind of model has a subclass of `Training`, with its network, batches, loss, evaluation and card. A recipe contains
the numbers that determine a training, and creates its `Training`.
"""

import copy
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import Field, dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import torch
from torch import Tensor

from model import checkpoint
from model.model_card import AnyNetwork, JsonObject
from model.tokenizer import Tokenizer
from model.training.optimizer import Divergence, GradientHooks, RateSchedule, Step, optimizer_for, train_step
from model.training.progress_bar import Bar

# Seeds of the examples for training, for the choice of a run, and for the report.
TRAINING, CHOOSING, REPORTING = 1, 2, 3


OnStep = Callable[[Step], None]


@dataclass(frozen=True)
class Options:
    """The options of the command line, other than the recipe."""

    command: str = ""  # the command line, for the card
    folder: Path = checkpoint.TRAINED  # the folder to write to
    seeds: int = 3  # how many seeds to try, from 0 on
    seed: int = 0  # stories: the one seed to train
    text: Path | None = None  # stories: the books to train on
    resume: bool = False  # stories: whether to continue an interrupted training


class LoopSettings(Protocol):
    """The numbers that the training loop needs."""

    @property
    def steps(self) -> int: ...

    @property
    def clip(self) -> float | None: ...

    @property
    def schedule(self) -> RateSchedule:
        """The learning rate of every step."""


class Recipe(LoopSettings, Protocol):
    """The numbers that determine a training. Every recipe is a frozen dataclass with these fields, and more."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def with_steps(self, steps: int) -> "Recipe":
        """The same recipe with another number of steps."""

    def train(self, name: str, options: Options) -> JsonObject:
        """Train, save the best weights under this name, and return their card."""


N = TypeVar("N", bound=AnyNetwork)
B = TypeVar("B")  # a batch
S = TypeVar("S")  # the result of an evaluation


@dataclass(frozen=True)
class Run(Generic[N, S]):
    """One trained seed, and its results on the examples that a seed is chosen by."""

    seed: int
    network: N
    scores: S
    losses: dict[int, float]  # step → mean training loss since the entry before; ten entries
    cpu_seconds: float
    wall_seconds: float
    snapshots: dict[int, N] = field(default_factory=dict)  # step → the network at that step
    curve: tuple[JsonObject, ...] = ()  # the evaluations of the snapshots


def recipe_settings(recipe: Recipe) -> JsonObject:
    """The numbers of a recipe as a card contains them, without the config, which has its own entry."""
    return {f.name: getattr(recipe, f.name) for f in fields(recipe) if f.name != "config"}


class SeededRecipe(Recipe, Protocol):
    """A recipe of which several seeds are trained. Each can be trained alone."""

    def with_steps(self, steps: int) -> "SeededRecipe":
        """The same recipe with another number of steps."""

    def training(self, name: str) -> "Training[Any, Any, Any]":
        """The training of this recipe, under the name of its weights."""


class TrainingLoop(ABC, Generic[N, B]):
    """A network, its loss, and the training loop over batches."""

    def __init__(self, name: str, recipe: LoopSettings) -> None:
        self.name, self.recipe = name, recipe

    @abstractmethod
    def make_network(self) -> N:
        """An untrained network; `build` seeds the random numbers."""

    @abstractmethod
    def loss(self, network: N, batch: B) -> Tensor:
        """The loss of the network on a batch."""

    def build(self, seed: int) -> N:
        """An untrained network, the same for the same seed. The caller's random state does not change."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return self.make_network()

    def rate(self, step: int) -> float:
        """The learning rate at a step, counted from 0."""
        return self.recipe.schedule.rate(step)

    def on_gradient(self, network: N) -> None:
        """Called in every step when the gradient is known, before it is clipped."""

    def first_not_finite(self, network: N, batch: B) -> str:
        """Where a value that is not finite arises first, as a clause. Called when the loss of the batch is not."""
        return "a weight or an activation before it is not finite either"

    def first_gradient_not_finite(self, network: N) -> str:
        """The same for the gradient. Called when the loss is finite and its gradient is not."""
        return "its gradient is the first that is not finite"

    def train_steps(
        self,
        network: N,
        batches: Iterable[B],
        optimizer: torch.optim.Optimizer | None = None,
        start: int = 0,
    ) -> Iterator[Step]:
        """Train in place, and yield every step. The training stops if the caller stops iterating.

        start: the number of steps of earlier training.

        Raises:
            Divergence: the loss of a batch or its gradient is not finite. The weights are those before that step.
        """
        optimizer = optimizer or optimizer_for(network, self.rate(start))
        network.train()
        for step, batch in zip(range(start, self.recipe.steps), batches, strict=False):
            loss, rate = self.loss(network, batch), self.rate(step)
            if not loss.isfinite():
                raise Divergence(self.first_not_finite(network, batch))
            hooks = GradientHooks(partial(self.on_gradient, network), partial(self.first_gradient_not_finite, network))
            yield Step(step + 1, train_step(network, optimizer, loss, rate, self.recipe.clip, hooks), rate)


class Training(TrainingLoop[N, B], Generic[N, B, S]):
    """A training with several seeds: how each seed is evaluated, chosen and described."""

    half = True  # whether the weights are stored in half precision
    chosen: str  # for the card: how the seed was chosen
    notes: tuple[str, ...]  # for the card: the meaning of its numbers
    snapshot_steps: tuple[int, ...] = ()  # the steps at which the network is kept and evaluated

    def __init__(self, name: str, task: str, recipe: Recipe) -> None:
        super().__init__(name, recipe)
        self.recipe: Recipe = recipe
        self.task = task

    @property
    @abstractmethod
    def tokenizer(self) -> Tokenizer:
        """The tokenizer of the model, the same for every seed."""

    @abstractmethod
    def batches(self, seed: int) -> Iterator[B]:
        """Training batches, without end."""

    @abstractmethod
    def evaluate(self, network: N, examples: int) -> S:
        """The results of the network on examples that are drawn with this seed, CHOOSING or REPORTING."""

    @abstractmethod
    def rank(self, run: Run[N, S]) -> tuple[float, ...]:
        """The run with the smallest rank is saved."""

    @abstractmethod
    def measured(self, best: Run[N, S], report: S, runs: Sequence[Run[N, S]]) -> JsonObject:
        """The measured entries of the card. report: the evaluation of the saved weights on new examples."""

    def settings(self) -> JsonObject:
        """The recipe as the card contains it."""
        return recipe_settings(self.recipe)

    def look(self, network: N) -> JsonObject:
        """The evaluation of a snapshot."""
        return {}

    def summary(self, run: Run[N, S]) -> str:
        """A line to print after a seed; "" prints nothing."""
        return ""

    def run_seed(self, seed: int, on_step: OnStep) -> Run[N, S]:
        """Train one seed from an untrained network."""
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
        for step in self.train_steps(network, self.batches(seed)):
            on_step(step)
            lately.append(step.loss)
            if step.number % every == 0:
                losses[step.number] = round(sum(lately) / len(lately), 4)
                lately = []
            take_snapshot(step.number)
        network.eval()
        spent = time.process_time() - cpu, time.monotonic() - wall
        return Run(seed, network, self.evaluate(network, CHOOSING), losses, *spent, snapshots, tuple(curve))

    def save_best(self, runs: Sequence[Run[N, S]], options: Options) -> JsonObject:
        """Write the best run and its card; return the card."""
        best = min(runs, key=self.rank)
        if self.half:
            best.network.half().float()  # the card is measured with the weights as they are saved
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
        """Train all seeds, and save the best."""
        runs = []
        for seed in range(options.seeds):
            runs.append(self.run_seed(seed, Bar(f"{self.name}, seed {seed}", self.recipe.steps).show))
            if line := self.summary(runs[-1]):
                print(line)
        return self.save_best(runs, options)
