"""How many steps a signal needs between two tokens, and how much of the gradient arrives."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import streamlit as st

from model.cost.gradient import INITIAL, GradientByDistance
from model.cost.network import KINDS
from viz import canvas
from viz.captions.counting import counted
from viz.captions.why import describe_initial_gradients, describe_path, describe_trained_gradients
from viz.export.tables import Column, NamedArray, Table
from viz.figures.log_lines import BEFORE, log_lines
from viz.labels import numbered
from viz.pages.why import compute, views
from viz.theme import Theme
from viz.types import Array
from viz.ui import controls, copy_as_python, figure_panel
from viz.ui.state import Param

ALONG = "distance, positions"
NETWORKS = ("Untrained networks", "Trained models")


def show(words: Sequence[str], theme: Theme) -> None:
    """The path through five networks; below, the gradient at initialisation against the distance."""
    n_layers = views.layers("Layers of convolution and window")
    _paths(words, n_layers, theme)
    st.markdown("#### How much of the gradient arrives")
    if controls.choice("Networks", NETWORKS, key=Param.GRADIENT_OF) == "Trained models":
        _trained(theme)
        return
    of_networks = compute.gradients(n_layers)
    norms = {name: gradient.norms for name, gradient in of_networks.items()}
    figure_panel.chart(
        log_lines(compute.DISTANCES, norms, theme=theme, along=ALONG, quantity="gradient norm"),
        key="gradients",
        sentence=describe_initial_gradients(compute.DISTANCES, norms),
        table=partial(_gradient_table, norms),
        file=f"gradient-by-distance-{n_layers}-layers",
        of=None,
        arrays=partial(_gradient_arrays, of_networks),
        python=copy_as_python.python(
            f"layers = {_layers(n_layers)}\n"
            f"distances, seeds = {list(compute.DISTANCES)}, range({len(compute.SEEDS)})\n"
            "norms = [initial_gradients(kind, distances, seeds, n_layers=n).norms for kind, n in layers.items()]\n"
            "gradient_norms = np.stack(norms)  # (network, seed, distance)",
            "import numpy as np\n\nfrom model.cost.gradient import initial_gradients",
        ),
    )


def _trained(theme: Theme) -> None:
    """The gradients of trained models beside those of the same networks before training."""
    distances = compute.TRAINED_DISTANCES
    of_models = compute.trained_gradients()
    norms = {name: trained.relative for name, (trained, _) in of_models.items()}
    before = {name: untrained.relative for name, (_, untrained) in of_models.items()}
    both = {f"{name}{mark}": of[name] for name in norms for mark, of in (("", norms), (BEFORE, before))}
    figure_panel.chart(
        log_lines(distances, both, theme=theme, along=ALONG, quantity="gradient norm / that at distance 1"),
        key="trained_gradients",
        sentence=describe_trained_gradients(distances, norms, before),
        table=lambda: {
            "distance": list(distances),
            **{f"gradient norm: {name}": np.median(values, axis=0) for name, values in both.items()},
        },
        file="gradient-by-distance-trained",
        of=tuple(compute.TRAINED),
        arrays=lambda: {
            "gradient_norms": NamedArray(
                np.stack(list(both.values())),
                {"network": list(both), "seed": list(compute.TRAINED_SEEDS), "distance": list(distances)},
            )
        },
        python=copy_as_python.python(
            f"weights, distances = {list(compute.TRAINED)}, {list(distances)}\n"
            f"seeds = range({len(compute.TRAINED_SEEDS)})\n"
            "pairs = [trained_and_untrained(name, distances, seeds) for name in weights]\n"
            "gradient_norms = np.stack([each.relative for pair in pairs for each in pair])"
            "  # (network, seed, distance)",
            "import numpy as np\n\nfrom model.cost.gradient import trained_and_untrained",
        ),
    )
    st.caption(
        "The models read random words. Thin lines are the same networks with new random weights. Embeddings differ in "
        "size, so each line is divided by its value at distance 1."
    )


def _layers(n_layers: int) -> dict[str, int]:
    """Kind of a network → how many layers it has here."""
    return {kind: n_layers if kind in compute.STACKED else 1 for kind in INITIAL}


@st.fragment
def _paths(words: Sequence[str], n_layers: int, theme: Theme) -> None:
    n = len(words)
    sliders = (
        canvas.Slider(Param.FROM_TOKEN, "from token", tuple(range(n))),
        canvas.Slider(Param.TO_TOKEN, "to token", tuple(range(n))),
    )
    figure = st.container()
    state = views.addressed(sliders, (min(2, n - 1), min(10, n - 1)))
    source, target = state[Param.FROM_TOKEN], state[Param.TO_TOKEN]
    steps = {KINDS[kind]: compute.path_steps(kind, n, n_layers) for kind in KINDS}
    with figure:
        drawn = canvas.layer_grid(
            [
                canvas.LayerGrid(KINDS[kind], compute.path_orders(kind, n, n_layers), _labels(steps[KINDS[kind]]))
                for kind in KINDS
            ],
            words,
            sliders,
            state,
            kind="path",
            key="paths",
            theme=theme,
            on_state=partial(views.choose, sliders),
        )
    figure_panel.below(
        drawn,
        sentence=describe_path(
            words[source],
            words[target],
            target - source,
            {name: float(of[source, target]) for name, of in steps.items()},
        ),
        table=partial(_path_table, words, source, steps),
        file=f"path-length-from-{source}",
        of=None,
        arrays=partial(_path_arrays, words, steps),
        python=copy_as_python.python(
            f"single = [path_lengths(Network(kind), {n}) for kind in ('rnn', 'gru', 'attention')]\n"
            f"stacked = [path_lengths(Network(kind, {n_layers}, {compute.WIDTH}), {n}) for kind in "
            "('convolution', 'window')]\n"
            "tanh_RNN, GRU, self_attention = single  # (T, T) each, from row to column\n"
            "convolution, window_attention = stacked",
            "from model.cost.network import Network\nfrom model.cost.path import path_lengths",
        ),
    )


def _labels(steps: Array) -> list[str]:
    """What is written beside a network for each pair of tokens. steps (T, T)."""
    n = len(steps)
    return [
        "no way back"
        if target < source
        else counted(int(steps[source, target]), "step")
        if np.isfinite(steps[source, target])
        else "does not arrive"
        for source in range(n)
        for target in range(n)
    ]


def _path_table(words: Sequence[str], source: int, steps: dict[str, Array]) -> Table:
    """One line for each token that a signal from the source may reach; no number where it does not arrive."""
    columns = {f"steps: {name}": of[source] for name, of in steps.items()}
    return {"word": numbered(words), **columns}


def _path_arrays(words: Sequence[str], steps: dict[str, Array]) -> dict[str, NamedArray]:
    return {
        name.replace(" ", "_").replace("-", "_"): NamedArray(of, {"source": words, "target": words})
        for name, of in steps.items()
    }


def _gradient_table(norms: dict[str, Array]) -> Table:
    """One line for each distance: the median of the seeds."""
    medians = {f"gradient norm: {name}": np.median(values, axis=0) for name, values in norms.items()}
    return {"distance": list(compute.DISTANCES), **medians}


def _gradient_arrays(of_networks: dict[str, GradientByDistance]) -> dict[str, NamedArray]:
    names, values = list(of_networks), np.stack([gradient.norms for gradient in of_networks.values()])
    axes: dict[str, Column] = {"network": names, "seed": list(compute.SEEDS), "distance": list(compute.DISTANCES)}
    return {"gradient_norms": NamedArray(values, axes)}
