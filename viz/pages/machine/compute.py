"""What the page computes, once for all visitors."""

from dataclasses import replace

from model.analysis.whole_model.data_flow import DataFlow, data_flow, most_mixed_row
from model.analysis.whole_model.hidden_units import HiddenUnits, hidden_units
from model.analysis.whole_model.pair_flow import PairFlow, pair_flow
from model.encoder_decoder import EncoderDecoderTrace
from model.generation.translate import translate
from model.run import Experiment, run_pair
from viz.types import Array
from viz.ui import model_calls, server_cache, slots


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
        trace = pair_trace(experiment).decoder if pair else model_calls.trace(experiment)
        return hidden_units(experiment, trace, layer, position)


# Models of two sentences


@server_cache.cached
def translation(experiment: Experiment) -> str:
    """What the model writes for the experiment's text, by greedy search.

    Raises:
        InputTextError: the text cannot be read.
        TooMuch: the computation is too long, or many others wait.
    """
    # Without a causal mask nothing that was computed for one word can be used for the next.
    with model_calls.compute_slots if experiment.switches.mask else slots.long("Writing the target"):
        return translate(replace(experiment, target="")).text


@server_cache.cached
def pair_trace(experiment: Experiment) -> EncoderDecoderTrace[Array]:
    """The experiment's text and its target, read as they are.

    Raises:
        InputTextError: one of the two cannot be read.
    """
    with model_calls.compute_slots:
        trace = run_pair(experiment)
    assert isinstance(trace, EncoderDecoderTrace)
    return trace


@server_cache.cached
def paired_flow(experiment: Experiment) -> PairFlow:
    """Lengths and shares of the experiment's pass over both sentences."""
    with model_calls.compute_slots:
        return pair_flow(experiment, pair_trace(experiment))
