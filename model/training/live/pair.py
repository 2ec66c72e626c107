"""Two models side by side: A, the reference, and B. Both see the same batches in the same order."""

from dataclasses import dataclass

import numpy as np
import torch

from model.tokenizer import START
from model.training.live.learner import KEPT_BYTES, Array, Learner, Measurement
from model.training.live.settings import MOST, LiveSettings
from model.training.live.tasks import MARKOV_LENGTH, LiveTask, is_successor

FRAMES = 60  # measurements of a whole training, evenly spread
MOST_SEEDS = 5
FIRST_FRAMES = (1, 2, 3, 5)  # most changes at the beginning


@dataclass(frozen=True)
class Frame:
    """A and B after the same number of steps; B is None if it has ended before, and A too."""

    step: int
    a: Measurement | None
    b: Measurement | None
    others: tuple["Frame", ...] = ()  # the same two with the further seeds


class LivePair:
    """A training of two models. Equal settings give equal numbers on the same machine and device.

    seeds: how many of each are trained; the further ones have the next seeds, for the weights and for the batches;
    most_bytes: the memory that the kept steps of A may take, and those of B.

    Raises:
        ValueError: the two have different tasks or numbers of steps, or `seeds` is not between 1 and MOST_SEEDS.
    """

    def __init__(self, a: LiveSettings, b: LiveSettings, seeds: int = 1, most_bytes: int = KEPT_BYTES) -> None:
        if (a.task, a.steps) != (b.task, b.steps):
            raise ValueError("A and B need the same task and the same number of steps")
        if not 1 <= seeds <= MOST_SEEDS:
            raise ValueError(f"seeds must be a whole number from 1 to {MOST_SEEDS}, not {seeds!r}")
        share = most_bytes // seeds
        self.a, self.b = Learner(a, a.seed, share), Learner(b, a.seed, share)
        self.others = tuple(LivePair(_next(a, n), _next(b, n), most_bytes=share) for n in range(1, seeds))
        every = max(1, a.steps // FRAMES)
        self._measured = {*FIRST_FRAMES, *range(0, a.steps + 1, every), a.steps}

    @property
    def seeds(self) -> int:
        """How many of each are trained."""
        return 1 + len(self.others)

    @property
    def learners(self) -> tuple[Learner, Learner]:
        """A and B."""
        return self.a, self.b

    @property
    def _every(self) -> tuple[Learner, ...]:
        return (*self.learners, *(learner for pair in self.others for learner in pair.learners))

    @property
    def step(self) -> int:
        """How many steps the one has made that has made most."""
        return max(self.a.step, self.b.step, *(pair.step for pair in self.others))

    @property
    def ended(self) -> bool:
        """Whether none can make a further step."""
        return self.a.ended and self.b.ended and all(pair.ended for pair in self.others)

    def advance(self) -> bool:
        """One step of both. Returns whether they were measured after it."""
        measure = self.step + 1 in self._measured
        for learner in self._every:
            learner.advance(measure)
        if self.ended:
            self.measure()
        return measure or self.ended

    def advance_to(self, step: int) -> None:
        """Steps of both until this many are made, or they end; the last is measured."""
        while self.step < step and not self.ended:
            self.advance()
        self.measure()

    def measure(self) -> None:
        """Measure all as they are now. It changes no later number."""
        for learner in self._every:
            learner.measure()

    @property
    def frames(self) -> list[Frame]:
        """Everything that was measured, in order."""
        steps = sorted({step for learner in self._every for step in tuple(learner.measurements)})
        return [self._frame(step) for step in steps]

    def _frame(self, step: int) -> Frame:
        others = tuple(pair._frame(step) for pair in self.others)
        return Frame(step, self.a.measurements.get(step), self.b.measurements.get(step), others)

    def curve(self, side: str, name: str, number: int = 0) -> Array:
        """One field of `Measurement` at every measured step (N, …), NaN where the model had ended before.

        side: "a" or "b"; name: the field; number: of the seed, from 0.
        """
        frames = [(frame, *frame.others)[number] for frame in self.frames]
        measured = [getattr(frame, side) for frame in frames]
        known = [np.asarray(getattr(m, name), dtype=np.float64) for m in measured if m is not None]
        none = np.full_like(known[0], np.nan)
        values = iter(known)
        return np.stack([none if m is None else next(values) for m in measured])

    @property
    def kept_steps(self) -> tuple[int, ...]:
        """The steps that all can go back to."""
        return tuple(sorted(set.intersection(*({*learner.kept_steps} for learner in self._every))))

    @property
    def kept_bytes(self) -> int:
        """The memory that the kept steps of all take."""
        return sum(learner.kept_bytes for learner in self._every)

    def rewind(self, step: int) -> None:
        """Both go back to a step that both have kept.

        Raises:
            ValueError: it is not kept.
        """
        if step not in self.kept_steps:
            raise ValueError(f"step {step} is not kept; these are: {', '.join(map(str, self.kept_steps))}")
        for learner in self._every:
            learner.rewind(step)

    def set_factor(self, factor: float) -> None:
        """Multiply the learning rates of both by this, from the next step on."""
        for learner in self._every:
            learner.factor = factor


def _next(settings: LiveSettings, number: int) -> LiveSettings:
    """The same settings with a seed that is so much larger."""
    return settings.changed("seed", (settings.seed + number) % (MOST["seed"] + 1))


def legal_share(learner: Learner, texts: int = 64, seed: int = 0) -> float:
    """The share of words in texts that the model writes which may follow the word before, in the Markov language.

    The model writes `texts` texts word by word, drawn with its own probabilities. It has no next word to copy then.

    Raises:
        ValueError: the task of the model is another one.
    """
    task: LiveTask = learner.settings.live_task
    if task.name != "markov":
        raise ValueError(f"only the Markov language has successors, not the task {task.name}")
    generator = torch.Generator().manual_seed(seed)
    ids = torch.full((texts, 1), task.tokenizer.vocabulary.index(START))
    first = torch.randint(len(task.words), (texts, 1), generator=generator)
    ids = torch.cat((ids, first + task.tokenizer.vocabulary.index(task.words[0])), 1)
    learner.network.eval()
    with torch.inference_mode():
        while ids.size(1) <= MARKOV_LENGTH:
            logits = learner.network(ids).logits[:, -1]  # (B, V)
            ids = torch.cat((ids, torch.multinomial(logits.softmax(-1), 1, generator=generator)), 1)
    learner.network.train()
    return is_successor(task.tokenizer, ids[:, 1:]).float().mean().item()
