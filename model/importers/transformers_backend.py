"""Maps-only models: models that our own Transformer cannot represent, and that `transformers` runs.

Examples are T5, Llama with fewer keys than queries, BART and Mistral. Only their attention weights are available: no
scores, no residual stream, no ablation. `transformers` is an optional extra; without it such a model is not opened.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch

from model.checkpoint import CheckpointError
from model.importers.child.remote_model import RemoteModel
from model.importers.decoder_input import encode_with_language, ends, forced_first, languages, shifted, start, writes
from model.importers.inspect import ModelInfo, make_card
from model.importers.tokenizers.load import read_tokenizer
from model.importers.transformers_checks import (
    reason_of,
    refuse_file_names,
    refuse_missing,
    refuse_sizes,
    refuse_unread,
    vocabulary_size,
)
from model.registry import LoadedModel
from model.run import MAX_CHARACTERS, MAX_TOKENS, Array, InputTextError
from model.tokenizer import clean

EXTRA = 'pip install -e ".[hf]"'
FAILURES = (
    TypeError,
    RuntimeError,
    ValueError,
    IndexError,
    AttributeError,
)  # of a model that is run on the wrong input
MAX_WRITTEN = 24  # number of tokens that an encoder–decoder generates if no target is given


@dataclass(frozen=True)
class AttentionMaps:
    """The weights of all heads of one stack. Rows are queries, columns are keys."""

    weights: Array  # (L, H, T, S) float32
    query_tokens: tuple[str, ...]  # T tokens
    key_tokens: tuple[str, ...]  # S tokens


def available() -> bool:
    """Whether the optional extra is installed."""
    return find_spec("transformers") is not None


def load_with_transformers(offer: ModelInfo) -> LoadedModel:
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
    refuse_file_names(folder)
    kind, words = _class(transformers, folder.config), vocabulary_size(folder.config)
    try:
        refuse_sizes(transformers, kind, folder)
        tokenizer = read_tokenizer(folder, words, bounded=False)
        model, loading_info = kind.from_pretrained(
            folder.path,
            attn_implementation="eager",  # the other implementations do not return weights
            dtype=torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            output_loading_info=True,
        )
    except (CheckpointError, MemoryError):
        raise
    except Exception as error:  # its reasons are of many kinds
        raise CheckpointError(f"The library transformers cannot load this model: {reason_of(error)}.") from error
    refuse_missing(loading_info["missing_keys"], folder)
    refuse_unread(model, loading_info["unexpected_keys"], folder)
    return LoadedModel(model.eval().requires_grad_(False), tokenizer, make_card(offer), maps_only=True)


def _class(transformers: Any, config: Mapping[str, Any]) -> Any:
    """The class that config.json names, if it is a model of the library; otherwise AutoModel."""
    names = config.get("architectures")
    named = getattr(transformers, str(names[0]), None) if isinstance(names, list) and names else None
    is_model = isinstance(named, type) and issubclass(named, transformers.PreTrainedModel)
    return named if is_model else transformers.AutoModel


def attention(foreign: LoadedModel, text: str, target: str = "") -> dict[str, AttentionMaps]:
    """The attention of one run: "encoder", "decoder" and "cross", if the model has them.

    target: the target of an encoder-decoder; if it is empty, the model generates one by greedy decoding. Text and
    target can begin with a language token of the model, such as "fra_Latn".

    Raises:
        InputTextError: the text is empty or too long for the lab or the model, or there is a target for a model without
            one.
        CheckpointError: the model returns no attention or an invalid one, or needs more input than a text.
    """
    if isinstance(foreign.model, RemoteModel):  # it runs in a separate process
        stacks = foreign.model.attention(text, target)
        return {
            stack: AttentionMaps(weights, query_tokens, key_tokens)
            for stack, weights, query_tokens, key_tokens in stacks
        }
    if not clean(text).strip():
        raise InputTextError("There is no text yet. Type a sentence.")
    if max(len(text), len(target)) > MAX_CHARACTERS:
        raise InputTextError(f"This text has more than {MAX_CHARACTERS:,} characters, which the lab reads. Shorten it.")
    model, read = foreign.model, encode_with_language(foreign.tokenizer, text)
    _fits(len(read.ids))
    ids = torch.tensor([read.ids])  # (1, S)
    with torch.inference_mode():
        if not model.config.is_encoder_decoder:
            return _one_stack(_ran(model, ids), read.surface)
        if not writes(model):
            if target.strip():
                raise InputTextError(
                    "This model classifies texts: its decoder reads the same sentence. Leave the second field empty."
                )
            out = _ran(model, ids)
            if getattr(out, "encoder_attentions", None) is None:
                return _one_stack(out, read.surface)
            words = shifted(foreign, read)[1]
        else:
            decoder_ids, words = _target(foreign, ids, target)
            _fits(len(words))
            out = _ran(model, ids, decoder_ids)
    return {
        "encoder": _maps(out.encoder_attentions, read.surface, read.surface),
        "decoder": _maps(out.decoder_attentions, words, words),
        "cross": _maps(out.cross_attentions, words, read.surface),
    }


def reads_two(foreign: LoadedModel) -> bool:
    """Whether it is an encoder-decoder with a target."""
    if isinstance(foreign.model, RemoteModel):
        return foreign.model.two
    return bool(foreign.model.config.is_encoder_decoder and writes(foreign.model))


def languages_of(foreign: LoadedModel) -> tuple[str, ...]:
    """The language tokens that its tokenizer knows."""
    return foreign.model.languages if isinstance(foreign.model, RemoteModel) else languages(foreign.tokenizer)


def _fits(tokens: int) -> None:
    if tokens > MAX_TOKENS:
        raise InputTextError(f"This text has {tokens:,} tokens; the lab draws up to {MAX_TOKENS}. Shorten it.")


def _ran(model: Any, ids: torch.Tensor, decoder_ids: torch.Tensor | None = None) -> Any:
    """One pass over ids (1, S), with decoder_ids (1, T) as the input of a decoder.

    Raises:
        InputTextError: the model runs on the beginning of the text or the target, but not on all of it.
        CheckpointError: it does not run on a text at all.
    """

    def run(S: int, T: int) -> Any:
        more = {} if decoder_ids is None else {"decoder_input_ids": decoder_ids[:, :T]}
        return model(ids[:, :S], output_attentions=True, use_cache=False, **more)

    whole = (ids.size(1), 0 if decoder_ids is None else decoder_ids.size(1))
    try:
        return run(*whole)
    except FAILURES as error:
        reason = error
    S = _longest(lambda S: run(S, min(whole[1], 1)), whole[0])
    if 0 < S < whole[0]:
        raise InputTextError(f"This text has {whole[0]} tokens and this model reads up to {S}. Shorten it.") from reason
    T = _longest(lambda T: run(whole[0], T), whole[1])
    if 0 < T < whole[1]:
        raise InputTextError(
            f"The second sentence has {whole[1]} tokens, its start among them, and this model reads up to {T} there. "
            "Shorten it."
        ) from reason
    raise CheckpointError(
        f"The library transformers cannot run this model on a text alone: {reason_of(reason)}."
    ) from reason


def _longest(run: Callable[[int], Any], most: int) -> int:
    """The largest number up to `most` for which `run` raises no error, by bisection."""
    runs, fails = 0, most + 1
    while fails - runs > 1:
        middle = (runs + fails) // 2
        try:
            run(middle)
            runs = middle
        except FAILURES:
            fails = middle
    return runs


def _one_stack(out: Any, words: tuple[str, ...]) -> dict[str, AttentionMaps]:
    attentions = getattr(out, "attentions", None)
    maps = _maps(attentions, words, words)
    return {"decoder" if _looks_back(attentions) else "encoder": maps}


def _looks_back(attentions: Any) -> bool:
    """Whether there is no weight on a later token."""
    return all(bool((layer.triu(1) == 0).all()) for layer in attentions)


def _target(foreign: LoadedModel, ids: torch.Tensor, target: str) -> tuple[torch.Tensor, tuple[str, ...]]:
    """The input of the decoder (1, T) and its tokens: the given target, or the result of greedy decoding."""
    if target.strip():
        decoder_ids, words = shifted(foreign, encode_with_language(foreign.tokenizer, target))
        return torch.tensor([decoder_ids]), words
    model = foreign.model
    end, forced = ends(model), forced_first(model)
    written_ids = ids.new_tensor([[start(model)]])
    for written in range(MAX_WRITTEN + 1):
        try:
            out = _ran(model, ids, written_ids)
        except InputTextError:
            if not written:
                raise  # it is the text that is too long
            written_ids = written_ids[:, :-1]  # the target is generated, so it ends at the maximum length of the model
            break
        if getattr(out, "logits", None) is None or written == MAX_WRITTEN:
            break
        first = written_ids.size(1) == 1 and forced is not None
        chosen = forced if first else int(out.logits[0, -1].argmax())
        if chosen in end and not first:
            break
        written_ids = torch.cat((written_ids, ids.new_tensor([[chosen]])), dim=1)
    return written_ids, tuple(foreign.tokenizer.vocabulary[index] for index in written_ids[0].tolist())


def _maps(attentions: Any, query_tokens: tuple[str, ...], key_tokens: tuple[str, ...]) -> AttentionMaps:
    if not attentions or any(layer is None for layer in attentions):
        raise CheckpointError("This model returns no attention, so there is nothing to draw.")
    if len({layer.shape[1:] for layer in attentions}) > 1:
        raise CheckpointError("The layers of this model have maps of different sizes, which cannot be drawn together.")
    weights = np.stack([layer[0].float().numpy() for layer in attentions])  # (L, H, T, S)
    if weights.shape[2:] != (len(query_tokens), len(key_tokens)):
        shape = " × ".join(map(str, weights.shape[2:]))
        raise CheckpointError(
            f"The maps are {shape} for {len(query_tokens)} and {len(key_tokens)} tokens: they do not fit."
        )
    if not np.isfinite(weights).all():
        raise CheckpointError("The attention of this model holds values that are not numbers.")
    weights.setflags(write=False)
    return AttentionMaps(weights, query_tokens, key_tokens)
