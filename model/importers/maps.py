"""Models that our own Transformer cannot hold: `transformers` runs them, and their attention is taken as it comes out.

T5, Llama with fewer keys than queries, BART, Mistral and many more. Only maps: no scores before the softmax, no stream,
nothing that can be taken away. `transformers` is an optional extra; without it such a model is not opened.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch

from model.checkpoint import CheckpointError
from model.importers.look import Offer, card
from model.importers.words import read_tokenizer
from model.run import MOST_TOKENS, TextError
from model.shelf import Kept
from model.tokenizer import clean

Array = np.ndarray[Any, Any]

EXTRA = 'pip install -e ".[hf]"'
MOST_WRITTEN = 24  # tokens that an encoder–decoder writes by itself where no target is given


@dataclass(frozen=True)
class Maps:
    """The weights of all heads of one stack. Rows look, columns are looked at."""

    weights: Array  # (L, H, T, S) float32
    looking: tuple[str, ...]  # T tokens
    looked_at: tuple[str, ...]  # S tokens


def available() -> bool:
    """Whether the optional extra is installed."""
    return find_spec("transformers") is not None


def open_foreign(offer: Offer) -> Kept:
    """Load a model with `transformers`: safetensors only, no code from the folder, nothing from the net.

    Raises:
        CheckpointError: the extra is missing, or `transformers` cannot load the model either.
    """
    if not available():
        raise CheckpointError(
            f"A {offer.kind} model is run by the library transformers, which is not installed: {EXTRA}"
        )
    transformers = import_module("transformers")
    folder = offer.folder
    if offer.kind not in transformers.models.auto.configuration_auto.CONFIG_MAPPING:
        raise CheckpointError(f'config.json says model_type "{offer.kind}", a kind that transformers does not know.')
    tokenizer = read_tokenizer(folder, _size(folder.config))
    try:
        model, told = _class(transformers, folder.config).from_pretrained(
            folder.path,
            attn_implementation="eager",  # the others do not keep their weights
            dtype=torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            output_loading_info=True,
        )
    except Exception as error:  # its reasons are of many kinds
        reason = str(error).strip().partition("\n")[0][:200].rstrip(".")
        raise CheckpointError(f"The library transformers cannot load this model: {reason}.") from error
    if told["missing_keys"]:
        raise CheckpointError(f"The weights lack {sorted(told['missing_keys'])[0]}, which config.json asks for.")
    return Kept(model.eval().requires_grad_(False), tokenizer, card(offer), maps_only=True)


def _size(config: Mapping[str, Any]) -> int:
    told = config.get("vocab_size")
    if type(told) is not int or not 0 < told <= 10_000_000:
        raise CheckpointError(f"config.json says vocab_size = {told!r}; a model knows a whole number of words.")
    return told


def _class(transformers: Any, config: Mapping[str, Any]) -> Any:
    """The class that config.json names, if it is one of the library's models; else what the library makes of it."""
    names = config.get("architectures")
    named = getattr(transformers, str(names[0]), None) if isinstance(names, list) and names else None
    is_model = isinstance(named, type) and issubclass(named, transformers.PreTrainedModel)
    return named if is_model else transformers.AutoModel


def attention(foreign: Kept, text: str, target: str = "") -> dict[str, Maps]:
    """The attention of one run: "encoder", "decoder", "cross", as far as the model has them.

    target: what an encoder–decoder says; where it is empty, the model says something itself, word after likeliest word.

    Raises:
        TextError: the text is empty or too long.
        CheckpointError: the model returns no attention, or something that is none.
    """
    if not clean(text).strip():
        raise TextError("There is no word to look at yet. Type a sentence.")
    read = foreign.tokenizer.encode(text)
    _fits(len(read.ids))
    ids = torch.tensor([read.ids])  # (1, S)
    asked = {"output_attentions": True, "use_cache": False}
    with torch.inference_mode():
        try:
            if not foreign.model.config.is_encoder_decoder:
                out = foreign.model(ids, **asked)
                stack = "decoder" if getattr(out, "attentions", None) and _looks_back(out.attentions) else "encoder"
                return {stack: _maps(getattr(out, "attentions", None), read.typed, read.typed)}
            said, words = _target(foreign, ids, target)
            _fits(len(words))
            out = foreign.model(ids, decoder_input_ids=said, **asked)
        except (TypeError, RuntimeError, ValueError, IndexError) as error:
            reason = str(error).strip().partition("\n")[0][:200].rstrip(".")
            raise CheckpointError(f"This model cannot be run on a text alone: {reason}.") from error
    return {
        "encoder": _maps(out.encoder_attentions, read.typed, read.typed),
        "decoder": _maps(out.decoder_attentions, words, words),
        "cross": _maps(out.cross_attentions, words, read.typed),
    }


def _fits(tokens: int) -> None:
    if tokens > MOST_TOKENS:
        raise TextError(f"This text has {tokens:,} tokens; the lab draws up to {MOST_TOKENS}. Shorten it.")


def _looks_back(attentions: Any) -> bool:
    """Whether no weight lies on a later word."""
    return all(bool((layer.triu(1) == 0).all()) for layer in attentions)


def _target(foreign: Kept, ids: torch.Tensor, target: str) -> tuple[torch.Tensor, tuple[str, ...]]:
    """What the decoder reads, (1, T): its start mark, then the target without the mark that ends it; and its words."""
    config = foreign.model.config
    start = next(
        mark
        for mark in (config.decoder_start_token_id, getattr(config, "bos_token_id", None), config.pad_token_id, 0)
        if mark is not None
    )
    if target.strip():
        told = foreign.tokenizer.encode(target)
        silent = set(foreign.tokenizer.silent)
        inner = [index for index in told.ids if index not in silent]
        words = tuple(word for word, index in zip(told.typed, told.ids, strict=True) if index not in silent)
        return torch.tensor([[start, *inner]]), ("<s>", *words)
    made = ids.new_tensor([[start]])
    for _ in range(MOST_WRITTEN):
        out = foreign.model(ids, decoder_input_ids=made, use_cache=False)
        if getattr(out, "logits", None) is None:
            break
        chosen = int(out.logits[0, -1].argmax())
        if chosen == config.eos_token_id:
            break
        made = torch.cat((made, ids.new_tensor([[chosen]])), dim=1)
    words = tuple(foreign.tokenizer.vocabulary[index] for index in made[0, 1:].tolist())
    return made, ("<s>", *words)


def _maps(attentions: Any, looking: tuple[str, ...], looked_at: tuple[str, ...]) -> Maps:
    if not attentions or any(layer is None for layer in attentions):
        raise CheckpointError("This model returns no attention, so there is nothing to draw.")
    if len({layer.shape[1:] for layer in attentions}) > 1:
        raise CheckpointError("The layers of this model have maps of different sizes, which cannot be drawn together.")
    weights = np.stack([layer[0].float().numpy() for layer in attentions])  # (L, H, T, S)
    if weights.shape[2:] != (len(looking), len(looked_at)):
        shape = " × ".join(map(str, weights.shape[2:]))
        raise CheckpointError(f"The maps are {shape} for {len(looking)} and {len(looked_at)} tokens: they do not fit.")
    if not np.isfinite(weights).all():
        raise CheckpointError("The attention of this model holds values that are not numbers.")
    weights.setflags(write=False)
    return Maps(weights, looking, looked_at)
