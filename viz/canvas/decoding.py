"""A sentence being written word by word: what each word looked at, what else could have come, and a beam's tree."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from viz.canvas.components import Drawn, component
from viz.canvas.posts import heard, take
from viz.labels import truncate
from viz.pack import pack
from viz.theme import Theme
from viz.types import Array


@dataclass(frozen=True)
class Branch:
    """One way to go on that a search has looked at."""

    parent: int  # which of the branches kept at the step before it goes on from
    word: str
    total: float  # ln p of all words up to it
    told: str  # the same as people read it
    kept: bool
    ended: bool
    best: bool  # on the way to the sentence that was chosen


def decoding(
    source: Sequence[str],
    said: Sequence[str],
    *,
    key: str,
    about: str,
    step: int,
    pinned: bool,
    telling: int,
    candidates: Sequence[Sequence[str]],
    odds: Array,
    cross: Array | None,
    back: Array | None,
    vector: Array | None,
    gold: Sequence[Sequence[int]],
    unknown: Sequence[int],
    unit: str,
    shares: bool,
    theme: Theme,
    on_step: Callable[[int], None],
) -> Drawn:
    """The source above, below it the other sentence as it grows, and between them where each word looked.

    source: S words; said: N words, the end mark among them; candidates, odds (N, K): the likeliest words at each step
    and their probabilities. cross (N, S): how much each word looked at the source while it was being said; back (N, N):
    at the words before it, of which the start mark is the first; vector (C,): all that a network without attention is
    told. gold: for each word, where a look at the source is right. about: what is drawn; when it changes, `step` is
    taken, 1 … N. pinned: a person chose it; if not, the whole sentence is there, and its row `telling` lit.
    unknown: source positions to mark; unit: what a token of the task is called; shares: the maps on the page have these
    words as rows. on_step is called with the step at which the person rests.

    Raises:
        ValueError: an array does not fit the words.
    """
    size = len(said)
    fitting = {
        "cross": (cross, (size, len(source))),
        "back": (back, (size, size)),
        "odds": (odds, (size, odds.shape[1])),
    }
    for name, (array, shape) in fitting.items():
        if array is not None and array.shape != shape:
            raise ValueError(f"{size} words said of {len(source)} read need {name} of {shape}, not {array.shape}")
    header = {
        "key": key,
        "about": about,
        "step": step,
        "heard": heard(key),
        "pinned": pinned,
        "telling": telling,
        "source": [truncate(word) for word in source],
        "start": truncate("<s>"),
        "said": [truncate(word) for word in said],
        "candidates": [[truncate(word) for word in row] for row in candidates],
        "gold": [list(map(int, keys)) for keys in gold],
        "unknown": list(unknown),
        "unit": unit,
        "shares": shares,
        "theme": vars(theme),
    }
    arrays = {"odds": odds, "cross": cross, "back": back, "vector": vector}
    sent = {name: array.astype(np.float32) for name, array in arrays.items() if array is not None}
    return component("decoding")(
        key=key, data=pack(header, **sent), on_step_change=lambda: on_step(int(take(key, "step")))
    )


def tree(steps: Sequence[Sequence[Branch]], *, key: str, step: int, theme: Theme) -> Drawn:
    """What a beam kept and what it dropped, step by step; `step`, 1 … N, is lit where no word is hovered."""
    header = {
        "key": key,
        "step": step,
        "steps": [[{**asdict(branch), "word": truncate(branch.word)} for branch in row] for row in steps],
        "theme": vars(theme),
    }
    return component("beam_tree")(key=key, data=pack(header))
