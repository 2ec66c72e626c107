"""Answers about how far a layer reaches and what it costs: counted from sizes, or measured on the model of the page."""

from dataclasses import replace

import numpy as np

from model.cost.approximation import approximation_errors, layer_vectors
from model.cost.complexity import LAYER_TYPES, Sizes, counted_crossover
from model.cost.decoding import DecoderSizes, cache_bytes
from model.cost.network import Network
from model.cost.path import layers_needed, shortest_path
from viz.pages.lessons.answers.on_screen import Answer, OnScreen
from viz.ui import model_calls


def path_steps(screen: OnScreen, *, kind: str, source: int, target: int) -> Answer:
    """How many steps a signal passes between two tokens in one layer of this network."""
    steps = shortest_path(Network(kind), len(screen.words), source, target).steps
    if steps is None:
        raise ValueError("no signal arrives")
    return float(steps)


def layers_to_reach(screen: OnScreen, *, width: int, source: int, target: int) -> Answer:
    """How many layers of causal window attention of this width a signal needs between two tokens."""
    return float(layers_needed(Network("window", width=width), target - source))


def operations_ratio(screen: OnScreen, *, kind: str, n: int, before: int) -> Answer:
    """How many times as many operations a layer needs for n tokens as for `before`."""
    count = LAYER_TYPES[kind].flops
    return count(replace(Sizes(), n=n)) / count(replace(Sizes(), n=before))


def storage_ratio(screen: OnScreen, *, kind: str, n: int, before: int) -> Answer:
    """How many times as many numbers a layer holds for n tokens as for `before`."""
    count = LAYER_TYPES[kind].peak_elements
    return count(replace(Sizes(), n=n)) / count(replace(Sizes(), n=before))


def first_dearer_length(screen: OnScreen, *, d: int) -> Answer:
    """The shortest text for which self-attention needs more operations than a tanh RNN of the same width."""
    n = counted_crossover("rnn", "attention", replace(Sizes(), d=d))
    if n is None:
        raise ValueError("self-attention is never dearer")
    return float(n)


def linear_error(screen: OnScreen, *, layer: int) -> Answer:
    """The range of the relative error of linear attention, the mean of the heads of a layer of the page's model."""
    with model_calls.compute_slots:
        q, k, v, causal = layer_vectors(screen.experiment, layer)
        error = float(np.mean(approximation_errors("linear", q, k, v, (1,), causal).errors))
    return "less than 10 %" if error < 0.1 else "10 to 40 %" if error < 0.4 else "more than 40 %"


def cache_ratio(screen: OnScreen, *, variant: str, heads: int, n: int) -> Answer:
    """How many times as many bytes the multi-head cache holds after n tokens as that of this variant."""
    sizes = DecoderSizes(d=128 * heads, n_heads=heads, n_groups=1)
    return cache_bytes(sizes, "multi-head", n) / cache_bytes(sizes, variant, n)
