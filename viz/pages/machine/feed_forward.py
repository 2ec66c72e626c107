"""What a feed-forward network did to the token in focus: its hidden units, the largest first."""

from functools import partial

from model.analysis.whole_model.hidden_units import HiddenUnits
from model.run import Experiment
from viz import canvas
from viz.captions import machine as captions
from viz.export.tables import Table, file_name
from viz.labels import named
from viz.pages.machine import compute
from viz.theme import Theme
from viz.ui import copy_as_python, figure_panel, model_calls


def show(experiment: Experiment, layer: int, position: int, word: str, theme: Theme) -> None:
    """The hidden units of one layer on the token at `position`; of a model of two sentences those of its decoder."""
    units = compute.units(experiment, layer, position)
    trace = "run(experiment).decoder" if experiment.weights in model_calls.pair_models() else "run(experiment)"
    drawn = canvas.hidden_units(units.units, units.lengths, units.raised, key="hidden_units", theme=theme)
    figure_panel.below(
        drawn,
        sentence=captions.describe_units(word, layer, units.active, units.total, units.raised[0]),
        table=partial(_table, units),
        file=file_name(experiment.name, f"L{layer}-hidden-units-{position}"),
        of=experiment,
        python=copy_as_python.python(
            f"units = hidden_units(experiment, {trace}, layer={layer}, position={position})\n"
            "activation, length = units.activations, units.lengths",
            "from model.analysis.whole_model.hidden_units import hidden_units",
            experiment=experiment,
        ),
    )


def _table(units: HiddenUnits) -> Table:
    return {
        "unit": units.units,
        "activation": units.activations,
        "length": units.lengths,
        "raises": [", ".join(map(named, row)) for row in units.raised],
    }
