"""A sentence that is written word by word: where each word attends, what else could have come, and a beam's tree."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from viz.canvas.components import Drawn, component
from viz.canvas.posts import acknowledged, take
from viz.labels import truncate
from viz.pack import pack
from viz.theme import Theme
from viz.types import Array


@dataclass(frozen=True)
class DecodingView:
    """A source of S words and the N words that were written of it, the end mark among them.

    A network without attention has a `vector` instead of weights.
    """

    source: Sequence[str]  # S
    output: Sequence[str]  # N
    candidates: Sequence[Sequence[str]]  # (N, K) the most likely words at each step
    probabilities: Array  # (N, K) of the candidates
    cross_weights: Array | None  # (N, S) how much each word attends to the source while it is predicted
    self_weights: Array | None  # (N, N) to the words before it, of which the start mark is the first
    vector: Array | None  # (C,) all that a network without attention is given of the source
    gold: Sequence[Sequence[int]]  # for each word, the source positions that it is right to attend to
    unknown: Sequence[int]  # source positions of words that the model does not know
    unit: str  # what a token of the task is called
    shares_rows: bool  # the maps on the page have these words as rows

    @property
    def arrays(self) -> dict[str, Array]:
        """The numbers as they travel.

        Raises:
            ValueError: an array does not fit the words.
        """
        size = len(self.output)
        fitting = {
            "probabilities": (self.probabilities, (size, self.probabilities.shape[1])),
            "cross_weights": (self.cross_weights, (size, len(self.source))),
            "self_weights": (self.self_weights, (size, size)),
        }
        for name, (array, shape) in fitting.items():
            if array is not None and array.shape != shape:
                raise ValueError(
                    f"{size} words written of {len(self.source)} need {name} of {shape}, not {array.shape}"
                )
        arrays = {name: array for name, (array, _) in fitting.items()} | {"vector": self.vector}
        return {name: array.astype(np.float32) for name, array in arrays.items() if array is not None}


def decoding_steps(
    view: DecodingView,
    *,
    key: str,
    about: str,
    step: int,
    pinned: bool,
    default_row: int,
    theme: Theme,
    on_step: Callable[[int], None],
) -> Drawn:
    """The source above, below it the output as it grows, and between them where each word attends.

    about: what is drawn; when it changes, the figure opens at `step`, 1 … N. pinned: a person chose that step. If not,
    the whole sentence is there, and its row `default_row` is lit. on_step is called with the step at which the person
    rests.

    Raises:
        ValueError: an array does not fit the words.
    """
    header = {
        "key": key,
        "about": about,
        "step": step,
        "acknowledged": acknowledged(key),
        "pinned": pinned,
        "default_row": default_row,
        "source": [truncate(word) for word in view.source],
        "start": truncate("<s>"),
        "output": [truncate(word) for word in view.output],
        "candidates": [[truncate(word) for word in row] for row in view.candidates],
        "gold": [list(map(int, keys)) for keys in view.gold],
        "unknown": list(view.unknown),
        "unit": view.unit,
        "shares_rows": view.shares_rows,
        "theme": vars(theme),
    }
    data = pack(header, **view.arrays)
    return component("decoding")(key=key, data=data, on_step_change=lambda: on_step(int(take(key, "step"))))


@dataclass(frozen=True)
class Branch:
    """One continuation that a beam search has scored."""

    parent: int  # the number of the branch that it continues, among those that the step before kept
    word: str
    total: float  # ln p of all words up to it
    label: str  # the same as people read it
    kept: bool
    ended: bool
    best: bool  # on the way to the sentence that was chosen


def beam_tree(steps: Sequence[Sequence[Branch]], *, key: str, step: int, theme: Theme) -> Drawn:
    """What a beam kept and what it dropped, step by step; `step`, 1 … N, is lit where no word is hovered."""
    header = {
        "key": key,
        "step": step,
        "steps": [[{**asdict(branch), "word": truncate(branch.word)} for branch in row] for row in steps],
        "theme": vars(theme),
    }
    return component("beam_tree")(key=key, data=pack(header))
