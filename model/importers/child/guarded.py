"""Folders of visitors: a child process inspects and tests them before the server reads them.

The server reads a model for our own Transformer after the child has read its config, headers and tokenizer without an
error, and if the files have not changed since then. A maps-only model stays in its child, with its library, tokenizer
and memory.
"""

import os
from dataclasses import replace
from typing import Any

from model.checkpoint import CheckpointError
from model.importers.background import Progress, register
from model.importers.background import load as load_here
from model.importers.child.model_info_json import from_json
from model.importers.child.parent import MEGABYTE, Limits, borrowed, taken
from model.importers.child.remote_model import RemoteModel
from model.importers.free_memory import free
from model.importers.inspect import VARIABLE, ModelInfo, make_card
from model.importers.inspect import inspect_folder as look_here
from model.registry import Evicts, LoadedModel, RegistryFull, evict_any, registry
from model.tokenizer import Tokenizer

__all__ = ["check", "inspect_folder", "load", "unload"]

LOOK, CHECK = Limits(), Limits()
SPARE = 3000 * MEGABYTE  # for `transformers` itself, and for the maps of one run


def inspect_folder(
    place: str, called: str = "", progress: Progress = lambda share: None, limits: Limits = LOOK
) -> ModelInfo:
    """The same as `model.importers.inspect_folder`, in a child process. If `progress` raises, the child ends at once.

    Raises:
        CheckpointError: the folder cannot be loaded, or reading it took too much memory or time.
    """
    answer = _asked({"task": "look", "place": str(place), "called": called}, limits, progress)
    return from_json(answer["offer"])


def check(offer: ModelInfo, progress: Progress, limits: Limits = CHECK) -> None:
    """Read everything but the weights in a child process, and test the tokenizer there.

    Raises:
        CheckpointError: the folder cannot be loaded, has changed, or took too much memory or time.
    """
    _same(offer, _asked({"task": "check", "place": str(offer.folder.path)}, limits, progress))


def load(offer: ModelInfo, progress: Progress, owner: str = "", evicts: Evicts = evict_any) -> str:
    """Load a model into the registry. Returns its name there.

    owner: the owner of the model, "" for the person who started the server. evicts: whether a model of the registry may
    be removed to make room.

    Raises:
        CheckpointError: it cannot be loaded, or there is no room.
    """
    try:
        registry().room(evicts)
    except RegistryFull as error:
        raise CheckpointError(str(error)) from error
    if offer.config is None:
        return _foreign(offer, progress, owner, evicts)
    check(offer, lambda share: progress(0.1 * share))
    fresh = look_here(offer.folder.path)
    if fresh.folder.stamp != offer.folder.stamp:
        raise CheckpointError(f"The files in {offer.folder.path.name} have changed since they were read.")
    return load_here(replace(fresh, name=offer.name), lambda share: progress(0.1 + 0.9 * share), owner, evicts)


def _foreign(offer: ModelInfo, progress: Progress, owner: str, evicts: Evicts) -> str:
    process = taken()
    limits = Limits(memory=offer.bytes_needed * 5 // 4 + SPARE, seconds=300.0, wall=900.0)
    try:
        request = {"task": "open", "place": str(offer.folder.path), "most": os.environ.get(VARIABLE)}
        answer = _answered(process.ask(request, limits, progress)[0])
        _same(offer, answer)
        away = RemoteModel(process, bool(answer["two"]), tuple(map(str, answer["languages"])), limits.memory)
        # Its tokenizer stays in the child too; the server does not use it.
        no_tokenizer: Tokenizer | Any = None
        return register(
            offer, LoadedModel(away, no_tokenizer, make_card(offer), maps_only=True, owner=owner), progress, evicts
        )
    except BaseException:
        process.close()
        raise


def _asked(request: dict[str, Any], limits: Limits, progress: Progress) -> dict[str, Any]:
    with borrowed(progress) as process:
        answer, _ = process.ask(request | {"most": os.environ.get(VARIABLE)}, limits, progress)
    return _answered(answer)


def _answered(answer: dict[str, Any]) -> dict[str, Any]:
    if "refused" in answer:
        raise CheckpointError(short(str(answer["refused"])))
    if "failed" in answer:
        raise CheckpointError(f"The files of this folder are not what a model would have ({answer['failed']}).")
    return answer


def _same(offer: ModelInfo, answer: dict[str, Any]) -> None:
    if tuple(map(tuple, answer["stamp"])) != offer.folder.stamp:
        raise CheckpointError(f"The files in {offer.folder.path.name} have changed since they were read.")


def short(sentence: str, most: int = 380) -> str:
    """A sentence of limited length, because a message can quote any value of a file."""
    sentence = " ".join(sentence.split())
    return sentence if len(sentence) <= most else f"{sentence[: most - 90]} … {sentence[-87:]}"


def unload(name: str) -> None:
    """Remove a model and return its memory to the system."""
    registry().let_go(name)
    free()
