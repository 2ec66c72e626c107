"""What the child process does for the server: look at a folder, try its tokenizer, run a foreign model."""

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from model.checkpoint import CheckpointError
from model.importers import transformers_backend
from model.importers.child.model_info_json import to_json
from model.importers.inspect import VARIABLE, look
from model.importers.tokenizers.load import read_tokenizer
from model.importers.tokenizers.probes import try_out
from model.registry import Kept
from model.run import TextError

Answer = tuple[dict[str, Any], memoryview]
Progress = Callable[[float], None]
REFUSALS = (CheckpointError, TextError)
NOTHING = memoryview(b"")
opened: dict[str, Kept] = {}  # the one foreign model of this process


def look_at(request: dict[str, Any], progress: Progress) -> Answer:
    """What a folder offers."""
    _bound(request)
    return {"offer": to_json(look(request["place"], request["called"]))}, NOTHING


def check(request: dict[str, Any], progress: Progress) -> Answer:
    """Read everything of a model of ours but its numbers, and try its tokenizer. Says which files were read."""
    _bound(request)
    offer = look(request["place"])
    if offer.config is None:
        raise CheckpointError(offer.why_maps_only)
    tokenizer = read_tokenizer(offer.folder, offer.config.vocab_size, reads_marks=True)
    try_out(tokenizer, progress)
    return {"stamp": offer.folder.stamp}, NOTHING


def open_foreign(request: dict[str, Any], progress: Progress) -> Answer:
    """Load a foreign model and keep it here."""
    _bound(request)
    offer = look(request["place"])
    kept = transformers_backend.open_foreign(offer)
    try_out(kept.tokenizer, progress)
    opened["model"] = kept
    two, languages = transformers_backend.reads_two(kept), transformers_backend.languages_of(kept)
    told = {"stamp": offer.folder.stamp, "two": two, "languages": languages}
    return told, NOTHING


def attention(request: dict[str, Any], progress: Progress) -> Answer:
    """The attention of the foreign model on a text: the maps end to end as float32, their names and words beside."""
    found = transformers_backend.attention(opened["model"], request["text"], request["target"])
    told = [
        {"stack": stack, "shape": one.weights.shape, "looking": one.looking, "looked_at": one.looked_at}
        for stack, one in found.items()
    ]
    numbers = [np.ascontiguousarray(one.weights, dtype=np.float32).reshape(-1) for one in found.values()]
    whole = numbers[0] if len(numbers) == 1 else np.concatenate(numbers)
    return {"maps": told}, whole.data.cast("B")


def _bound(request: dict[str, Any]) -> None:
    """The bound of the server, which may be another than when this process was started."""
    if request["most"] is None:
        os.environ.pop(VARIABLE, None)
    else:
        os.environ[VARIABLE] = request["most"]


TASKS: dict[str, Callable[[dict[str, Any], Progress], Answer]] = {
    "look": look_at,
    "check": check,
    "open": open_foreign,
    "attention": attention,
}
