"""What a folder offers, told before anything large is read: the architecture, its size, and what the lab will show."""

import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path
from typing import Any

import torch

from model.checkpoint import CheckpointError
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

# model_type in config.json → how it is told in our terms
FAMILIES: dict[str, Family] = {"gpt2": GPT2, "bert": BERT, "roberta": ROBERTA, "distilbert": DISTILBERT}
VARIABLE = "ATTENTION_LAB_MODEL_GB"
GIGABYTE = 10**9


@dataclass(frozen=True)
class ModelInfo:
    """A model that could be loaded."""

    name: str  # what it will be called in links: "own-distilgpt2"
    folder: Folder
    kind: str  # "GPT-2", or model_type where only maps can be drawn
    config: ModelConfig | None  # None: our own Transformer cannot hold it, so only its maps are drawn
    maps_only_reason: str  # one sentence, empty where every page will work
    parameters: int
    bytes_needed: int  # of memory, for the weights
    unused: tuple[str, ...]  # tensors in the files that are not needed: other heads, poolers


def inspect_folder(place: str | Path, called: str = "") -> ModelInfo:
    """Look at the model in a folder without loading it. called: its name, where the folder's own says nothing.

    Raises:
        CheckpointError: it cannot be loaded; the message says why in one sentence.
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
            with torch.device("meta"):  # sizes without numbers
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
    """Shaw et al. 2018 put a vector for each distance into the scores; `transformers` 5 no longer adds it."""
    scheme = folder.config.get("position_embedding_type")
    held = next((name for name in sorted(folder.claims) if ".distance_embedding." in name), None)
    if scheme in ("relative_key", "relative_key_query") or held:
        why = f"its weights hold {held}" if held else f'config.json says position_embedding_type = "{scheme}"'
        raise CheckpointError(
            f"This model puts distances into its scores: {why}. Neither the lab nor transformers 5 computes that, so "
            "its maps would be wrong; choose a model whose positions are added to the embeddings."
        )


def make_card(offer: ModelInfo, measured: Mapping[str, Any] | None = None) -> ModelCard:
    """What is known of a model from elsewhere, in the form of the cards of the lab's own weights.

    measured: entries of the card that were measured; see model/model_card.py.
    """
    json = {
        "config": asdict(offer.config) if offer.config else None,
        "task": STORIES.name,  # passages of our own, to try it on
        "tokenizer": SUBWORDS,
        "family": offer.kind,
        "folder": str(offer.folder.path),
        "parameters": offer.parameters,
        "exam": {"sentences": 0, "relations": {}},
    }
    return parse_card(offer.name, json | dict(measured or {}))


def most_bytes() -> int:
    """How much memory the weights of one model may take: ATTENTION_LAB_MODEL_GB gigabytes, 4 where it says nothing.

    Raises:
        CheckpointError: the variable holds no number above 0.
    """
    setting = os.environ.get(VARIABLE, "4")
    try:
        if 0 < (gigabytes := float(setting)) < float("inf"):
            return int(gigabytes * GIGABYTE)
    except ValueError:
        pass
    raise CheckpointError(f"{VARIABLE} must be a number of gigabytes above 0, not “{setting}”.")


def registry_name(called: str) -> str:
    """A name as links carry it: "own-" and plain letters, digits and dashes."""
    return "own-" + (re.sub(r"[^a-z0-9]+", "-", called.lower()).strip("-")[:48].strip("-") or "model")


def _plain_name(path: Path) -> str:
    """The folder's name; where that says nothing, as in the cache of the hub, the name of a folder around it."""
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
    """config.json in our terms, as far as it can be true: more layers than tensors there cannot be."""
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
    """Where each of our tensors comes from."""
    family = FAMILIES[folder.config["model_type"]]
    return family.pieces(aliased(folder.config, family.aliases), config, _body(family, claims))


def _check(needed: Mapping[str, TensorSource], claims: Mapping[str, TensorHeader]) -> None:
    """Every tensor that is needed is there, in its shape, as numbers that can be read."""
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
