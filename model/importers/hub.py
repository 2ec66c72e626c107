"""Models from the Hugging Face Hub, which is contacted only if a person asks for it. Only plain data is fetched.

config.json, the safetensors files and the tokenizer are fetched into the cache of the hub library. This cache is a
folder, which is inspected and loaded like any other.
"""

import re
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from model.checkpoint import CheckpointError
from model.importers.background import Progress, Stopped
from model.importers.folder import BESIDE_TOKENIZER, INDEX, SINGLE
from model.importers.inspect import GIGABYTE, VARIABLE, most_bytes
from model.importers.pasted_path import hub_name
from model.importers.transformers_backend import EXTRA

NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?", re.ASCII)
PLAIN = ("config.json", "tokenizer.json", "vocab.json", "vocab.txt", *BESIDE_TOKENIZER)
PART = re.compile(r"model-\d+-of-\d+\.safetensors")


@dataclass(frozen=True)
class Listing:
    """The files of a model on the hub that the lab would fetch, and their sizes in bytes."""

    name: str
    revision: str
    files: tuple[tuple[str, int], ...]

    @property
    def size(self) -> int:
        """The total size in bytes."""
        return sum(size for _, size in self.files)


def is_name(text: str) -> bool:
    """Whether this could be a model's name, "gpt2" or "distilbert/distilgpt2", or its address on the hub."""
    name = hub_name(text)
    return bool(NAME.fullmatch(name)) and ".." not in name


def available() -> bool:
    """Whether the optional extra is installed."""
    return find_spec("huggingface_hub") is not None


def ask(name: str) -> Listing:
    """Ask the hub for the files of a model, by its name or its address on the hub.

    Raises:
        CheckpointError: the name is invalid, the extra is missing, the hub cannot be reached, it has no file that is
            safe to open, or the model is too large.
    """
    if not is_name(name):
        raise CheckpointError(f"“{name[:80]}” is not a name on the hub; names look like gpt2 or distilbert/distilgpt2.")
    name = hub_name(name)
    if not available():
        raise CheckpointError(f"Asking the hub needs the library huggingface_hub, which is not installed: {EXTRA}")
    try:
        info = import_module("huggingface_hub").HfApi().model_info(name, files_metadata=True, timeout=20)
        sizes = {str(file.rfilename): int(file.size or 0) for file in info.siblings}
    except Exception as error:  # its reasons are of many kinds
        raise CheckpointError(f"The hub did not return the model “{name}”: {_reason(error)}.") from error
    weights = [SINGLE] if SINGLE in sizes else [file for file in sizes if file == INDEX or PART.fullmatch(file)]
    if not any(file.endswith(".safetensors") for file in weights):
        raise CheckpointError(f"“{name}” has no safetensors file; other formats can run code and are never opened.")
    chosen = tuple((file, sizes[file]) for file in sorted({*weights, *PLAIN} & sizes.keys()))
    listing = Listing(name, str(info.sha), chosen)
    if listing.size > 2 * most_bytes():
        raise CheckpointError(
            f"“{name}” has {listing.size / GIGABYTE:,.1f} GB; that is more than {VARIABLE} allows to load."
        )
    return listing


def fetch(listing: Listing, progress: Progress) -> str:
    """Fetch the files. Returns their folder.

    Raises:
        CheckpointError: a file could not be fetched.
    """
    hub, done, folder = import_module("huggingface_hub"), 0, ""
    for file, size in listing.files:
        meter = _meter(progress, done, listing.size)
        try:
            path = hub.hf_hub_download(listing.name, file, revision=listing.revision, tqdm_class=meter)
        except Stopped:
            raise
        except Exception as error:  # its reasons are of many kinds
            raise CheckpointError(f"{file} could not be fetched from the hub: {_reason(error)}.") from error
        done += size
        progress(done / max(1, listing.size))
        folder = str(Path(path).parent)
    return folder


def _meter(progress: Progress, before: int, whole: int) -> type:
    """A class of progress bars for the library: they call `progress` instead of drawing.

    progress: called with the share of all files that is there.
    before, whole: bytes of the files that were fetched before, and of all files.
    """
    bar = import_module("tqdm").tqdm

    def begin(self: Any, *args: Any, **more: Any) -> None:
        bar.__init__(self, *args, **{name: more[name] for name in more if name != "name"} | {"disable": True})
        self.fetched = int(more.get("initial") or 0)

    def update(self: Any, n: float | None = 1) -> None:
        self.fetched += int(n or 0)
        progress(min(1.0, (before + self.fetched) / max(1, whole)))

    return type("Meter", (bar,), {"__init__": begin, "update": update})


def _reason(error: BaseException) -> str:
    if {"ConnectionError", "NetworkError"} & {kind.__name__ for kind in type(error).__mro__}:
        return "it cannot be reached from this machine"
    return (str(error).strip().partition("\n")[0][:200] or type(error).__name__).rstrip(".")
