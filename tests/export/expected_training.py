"""The reading of the figure of Training, as a link opens it: two untrained models, measured by plain PyTorch."""

import numpy as np
import torch
from expected_files import Reading, Seen, reads

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
