"""Trained weights on disk: a safetensors file for the numbers, a JSON card for what they are.

    trained/grammar.safetensors               the weights
    trained/grammar.json                      the card: config, vocabulary, task, steps, seed, what was measured
    trained/grammar.steps/000100.safetensors  the same weights on the way, in half precision

Never pickle: a pickle can run code, a safetensors file can only hold numbers.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from model.config import ModelConfig
from model.switches import Switches
from model.tokenizer import WordTokenizer
from model.transformer import Transformer

TRAINED = Path(__file__).parent / "trained"


def names(folder: Path = TRAINED) -> tuple[str, ...]:
    """Names of the weights that are there, in alphabetical order."""
    return tuple(sorted(path.stem for path in folder.glob("*.json")))


def card(name: str, folder: Path = TRAINED) -> dict[str, Any]:
    """What is known of these weights.

    Raises:
        ValueError: there are no weights of that name.
    """
    if name not in names(folder):
        raise ValueError(f'There are no weights called "{name}". There are: {", ".join(names(folder))}.')
    text: dict[str, Any] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return text


def load(name: str, folder: Path = TRAINED, step: int | None = None) -> tuple[Transformer, WordTokenizer]:
    """The model and its tokenizer, ready to run on the CPU. `step`: as it was at that step of training.

    Raises:
        ValueError: there are no weights of that name, or no such step.
    """
    told = card(name, folder)
    trained = Switches(**told["config"].pop("trained"))
    trained = replace(trained, heads_off=frozenset(map(tuple, trained.heads_off)))  # JSON knows lists only
    config = ModelConfig(**told["config"], trained=trained)
    transformer = Transformer(config)
    if step is None:
        path = folder / f"{name}.safetensors"
    elif step in steps(name, folder):
        path = folder / f"{name}.steps" / f"{step:06d}.safetensors"
    else:
        raise ValueError(f'"{name}" was kept at steps {", ".join(map(str, steps(name, folder)))}, not at {step}.')
    weights = load_file(path)
    # A tied unembedding is the embedding: it is stored once.
    missing = transformer.load_state_dict(weights, strict=not config.tied_unembedding)[0]
    if set(missing) - {"unembedding.weight"}:
        raise ValueError(f'The weights of "{name}" lack {", ".join(missing)}.')
    return transformer.eval(), WordTokenizer(told["words"])


def steps(name: str, folder: Path = TRAINED) -> tuple[int, ...]:
    """The steps of training at which the weights were kept."""
    return tuple(sorted(int(path.stem) for path in (folder / f"{name}.steps").glob("*.safetensors")))


def save(
    name: str,
    transformer: Transformer,
    tokenizer: WordTokenizer,
    card: Mapping[str, Any],
    folder: Path = TRAINED,
) -> None:
    """Write the weights and their card. `card` holds what was measured; config and words are added here."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(_numbers(transformer, torch.float32), folder / f"{name}.safetensors")
    config = asdict(transformer.config)
    config["trained"]["heads_off"] = sorted(config["trained"]["heads_off"])
    told = {"config": config, "words": tokenizer.vocabulary[3:], **card}
    (folder / f"{name}.json").write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def save_step(name: str, transformer: Transformer, step: int, folder: Path = TRAINED) -> None:
    """Keep the weights as they are at this step, in half precision."""
    (folder / f"{name}.steps").mkdir(parents=True, exist_ok=True)
    save_file(_numbers(transformer, torch.float16), folder / f"{name}.steps" / f"{step:06d}.safetensors")


def _numbers(transformer: Transformer, dtype: torch.dtype) -> dict[str, Tensor]:
    weights = transformer.state_dict()
    if transformer.config.tied_unembedding:
        weights.pop("unembedding.weight")
    return {name: tensor.detach().to("cpu", dtype).contiguous() for name, tensor in weights.items()}
