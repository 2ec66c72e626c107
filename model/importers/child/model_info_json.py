"""A ModelInfo as JSON, for the message from the child process to the server."""

from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from model.config import ModelConfig
from model.importers.folder import Folder
from model.importers.inspect import ModelInfo
from model.switches import Switches

MAX_UNUSED = 8  # names of unneeded tensors, of which the page shows a few


def to_json(offer: ModelInfo) -> dict[str, Any]:
    """The ModelInfo without the headers of its files."""
    config = offer.config
    config_json = None
    if config is not None:
        config_json = {name: value for name, value in asdict(config).items() if name != "trained"}
        config_json["removed"] = [part.name for part in fields(Switches) if getattr(config.trained, part.name) is False]
    return {
        "name": offer.name,
        "path": str(offer.folder.path),
        "tokenizer": offer.folder.tokenizer,
        "stamp": offer.folder.stamp,
        "kind": offer.kind,
        "config": config_json,
        "why_maps_only": offer.maps_only_reason,
        "parameters": offer.parameters,
        "bytes_needed": offer.bytes_needed,
        "unused": offer.unused[:MAX_UNUSED],
    }


def from_json(info: dict[str, Any]) -> ModelInfo:
    """The ModelInfo; its folder has the names of the files, without their headers."""
    config = None
    if info["config"] is not None:
        removed: dict[str, Any] = dict.fromkeys(info["config"]["removed"], False)
        choices = {name: value for name, value in info["config"].items() if name != "removed"}
        trained = replace(Switches(), **removed)
        config = ModelConfig(**choices, trained=trained)
    stamp = tuple((str(name), int(size), int(time)) for name, size, time in info["stamp"])
    folder = Folder(Path(info["path"]), {}, {}, info["tokenizer"], stamp)
    return ModelInfo(
        info["name"],
        folder,
        info["kind"],
        config,
        info["why_maps_only"],
        int(info["parameters"]),
        int(info["bytes_needed"]),
        tuple(info["unused"]),
    )
