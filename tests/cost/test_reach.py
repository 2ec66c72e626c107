"""Path, receptive field and schedule: laws, and the gradient as a witness."""

import math
from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model.cost.complexity import LAYER_TYPES, Sizes, contiguous_path, dilated_path
from model.cost.convolution import ConvolutionStack
from model.cost.gradient import INITIAL, jacobian_norms
from model.cost.network import KINDS, Network
from model.cost.path import layers_needed, shortest_path
from model.cost.receptive_field import field_size, receptive_field
from model.cost.rnn import TanhRNN
from model.cost.schedule import schedule
from model.cost.window_attention import window_mask


@st.composite
def networks(draw, **fixed):
    n_layers = draw(st.integers(1, 4))
    kind = draw(st.sampled_from(list(KINDS)))
    spread = kind in ("convolution", "window") and draw(st.booleans())
    chosen = {
        "kind": kind,
        "n_layers": n_layers,
        "width": draw(st.integers(1, 4)),
        "causal": draw(st.booleans()),
        "dilations": tuple(draw(st.lists(st.integers(1, 3), min_size=n_layers, max_size=n_layers))) if spread else (),
        "n_global": draw(st.integers(0, 2)) if kind == "window" else 0,
    }
    return Network(**{**chosen, **fixed})


@given(networks(), st.integers(1, 9))
def test_a_path_is_there_exactly_where_the_field_says_so(network, n):
    fields = receptive_field(network, n)
    assert fields.shape == (network.n_layers + 1, n, n) and (fields[0] ^ torch.eye(n, dtype=torch.bool)).sum() == 0
    for source in range(n):
        for target in range(n):
            path = shortest_path(network, n, source, target)
            assert bool(path.nodes) == bool(fields[1:, target, source].any())
            if path.nodes:
                assert path.nodes[0] == (0, source) and path.nodes[-1][1] == target
                assert path.steps == len(path.nodes) - 1
                for (layer, s), (following, t) in zip(path.nodes, path.nodes[1:], strict=False):
                    along = following == layer and layer > 0 and t == s + 1 and network.recurrent
                    up = following == layer + 1 and bool(network.layer_mask(n, layer)[t, s])
                    assert along or (up and (t == s or not network.recurrent))


def test_the_steps_of_the_textbook():
    def steps(kind, distance, **sizes):
        network = Network(kind, **{"n_layers": 20, **sizes})
        return shortest_path(network, 33, 32 - distance, 32).steps

    for distance in (1, 5, 17, 32):
        assert steps("rnn", distance) == steps("gru", distance) == distance + 1
        assert steps("attention", distance) == 1
        assert steps("convolution", distance, width=3) == math.ceil(distance / 2)
        assert steps("window", distance, width=5) == math.ceil(distance / 4)
    assert steps("convolution", 32, width=3, n_layers=4) is None
    assert steps("convolution", 14, width=2, n_layers=4, dilations=(1, 2, 4, 8)) == 4
    assert steps("convolution", 3, width=2, n_layers=4, dilations=(1, 2, 4, 8)) == 2
    assert steps("window", 32, width=3, n_global=1) == 1, "the first token is global"
    assert steps("window", 31, width=3, n_global=1) == 16, "a causal mask keeps the global token from looking ahead"
    assert shortest_path(Network("window", 4, causal=False, n_global=1), 33, 31, 32).steps == 1
    assert shortest_path(Network("window", 4, causal=False, n_global=1), 33, 5, 32).steps == 2
    with pytest.raises(ValueError, match="positions are 0 to 3"):
        shortest_path(Network(), 4, 0, 4)


@given(networks(n_global=0, dilations=()), st.integers(0, 20))
def test_the_layers_that_are_needed_are_those_of_the_path(network, distance):
    wide = Network(network.kind, 25, max(network.width, 3), network.causal)
    path = shortest_path(wide, 41, 20 - distance, 20)
    expected = distance + 1 if wide.recurrent else layers_needed(wide, distance)
    assert path.steps == expected
    with pytest.raises(ValueError, match="no earlier position"):
        layers_needed(Network("window", width=1), 3)


@given(networks(n_global=0))
def test_the_size_of_the_field_counts_its_cells(network):
    n, middle = 61, 30
    row = int(receptive_field(network, n)[-1, middle].sum())
    size = field_size(network)
    if size is None:
        everything = n if network.kind == "attention" and not network.causal else middle + 1
        assert row == everything
    elif not any(step > 1 for step in network.dilations):
        assert row == size
    else:
        reached = receptive_field(network, n)[-1, middle].nonzero().flatten()
        assert int(reached[-1] - reached[0]) + 1 == size, "a dilated layer can leave holes in its field"


@settings(max_examples=20)
@given(networks(), st.integers(2, 8))
def test_the_gradient_is_exactly_zero_outside_the_field_and_nowhere_in_it(network, n):
    torch.manual_seed(1)
    x = torch.randn(n, 4, dtype=torch.float64)
    fields = receptive_field(network, n)[-1]
    for target in (0, n // 2, n - 1):
        gradient = jacobian_norms(layers_of(network), x, target)
        assert ((gradient != 0) ^ fields[target]).sum() == 0


@cache
def layers_of(network):
    """A stack with random weights of this type."""
    torch.manual_seed(0)
    if network.kind == "convolution":
        stack = ConvolutionStack(4, network.width, network.n_layers, network.dilations, network.causal)
        return stack.double()
    if network.kind == "rnn":
        return torch.nn.Sequential(*(TanhRNN(4, 4) for _ in range(network.n_layers))).double()
    if network.kind == "gru":
        gru = torch.nn.GRU(4, 4, network.n_layers, batch_first=True).double()
        return lambda x: gru(x)[0]
    attentions = [torch.nn.MultiheadAttention(4, 2, batch_first=True).double() for _ in range(network.n_layers)]

    def attend_each(x):
        for number, attention in enumerate(attentions):
            dilation = network.dilations[number] if network.dilations else 1
            n = x.size(1)
            full = torch.ones(n, n, dtype=torch.bool)
            allowed = full.tril() if network.causal else full
            if network.kind == "window":
                allowed = window_mask(n, network.width, network.causal, dilation, network.n_global)
            x = attention(x, x, x, attn_mask=~allowed, need_weights=False)[0]
        return x

    return attend_each


def test_a_window_grows_by_itself_in_each_layer():
    fields = receptive_field(Network("window", 5, 3), 40)
    assert fields[:, 30].sum(-1).tolist() == [1, 3, 5, 7, 9, 11]
    assert receptive_field(Network("attention", 1), 40)[1, 30].sum() == 31
    dilated = receptive_field(Network("convolution", 4, 2, dilations=(1, 2, 4, 8)), 40)
    assert dilated[:, 30].sum(-1).tolist() == [1, 2, 4, 8, 16]


@pytest.mark.parametrize(
    "wrong", [{"kind": "lstm"}, {"n_layers": 0}, {"width": 0}, {"dilations": (1, 2)}, {"dilations": (0,)}]
)
def test_a_network_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError):
        Network(**wrong)


@pytest.mark.parametrize("n", [2, 3, 9, 10, 28, 82])
def test_the_longest_paths_of_the_table_are_those_of_the_networks(n):
    sizes = Sizes(n=n, kernel=3, window=4)
    layers = contiguous_path(sizes)
    assert shortest_path(Network("convolution", layers, 3), n, 0, n - 1).steps == layers
    if layers > 1:
        assert shortest_path(Network("convolution", layers - 1, 3), n, 0, n - 1).steps is None
    deep = dilated_path(sizes)
    dilations = tuple(3**layer for layer in range(deep))
    assert shortest_path(Network("convolution", deep, 3, dilations=dilations), n, 0, n - 1).steps is not None
    if deep > 1:
        shallow = Network("convolution", deep - 1, 3, dilations=dilations[:-1])
        assert shortest_path(shallow, n, 0, n - 1).steps is None
    assert shortest_path(Network("window", 99, 4), n, 0, n - 1).steps == LAYER_TYPES["window"].path_length(sizes)
    assert shortest_path(Network("rnn"), n, 0, n - 1).steps == LAYER_TYPES["rnn"].path_length(sizes) == n
    assert shortest_path(Network("attention"), n, 0, n - 1).steps == LAYER_TYPES["attention"].path_length(sizes)


# Schedule


def dependencies(kind, layer, t, n_layers):
    """The cells for which a cell waits."""
    if layer:
        yield layer - 1, t
    if kind == "recurrent" and t:
        yield layer, t - 1
    if kind == "parallel" and layer:
        yield from ((layer - 1, s) for s in range(t))
    if kind == "decoding" and t and layer == 0:
        yield n_layers - 1, t - 1


@given(st.sampled_from(["recurrent", "parallel", "decoding"]), st.integers(1, 8), st.integers(1, 5))
def test_a_cell_is_computed_as_soon_as_all_that_it_waits_for_is_there(kind, n, n_layers):
    steps = schedule(kind, n, n_layers)
    assert steps.shape == (n_layers, n)
    for layer in range(n_layers):
        for t in range(n):
            before = [steps[cell] for cell in dependencies(kind, layer, t, n_layers)]
            assert steps[layer, t] == 1 + max(before, default=-1)


def test_the_steps_in_all():
    assert [int(schedule(kind, 10, 3).max()) + 1 for kind in ("recurrent", "parallel", "decoding")] == [12, 3, 30]
    for wrong in (("time", 2, 2), ("parallel", 0, 1), ("parallel", 1, 0)):
        with pytest.raises(ValueError):
            schedule(*wrong)


def test_every_initial_network_has_a_name():
    assert len({label for label, _ in INITIAL.values()}) == len(INITIAL)
