"""The mapping of an external checkpoint: one `TensorSource` for each of our tensors."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from model.checkpoint import CheckpointError
from model.config import ModelConfig


class UnsupportedModel(CheckpointError):
    """A valid model that our own Transformer cannot represent; its maps can still be shown. The message says why."""


@dataclass(frozen=True)
class TensorSource:
    """The source of one of our tensors: its name and shape in the file, and the conversion."""

    name: str
    shape: tuple[int, ...]
    take: Callable[[Tensor], Tensor] | None = None  # None: without a change


@dataclass(frozen=True)
class Family:
    """A kind of checkpoint that our own Transformer can represent."""

    label: str
    body: tuple[str, ...]  # possible prefixes of the names of the body: "", "bert.", …
    anchor: str  # the token embedding, which every model of the family has
    describe: Callable[[Mapping[str, Any], frozenset[str]], ModelConfig]  # config.json and the tensors' names
    pieces: Callable[[Mapping[str, Any], ModelConfig, str], dict[str, TensorSource]]  # …, prefix → our config
    inside: re.Pattern[str]  # prefixes of names, after `body`, of tensors of the computation: layers, embeddings
    unembedding: str  # the name of the unembedding, if a file contains it
    buffers: re.Pattern[str]  # names, after `body`, of constants in older files: masks, lists of positions
    aliases: Mapping[str, str] = field(default_factory=dict)  # other names in config.json → the usual ones


MIN_EPSILON, MAX_EPSILON = 1e-30, 0.1  # published models have 1e-12 to 1e-3


def shown(value: object) -> str:
    """A value of config.json, shortened for a sentence."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def size(config_json: Mapping[str, Any], name: str, default: int | None = None, most: int = 10_000_000) -> int:
    """A size in config.json.

    Raises:
        CheckpointError: it is missing, or not a whole number in the allowed range.
    """
    value = config_json.get(name, default)
    value = default if value is None else value
    if type(value) is not int or not 1 <= value <= most:
        raise CheckpointError(
            f"config.json says {name} = {shown(value)}; a model has a whole number from 1 to {most:,} there."
        )
    return value


def flag(config_json: Mapping[str, Any], name: str, default: bool) -> bool:
    """A truth value in config.json.

    Raises:
        CheckpointError: it is neither true nor false.
    """
    value = config_json.get(name, default)
    if not isinstance(value, bool):
        raise CheckpointError(f"config.json says {name} = {shown(value)}; it must be true or false.")
    return value


def epsilon(config_json: Mapping[str, Any], name: str, default: float) -> float:
    """The epsilon of a norm in config.json.

    Raises:
        CheckpointError: it is not a number from MIN_EPSILON to MAX_EPSILON.
    """
    value = config_json.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not MIN_EPSILON <= value <= MAX_EPSILON:
        raise CheckpointError(
            f"config.json says {name} = {shown(value)}; it must be a number from {MIN_EPSILON:g} to {MAX_EPSILON:g}."
        )
    return float(value)


def choice(config_json: Mapping[str, Any], name: str, table: Mapping[str, str], default: str) -> str:
    """A choice in config.json, under our name for it.

    Raises:
        UnsupportedModel: our Transformer does not have it.
    """
    value = config_json.get(name, default)
    if not isinstance(value, str) or value not in table:
        raise UnsupportedModel(f"config.json says {name} = {shown(value)}; the lab can run {', '.join(table)}.")
    return table[value]


# Their name → ours. The five names of one approximation of GELU differ only in rounding.
ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_python": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "gelu_python_tanh": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "gelu_accurate": "gelu_tanh",
    "relu": "relu",
    "silu": "silu",
    "swish": "silu",
}


def linear(ours: str, theirs: str, into: int, out_of: int) -> dict[str, TensorSource]:
    """W (into, out_of) and b (into,) of one linear map."""
    return {
        f"{ours}.weight": TensorSource(f"{theirs}.weight", (into, out_of)),
        f"{ours}.bias": TensorSource(f"{theirs}.bias", (into,)),
    }


def norm(ours: str, theirs: str, width: int) -> dict[str, TensorSource]:
    """Scale and shift of one layer norm."""
    return {f"{ours}.{part}": TensorSource(f"{theirs}.{part}", (width,)) for part in ("weight", "bias")}
