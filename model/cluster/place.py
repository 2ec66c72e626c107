"""Where heavy work is done: the interface, and this process as the place that is always there."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from model.registry import PREFIX
from model.run import Array, Experiment, run_text
from model.training.optimizer import Step
from model.training.recipes import training_of
from model.training.trainer import Run, Training
from model.transformer import Trace


@dataclass(frozen=True)
class Seed:
    """One training to be made: a recipe, a seed, and another number of steps than the recipe's."""

    recipe: str
    seed: int
    steps: int | None = None

    def training(self) -> Training[Any, Any, Any]:
        """The training of the recipe."""
        return training_of(self.recipe, self.steps)


OnSeedStep = Callable[[Seed, Step], None]
Waiting = Callable[[int], None]  # called with the number of passes before this one; what it raises gives the pass up


class ClusterUnavailable(RuntimeError):
    """The cluster does not answer. The message is one sentence; the work can be done elsewhere."""


class ClusterFull(RuntimeError):
    """Too many passes wait in the cluster. The message is one sentence."""


class TrainingFailed(RuntimeError):
    """A training ended without a result, for instance because it diverged. The message is one sentence."""


class Place(ABC):
    """A place for heavy work."""

    @abstractmethod
    def takes(self, weights: str) -> bool:
        """Whether the forward passes of this model leave this process."""

    @abstractmethod
    def run(self, experiment: Experiment, waiting: Waiting = lambda ahead: None) -> Trace[Array]:
        """The trace of an experiment with a model of one text, as `model.run.run_text` gives it.

        Raises:
            ValueError: as `run_text`.
            ClusterUnavailable: there is no cluster at the moment.
            ClusterFull: too many passes wait.
        """

    @abstractmethod
    def train(self, seeds: Sequence[Seed], on_step: OnSeedStep) -> Iterator[tuple[Seed, Run[Any, Any]]]:
        """Train all of them, and yield each when it is done, in any order.

        Raises:
            ArithmeticError, TrainingFailed: a training diverged, here or elsewhere.
            ClusterUnavailable: the cluster is gone. What was yielded is done.
        """

    @abstractmethod
    def close(self) -> None:
        """End what this place has started."""


class ThisProcess(Place):
    """Everything is done here, one after the other."""

    def takes(self, weights: str) -> bool:
        return False

    def run(self, experiment: Experiment, waiting: Waiting = lambda ahead: None) -> Trace[Array]:
        return run_text(experiment)

    def train(self, seeds: Sequence[Seed], on_step: OnSeedStep) -> Iterator[tuple[Seed, Run[Any, Any]]]:
        for seed in seeds:
            yield seed, seed.training().run_seed(seed.seed, partial(on_step, seed))

    def close(self) -> None:
        pass


def may_leave(weights: str) -> bool:
    """Whether a model may go to a cluster: those from elsewhere. The lab's own are smaller than the way there."""
    return weights.startswith(PREFIX)
