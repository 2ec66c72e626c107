"""Inspect a folder before anything large is read: the architecture, its size, and what the lab can show."""

import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path
from typing import Any

from model.checkpoint import CheckpointError
from model.compute.shapes_only import shapes_only
from model.config import ModelConfig
from model.importers.bert import BERT, DISTILBERT, ROBERTA
from model.importers.folder import Folder, open_folder
from model.importers.gpt2 import GPT2
from model.importers.safetensors_header import BYTES, TensorHeader
from model.importers.tensor_map import Family, TensorSource, UnsupportedModel
from model.importers.tensor_names import aliased, canonical_tensors, refuse_adapters, refuse_unread
from model.model_card import SUBWORDS, ModelCard, parse_card
from model.tasks.passages import STORIES
from model.transformer import Transformer

# model_type in config.json → its family
FAMILIES: dict[str, Family] = {"gpt2": GPT2, "bert": BERT, "roberta": ROBERTA, "distilbert": DISTILBERT}
VARIABLE = "ATTENTION_LAB_MODEL_GB"
GIGABYTE = 10**9


@dataclass(frozen=True)
class ModelInfo:
    """A model that could be loaded."""

    name: str  # its name in links: "own-distilgpt2"
    folder: Folder
    kind: str  # "GPT-2", or model_type for a maps-only model
    config: ModelConfig | None  # None: a maps-only model, which our own Transformer cannot represent
    maps_only_reason: str  # why only maps can be shown, in one sentence; empty if all pages work
    parameters: int
    bytes_needed: int  # of memory, for the weights
    unused: tuple[str, ...]  # tensors of the files that are not needed: other heads, poolers


def inspect_folder(place: str | Path, called: str = "") -> ModelInfo:
    """Inspect the model in a folder without loading it. called: its name, instead of that of the folder.

    Raises:
        CheckpointError: the model cannot be loaded; the message gives the reason in one sentence.
    """
    folder = open_folder(place)
    refuse_adapters(folder.claims)
    kind = _kind(folder.config)
    parameters = sum(prod(claim.shape) for claim in folder.claims.values())
    config, why, label = None, "", kind
    unused: tuple[str, ...] = ()
    _refuse_distances(folder)
    if kind in FAMILIES:
        family = FAMILIES[kind]
        claims = {name: claim for name, (_, claim) in canonical_tensors(folder, family).items()}
        try:
            config = build_config(folder, claims)
            needed = tensor_sources(folder, config, claims)
            _check(needed, claims)
            used = {piece.name for piece in needed.values()}
            unused = tuple(sorted(set(claims) - used))
            refuse_unread(family, {name: claims[name] for name in unused}, config.n_layers)
            with shapes_only():
                parameters = sum(parameter.numel() for parameter in Transformer(config).parameters())
            label = family.label
        except UnsupportedModel as reason:
            why = str(reason)
    else:
        why = f"The lab's own Transformer is no {label}: its maps can be shown, but its components cannot be ablated."
    name = registry_name(called or _plain_name(folder.path))
    offer = ModelInfo(name, folder, label, config, why, parameters, 4 * parameters, unused)
    if offer.bytes_needed > (most := most_bytes()):
        raise CheckpointError(
            f"This model needs {offer.bytes_needed / GIGABYTE:,.1f} GB of memory for its weights and "
            f"{most / GIGABYTE:g} GB are allowed here; {VARIABLE} sets how many."
        )
    return offer


def _kind(config: Mapping[str, Any]) -> str:
    kind = config.get("model_type")
    if not isinstance(kind, str) or not kind:
        raise CheckpointError(
            f"config.json says model_type = {kind!r}, so the lab cannot tell what kind of model this is. Write its "
            'kind there, for example "model_type": "bert".'
        )
    return kind


def _refuse_distances(folder: Folder) -> None:
    """Refuse the distance vectors of Shaw et al. 2018 in the scores, which `transformers` 5 no longer adds."""
    scheme = folder.config.get("position_embedding_type")
    held = next((name for name in sorted(folder.claims) if ".distance_embedding." in name), None)
    if scheme in ("relative_key", "relative_key_query") or held:
        why = f"its weights hold {held}" if held else f'config.json says position_embedding_type = "{scheme}"'
        raise CheckpointError(
            f"This model puts distances into its scores: {why}. Neither the lab nor transformers 5 computes that, so "
            "its maps would be wrong; choose a model whose positions are added to the embeddings."
        )


def make_card(offer: ModelInfo, measured: Mapping[str, Any] | None = None) -> ModelCard:
    """The card of an external model, in the form of the cards of the lab's own weights.

    measured: the measured entries of the card; see model/model_card.py.
    """
    json = {
        "config": asdict(offer.config) if offer.config else None,
        "task": STORIES.name,  # our own passages as examples
        "tokenizer": SUBWORDS,
        "family": offer.kind,
        "folder": str(offer.folder.path),
        "parameters": offer.parameters,
        "exam": {"sentences": 0, "relations": {}},
    }
    return parse_card(offer.name, json | dict(measured or {}))


def most_bytes() -> int:
    """The maximum memory of the weights of one model: ATTENTION_LAB_MODEL_GB gigabytes, by default 4.

    Raises:
        CheckpointError: the variable is not a number above 0.
    """
    setting = os.environ.get(VARIABLE, "4")
    try:
        if 0 < (gigabytes := float(setting)) < float("inf"):
            return int(gigabytes * GIGABYTE)
    except ValueError:
        pass
    raise CheckpointError(f"{VARIABLE} must be a number of gigabytes above 0, not “{setting}”.")


def registry_name(called: str) -> str:
    """The name of a model in links: "own-" and letters, digits and dashes."""
    return "own-" + (re.sub(r"[^a-z0-9]+", "-", called.lower()).strip("-")[:48].strip("-") or "model")


def _plain_name(path: Path) -> str:
    """The name of the folder; in the cache of the hub, that of the enclosing folder with the name of the model."""
    around = [path.name, *(parent.name for parent in path.parents)]
    cached = [name for name in around if name.startswith("models--")]
    telling = [name for name in around if name not in ("", "model", "models", "weights", "checkpoint", "snapshots")]
    return cached[0].removeprefix("models--") if cached else (telling or ["model"])[0]


def _body(family: Family, names: Mapping[str, TensorHeader]) -> str:
    for body in family.body:
        if body + family.anchor in names:
            return body
    raise CheckpointError(f"config.json says this is a {family.label}, but the weights hold no {family.anchor}.")


def build_config(folder: Folder, claims: Mapping[str, TensorHeader]) -> ModelConfig:
    """The config of the lab for config.json, which cannot have more layers than there are tensors."""
    family = FAMILIES[folder.config["model_type"]]
    _body(family, claims)
    try:
        config = family.describe(aliased(folder.config, family.aliases), frozenset(claims))
    except CheckpointError:
        raise
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"config.json does not describe a model: {error}.") from error
    if config.n_layers > len(claims):
        raise CheckpointError(f"config.json says {config.n_layers} layers, but the weights are {len(claims)} tensors.")
    return config


def tensor_sources(folder: Folder, config: ModelConfig, claims: Mapping[str, TensorHeader]) -> dict[str, TensorSource]:
    """The source of each of our tensors."""
    family = FAMILIES[folder.config["model_type"]]
    return family.pieces(aliased(folder.config, family.aliases), config, _body(family, claims))


def _check(needed: Mapping[str, TensorSource], claims: Mapping[str, TensorHeader]) -> None:
    """Check that every needed tensor exists, with its shape and a supported dtype."""
    for piece in needed.values():
        claim = claims.get(piece.name)
        if claim is None:
            raise CheckpointError(f"The weights lack {piece.name}, which config.json asks for.")
        if claim.shape != piece.shape:
            raise CheckpointError(
                f"config.json asks for {piece.name} of shape {piece.shape}, {claim.file.name} has {claim.shape}."
            )
        if claim.dtype not in BYTES:
            raise CheckpointError(
                f"{piece.name} holds numbers of kind {claim.dtype}; the lab reads {', '.join(BYTES)}."
            )
