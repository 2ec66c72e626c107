"""Average of values: values of the head as points, and the output of every row inside their hull."""

from collections.abc import Sequence
from functools import partial

from model.analysis import value_projection
from model.run import Experiment
from model.transformer import Trace
from viz import canvas
from viz.captions.inside import describe_averaging, spread_row
from viz.export.tables import NamedArray, Table, file_name
from viz.labels import numbered
from viz.theme import Theme
from viz.types import Array
from viz.ui import controls, copy_as_python, figure_panel


def show(
    experiment: Experiment,
    trace: Trace[Array],
    layer: int,
    head: int,
    row: int,
    words: Sequence[str],
    pinned: bool,
    theme: Theme,
) -> None:
    """Values of the head as points, and the output of every row inside their hull."""
    attention = trace.layers[layer].attention
    row = row if pinned else spread_row(attention.weights[head])
    laid = value_projection.project_values(attention.v[head], attention.z[head])
    drawn = canvas.value_hull(
        laid.values,
        laid.means,
        attention.weights[head],
        attention.mask[head],
        words,
        key="averaging",
        focus=canvas.TokenFocus(row, pinned, controls.pin_token),
        theme=theme,
    )
    figure_panel.below(
        drawn,
        sentence=describe_averaging(attention.weights[head], attention.mask[head], words, row, laid.explained_variance),
        table=partial(_point_table, laid, attention.weights[head, row], words),
        file=file_name(experiment.name, f"L{layer}H{head}-averaging"),
        of=experiment,
        arrays=partial(_plane_arrays, laid, attention.weights[head], words),
        python=copy_as_python.python(
            f"attention = run(experiment).layers[{layer}].attention\n"
            f"laid = project_values(attention.v[{head}], attention.z[{head}])\n"
            f"values, outputs, weights = laid.values, laid.means, attention.weights[{head}]",
            "from model.analysis.value_projection import project_values",
            experiment=experiment,
        ),
    )


def _plane_arrays(
    laid: value_projection.ValueProjection, weights: Array, words: Sequence[str]
) -> dict[str, NamedArray]:
    points = {"direction": ("first", "second")}
    return {
        "values": NamedArray(laid.values, {"key": words, **points}),
        "outputs": NamedArray(laid.means, {"query": words, **points}),
        "weights": NamedArray(weights, {"query": words, "key": words}),
    }


def _point_table(laid: value_projection.ValueProjection, weights: Array, words: Sequence[str]) -> Table:
    return {
        "word": numbered(words),
        "value, first direction": laid.values[:, 0],
        "value, second direction": laid.values[:, 1],
        "weight": weights,
        "output, first direction": laid.means[:, 0],
        "output, second direction": laid.means[:, 1],
    }
