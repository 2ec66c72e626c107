"""How far cheaper attention is from exact attention on a trained model's own queries, keys and values; and tiles."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import streamlit as st

from model.cost.approximation import METHODS, TWO_SIDED, layer_errors, layer_tokens, layer_vectors
from model.cost.tiled_attention import TiledHead, tiled_head
from model.run import Experiment
from viz import canvas
from viz.captions.cost import MethodError, describe_approximation, describe_tiles
from viz.export.tables import NamedArray, Table, file_name
from viz.pages.why import views
from viz.theme import Theme
from viz.types import Array
from viz.ui import copy_as_python, figure_panel, model_calls, server_cache, slots
from viz.ui.state import Param

MOST_TOKENS = 256  # whose errors are computed: an SVD for each head and each k
SHORT = 64  # tokens whose errors take no place for long work
MOST_TILED = 48  # tokens of the tiles
TILES = (1, 2, 3, 4, 6, 8, 16)
NAMES = {  # a key of METHODS → its name on the screen
    "window": "window",
    "pooling": "Linformer, means",
    "random": "Linformer, random",
    "svd": "rank k (SVD)",
    "linear": "linear attention",
}
assert NAMES.keys() == METHODS.keys()


@dataclass(frozen=True)
class Vectors:
    """Of one layer: q, k and v (H, T, D) of the first tokens, and whether it is causal."""

    q: Array
    k: Array
    v: Array
    causal: bool
    words: tuple[str, ...]  # T

    @property
    def tokens(self) -> int:
        """T."""
        return int(self.q.shape[1])


@server_cache.cached
def vectors(experiment: Experiment, layer: int) -> Vectors:
    """The vectors of one layer, of MOST_TOKENS tokens at most."""
    pair = experiment.weights in model_calls.pair_models()
    with slots.place("Running the model on a long text", 0 if pair else model_calls.operations(experiment)):
        q, k, v, causal = layer_vectors(experiment, layer)
        words = layer_tokens(experiment)
    return Vectors(q[:, :MOST_TOKENS], k[:, :MOST_TOKENS], v[:, :MOST_TOKENS], causal, words[:MOST_TOKENS])


def sizes_of(tokens: int) -> tuple[int, ...]:
    """The k of the figure: every one of a short text, powers of two of a long one."""
    if tokens <= 16:
        return tuple(range(1, tokens + 1))
    return (*(2**power for power in range(9) if 2**power < tokens), tokens)


def methods_of(causal: bool) -> list[str]:
    """The methods that can stand for this attention."""
    return [method for method in METHODS if not (causal and method in TWO_SIDED)]


@server_cache.cached
def errors(experiment: Experiment, layer: int) -> dict[str, Array]:
    """Method → (K, H) relative errors; (1, H) for a method without k."""
    of_layer = vectors(experiment, layer)
    sizes, methods = sizes_of(of_layer.tokens), methods_of(of_layer.causal)
    with slots.long("Computing approximation errors") if of_layer.tokens > SHORT else slots.short:
        return layer_errors(experiment, layer, methods, sizes, MOST_TOKENS)


def show_errors(experiment: Experiment, layer: int, head: int, theme: Theme) -> None:
    """The relative error of each method, by head and by k."""
    of_layer, of_methods = vectors(experiment, layer), errors(experiment, layer)
    sizes = sizes_of(of_layer.tokens)
    drawn = canvas.approximation(
        {NAMES[method]: of_methods.get(method) for method in METHODS},
        sizes,
        head,
        key="approximation",
        theme=theme,
    )
    name = f"L{layer}H{head}"
    figure_panel.below(
        drawn,
        sentence=describe_approximation(
            name,
            {NAMES[method]: _at_half(of, sizes, head) for method, of in of_methods.items()},
            of_layer.tokens,
            not of_layer.causal,
        ),
        table=partial(_error_table, of_methods, sizes),
        file=file_name(experiment.name, f"approximation-L{layer}"),
        of=figure_panel.Subject(experiment, name),
        arrays=partial(_error_arrays, of_methods, sizes),
        python=copy_as_python.python(
            f"methods = {list(of_methods)}\n"
            f"errors = layer_errors(experiment, {layer}, methods, {sizes}, {MOST_TOKENS})\n"
            + "\n".join(f"{method} = errors[{method!r}]  # (K, H)" for method in of_methods),
            "from model.cost.approximation import layer_errors",
            experiment=experiment,
        ),
    )


def _at_half(of: Array, sizes: Sequence[int], head: int) -> MethodError:
    """The error with half of the keys. of (K, H), or (1, H) for a method without k."""
    place = next((place for place, k in enumerate(sizes) if 2 * k >= sizes[-1]), 0) if len(of) > 1 else 0
    errors = of[place]
    return MethodError(
        sizes[place] if len(of) > 1 else 0, float(errors[head]), float(errors.min()), float(errors.max())
    )


def _error_table(of_methods: dict[str, Array], sizes: Sequence[int]) -> Table:
    """One line for each method, k and head; k is 0 for a method that has none."""
    lines = [
        (NAMES[method], k, head, error)
        for method, of in of_methods.items()
        for k, of_heads in zip(sizes if len(of) > 1 else (0,), of.tolist(), strict=True)
        for head, error in enumerate(of_heads)
    ]
    method, k, head, error = zip(*lines, strict=True)
    return {"method": method, "k": k, "head": head, "relative error": error}


def _error_arrays(of_methods: dict[str, Array], sizes: Sequence[int]) -> dict[str, NamedArray]:
    heads = range(next(iter(of_methods.values())).shape[1])
    return {
        method: NamedArray(of, {"k": sizes, "head": heads} if len(of) > 1 else {"no_k": (0,), "head": heads})
        for method, of in of_methods.items()
    }


@st.fragment
def show_tiles(experiment: Experiment, layer: int, head: int, theme: Theme) -> None:
    """Attention of one head, tile after tile."""
    of_layer = vectors(experiment, layer)
    q, k, v = (x[head, :MOST_TILED] for x in (of_layer.q, of_layer.k, of_layer.v))
    words = of_layer.words[: len(q)]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        tile = tuple(
            st.selectbox(label, TILES, TILES.index(4), key=Param(name), bind="query-params", width=150)
            for label, name in (("Queries in a tile", Param.TILE_QUERIES), ("Keys in a tile", Param.TILE_KEYS))
        )
    with slots.short:
        tiled = tiled_head(q, k, v, (tile[0], tile[1]), of_layer.causal)
    steps = len(tiled.places)
    sliders = (canvas.Slider(Param.TILE_STEP, "tiles done", tuple(range(steps + 1))),)
    figure = st.container()
    state = views.addressed(sliders, (min(2, steps),), "tiles")
    with figure:
        drawn = canvas.tiled_attention(
            canvas.Tiles(words, tiled.tile, tiled.places, tiled.skipped, tiled.scores),
            (tiled.correction, tiled.running_maximum, tiled.running_sum, tiled.running_output),
            sliders,
            state,
            key="tiles",
            theme=theme,
            on_state=partial(views.choose, sliders),
        )
    name = f"L{layer}H{head}"
    figure_panel.below(
        drawn,
        sentence=describe_tiles(name, tiled.tile, (steps, len(tiled.skipped)), tiled.difference),
        table=partial(_tile_table, tiled),
        file=file_name(experiment.name, f"tiles-{name}"),
        of=figure_panel.Subject(experiment, name),
        arrays=partial(_tile_arrays, tiled, words),
        python=copy_as_python.python(
            f"q, k, v, causal = layer_vectors(experiment, {layer})  # (H, T, D) each\n"
            f"tiled = tiled_head(q[{head}, :{MOST_TILED}], k[{head}, :{MOST_TILED}], v[{head}, :{MOST_TILED}], "
            f"{tiled.tile}, causal)\n"
            "scores, output = tiled.scores, tiled.output\n"
            "correction, running_maximum = tiled.correction, tiled.running_maximum\n"
            "running_sum, running_output = tiled.running_sum, tiled.running_output",
            "from model.cost.approximation import layer_vectors\nfrom model.cost.tiled_attention import tiled_head",
            experiment=experiment,
        ),
    )


def _tile_table(tiled: TiledHead) -> Table:
    """One line for each tile and each of its queries."""
    rows = [(step, row) for step, row in np.argwhere(np.isfinite(tiled.running_sum)).tolist()]
    step, row = (np.array(part) for part in zip(*rows, strict=True))
    return {
        "step": step + 1,
        "query": tiled.places[step, 0] + row,
        "first key": tiled.places[step, 1],
        "correction": tiled.correction[step, row],
        "running maximum": tiled.running_maximum[step, row],
        "running sum": tiled.running_sum[step, row],
        "length of the running output": np.linalg.norm(tiled.running_output[step, row], axis=-1),
    }


def _tile_arrays(tiled: TiledHead, words: Sequence[str]) -> dict[str, NamedArray]:
    steps, rows, channels = (range(n) for n in tiled.running_output.shape)
    by_row = {"step": steps, "row": rows}
    return {
        "scores": NamedArray(tiled.scores, {"query": words, "key": words}),
        **{name: NamedArray(getattr(tiled, name), by_row) for name in ("correction", "running_maximum", "running_sum")},
        "running_output": NamedArray(tiled.running_output, {**by_row, "channel": channels}),
        "output": NamedArray(tiled.output, {"query": words, "channel": channels}),
    }
