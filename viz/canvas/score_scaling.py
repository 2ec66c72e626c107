"""What a softmax becomes as d_k grows: every step of d_k, on a slider that the browser answers."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from viz.canvas.components import Drawn, component
from viz.canvas.posts import acknowledged, take
from viz.pack import pack
from viz.theme import Theme
from viz.types import Array


@dataclass(frozen=True)
class Measure:
    """A number that is followed over all steps: its name, the limits of its axis, and a level to compare with."""

    name: str
    limits: tuple[float, float]
    digits: int = 2
    log: bool = False
    level: float | None = None
    level_name: str = ""


@dataclass(frozen=True)
class ScalingView:
    """The softmax at N widths d_k: first without the division by √d_k, then with it."""

    widths: Sequence[int]  # N
    rows: Array  # (2, N, R, S) the same R rows of weights
    density: Array  # (2, N, bins) histograms of the scores
    bin_edges: Sequence[float]  # of the histograms, in standard deviations
    numbers: Array  # (2, N, M)
    measures: Sequence[Measure]  # M, the first of them the variance
    titles: tuple[str, str]
    notes: tuple[str, str]
    sentences: Sequence[str]  # N

    @property
    def arrays(self) -> dict[str, Array]:
        """The numbers as they travel."""
        arrays = {"rows": self.rows, "density": self.density, "numbers": self.numbers}
        return {name: array.astype(np.float32) for name, array in arrays.items()}


def score_scaling(view: ScalingView, *, key: str, d_k: int, theme: Theme, on_d_k: Callable[[int], None]) -> Drawn:
    """What happens to a softmax as d_k grows. on_d_k is called with the width at which the slider was released."""
    header = {
        "key": key,
        "steps": list(view.widths),
        "d_k": d_k,
        "acknowledged": acknowledged(key),
        "edges": list(view.bin_edges),
        "measures": [asdict(measure) for measure in view.measures],
        "titles": view.titles,
        "notes": view.notes,
        "sentences": list(view.sentences),
        "theme": vars(theme),
    }
    data = pack(header, **view.arrays)
    return component("score_scaling")(key=key, data=data, on_d_k_change=lambda: on_d_k(take(key, "d_k")))
