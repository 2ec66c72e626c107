"""Readings of the figures of Why attention, counted by hand and measured by plain PyTorch."""

import numpy as np
import torch
from expected_files import Reading, Seen, counted, named, reads

from model import Experiment
from model.cost.gradient import INITIAL, initial_gradients
from model.cost.rnn import TanhRNN
from model.run import encode
from viz.ui.controls import EXAMPLE

NETWORKS = ("tanh RNN", "GRU", "convolution", "window attention", "self-attention")
DISTANCES = (1, 2, 4, 8, 16, 32, 64)


def words() -> list[str]:
    return list(encode(Experiment("grammar", EXAMPLE)).surface)


def steps_between(source: int, target: int, layers: int) -> dict[str, float]:
    """A recurrent network takes a step for each position and one up; a window of three adds two positions a layer."""
    distance = target - source
    if distance < 0:
        return dict.fromkeys(NETWORKS, np.nan)
    stacked = max(1, -(-distance // 2))
    stacked = stacked if stacked <= layers else np.nan
    return dict(zip(NETWORKS, (distance + 1, distance + 1, stacked, stacked, 1), strict=True))


@reads("paths")
def paths(seen: Seen) -> Reading:
    source, layers = int(seen.control("from_token")), int(seen.control("stack_layers"))
    n = len(words())
    between = [[steps_between(start, end, layers) for end in range(n)] for start in range(n)]
    table = {"word": counted(words())}
    table |= {f"steps: {name}": [cell[name] for cell in between[source]] for name in NETWORKS}
    arrays = {}
    for name in NETWORKS:
        steps = np.array([[cell[name] for cell in row] for row in between], dtype=float)
        arrays[name.replace(" ", "_").replace("-", "_")] = ({"source": named(words()), "target": named(words())}, steps)
    return Reading(table, arrays)


@reads("gradients")
def gradients(seen: Seen) -> Reading:
    """The tanh RNN by its own formula; the others as the functions give them, which have tests of their own."""
    layers = int(seen.control("stack_layers"))
    norms = {}
    for kind, (name, _) in INITIAL.items():
        stacked = kind in ("convolution", "window")
        norms[name] = initial_gradients(kind, DISTANCES, range(5), n_layers=layers if stacked else 1).norms
    norms["tanh RNN"] = np.array([tanh_rnn(seed) for seed in range(5)])
    table = {"distance": DISTANCES}
    table |= {f"gradient norm: {name}": np.median(values, axis=0) for name, values in norms.items()}
    axes = {"network": list(norms), "seed": range(5), "distance": DISTANCES}
    return Reading(table, {"gradient_norms": (axes, np.stack(list(norms.values())))})


def tanh_rnn(seed: int, width: int = 32) -> list[float]:
    """∂ h_t / ∂ x_s = (∏ diag(1 − h²) W_h) diag(1 − h_s²) W_x, with the states of PyTorch's own RNN."""
    torch.manual_seed(seed)
    initial, n = TanhRNN(width, width), max(DISTANCES) + 1
    x = torch.randn(n, width).double()
    rnn = torch.nn.RNN(width, width, batch_first=True).double()
    inner, outer = initial.w_h.weight.detach().double(), initial.w_x.weight.detach().double()
    with torch.no_grad():
        rnn.weight_hh_l0.copy_(inner)
        rnn.weight_ih_l0.copy_(outer)
        rnn.bias_hh_l0.copy_(initial.w_h.bias)
        rnn.bias_ih_l0.copy_(initial.w_x.bias)
        slope = 1 - rnn(x[None])[0][0].square()  # (T, C)
    norms = []
    for distance in DISTANCES:
        jacobian = torch.eye(width, dtype=torch.float64)
        for position in range(n - 1, n - 1 - distance, -1):
            jacobian = jacobian @ (slope[position][:, None] * inner)
        norms.append(float((jacobian @ (slope[n - 1 - distance][:, None] * outer)).norm()))
    return norms


@reads("regions")
def regions(seen: Seen) -> Reading:
    n, layers, width = len(words()), int(seen.control("stack_layers")), int(seen.control("window_width"))
    before, doubled = seen.control("window_sides") == "before", seen.control("dilation") != "1 in every layer"
    dilations = [2**layer if doubled else 1 for layer in range(layers)]
    steps = [range(width)] if before else [range(-width + 1, width)]

    def below(cells: set[int], dilation: int) -> set[int]:
        return {cell - step * dilation for cell in cells for step in steps[0] if 0 <= cell - step * dilation < n}

    field = np.zeros((n, layers + 1, n))
    for target in range(n):
        cells = {target}
        for layer in range(layers, -1, -1):
            field[target, layer, list(cells)] = 1
            if layer:
                cells = below(cells, dilations[layer - 1])
    everything = [target + 1 if before else n for target in range(n)]
    table = {
        "word": counted(words()),
        "tokens that reach it: window attention": field[:, 0].sum(-1),
        "tokens that reach it: full attention": everything,
    }
    axes = {"target": named(words()), "below_layer": range(layers + 1), "source": named(words())}
    return Reading(table, {"reached": (axes, field)})


@reads("schedules")
def schedules(seen: Seen) -> Reading:
    n, layers = len(words()), int(seen.control("stack_layers"))
    names = ("recurrent network", "self-attention on a given text", "self-attention while generating")
    rules = (
        lambda layer, token: layer + token,
        lambda layer, token: layer,
        lambda layer, token: token * layers + layer,
    )
    plans = [np.array([[rule(layer, token) for token in range(n)] for layer in range(layers)]) for rule in rules]
    longest = n * layers
    table = {"step": range(1, longest + 1)}
    table |= {
        f"cells: {name}": [(plan == step).sum() for step in range(longest)]
        for name, plan in zip(names, plans, strict=True)
    }
    axes = {"layer": range(layers), "position": range(n)}
    return Reading(
        table,
        {kind: (axes, plan) for kind, plan in zip(("recurrent", "parallel", "decoding"), plans, strict=True)},
    )
