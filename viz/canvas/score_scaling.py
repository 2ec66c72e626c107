"""What a softmax becomes as d_k grows: every step of d_k, on a slider that the browser answers."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from viz.canvas.components import Drawn, component
from viz.canvas.posts import heard, take
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


def saturation(
    steps: Sequence[int],
    *,
    key: str,
    d_k: int,
    rows: Array,
    density: Array,
    edges: Sequence[float],
    numbers: Array,
    measures: Sequence[Measure],
    titles: tuple[str, str],
    notes: tuple[str, str],
    sentences: Sequence[str],
    theme: Theme,
    on_d_k: Callable[[int], None],
) -> Drawn:
    """What happens to a softmax as d_k grows, all N `steps` at once: first without the division, then with.

    rows (2, N, R, S): the same R rows of weights; density (2, N, bins): histograms of the scores between `edges`, in
    standard deviations; numbers (2, N, M): M `measures`, the first of them the variance; sentences: one for each step.
    on_d_k is called with the step at which the slider was let go.
    """
    header = {
        "key": key,
        "steps": list(steps),
        "d_k": d_k,
        "heard": heard(key),
        "edges": list(edges),
        "measures": [asdict(measure) for measure in measures],
        "titles": titles,
        "notes": notes,
        "sentences": list(sentences),
        "theme": vars(theme),
    }
    arrays = {"rows": rows, "density": density, "numbers": numbers}
    data = pack(header, **{name: array.astype(np.float32) for name, array in arrays.items()})
    return component("score_scaling")(key=key, data=data, on_d_k_change=lambda: on_d_k(take(key, "d_k")))
