"""The content of the folder of a model: its config, weights and tokenizer. Nothing in it is executed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.checkpoint import CheckpointError
from model.importers.bounded_read import read_bytes
from model.importers.pasted_path import as_path, is_address
from model.importers.safetensors_header import TensorHeader, read_headers

MAX_JSON = 64 << 20  # bytes; the largest published tokenizers have 33 MB
MAX_SETTINGS = 16 << 20  # of a config, of the settings of a tokenizer, of an index of parts
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.pickle")
# Files that affect the ids of a text, other than the vocabulary.
BESIDE_TOKENIZER = ("merges.txt", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")
ADAPTERS, ADAPTER_CONFIG = ("adapter_model.safetensors", "adapter_model.bin"), "adapter_config.json"
MERGE = "Load the model together with its adapter in PEFT, call merge_and_unload(), and save what that returns."
SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"


@dataclass(frozen=True)
class Folder:
    """The folder of a model, with the headers of its files."""

    path: Path
    config: Mapping[str, Any]  # config.json
    claims: Mapping[str, TensorHeader]  # the header of every tensor of the weights
    tokenizer: str  # the file of the tokenizer
    stamp: tuple[tuple[str, int, int], ...]  # name, size and time of every file that is used

    @property
    def bytes_on_disk(self) -> int:
        """The size of the files of weights."""
        return sum(size for name, size, _ in self.stamp if name.endswith(".safetensors"))


def open_folder(place: str | Path) -> Folder:
    """Read the config and the headers of a folder.

    Raises:
        CheckpointError: there is no such folder, or something in it is missing, broken or not safe to open.
    """
    path = _real(place)
    _refuse_adapter(path)
    config = read_json(path / "config.json", MAX_SETTINGS)
    files = _weights(path)
    headers: dict[str, TensorHeader] = {}
    for file in files:
        for name, claim in read_headers(file).items():
            if name in headers:
                raise CheckpointError(f'The tensor "{name}" is in two files of {path.name}.')
            headers[name] = claim
    tokenizer = _tokenizer(path)
    used = [path / name for name in ("config.json", tokenizer)] + files
    beside = [path / name for name in BESIDE_TOKENIZER if (path / name).is_file()]
    return Folder(path, config, headers, tokenizer, _stamp([*used, *beside]))


def _real(place: str | Path) -> Path:
    """The folder, with links resolved."""
    if is_address(str(place)):
        raise CheckpointError(
            f"“{_short(place)}” is a web address, not a folder of this machine. A model of the Hugging Face Hub is "
            "fetched on the page “Your model”, by the button “Ask the Hub”."
        )
    try:
        path = Path(as_path(str(place))).expanduser().resolve(strict=True)
        if path.is_dir():
            return path
    except (OSError, RuntimeError, ValueError) as error:  # no such path; circular links; a character that no path has
        looped = isinstance(error, RuntimeError) or getattr(error, "errno", None) == 40
        why = "its links lead in a circle" if looped else "there is nothing of that name"
        raise CheckpointError(f"“{_short(place)}” is not a folder on this machine: {why}.") from error
    raise CheckpointError(f"“{_short(place)}” is a file. Name the folder that holds config.json and the weights.")


def _refuse_adapter(path: Path) -> None:
    """Refuse an adapter in the folder of a model, which `transformers` would merge into the model."""
    weights = [name for name in ADAPTERS if (path / name).is_file()]
    if weights or ((path / ADAPTER_CONFIG).is_file() and not (path / "config.json").is_file()):
        raise CheckpointError(
            f"{path.name} holds an adapter of PEFT, {(weights or [ADAPTER_CONFIG])[0]}; the lab reads whole models. "
            f"{MERGE}"
        )


def _short(place: str | Path) -> str:
    """A short, printable form of the path that was typed."""
    text = str(place).encode("utf-8", "replace").decode()
    return text if len(text) <= 120 else f"{text[:60]}…{text[-59:]}"


def read_json(path: Path, most: int = MAX_JSON) -> dict[str, Any]:
    """The object in a JSON file of at most `most` bytes.

    Raises:
        CheckpointError: the file is missing, too large, or not a JSON object.
    """
    try:
        if not path.is_file():
            raise CheckpointError(f"There is no {path.name} in {path.parent.name}: this folder holds no model.")
        content = json.loads(read_bytes(path, most))
    except (OSError, RuntimeError) as error:
        if isinstance(error, RecursionError):
            raise CheckpointError(f"{path.name} is not JSON that a model would have: it is nested too deep.") from error
        raise CheckpointError(f"{path.name} cannot be read: {error}.") from error
    except CheckpointError:
        raise
    except ValueError as error:
        raise CheckpointError(f"{path.name} is not JSON: {str(error)[:200]}.") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path.name} is JSON, but not a list of names and values.")
    return content


def _weights(path: Path) -> list[Path]:
    """The files of the weights: one, or the parts of an index."""
    if (path / INDEX).is_file() and not (path / SINGLE).is_file():
        parts = read_json(path / INDEX, MAX_SETTINGS).get("weight_map")
        if not isinstance(parts, dict) or not parts:
            raise CheckpointError(f"{INDEX} names no files.")
        names = sorted({str(name) for name in parts.values()})
        for name in names:
            if Path(name).name != name or "\\" in name or not name.endswith(".safetensors"):
                raise CheckpointError(f"{INDEX} points to “{name}”; only safetensors files beside it are opened.")
            if not (path / name).is_file():
                raise CheckpointError(f"{INDEX} names the part {name}, which is not there.")
        return [path / name for name in names]
    if (path / SINGLE).is_file():
        return [path / SINGLE]
    others = sorted(path.glob("*.safetensors"))
    if len(others) == 1:
        return others
    if others:
        raise CheckpointError(f"{path.name} holds {len(others)} safetensors files and no {INDEX} that says which.")
    pickles = sorted(file.name for kind in PICKLES for file in path.glob(kind))
    if pickles:
        raise CheckpointError(
            f"{path.name} keeps its weights in {pickles[0]}, a pickle. Opening a pickle can run any program inside it, "
            "so the lab never does; save the model again as safetensors."
        )
    raise CheckpointError(f"There is no safetensors file in {path.name}.")


def _tokenizer(path: Path) -> str:
    kinds = (("tokenizer.json",), ("vocab.json", "merges.txt"), ("vocab.txt",))
    for needed in kinds:
        if all((path / name).is_file() for name in needed):
            return needed[0]
    raise CheckpointError(
        f"{path.name} has no tokenizer: tokenizer.json, or vocab.json with merges.txt, or vocab.txt must be in "
        "the folder of the weights. The method save_pretrained of a tokenizer in transformers writes a tokenizer.json."
    )


def _stamp(files: list[Path]) -> tuple[tuple[str, int, int], ...]:
    states = [(file.name, file.stat()) for file in files]
    return tuple((name, state.st_size, state.st_mtime_ns) for name, state in states)
