"""Trained weights on disk: a safetensors file for the numbers, a JSON card for what they are.

    trained/grammar.safetensors               the weights
    trained/grammar.json                      the card: config, words, task, steps, seed, what was measured
    trained/stories.tokenizer.json            in the place of words, the pieces of a sub-word tokenizer
    trained/grammar.steps/000100.safetensors  the same weights on the way, in half precision

Never pickle: a pickle can run code, a safetensors file can only hold numbers.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from model.config import ModelConfig
from model.shelf import OWN, Kept, shelf
from model.subword import SubwordTokenizer
from model.switches import Switches
from model.tokenizer import Tokenizer, WordTokenizer
from model.transformer import Transformer

TRAINED = Path(__file__).parent / "trained"
NAME = re.compile(r"[\w-]+")  # one plain word, so that no path leads out of the folder

PIECES = "sub-words"  # what a card says of its tokenizer when the pieces lie in a file of their own


class CheckpointError(ValueError):
    """There are no such weights, or what is on disk cannot be used. The message is one sentence."""


def names(folder: Path | None = None) -> tuple[str, ...]:
    """Names of the weights that are there, in alphabetical order. Everywhere here, no folder means TRAINED."""
    cards = (path.stem for path in (folder or TRAINED).glob("*.json"))
    return tuple(sorted(name for name in cards if NAME.fullmatch(name)))  # "stories.tokenizer" is no card


def card(name: str, folder: Path | None = None) -> dict[str, Any]:
    """What is known of these weights: of the lab's own, or of a model from elsewhere that is on the shelf.

    Raises:
        CheckpointError: there are no weights of that name, or their card is no JSON.
    """
    if folder is None and name.startswith(OWN):
        return dict(_kept(name).card)
    if name not in names(folder):
        raise CheckpointError(f'There are no weights called "{name}". There are: {", ".join(names(folder))}.')
    try:
        told: dict[str, Any] = json.loads(_path(name, ".json", folder).read_text(encoding="utf-8"))
    except ValueError as error:
        raise CheckpointError(f'The card of "{name}" is not JSON: {error}.') from error
    return told


def load(name: str, folder: Path | None = None, step: int | None = None) -> tuple[Transformer, Tokenizer]:
    """The model and its tokenizer, ready to run on the CPU. `step`: as it was at that step of training.

    Raises:
        CheckpointError: there are no weights of that name or step, or the card and the numbers do not fit each other.
    """
    if folder is None and name.startswith(OWN):
        from_elsewhere = _kept(name)
        return from_elsewhere.model, from_elsewhere.tokenizer
    config, tokenizer = _described(name, card(name, folder), folder)
    if step is None:
        path = _path(name, ".safetensors", folder)
    elif step in steps(name, folder):
        path = _path(name, ".steps", folder) / f"{step:06d}.safetensors"
    else:
        kept = ", ".join(map(str, steps(name, folder)))
        raise CheckpointError(f'"{name}" was kept at steps {kept or "none"}, not at {step}.')
    try:
        weights = load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f'The file {path.name} of "{name}" cannot be read: {error}.') from error

    with torch.device("meta"):  # shapes without numbers: a card that lies costs no memory
        expected = {key: tuple(tensor.shape) for key, tensor in _stored(Transformer(config)).items()}
    found = {key: tuple(tensor.shape) for key, tensor in weights.items()}
    for key in expected | found:
        if expected.get(key) != found.get(key):
            raise CheckpointError(
                f'The card of "{name}" asks for {key} of shape {expected.get(key)}, the file has {found.get(key)}.'
            )
    transformer = Transformer(config)
    transformer.load_state_dict(weights, strict=False)  # a tied unembedding is the embedding: it is stored once
    return transformer.eval(), tokenizer


def _kept(name: str) -> Kept:
    kept = shelf().find(name)
    if kept is None:
        raise CheckpointError(f'The model "{name}" is not loaded here; the page “Your model” loads one.')
    if kept.maps_only:
        raise CheckpointError(f'Of the model "{name}" only maps can be drawn, on the page “Your model”.')
    return kept


def _described(name: str, told: Mapping[str, Any], folder: Path | None) -> tuple[ModelConfig, Tokenizer]:
    """The config and the tokenizer that a card describes."""
    try:
        choices = dict(told["config"])
        trained = Switches(**choices.pop("trained"))
        trained = replace(trained, heads_off=frozenset((layer, head) for layer, head in trained.heads_off))
        config = ModelConfig(**choices, trained=trained)
        with torch.device("meta"):
            Transformer(config)  # also looks up the names of its parts
        tokenizer = _pieces(name, folder) if told.get("tokenizer") == PIECES else WordTokenizer(told["words"])
    except CheckpointError:
        raise
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]  # torch adds a stack of its own
        raise CheckpointError(f'The card of "{name}" does not describe a model: {reason}.') from error
    if len(tokenizer.vocabulary) != config.vocab_size:
        raise CheckpointError(
            f'The card of "{name}" lists {len(tokenizer.vocabulary)} tokens for a model of {config.vocab_size}.'
        )
    return config, tokenizer


def _pieces(name: str, folder: Path | None) -> SubwordTokenizer:
    path = _path(name, ".tokenizer.json", folder)
    try:
        return SubwordTokenizer(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f'The file {path.name} of "{name}" cannot be read: {error}.') from error


def steps(name: str, folder: Path | None = None) -> tuple[int, ...]:
    """The steps of training at which the weights were kept."""
    kept = _path(name, ".steps", folder).glob("*.safetensors")
    return tuple(sorted(int(path.stem) for path in kept if path.stem.isdecimal()))


def save(
    name: str,
    transformer: Transformer,
    tokenizer: Tokenizer,
    card: Mapping[str, Any],
    folder: Path | None = None,
    half: bool = False,
) -> None:
    """Write the weights and their card. `card` holds what was measured; config and words are added here.

    half: store the numbers in half precision; they are computed with in float32 all the same.
    Raises:
        CheckpointError: the name is no plain word, or the tokenizer is of no kind that can be stored.
    """
    path = _path(name, ".safetensors", folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(tokenizer, SubwordTokenizer):
        _path(name, ".tokenizer.json", folder).write_text(tokenizer.saved + "\n", encoding="utf-8")
        reads: dict[str, Any] = {"tokenizer": PIECES}
    elif isinstance(tokenizer, WordTokenizer):
        reads = {"words": tokenizer.vocabulary[3:]}
    else:
        raise CheckpointError(f"A {type(tokenizer).__name__} cannot be stored: words or pieces can.")
    save_file(_numbers(transformer, torch.float16 if half else torch.float32), path)
    config = asdict(transformer.config)
    config["trained"]["heads_off"] = sorted(config["trained"]["heads_off"])
    told = {"config": config, **reads, **card}
    text = json.dumps(told, indent=1, ensure_ascii=False) + "\n"
    _path(name, ".json", folder).write_text(text, encoding="utf-8")


def save_step(name: str, transformer: Transformer, step: int, folder: Path | None = None) -> None:
    """Keep the weights as they are at this step, in half precision."""
    path = _path(name, ".steps", folder)
    path.mkdir(parents=True, exist_ok=True)
    save_file(_numbers(transformer, torch.float16), path / f"{step:06d}.safetensors")


def _path(name: str, suffix: str, folder: Path | None) -> Path:
    if not NAME.fullmatch(name):
        raise CheckpointError(f'Weights cannot be called "{name}": letters, digits, "-" and "_" make a name.')
    return (folder or TRAINED) / f"{name}{suffix}"


def _stored(transformer: Transformer) -> dict[str, Tensor]:
    """What goes to disk: a tied unembedding is the embedding, and is stored once."""
    weights = transformer.state_dict()
    if transformer.config.tied_unembedding:
        weights.pop("unembedding.weight")
    return weights


def _numbers(transformer: Transformer, dtype: torch.dtype) -> dict[str, Tensor]:
    stored = _stored(transformer)
    return {name: tensor.detach().to("cpu", dtype).contiguous() for name, tensor in stored.items()}
