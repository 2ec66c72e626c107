"""An offer as JSON, for the way from the child process to the server."""

from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from model.config import ModelConfig
from model.importers.folder import Folder
from model.importers.inspect import Offer
from model.switches import Switches

MOST_UNUSED = 8  # names of tensors that are not needed: the page shows a few


def to_json(offer: Offer) -> dict[str, Any]:
    """The offer without the headers of its files."""
    config = offer.config
    told = None
    if config is not None:
        told = {name: value for name, value in asdict(config).items() if name != "trained"}
        told["removed"] = [part.name for part in fields(Switches) if getattr(config.trained, part.name) is False]
    return {
        "name": offer.name,
        "path": str(offer.folder.path),
        "tokenizer": offer.folder.tokenizer,
        "stamp": offer.folder.stamp,
        "kind": offer.kind,
        "config": told,
        "why_maps_only": offer.why_maps_only,
        "parameters": offer.parameters,
        "bytes_needed": offer.bytes_needed,
        "unused": offer.unused[:MOST_UNUSED],
    }


def from_json(told: dict[str, Any]) -> Offer:
    """The same offer; its folder knows which files it has, and not what is in them."""
    config = None
    if told["config"] is not None:
        removed: dict[str, Any] = dict.fromkeys(told["config"]["removed"], False)
        choices = {name: value for name, value in told["config"].items() if name != "removed"}
        trained = replace(Switches(), **removed)
        config = ModelConfig(**choices, trained=trained)
    stamp = tuple((str(name), int(size), int(time)) for name, size, time in told["stamp"])
    folder = Folder(Path(told["path"]), {}, {}, told["tokenizer"], stamp)
    return Offer(
        told["name"],
        folder,
        told["kind"],
        config,
        told["why_maps_only"],
        int(told["parameters"]),
        int(told["bytes_needed"]),
        tuple(told["unused"]),
    )
