"""A step of a live training as a model: kept in memory under a name, and saved in one file that can be opened again.

    mine-my-reverse-1a2b3c4d   the name: the title in letters that are safe in a link, and a hash of the weights

The file is a safetensors file. Its metadata hold the title, the settings of the training and the step, as JSON. Nothing
in it is executed, and the settings are checked before a model is built from them.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from hashlib import sha256
from os import PathLike
from random import Random

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from model.checkpoint import CheckpointError
from model.compute.shapes_only import shapes_only
from model.model_card import JsonObject, parse_card
from model.registry import SESSION_PREFIX, LoadedModel, session_models
from model.tasks.task import Sentence, Task
from model.training.live.learner import held_out_loss_of
from model.training.live.relations import RELATIONS, relation_scores, right_keys
from model.training.live.settings import MOST, LiveSettings
from model.training.live.tasks import HELD_OUT, LIVE_TASKS
from model.transformer import Transformer

MOST_TITLE = 60  # characters
MOST_FILE = 16_000_000  # bytes; the largest model of a live training has ten million
MOST_HEADER = 1_000_000  # bytes
METADATA = "attention_lab"
NO_TOKEN_NORM = (
    "A model with batch norm cannot be kept: its mean and standard deviation belong to a channel, and the other pages "
    "show those of each token."
)
LANGUAGE = "live "  # before the name of a live task: the task on the card


def keep(title: str, settings: LiveSettings, step: int, weights: Mapping[str, Tensor]) -> str:
    """Make a model of the weights at a step, measure its heads, and keep it. Returns the name that finds it.

    Raises:
        CheckpointError: the weights do not fit the settings, or the model has batch norm.
    """
    if settings.norm_kind == "batch":
        raise CheckpointError(NO_TOKEN_NORM)
    with shapes_only():
        expected = {key: tuple(tensor.shape) for key, tensor in Transformer(settings.config).state_dict().items()}
    actual = {key: tuple(tensor.shape) for key, tensor in weights.items()}
    if expected != actual or any(tensor.dtype != torch.float32 for tensor in weights.values()):
        raise CheckpointError("The weights do not fit the settings of the training that are saved with them.")
    network = Transformer(settings.config)
    network.load_state_dict(dict(weights))
    network.eval()
    title = " ".join(title.split())[:MOST_TITLE]
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:24].strip("-") or "model"
    described = {"title": title, "settings": asdict(settings), "step": step}
    digest = sha256(json.dumps(described).encode())
    for key in sorted(weights):
        digest.update(weights[key].contiguous().numpy().tobytes())
    name = f"{SESSION_PREFIX}{slug}-{digest.hexdigest()[:8]}"
    card = parse_card(name, {**_card(settings, network), **described})
    size = sum(tensor.nbytes for tensor in weights.values())
    session_models().add(name, LoadedModel(network, settings.live_task.tokenizer, card), size)
    return name


def _card(settings: LiveSettings, network: Transformer) -> JsonObject:
    """The entries of a model card, measured on the held-out sequences of the task."""
    ids, targets = settings.live_task.held_out()
    with torch.inference_mode():
        trace = network(ids)
    weights = torch.stack([layer.attention.weights for layer in trace.layers], 1)  # (B, L, H, T, T)
    right = right_keys(ids, targets)
    largest = torch.nn.functional.one_hot(weights.argmax(-1), weights.size(-1)).to(weights.dtype)
    mass, top1 = relation_scores(weights, right), relation_scores(largest, right)
    counts = right.any(dim=-1).sum(dim=(1, 2)).tolist()
    config = asdict(settings.config)
    for name, value in config["trained"].items():
        config["trained"][name] = sorted(value) if isinstance(value, frozenset) else value
    relations = {
        name: {"n": count, "mass": mass[number].tolist(), "top1": top1[number].tolist()}
        for number, (name, count) in enumerate(zip(RELATIONS, counts, strict=True))
    }
    return {
        "config": config,
        "words": list(settings.live_task.words),
        "task": LANGUAGE + settings.task,
        "seed": settings.seed,
        "exam": {"sentences": HELD_OUT, "loss": held_out_loss_of(trace, targets), "relations": relations},
    }


def to_file(name: str) -> bytes:
    """A kept model as a safetensors file with its title, settings and step.

    Raises:
        CheckpointError: it is not kept any more.
    """
    kept = session_models().find(name)
    if kept is None:
        raise CheckpointError(f'The model "{name}" is not kept here any more.')
    described = {key: kept.card.json[key] for key in ("title", "settings", "step")}
    weights = {key: tensor.detach().cpu().contiguous() for key, tensor in kept.model.state_dict().items()}
    return safetensors.torch.save(weights, metadata={METADATA: json.dumps(described)})


def from_file(data: bytes) -> str:
    """Keep the model of a file that `to_file` made. Returns its name.

    Raises:
        CheckpointError: it is another file, or one that was changed. The message is one sentence.
    """
    if len(data) > MOST_FILE:
        raise CheckpointError(
            f"This file has {len(data):,} bytes; a model of a live training has at most {MOST_FILE:,}."
        )
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > min(MOST_HEADER, len(data) - 8):
        raise CheckpointError("This is not a whole safetensors file.")
    try:
        described = json.loads(json.loads(data[8 : 8 + length])["__metadata__"][METADATA])
        settings, step, title = LiveSettings(**described["settings"]), described["step"], described["title"]
        _check_types(settings)
        weights = safetensors.torch.load(data)
    except SafetensorError as error:
        raise CheckpointError(f"This is not a whole safetensors file: {error}.") from error
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise CheckpointError(
            "This safetensors file was not saved on the page Training of this lab, or it was changed."
        ) from error
    if type(step) is not int or not 0 <= step <= MOST["steps"] or not isinstance(title, str):
        raise CheckpointError("This safetensors file does not say which step of its training it holds.")
    try:
        return keep(title, settings, step, weights)
    except CheckpointError:
        raise
    except (KeyError, TypeError, ValueError, RuntimeError) as error:  # an unknown position or norm
        raise CheckpointError("The settings in this file describe no model that this lab can build.") from error


def _check_types(settings: LiveSettings) -> None:
    usual = asdict(LiveSettings())
    for name, value in asdict(settings).items():
        if isinstance(usual[name], bool | str) and type(value) is not type(usual[name]):
            raise TypeError(name)


@cache
def language(name: str) -> Task:
    """The language of a live task, as pages need it: its words, and sequences to draw. name: as on a card.

    Raises:
        KeyError: there is no such task.
    """
    task = LIVE_TASKS[name.removeprefix(LANGUAGE)]

    def draw(kind: str | None, rng: Random) -> Sentence:
        ids, _ = task.batch(1, rng.getrandbits(31))
        return _sentence(ids[0].tolist())

    def _sentence(ids: list[int]) -> Sentence:
        return Sentence(tuple(task.tokenizer.vocabulary[i] for i in ids[1:]), "sequence", (), ())

    return Task(name, task.title, {"sequence": "a new sequence"}, {"symbol": task.words}, draw)


def example(name: str) -> str:
    """The first held-out sequence of a live task. name: as on a card."""
    task = LIVE_TASKS[name.removeprefix(LANGUAGE)]
    return " ".join(task.tokenizer.vocabulary[i] for i in task.held_out()[0][0].tolist()[1:])


def open_file(path: str | PathLike[str]) -> str:
    """`from_file` of a file on disk, for Python."""
    with open(path, "rb") as file:
        return from_file(file.read(MOST_FILE + 1))
