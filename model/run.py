"""Run an Experiment on its model, and return a Trace of read-only arrays."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from model.attention import AttentionOverride
from model.checkpoint import load
from model.compute.device import choose_device, keep_freed_memory
from model.encoder_decoder import EncoderDecoder, EncoderDecoderTrace
from model.mask import MaskSpec
from model.model_card import AnyNetwork
from model.recurrent import Recurrent, RecurrentTrace
from model.switches import Switches
from model.tokenizer import EOS, Encoding, Tokenizer, clean
from model.tokenizer import InputTextError as InputTextError
from model.transformer import Trace, Transformer

Array = np.ndarray[Any, Any]

MAX_CHARACTERS = 20_000
MAX_TOKENS = 512
MAX_PAIR_TOKENS = 128  # tokens of each of two sentences


@dataclass(frozen=True)
class Experiment:
    """A model, a text and what is changed. It is small and hashable, because it is a key of caches and links."""

    weights: str = "grammar"
    text: str = ""
    switches: Switches = Switches()
    override: AttentionOverride | None = None
    mask_spec: MaskSpec | None = None  # a mask instead of the model's own
    target: str = ""  # for sequence-to-sequence models: the target, which may be incomplete

    @property
    def name(self) -> str:
        """For file names: "grammar", "grammar-without-scale-norm", "grammar-window-3-mask"."""
        removed = [*self.switches.removed, *self.switches.ablated_heads]
        changed = [f"L{self.override.layer}H{self.override.head}-overwritten"] if self.override else []
        masked = [self.mask_spec.name] if self.mask_spec else []
        return "-".join([self.weights, *(["without", *removed] if removed else []), *changed, *masked])


def encode(experiment: Experiment) -> Encoding:
    """The tokens of the text, as the model reads them.

    Raises:
        InputTextError: the text is empty, has too many tokens, or contains the padding token of a RoBERTa.
    """
    size = len(experiment.text)
    if size > MAX_CHARACTERS:
        raise InputTextError(f"This text has {size:,} characters; the lab reads up to {MAX_CHARACTERS:,}. Shorten it.")
    network, tokenizer = get_model(experiment.weights)
    encoding = encode_text(tokenizer, experiment.text)
    if not clean(experiment.text).strip():
        raise InputTextError("There is no text yet. Type a sentence, or generate one.")
    if not encoding.ids:
        raise InputTextError("The tokenizer of this model has no token for anything in this text. Write another text.")
    if len(encoding.ids) > MAX_TOKENS:
        raise InputTextError(
            f"This text has {len(encoding.ids):,} tokens; the lab draws up to {MAX_TOKENS}. Shorten it."
        )
    padding = network.config.padding_id
    if padding is not None and padding in encode_text(tokenizer, "").ids:
        raise InputTextError(
            f"config.json says pad_token_id = {padding}, which is {tokenizer.vocabulary[padding]}, and the tokenizer "
            "puts that around every text. Set pad_token_id to the padding token, and load the model again."
        )
    if padding is not None and padding in encoding.ids:
        raise InputTextError(
            f"{tokenizer.vocabulary[padding]} is the padding token, and a RoBERTa gives it no "
            "position. Remove it from the text."
        )
    return encoding


def encode_text(tokenizer: Tokenizer, text: str) -> Encoding:
    """`tokenizer.encode(text)`, computed once: a page needs the encoding of its text many times a run.

    Two tokenizers that are equal share the result. A text of more than MAX_TOKENS tokens is not kept, because no page
    shows it and its encoding would take much memory.
    """
    return _short_encoding(tokenizer, text) or tokenizer.encode(text)


@lru_cache(maxsize=128)
def _short_encoding(tokenizer: Tokenizer, text: str) -> Encoding | None:
    """The encoding, or None if it has more than MAX_TOKENS tokens."""
    encoding = tokenizer.encode(text)
    return encoding if len(encoding.ids) <= MAX_TOKENS else None


PairTrace = EncoderDecoderTrace[Array] | RecurrentTrace[Array]
AnyTrace = Trace[Array] | PairTrace


def run(experiment: Experiment) -> AnyTrace:
    """Run the experiment and record every stage, as read-only float32 arrays without the batch axis.

    A model of one text gives the record of `run_text`; a sequence-to-sequence model gives that of `run_pair`.

    Raises:
        ValueError: unknown weights, a head that the model does not have, or an unsuitable text (InputTextError).
    """
    return run_pair(experiment) if is_seq2seq(experiment.weights) else run_text(experiment)


def run_text(experiment: Experiment) -> Trace[Array]:
    """The same for a model of one text.

    Raises:
        ValueError: as `run`, or the weights are a sequence-to-sequence model.
    """
    encoding = encode(experiment)
    return run_ids(experiment, encoding.ids, encoding.tokens)


def check_ids(experiment: Experiment, ids: Sequence[int]) -> None:
    """Check that the model can run these ids with what the experiment changes.

    Raises:
        ValueError: as `run_text`.
    """
    transformer, _ = get_transformer(experiment.weights)
    if experiment.switches.cross_off or experiment.switches.encoder_off:
        raise ValueError("Only sequence-to-sequence models have cross-attention heads to ablate.")
    transformer.config.check_heads(experiment.switches)
    override = experiment.override
    if override is not None and len(override.weights) != len(ids):
        raise ValueError(f"{len(ids)} tokens need {len(ids)} weights, not {len(override.weights)}.")


def run_ids(experiment: Experiment, ids: Sequence[int], tokens: tuple[str, ...]) -> Trace[Array]:
    """The same for token ids. The tokens that a model generated can differ from those of the generated text."""
    check_ids(experiment, ids)
    transformer, _ = get_transformer(experiment.weights)
    batch = torch.tensor([ids], device=next(transformer.parameters()).device)  # (1, T)
    mask = (
        None if experiment.mask_spec is None else experiment.mask_spec.build(batch.size(1)).to(batch.device)
    )  # (T, T)
    with torch.inference_mode():
        try:
            trace = transformer(batch, switches=experiment.switches, override=experiment.override, mask=mask)
        except ValueError as error:  # the text is longer than a learned position table
            raise InputTextError(str(error)) from error
    arrays: Trace[Array] = read_only(trace)
    return replace(arrays, tokens=tokens)


def get_transformer(weights: str) -> tuple[Transformer, Tokenizer]:
    """The same as `get_model`, for a model of one text.

    Raises:
        ValueError: the weights are a sequence-to-sequence model.
    """
    network, tokenizer = get_model(weights)
    if not isinstance(network, Transformer):
        raise ValueError(f'"{weights}" is a sequence-to-sequence model; it does not continue a text.')
    return network, tokenizer


# Sequence-to-sequence models


class DecoderOutput(Protocol):
    """What the traces of all decoders have in common: the logits."""

    @property
    def logits(self) -> Tensor:
        """(B, T, V)"""


class Seq2SeqNetwork(Protocol):
    """What EncoderDecoder and Recurrent have in common. The result of `encode` is for `decode` of the same network."""

    def encode(self, ids: Tensor, is_token: Tensor | None = None, switches: Switches = Switches()) -> Any:
        """Run the encoder on the source `ids` (B, S)."""

    def decode(
        self,
        source: Any,
        ids: Tensor,
        source_is_token: Tensor | None = None,
        switches: Switches = Switches(),
        past: Any = None,
    ) -> DecoderOutput:
        """Run the decoder on the target `ids` (B, T). past: what `decode` returned for the tokens before these."""

    def check_switches(self, switches: Switches) -> None:
        """Raises ValueError if the network does not have what the switches remove."""

    def can_cache(self, switches: Switches) -> bool:
        """Whether the stages of a target token stay the same when tokens are added."""


def is_seq2seq(weights: str) -> bool:
    """Whether these weights are a sequence-to-sequence model."""
    return not isinstance(get_model(weights)[0], Transformer)


def get_seq2seq(weights: str) -> tuple[EncoderDecoder | Recurrent, Tokenizer]:
    """The same as `get_model`, for a sequence-to-sequence model.

    Raises:
        ValueError: the weights are a model of one text.
    """
    network, tokenizer = get_model(weights)
    if isinstance(network, Transformer):
        raise ValueError(f'"{weights}" reads one text and continues it; it does not write a second text.')
    return network, tokenizer


def encode_pair(experiment: Experiment) -> tuple[Encoding, Encoding]:
    """The source and the target as the model reads them: <s> source </s>, and <s> target without an end mark.

    Raises:
        InputTextError: the source is empty, or either side has too many tokens.
    """
    source = encode(experiment)
    _, tokenizer = get_seq2seq(experiment.weights)
    target = encode_text(tokenizer, experiment.target[:MAX_CHARACTERS])
    for side, read in (("sentence to read", source), ("sentence to write", target)):
        if len(read.ids) > MAX_PAIR_TOKENS:
            raise InputTextError(
                f"The {side} has {len(read.ids)} tokens; the lab draws up to {MAX_PAIR_TOKENS}. Shorten it."
            )
    end = tokenizer.vocabulary.index(EOS)
    closed = Encoding(
        (*source.surface, EOS), (*source.tokens, EOS), (*source.ids, end),
        (*source.word_ids, source.word_ids[-1] + 1), (*source.words, EOS),
    )  # fmt: skip
    return closed, target


def run_pair(experiment: Experiment) -> PairTrace:
    """Run the encoder on the text of an experiment, and the decoder on its target, with teacher forcing.

    Row t of the decoder is at target token t and predicts token t + 1; the last row predicts what comes next.

    Raises:
        ValueError: weights of another kind, a part that the model does not have, or an unsuitable text
            (InputTextError).
    """
    source, target = encode_pair(experiment)
    return run_pair_ids(experiment, source, target.ids, target.tokens)


def run_pair_ids(
    experiment: Experiment, source: Encoding, target_ids: Sequence[int], tokens: tuple[str, ...]
) -> PairTrace:
    """The same for a target that is given as token ids, <s> first."""
    network, _ = get_seq2seq(experiment.weights)
    check_pair(experiment, network)
    device = next(network.parameters()).device
    ids, target = (torch.tensor([side], device=device) for side in (source.ids, list(target_ids)))  # (1, S), (1, T)
    with torch.inference_mode(), as_input_error():
        pair = read_only(network(ids, target, switches=experiment.switches))
    named: PairTrace = replace(
        pair,
        encoder=replace(pair.encoder, tokens=source.tokens),
        decoder=replace(pair.decoder, tokens=tokens),
    )
    return named


@contextmanager
def as_input_error() -> Iterator[None]:
    """Turn a ValueError of a model, for a sentence longer than its position table, into an InputTextError."""
    try:
        yield
    except ValueError as error:
        raise InputTextError(str(error)) from error


def check_pair(experiment: Experiment, network: Seq2SeqNetwork) -> None:
    """Check that this network has what the experiment removes.

    Raises:
        ValueError: it does not.
    """
    if experiment.override is not None or experiment.mask_spec is not None:
        raise ValueError("Custom weights and masks work only in models that read one text.")
    network.check_switches(experiment.switches)


def logit_lens(experiment: Experiment, trace: Trace[Array], position: int | None = None) -> Array:
    """The predictions of each layer: its residual stream through the final norm and the unembedding.

    Returns logits (L, T, V), or (L, V) for the token at `position`. The last layer gives the output of the model.
    nostalgebraist 2020, "logit lens".

    Raises:
        ValueError: the weights are a recurrent network, which has no residual stream.
    """
    network, _ = get_model(experiment.weights)
    if isinstance(network, Recurrent):
        raise ValueError(f'"{experiment.weights}" is a recurrent network: it has no residual stream.')
    parameter = next(network.parameters())
    streams = np.stack([layer.resid_post if position is None else layer.resid_post[position] for layer in trace.layers])
    with torch.inference_mode():
        resid = torch.as_tensor(streams, device=parameter.device).to(parameter.dtype)  # (L, T, C) or (L, C)
        _, logits = network.unembed(resid, experiment.switches)  # (L, T, V) or (L, V)
    return _array(logits)


@lru_cache(maxsize=8)
def get_model(weights: str) -> tuple[AnyNetwork, Tokenizer]:
    """The network and the tokenizer of these weights, loaded once, on the best device, shared and never changed."""
    keep_freed_memory()
    network, tokenizer = load(weights)
    return network.to(choose_device()).requires_grad_(False), tokenizer


def read_only(record: Any, item: int = 0) -> Any:
    """A record of tensors (B, …) as the same record of read-only arrays (…): one item of the batch. Where all items
    share a tensor (1, …), it is theirs."""
    return _read_only(record, item, {})


def _read_only(record: Any, item: int, arrays: dict[int, Array]) -> Any:
    """arrays: id of a tensor → its array. One tensor can be two stages, such as the output of a layer and the input of
    the next. It is copied from the device once."""
    if isinstance(record, Tensor):
        if id(record) not in arrays:
            arrays[id(record)] = _array(record[item if record.size(0) > 1 else 0])
        return arrays[id(record)]
    if isinstance(record, tuple):
        return tuple(_read_only(part, item, arrays) for part in record)
    if is_dataclass(record) and not isinstance(record, type):
        return replace(record, **{f.name: _read_only(getattr(record, f.name), item, arrays) for f in fields(record)})
    return record


def _array(tensor: Tensor) -> Array:
    array = tensor.to("cpu", torch.float32 if tensor.is_floating_point() else tensor.dtype).numpy()
    array.setflags(write=False)
    return array
