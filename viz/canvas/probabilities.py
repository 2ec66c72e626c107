"""What the model predicts: bars of probabilities, and the prediction of every layer. Drawn without a chart library,
because a chart that is built anew at every change keeps the maps above it waiting."""

from collections.abc import Mapping, Sequence

import numpy as np

from viz.canvas.components import Drawn, component
from viz.labels import truncate
from viz.pack import pack
from viz.theme import Theme
from viz.types import Array


def probability_bars(sides: Mapping[str, Array], words: Sequence[str], *, key: str, theme: Theme) -> Drawn:
    """One bar a word, on a scale fixed at 0 … 1; or two, {"A": (N,), "B": (N,)}, one above the other.

    Raises:
        ValueError: a side does not have one number for each of the N words.
    """
    for values in sides.values():
        if values.shape != (len(words),):
            raise ValueError(f"{len(words)} words do not fit bars of {values.shape}")
    header = {"key": key, "words": [truncate(word) for word in words], "sides": list(sides), "theme": vars(theme)}
    values = np.stack(list(sides.values())).astype(np.float32)  # (1 or 2, N)
    return component("probability_bars")(key=key, data=pack(header, values=values))


def logit_lens(probabilities: Array, words: Sequence[Sequence[str]], *, key: str, theme: Theme) -> Drawn:
    """probabilities (L, N) of the N most likely `words` of each of L layers. The last layer is the model's output.

    Raises:
        ValueError: there is not one word for each probability.
    """
    n_layers, n = probabilities.shape
    if len(words) != n_layers or any(len(row) != n for row in words):
        raise ValueError(f"words must be {n_layers} rows of {n}")
    header = {"key": key, "words": [[truncate(word, 12) for word in row] for row in words], "theme": vars(theme)}
    return component("logit_lens")(key=key, data=pack(header, values=probabilities.astype(np.float32)))
