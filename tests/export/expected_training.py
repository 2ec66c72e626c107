"""The readings of the figures of Training, as a link opens it: two untrained models, measured by plain PyTorch."""

import copy
import json
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from expected_files import Reading, Seen, named, reads

from model import Experiment, run
from model.checkpoint import TRAINED
from model.switches import Switches
from model.training.live.settings import LiveSettings
from model.training.live.tasks import LIVE_TASKS
from model.transformer import Trace, Transformer

CHOICES = {"layers": int, "heads": int, "width": int, "position": str, "norm": str, "norm_kind": str, "activation": str}


def untrained(seen: Seen, size: int, seed: int, **changes: object) -> tuple[Transformer, torch.Tensor, torch.Tensor]:
    """The model of the controls with its first weights, and ids and targets of its task."""
    task = {"Reverse": "reverse", "Markov language": "markov"}[seen.control("train_task")]
    values = {name: kind(seen.control(f"train_{name}")) for name, kind in CHOICES.items()}
    settings = LiveSettings(task=task, **{**values, **changes})
    torch.manual_seed(0)
    return Transformer(settings.config), *settings.live_task.batch(size, seed)


def maps_of(trace: Trace[torch.Tensor]) -> list[torch.Tensor]:
    """The weights (B, H, T, T) of every layer."""
    return [layer.attention.weights for layer in trace.layers]


@reads("learning")
def learning(seen: Seen) -> Reading:
    field, value = {"positions": ("position", "none"), "layers": ("layers", 1)}[seen.control("train_change")]
    table: dict[str, object] = {"step": [0]}
    arrays = {}
    for name, changes in (("A", {}), ("B", {field: value})):
        network, ids, targets = untrained(seen, 128, -1, **changes)
        with torch.no_grad():
            trace = network(ids)
        counted = targets >= 0
        chances = trace.logits[counted].double().log_softmax(-1)
        held_out = -chances.gather(1, targets[counted][:, None]).mean().item()
        accuracy = (trace.logits.argmax(-1) == targets)[counted].double().mean().item()
        streams = [trace.embed, *(layer.resid_post for layer in trace.layers)]
        residual = [stream.square().sum(-1).sqrt().mean().item() for stream in streams]
        weights = torch.stack([layer.attention.weights[0] for layer in trace.layers]).numpy()

        holds = (ids[:, None, :] == targets[:, :, None]).double()[counted]  # (N, T)
        on_answer = [
            [(m[:, h][counted].double() * holds).sum(-1).mean().item() for h in range(2)] for m in maps_of(trace)
        ]

        network, ids, targets = untrained(seen, 32, 0, **changes)
        counted = targets >= 0
        loss = -network(ids).logits[counted].log_softmax(-1).gather(1, targets[counted][:, None]).mean()
        loss.backward()
        squares: dict[str, float] = {}
        for key, parameter in network.named_parameters():
            part = ".".join(key.split(".")[:2]) if key.startswith("layers") else key.split(".")[0]
            squares[part] = squares.get(part, 0.0) + parameter.grad.square().sum().item()
        layers = len(network.layers)
        own = [squares["embedding"] + squares.get("position", 0.0)]
        own += [squares[f"layers.{layer}"] for layer in range(layers)]
        own += [squares["final_norm"] + squares["unembedding"]]
        gradient = np.sqrt(own)

        rate = 0.003 / 10  # the first of ten steps of warm-up
        table |= {f"learning rate, {name}": [rate], f"training loss, {name}": [loss.item()]}
        table |= {f"held-out loss, {name}": [held_out], f"held-out accuracy, {name}": [accuracy]}
        table |= {f"gradient norm, {name}": [np.sqrt(sum(own))]}
        table |= {f"weight on the answer, {name}": [np.max(on_answer)]}
        steps, tokens = {"step": [0]}, range(weights.shape[-1])
        every = [f"layer {layer}" for layer in range(layers)]
        maps = {f"layer_{name}": range(layers), f"head_{name}": range(2), "query": tokens, "key": tokens}
        arrays |= {
            f"{name}_gradient": ({**steps, f"part_{name}": ["embedding", *every, "read-out"]}, [gradient]),
            f"{name}_residual": ({**steps, f"after_{name}": ["embedding", *every]}, [residual]),
            f"{name}_weights": ({**steps, **maps}, [weights]),
            f"{name}_on_answer": ({**steps, f"layer_{name}": range(layers), f"head_{name}": range(2)}, [on_answer]),
            f"{name}_loss": (steps, [loss.item()]),
            f"{name}_held_out_loss": (steps, [held_out]),
            f"{name}_accuracy": (steps, [accuracy]),
            f"{name}_rate": (steps, [rate]),
        }
    return Reading(table, arrays)


@reads("rate_schedules")
def rate_schedules(seen: Seen) -> Reading:
    warmup, width, steps = 10, 32, 200  # the usual settings, with a rate of 0.003
    number = np.arange(1, steps + 1)
    rise, left = number / warmup, 1 - np.maximum(0, number - 1 - warmup) / (steps - warmup)
    rates = {
        "constant": 0.003 * np.minimum(rise, 1),
        "linear": 0.003 * np.minimum(rise, left),
        "cosine": 0.003 * np.minimum(rise, (1 - np.cos(np.pi * left)) / 2),
        "inverse root": 0.003 * np.minimum(rise, np.sqrt(warmup / number)),
        "Vaswani 2017": width**-0.5 * np.minimum(number**-0.5, number * warmup**-1.5),
    }
    table = {"step": number, **{f"learning rate: {name}": values for name, values in rates.items()}}
    return Reading(table, {"rates": ({"decay": list(rates), "step": number}, list(rates.values()))})


def with_gradient(changes: dict[str, object], seed: int) -> Transformer:
    """The usual model with these changes of its config, and the gradient of its first batch."""
    torch.manual_seed(seed)
    network = Transformer(replace(LiveSettings().config, **changes))
    gradient_of(network, seed)
    return network


def gradient_of(network: Transformer, seed: int) -> torch.Tensor:
    """The loss of a batch, whose gradient the weights have afterwards."""
    network.zero_grad()
    ids, targets = LIVE_TASKS["reverse"].batch(32, seed)
    has_target = targets >= 0
    chances = network(ids).logits[has_target].log_softmax(-1)
    loss = -chances.gather(1, targets[has_target][:, None]).mean()
    loss.backward()
    return loss


@reads("initial_gradients")
def initial_gradients(seen: Seen) -> Reading:
    deep = int(seen.control("train_depth"))
    depths = sorted({1, 2, 3, 4, 6, 8, 12, 16, 20, 24, deep})
    embedding = {}
    for norm, title in (("pre", "pre-norm"), ("none", "no norm")):
        for residual in (True, False):
            trained = Switches() if residual else Switches().without("residual")
            every = [[{"n_layers": depth, "norm": norm, "trained": trained} for depth in depths] for _ in range(3)]
            embedding[f"{title}, {'with' if residual else 'without'} residual connections"] = [
                [with_gradient(changes, seed).embedding.weight.grad.norm().item() for changes in row]
                for seed, row in enumerate(every)
            ]
    by_layer = [
        [[layer.mlp_out.weight.grad.norm().item() for layer in with_gradient(changes, s).layers] for s in range(3)]
        for changes in ({"n_layers": deep, "norm": "pre"}, {"n_layers": deep, "norm": "post"})
    ]
    medians = {f"gradient norm: {case}": np.median(norms, axis=0) for case, norms in embedding.items()}
    cases = {"case": list(embedding), "seed": range(3), "layers": depths}
    layers = {"norm": ["pre-norm", "post-norm"], "seed": range(3), "layer": range(deep)}
    arrays = {"embedding": (cases, list(embedding.values())), "by_layer": (layers, by_layer)}
    return Reading({"layers": depths, **medians}, arrays)


@reads("smoothness")
def smoothness(seen: Seen) -> Reading:
    probed, rates = (0, 5, 10, 20, 30, 40, 60, 80), [0.05 * number for number in range(1, 9)]
    kinds = {"layer norm": {}, "batch norm": {"norm_kind": "batch"}, "no norm": {"norm": "none"}}
    table: dict[str, object] = {"step": probed}
    losses, changes = [], []
    for change in kinds.values():
        torch.manual_seed(0)
        network = Transformer(replace(LiveSettings().config, **change))
        optimizer = torch.optim.AdamW(network.parameters(), betas=(0.9, 0.98), weight_decay=0.01)
        along = []
        for step in range(81):
            if step in probed:
                along.append([tried(network, step, rate) for rate in rates])
            gradient_of(network, step)
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.param_groups[0]["lr"] = 0.003 * min(1, (step + 1) / 10)
            optimizer.step()
        losses.append([[loss for loss, _ in row] for row in along])
        changes.append([max(moved for _, moved in row) for row in along])
    table |= {f"range of the loss: {name}": np.ptp(of, axis=1) for name, of in zip(kinds, losses, strict=True)}
    table |= {f"change of the gradient: {name}": of for name, of in zip(kinds, changes, strict=True)}
    axes = {"norm": list(kinds), "step": probed}
    return Reading(table, {"losses": ({**axes, "rate": rates}, losses), "gradient_change": (axes, changes)})


def tried(network: Transformer, step: int, rate: float) -> tuple[float, float]:
    """The loss after one plain step along the gradient, and how far the gradient has moved per distance."""
    copied = copy.deepcopy(network)
    gradient_of(copied, step)
    before = torch.cat([p.grad.flatten() for p in copied.parameters()])
    torch.optim.SGD(copied.parameters(), rate).step()
    loss = gradient_of(copied, step)
    after = torch.cat([p.grad.flatten() for p in copied.parameters()])
    return loss.item(), ((after - before).norm() / (rate * before.norm())).item()


@reads("history")
def history(seen: Seen) -> Reading:
    if seen.control("history_of") != "grammar":
        return live_history(seen)
    exams = json.loads((TRAINED / "grammar.steps/exams.json").read_text(encoding="utf-8"))
    steps = [int(step) for step in exams]
    loss = [exam["loss"] for exam in exams.values()]
    rises = [0.003 * (max(step - 1, 0) + 1) / 100 for step in steps]
    falls = [0.0015 * (1 + np.cos(np.pi * max(0, step - 1 - 100) / 2300)) for step in steps]
    rate = np.minimum(rises, falls)
    relations = list(exams["0"]["relations"])
    scores = np.array([[exam["relations"][name]["mass"] for name in relations] for exam in exams.values()])
    traces = [run(Experiment(f"grammar@{step:06d}", seen.control("text"))) for step in steps]
    weights = np.stack([[layer.attention.weights for layer in trace.layers] for trace in traces])
    tokens = ["⟨start⟩", *seen.control("text").split()]
    return of_history(steps, loss, rate, relations, scores, weights, tokens)


def live_history(seen: Seen) -> Reading:
    network, ids, targets = untrained(seen, 128, -1, position="none")
    with torch.no_grad():
        trace = network(ids)
    has_target = targets >= 0
    loss = -trace.logits[has_target].double().log_softmax(-1).gather(1, targets[has_target][:, None]).mean().item()
    weights = torch.stack([layer.attention.weights for layer in trace.layers], 1).double().numpy()  # (B, L, H, T, T)
    last = np.arange(1, weights.shape[-1])
    previous = weights[..., last, last - 1].mean(axis=(0, -1))
    following = weights[..., last - 1, last].mean(axis=(0, -1))
    first = weights[..., last, 0].mean(axis=(0, -1))
    own = np.diagonal(weights, axis1=-2, axis2=-1).mean(axis=(0, -1))
    right = (ids[:, None, None, None, :] == targets[:, None, None, :, None]).numpy()
    on_asked = (weights * right).sum(-1)[..., 1:].mean(axis=(0, -1))
    relations = ["previous token", "next token", "first token", "own token", "token that is asked for"]
    scores = np.stack([previous, following, first, own, on_asked])[None]
    words = named(network_words(seen)[i] for i in ids[0].tolist())
    return of_history([0], [loss], [0.003 / 10], relations, scores, weights[None, 0], words)


def network_words(seen: Seen) -> tuple[str, ...]:
    return LiveSettings(task="reverse").live_task.tokenizer.vocabulary


def of_history(
    steps: list[int], loss: Any, rate: Any, relations: list[str], scores: Any, weights: Any, tokens: list[str]
) -> Reading:
    """scores (N, R, L, H) and weights (N, L, H, T, T) as table and arrays."""
    n, r, layers, heads = scores.shape
    each = r * layers * heads
    table = {
        "step": np.repeat(steps, each),
        "held-out loss": np.repeat(loss, each),
        "learning rate": np.repeat(rate, each),
        "relation": [name for _ in steps for name in relations for _ in range(layers * heads)],
        "layer": np.tile(np.repeat(range(layers), heads), n * r),
        "head": np.tile(range(heads), n * r * layers),
        "weight on the right tokens": scores.ravel(),
    }
    axes = {"layer": range(layers), "head": range(heads)}
    arrays = {
        "loss": ({"step": steps}, loss),
        "rate": ({"step": steps}, rate),
        "scores": ({"relation": relations, "step": steps, **axes}, scores.swapaxes(0, 1)),
        "weights": ({"step": steps, **axes, "query": tokens, "key": tokens}, weights),
    }
    return Reading(table, arrays)
