"""The requests of the child process: inspect a folder, test its tokenizer, run a maps-only model."""

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from model.checkpoint import CheckpointError
from model.importers import transformers_backend
from model.importers.child.model_info_json import to_json
from model.importers.inspect import VARIABLE, inspect_folder
from model.importers.tokenizers.load import read_tokenizer
from model.importers.tokenizers.probes import try_out
from model.registry import LoadedModel
from model.run import InputTextError

Answer = tuple[dict[str, Any], memoryview]
Progress = Callable[[float], None]
REFUSALS = (CheckpointError, InputTextError)
NOTHING = memoryview(b"")
opened: dict[str, LoadedModel] = {}  # the one maps-only model of this process


def look_at(request: dict[str, Any], progress: Progress) -> Answer:
    """Inspect a folder."""
    _bound(request)
    return {"offer": to_json(inspect_folder(request["place"], request["called"]))}, NOTHING


def check(request: dict[str, Any], progress: Progress) -> Answer:
    """Read everything of a model but its weights, and test its tokenizer. Returns the files that were read."""
    _bound(request)
    offer = inspect_folder(request["place"])
    if offer.config is None:
        raise CheckpointError(offer.maps_only_reason)
    tokenizer = read_tokenizer(offer.folder, offer.config.vocab_size, reads_marks=True)
    try_out(tokenizer, progress)
    return {"stamp": offer.folder.stamp}, NOTHING


def load_with_transformers(request: dict[str, Any], progress: Progress) -> Answer:
    """Load a maps-only model and keep it in this process."""
    _bound(request)
    offer = inspect_folder(request["place"])
    kept = transformers_backend.load_with_transformers(offer)
    try_out(kept.tokenizer, progress)
    opened["model"] = kept
    two, languages = transformers_backend.reads_two(kept), transformers_backend.languages_of(kept)
    answer = {"stamp": offer.folder.stamp, "two": two, "languages": languages}
    return answer, NOTHING


def attention(request: dict[str, Any], progress: Progress) -> Answer:
    """The attention of the maps-only model on a text: the maps as float32 bytes, and their names and tokens."""
    stacks = transformers_backend.attention(opened["model"], request["text"], request["target"])
    answer = [
        {"stack": stack, "shape": maps.weights.shape, "query_tokens": maps.query_tokens, "key_tokens": maps.key_tokens}
        for stack, maps in stacks.items()
    ]
    numbers = [np.ascontiguousarray(maps.weights, dtype=np.float32).reshape(-1) for maps in stacks.values()]
    whole = numbers[0] if len(numbers) == 1 else np.concatenate(numbers)
    return {"maps": answer}, whole.data.cast("B")


def _bound(request: dict[str, Any]) -> None:
    """Set the memory bound of the server, which can have changed since this process was started."""
    if request["most"] is None:
        os.environ.pop(VARIABLE, None)
    else:
        os.environ[VARIABLE] = request["most"]


TASKS: dict[str, Callable[[dict[str, Any], Progress], Answer]] = {
    "look": look_at,
    "check": check,
    "open": load_with_transformers,
    "attention": attention,
}
