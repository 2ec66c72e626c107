"""What the page computes, once for all visitors."""

from model.analysis.whole_model.data_flow import DataFlow, data_flow, most_mixed_row
from model.analysis.whole_model.hidden_units import HiddenUnits, hidden_units
from model.analysis.whole_model.pair_flow import PairFlow, pair_flow
from model.run import Experiment
from viz.ui import model_calls, server_cache


@server_cache.cached
def flow(experiment: Experiment) -> DataFlow:
    """Lengths and shares of the experiment's forward pass."""
    with model_calls.compute_slots:
        return data_flow(experiment, model_calls.trace(experiment))


def mixed_row(experiment: Experiment) -> int:
    """The token whose last vector holds most of other tokens."""
    return most_mixed_row(flow(experiment).sources)


@server_cache.cached
def units(experiment: Experiment, layer: int, position: int) -> HiddenUnits:
    """The hidden units that write most for the token at `position` in this layer; of two sentences in the decoder."""
    with model_calls.compute_slots:
        pair = experiment.weights in model_calls.pair_models()
        trace = model_calls.pair_trace(experiment).decoder if pair else model_calls.trace(experiment)
        return hidden_units(experiment, trace, layer, position)


# Models of two sentences


@server_cache.cached
def paired_flow(experiment: Experiment) -> PairFlow:
    """Lengths and shares of the experiment's pass over both sentences."""
    with model_calls.compute_slots:
        return pair_flow(experiment, model_calls.pair_trace(experiment))
