"""Trained weights on disk: a safetensors file with the weights, and a JSON file with the model card.

    trained/grammar.safetensors               the weights
    trained/grammar.json                      the card: config, words, task, steps, seed, measurements
    trained/stories.tokenizer.json            a subword tokenizer, instead of the words in the card
    trained/grammar.steps/000100.safetensors  the weights at a step of training, in half precision
    trained/grammar.steps/exams.json          what was measured at each of these steps

The weights at a step are a model too. Its name is "grammar@000100".

Pickle is not used, because a pickle can run code. A safetensors file contains a text header and named arrays, and
nothing in it is executed.
"""

import copy
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import lru_cache, partial
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from model.compute.shapes_only import shapes_only
from model.model_card import (
    ARCHITECTURES,
    CHARACTERS,
    SUBWORDS,
    AnyNetwork,
    JsonMapping,
    JsonObject,
    ModelCard,
    parse_card,
    parse_measurements,
)
from model.model_card import CheckpointError as CheckpointError
from model.registry import LoadedModel, is_external, registry, session_models
from model.subword import SubwordTokenizer
from model.switches import HEAD_FIELDS
from model.tokenizer import CharacterTokenizer, Tokenizer, WordTokenizer
from model.transformer import Transformer

TRAINED = Path(__file__).parent / "trained"
NAME_PATTERN = re.compile(r"[\w-]+")  # letters, digits, "-" and "_", so that a name cannot be a path out of the folder

STEP_PATTERN = re.compile(r"([\w-]+)@([0-9]{6})")  # the name of the weights at a step of training
EXAMS = "exams.json"

MAX_CARD_BYTES = 4_000_000  # bytes


def names(folder: Path | None = None) -> tuple[str, ...]:
    """Names of the weights whose card can be read, in alphabetical order. The default folder is TRAINED."""
    return tuple(path.stem for path in _cards(folder) if not isinstance(_card_or_fault(path, _stamp(path)), str))


def faults(folder: Path | None = None) -> tuple[str, ...]:
    """One sentence for each card that cannot be read. `names` omits these weights."""
    results = (_card_or_fault(path, _stamp(path)) for path in _cards(folder))
    return tuple(result for result in results if isinstance(result, str))


def _cards(folder: Path | None) -> list[Path]:
    paths = (folder or TRAINED).glob("*.json")
    return sorted(path for path in paths if NAME_PATTERN.fullmatch(path.stem))  # "stories.tokenizer" is not a card


def _stamp(path: Path) -> tuple[int, int]:
    try:
        stat = path.stat()
    except OSError:  # a broken link
        return 0, 0
    return stat.st_mtime_ns, stat.st_size


@lru_cache(maxsize=256)
def _card_or_fault(path: Path, stamp: tuple[int, int]) -> ModelCard | str:
    """A card, or the sentence that says why it cannot be read. stamp: changes with the file, for the cache."""
    if stamp[1] > MAX_CARD_BYTES:
        return f'The card of "{path.stem}" has {stamp[1]:,} bytes, which is too large for a card.'
    try:
        return parse_card(path.stem, json.loads(path.read_text(encoding="utf-8")))
    except CheckpointError as error:
        return str(error)
    except (OSError, ValueError, RecursionError) as error:
        return f'The card of "{path.stem}" is not JSON: {error}.'


def load_card(name: str, folder: Path | None = None) -> ModelCard:
    """The card of these weights, which belong to the lab or to a loaded external model.

    Raises:
        CheckpointError: there are no weights of that name, or their card does not describe a model.
    """
    if folder is None and is_external(name):
        return _loaded_model(name).card
    base, step = split_step(name)
    if step is not None:
        return _card_of_step(base, step, folder)
    path = next((path for path in _cards(folder) if path.stem == name), None)
    if path is None:
        raise CheckpointError(f'There are no weights called "{name}". There are: {", ".join(names(folder))}.')
    card = _card_or_fault(path, _stamp(path))
    if isinstance(card, str):
        raise CheckpointError(card)
    return card


def _card_of_step(base: str, step: int, folder: Path | None) -> ModelCard:
    """The card of the final weights, with the measurements of a step of their training."""
    card = load_card(base, folder)
    if step not in (kept := saved_steps(base, folder)):
        listed = ", ".join(map(str, kept))
        raise CheckpointError(f'"{base}" was kept at steps {listed or "none"}, not at {step}.')
    path = _path(base, ".steps", folder) / EXAMS
    exam = _exams(path, _stamp(path)).get(str(step), {"sentences": 0, "relations": {}})
    name = step_name(base, step)
    json = {**card.json, "exam": exam, "step": step}
    return replace(card, name=name, measured=parse_measurements(name, json), json=json)


@lru_cache(maxsize=16)
def _exams(path: Path, stamp: tuple[int, int]) -> JsonObject:
    """Step → what was measured at it, as in a card; empty if nothing was. stamp: changes with the file."""
    if stamp == (0, 0):
        return {}
    try:
        exams = json.loads(path.read_text(encoding="utf-8")) if stamp[1] <= MAX_CARD_BYTES else None
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"The file {path.parent.name}/{path.name} is not JSON: {error}.") from error
    if not isinstance(exams, dict):
        raise CheckpointError(f"The file {path.parent.name}/{path.name} does not describe steps of training.")
    return exams


def read_card(name: str, folder: Path | None = None) -> JsonObject:
    """A copy of the card as JSON, for code that needs an entry that `ModelCard` has no field for.

    Raises:
        CheckpointError: as `load_card`.
    """
    return copy.deepcopy(dict(load_card(name, folder).json))


def architecture(name: str, folder: Path | None = None) -> str:
    """The key of ARCHITECTURES that the card names. Raises CheckpointError as `load_card` does."""
    return load_card(name, folder).architecture


def load(name: str, folder: Path | None = None) -> tuple[AnyNetwork, Tokenizer]:
    """The model that the card describes, and its tokenizer, on the CPU.

    Raises:
        CheckpointError: there are no weights of that name, or the card and the numbers do not fit each other.
    """
    if folder is None and is_external(name):
        from_elsewhere = _loaded_model(name)
        return from_elsewhere.model, from_elsewhere.tokenizer
    build, tokenizer = _described_by_card(load_card(name, folder), folder)
    base, step = split_step(name)
    path = _path(base, ".safetensors" if step is None else ".steps", folder)
    if step is not None:
        path /= f"{step:06d}.safetensors"
    try:
        weights = load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f'The file {path.name} of "{name}" cannot be read: {error}.') from error

    with shapes_only():  # so that a wrong card costs no memory
        expected = {key: tuple(tensor.shape) for key, tensor in _stored(build()).items()}
    actual = {key: tuple(tensor.shape) for key, tensor in weights.items()}
    for key in expected | actual:
        if expected.get(key) != actual.get(key):
            raise CheckpointError(
                f'The card of "{name}" asks for {key} of shape {expected.get(key)}, the file has {actual.get(key)}.'
            )
    model = build()
    model.load_state_dict(weights, strict=False)  # a tied unembedding is the embedding, which is stored once
    return model.eval(), tokenizer


def load_transformer(name: str, folder: Path | None = None) -> tuple[Transformer, Tokenizer]:
    """The same as `load`, for a model of one text. Also raises CheckpointError for any other network."""
    network, tokenizer = load(name, folder)
    if not isinstance(network, Transformer):
        raise CheckpointError(f'"{name}" is a sequence-to-sequence model, and a model of one text is needed.')
    return network, tokenizer


def _loaded_model(name: str) -> LoadedModel:
    kept = registry().find(name) or session_models().find(name)
    if kept is None:
        raise CheckpointError(f'The model "{name}" is not loaded here; the page “Your model” loads one.')
    if kept.maps_only:
        raise CheckpointError(f'The model "{name}" can only show maps, on the page “Your model”.')
    return kept


def _described_by_card(card: ModelCard, folder: Path | None) -> tuple[Callable[[], AnyNetwork], Tokenizer]:
    """A function that builds the model of a card with untrained weights, and the tokenizer."""
    config = card.config
    if config is None:
        raise CheckpointError(f'The card of "{card.name}" does not describe a model: it has no config.')
    try:
        build: Callable[[], AnyNetwork] = partial(ARCHITECTURES[card.architecture][1], config)
        with shapes_only():
            build()  # this also checks the names of its parts
        words = CharacterTokenizer if card.tokenizer == CHARACTERS else WordTokenizer
        base, _ = split_step(card.name)  # all steps have the tokenizer of the final weights
        tokenizer = _subword_tokenizer(base, folder) if card.tokenizer == SUBWORDS else words(card.words)
    except CheckpointError:
        raise
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]  # torch appends a stack trace to its message
        raise CheckpointError(f'The card of "{card.name}" does not describe a model: {reason}.') from error
    if len(tokenizer.vocabulary) != config.vocab_size:
        raise CheckpointError(
            f'The card of "{card.name}" lists {len(tokenizer.vocabulary)} tokens for a model of {config.vocab_size}.'
        )
    return build, tokenizer


def _subword_tokenizer(name: str, folder: Path | None) -> SubwordTokenizer:
    path = _path(name, ".tokenizer.json", folder)
    try:
        return SubwordTokenizer(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f'The file {path.name} of "{name}" cannot be read: {error}.') from error


def step_name(name: str, step: int) -> str:
    """The name of the weights at a step of training: "grammar@001000"."""
    return f"{name}@{step:06d}"


def split_step(name: str) -> tuple[str, int | None]:
    """The name of the final weights, and the step; None: the name is that of final weights, or of none."""
    match = STEP_PATTERN.fullmatch(name)
    return (match[1], int(match[2])) if match else (name, None)


def saved_steps(name: str, folder: Path | None = None) -> tuple[int, ...]:
    """The steps of training at which the weights were saved."""
    kept = _path(name, ".steps", folder).glob("*.safetensors")
    return tuple(sorted(int(path.stem) for path in kept if path.stem.isdecimal()))


def save(
    name: str,
    model: AnyNetwork,
    tokenizer: Tokenizer,
    card: JsonMapping,
    folder: Path | None = None,
    half: bool = False,
) -> None:
    """Write the weights and their card. `card` contains the measurements; kind, config and words are added here.

    half: store the weights in half precision; computations use float32 in any case.
    Raises:
        CheckpointError: the name is not made of letters, digits, "-" and "_", or the tokenizer cannot be stored.
    """
    path = _path(name, ".safetensors", folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(tokenizer, SubwordTokenizer):
        _path(name, ".tokenizer.json", folder).write_text(tokenizer.json_text + "\n", encoding="utf-8")
        reads: JsonObject = {"tokenizer": SUBWORDS}
    elif isinstance(tokenizer, WordTokenizer):
        spelled = {"tokenizer": CHARACTERS} if isinstance(tokenizer, CharacterTokenizer) else {}
        reads = {**spelled, "words": tokenizer.vocabulary[3:]}
    else:
        raise CheckpointError(f"A {type(tokenizer).__name__} cannot be stored: words or pieces can.")
    save_file(_numbers(model, torch.float16 if half else torch.float32), path)
    config = asdict(model.config)
    for field in HEAD_FIELDS if "trained" in config else ():
        config["trained"][field] = sorted(config["trained"][field])
    kind = next(kind for kind, (_, make) in ARCHITECTURES.items() if type(model) is make)
    write_card(name, {"kind": kind, "config": config, **reads, **card}, folder)


def write_card(name: str, card: JsonMapping, folder: Path | None = None) -> None:
    """Write a card without changes."""
    text = json.dumps(card, indent=1, ensure_ascii=False) + "\n"
    _path(name, ".json", folder).write_text(text, encoding="utf-8")


def save_step(name: str, model: AnyNetwork, step: int, folder: Path | None = None) -> None:
    """Save the weights at this step of training, in half precision."""
    path = _path(name, ".steps", folder)
    path.mkdir(parents=True, exist_ok=True)
    save_file(_numbers(model, torch.float16), path / f"{step:06d}.safetensors")


def save_exams(name: str, exams: Mapping[int, JsonMapping], folder: Path | None = None) -> None:
    """Write what was measured at the saved steps: step → an evaluation as a card contains it."""
    text = json.dumps({str(step): exams[step] for step in sorted(exams)}, separators=(",", ":")) + "\n"
    (_path(name, ".steps", folder) / EXAMS).write_text(text, encoding="utf-8")


def _path(name: str, suffix: str, folder: Path | None) -> Path:
    if not NAME_PATTERN.fullmatch(name):
        raise CheckpointError(f'Weights cannot be called "{name}": letters, digits, "-" and "_" make a name.')
    return (folder or TRAINED) / f"{name}{suffix}"


def _stored(model: AnyNetwork) -> dict[str, Tensor]:
    """The tensors to store: a tied unembedding is the embedding, which is stored once."""
    weights: dict[str, Tensor] = model.state_dict()
    if model.config.tied_unembedding:
        weights.pop("unembedding.weight")
    return weights


def _numbers(model: AnyNetwork, dtype: torch.dtype) -> dict[str, Tensor]:
    return {name: tensor.detach().to("cpu", dtype).contiguous() for name, tensor in _stored(model).items()}
