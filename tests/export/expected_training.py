"""The readings of the figures of Training, as a link opens it: two untrained models, measured by plain PyTorch."""

import json
from typing import Any

import numpy as np
import torch
from expected_files import Reading, Seen, named, reads

from model import Experiment, run
from model.checkpoint import TRAINED
from model.training.live.settings import LiveSettings
from model.transformer import Transformer

CHOICES = {"layers": int, "heads": int, "width": int, "position": str, "norm": str, "norm_kind": str}


def untrained(seen: Seen, size: int, seed: int, **changes: object) -> tuple[Transformer, torch.Tensor, torch.Tensor]:
    """The model of the controls with its first weights, and ids and targets of its task."""
    task = {"Reverse": "reverse", "Markov language": "markov"}[seen.control("train_task")]
    values = {name: kind(seen.control(f"train_{name}")) for name, kind in CHOICES.items()}
    settings = LiveSettings(task=task, **{**values, **changes})
    torch.manual_seed(0)
    return Transformer(settings.config), *settings.live_task.batch(size, seed)


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
        steps, tokens = {"step": [0]}, range(weights.shape[-1])
        every = [f"layer {layer}" for layer in range(layers)]
        maps = {f"layer_{name}": range(layers), f"head_{name}": range(2), "query": tokens, "key": tokens}
        arrays |= {
            f"{name}_gradient": ({**steps, f"part_{name}": ["embedding", *every, "read-out"]}, [gradient]),
            f"{name}_residual": ({**steps, f"after_{name}": ["embedding", *every]}, [residual]),
            f"{name}_weights": ({**steps, **maps}, [weights]),
            f"{name}_loss": (steps, [loss.item()]),
            f"{name}_held_out_loss": (steps, [held_out]),
            f"{name}_accuracy": (steps, [accuracy]),
            f"{name}_rate": (steps, [rate]),
        }
    return Reading(table, arrays)


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
