"""When each cell of the grid time × layer can be computed. Cells of one step do not wait for each other."""

import numpy as np

from model.run import Array

KINDS = {
    "recurrent": "A cell waits for the token before it in its layer, and for the layer below.",
    "parallel": "A cell of attention or convolution waits for the layer below only.",
    "decoding": "The next token is known only when the last layer has computed the token before it.",
}


def schedule(kind: str, n: int, n_layers: int) -> Array:
    """The step, from 0, at which each cell is computed if there are enough processors. Returns (L, T) integers.

    kind: a key of KINDS. A recurrent stack goes along anti-diagonals, in n + L − 1 steps; a parallel stack layer by
    layer, in L steps; decoding token by token, in n · L steps.

    Raises:
        ValueError: there is no such kind, or there is no cell.
    """
    if n < 1 or n_layers < 1:
        raise ValueError("a schedule has at least one token and one layer")
    t, layer = np.arange(n)[None, :], np.arange(n_layers)[:, None]  # (1, T), (L, 1)
    if kind == "recurrent":
        return t + layer
    if kind == "parallel":
        return layer + 0 * t
    if kind == "decoding":
        return t * n_layers + layer
    raise ValueError(f'a schedule must be one of {", ".join(KINDS)}, not "{kind}"')
