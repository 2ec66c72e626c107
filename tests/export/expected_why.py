"""Readings of the figures of Why attention, counted by hand and measured by plain PyTorch."""

from typing import Any

import numpy as np
import torch
from expected_files import Reading, Seen, counted, named, reads

from model import Experiment
from model.cost.gradient import INITIAL, initial_gradients, with_inputs
from model.cost.rnn import TanhRNN
from model.run import encode, get_model
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


@reads("trained_gradients")
def trained_gradients(seen: Seen) -> Reading:
    """The Jacobians of PyTorch, of the last state or stream by the embeddings, on the tokens that each seed draws."""
    models = {
        "translate-gru": "GRU encoder",
        "translate-gru-attention": "GRU encoder, its decoder attends",
        "translate": "Transformer encoder",
        "grammar": "Transformer decoder",
    }
    distances, norms = (1, 2, 4, 8, 12, 16, 20), {}
    for weights, label in models.items():
        network, tokenizer = get_model(weights)
        words = [place for place, word in enumerate(tokenizer.vocabulary) if not word.startswith("<")]
        for seed in range(3):
            torch.manual_seed(seed)
            ids = torch.tensor([[words[place] for place in torch.randint(len(words), (21,)).tolist()]])
            for mark, changed in (("", network), (", untrained", type(network)(network.config))):
                norms.setdefault(f"{label}{mark}", []).append(last_row(changed, ids)[[20 - far for far in distances]])
    relative = {name: np.stack(rows) / np.stack(rows)[:, :1] for name, rows in norms.items()}
    table = {"distance": distances}
    table |= {f"gradient norm: {name}": np.median(values, axis=0) for name, values in relative.items()}
    axes = {"network": list(relative), "seed": range(3), "distance": distances}
    return Reading(table, {"gradient_norms": (axes, np.stack(list(relative.values())))})


def last_row(network: Any, ids: torch.Tensor) -> Any:
    """‖∂ last output / ∂ embedding‖ of every token, (T,)."""

    def last(x: torch.Tensor) -> torch.Tensor:
        changed = with_inputs(network, x[None])
        if hasattr(changed, "encode"):
            encoded = changed.encode(ids)
            return (encoded.hidden if hasattr(encoded, "hidden") else encoded.final_norm.out)[0, -1]
        return changed(ids).final_norm.out[0, -1]

    with torch.inference_mode(False):
        x = network.embedding(ids)[0].detach().clone()
        return torch.autograd.functional.jacobian(last, x).double().norm(dim=(0, 2)).numpy()


@reads("training_speed")
def training_speed(seen: Seen) -> Reading:
    """Nothing is measured before it is asked for; tests/live has the speeds of what was."""
    lengths, names = (64, 128, 256, 512, 1024), ("tanh RNN", "GRU", "self-attention", "fused self-attention")
    seconds = np.full((4, 5), np.nan)
    table = {"length": lengths}
    table |= {f"tokens per second: {name}": lengths / of_layer for name, of_layer in zip(names, seconds, strict=True)}
    return Reading(table, {"seconds": ({"network": names, "length": lengths}, seconds)})


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
