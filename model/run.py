"""The one door: an Experiment goes in, a Trace of read-only arrays comes out."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from model.attention_override import Overwrite
from model.checkpoint import load
from model.compute.device import choose_device, keep_freed_memory
from model.config import ModelConfig
from model.encoder_decoder import EncoderDecoder, EncoderDecoderTrace
from model.mask import Looks
from model.recurrent import Recurrent, RecurrentTrace
from model.switches import Switches
from model.tokenizer import END, Encoding, Tokenizer, clean
from model.tokenizer import TextError as TextError
from model.transformer import Trace, Transformer

Array = np.ndarray[Any, Any]

MOST_CHARACTERS = 20_000
MOST_TOKENS = 512
MOST_OF_A_PAIR = 128  # tokens of each of two sentences


@dataclass(frozen=True)
class Experiment:
    """One question to one model. Small and hashable: it is the cache key, the link and the file name."""

    weights: str = "grammar"
    text: str = ""
    switches: Switches = Switches()
    overwrite: Overwrite | None = None
    looks: Looks | None = None  # a mask instead of the model's own
    target: str = ""  # for models of two sentences: what stands on the other side, as far as it is written

    @property
    def name(self) -> str:
        """For file names: "grammar", "grammar-without-scale-norm", "grammar-window-3-mask"."""
        removed = [*self.switches.removed, *self.switches.silent]
        changed = [f"L{self.overwrite.layer}H{self.overwrite.head}-overwritten"] if self.overwrite else []
        masked = [self.looks.name] if self.looks else []
        return "-".join([self.weights, *(["without", *removed] if removed else []), *changed, *masked])


def encode(experiment: Experiment) -> Encoding:
    """The text as the model will read it.

    Raises:
        TextError: there is no word in it, there is more of it than the lab can draw, or it holds the padding token of
            a RoBERTa.
    """
    size = len(experiment.text)
    if size > MOST_CHARACTERS:
        raise TextError(f"This text has {size:,} characters; the lab reads up to {MOST_CHARACTERS:,}. Shorten it.")
    network, tokenizer = model(experiment.weights)
    encoding = tokenizer.encode(experiment.text)
    if not clean(experiment.text).strip():
        raise TextError("There is no text yet. Type a sentence, or generate one.")
    if not encoding.ids:
        raise TextError("The tokenizer of this model has no piece for anything in this text. Write another one.")
    if len(encoding.ids) > MOST_TOKENS:
        raise TextError(f"This text has {len(encoding.ids):,} tokens; the lab draws up to {MOST_TOKENS}. Shorten it.")
    padding = getattr(network.config, "padding_id", None)  # a recurrent network has none
    if padding is not None and padding in tokenizer.encode("").ids:
        raise TextError(
            f"config.json says pad_token_id = {padding}, which is {tokenizer.vocabulary[padding]}, and the tokenizer "
            "puts that around every text. Write the token there that fills up short texts, and load the model again."
        )
    if padding is not None and padding in encoding.ids:
        raise TextError(
            f"{tokenizer.vocabulary[padding]} is the token that fills up short texts, and a RoBERTa gives it no "
            "position of its own. Take it out of the text."
        )
    return encoding


def run(experiment: Experiment) -> Trace[Array]:
    """Run the experiment and keep every stage, as read-only float32 arrays without the batch axis.

    Weights that read one sentence and write another give the record of `run_pair`.

    Raises:
        ValueError: unknown weights, a head that the model does not have, or a text it cannot take (TextError).
    """
    if reads_pairs(experiment.weights):
        pair: Any = run_pair(experiment)
        return pair
    encoding = encode(experiment)
    return run_ids(experiment, encoding.ids, encoding.tokens)


def run_ids(experiment: Experiment, read: Sequence[int], tokens: tuple[str, ...]) -> Trace[Array]:
    """The same for a text that is ids already: what a model wrote need not be cut as a text of its letters would be."""
    transformer, _ = model(experiment.weights)
    if experiment.switches.cross_off or experiment.switches.encoder_off:
        raise ValueError("Only sequence-to-sequence models have cross-attention heads to ablate.")
    _check_heads(experiment.switches, transformer.config)
    written = experiment.overwrite
    if written is not None and len(written.weights) != len(read):
        raise ValueError(f"{len(read)} tokens need {len(read)} weights, not {len(written.weights)}.")
    ids = torch.tensor([read], device=next(transformer.parameters()).device)  # (1, T)
    looks = None if experiment.looks is None else experiment.looks.over(ids.size(1)).to(ids.device)  # (T, T)
    with torch.inference_mode():
        try:
            trace = transformer(ids, switches=experiment.switches, overwrite=written, looks=looks)
        except ValueError as error:  # the text is longer than a learned position table
            raise TextError(str(error)) from error
    arrays: Trace[Array] = read_only(trace)
    return replace(arrays, tokens=tokens)


def _check_heads(switches: Switches, config: ModelConfig) -> None:
    for layer, head in switches.heads_off | switches.cross_off | switches.encoder_off:
        if not (0 <= layer < config.n_layers and 0 <= head < config.n_heads):
            raise ValueError(f"There is no head {head} in layer {layer}: {config.n_layers} layers × {config.n_heads}.")


# Models of two sentences


PairTrace = EncoderDecoderTrace[Array] | RecurrentTrace[Array]


def reads_pairs(weights: str) -> bool:
    """Whether these weights read one sentence and write another."""
    return isinstance(model(weights)[0], EncoderDecoder | Recurrent)


def pair_model(weights: str) -> tuple[EncoderDecoder | Recurrent, Tokenizer]:
    """The same as `model`, for weights that read one sentence and write another.

    Raises:
        ValueError: they do not.
    """
    network, tokenizer = model(weights)
    if not isinstance(network, EncoderDecoder | Recurrent):
        raise ValueError(f'"{weights}" reads one text and writes on; it does not write another.')
    return network, tokenizer


def encode_pair(experiment: Experiment) -> tuple[Encoding, Encoding]:
    """Both sentences as the model reads them: <s> source </s>, and <s> target, which may go on.

    Raises:
        TextError: there is no word in the source, or there is more of one side than the lab can draw.
    """
    source = encode(experiment)
    _, tokenizer = pair_model(experiment.weights)
    target = tokenizer.encode(experiment.target[:MOST_CHARACTERS])
    for side, read in (("sentence to read", source), ("sentence to write", target)):
        if len(read.ids) > MOST_OF_A_PAIR:
            raise TextError(f"The {side} has {len(read.ids)} tokens; the lab draws up to {MOST_OF_A_PAIR}. Shorten it.")
    end = tokenizer.vocabulary.index(END)
    closed = Encoding(
        (*source.typed, END), (*source.tokens, END), (*source.ids, end),
        (*source.word_of, source.word_of[-1] + 1), (*source.words, END),
    )  # fmt: skip
    return closed, target


def run_pair(experiment: Experiment) -> PairTrace:
    """Read `text`, then write `target`, each word after the right words before it: teacher forcing.

    Row t of the decoder stands at target word t and foretells word t + 1; the last row foretells what comes next.

    Raises:
        ValueError: weights of another kind, a part that the model does not have, or a text it cannot take (TextError).
    """
    source, target = encode_pair(experiment)
    return run_pair_ids(experiment, source, target.ids, target.tokens)


def run_pair_ids(
    experiment: Experiment, source: Encoding, written: Sequence[int], tokens: tuple[str, ...]
) -> PairTrace:
    """The same for a target that is ids already, <s> first."""
    network, _ = pair_model(experiment.weights)
    check_pair(experiment, network)
    device = next(network.parameters()).device
    ids, target = (torch.tensor([side], device=device) for side in (source.ids, list(written)))  # (1, S), (1, T)
    with torch.inference_mode(), refusing_in_words():
        if isinstance(network, Recurrent):
            trace: Any = network(ids, target)
        else:
            trace = network(ids, target, switches=experiment.switches)
    pair = read_only(trace)
    named: PairTrace = replace(
        pair,
        encoder=replace(pair.encoder, tokens=source.tokens),
        decoder=replace(pair.decoder, tokens=tokens),
    )
    return named


@contextmanager
def refusing_in_words() -> Iterator[None]:
    """What a model cannot take, a sentence longer than its learned table of positions, is for the person who typed."""
    try:
        yield
    except ValueError as error:
        raise TextError(str(error)) from error


def check_pair(experiment: Experiment, network: EncoderDecoder | Recurrent) -> None:
    """Whether this network has what the experiment takes away.

    Raises:
        ValueError: it has not.
    """
    if experiment.overwrite is not None or experiment.looks is not None:
        raise ValueError("Weights and masks of one's own are for models of one text.")
    if isinstance(network, Recurrent):
        if experiment.switches != Switches():
            raise ValueError("A recurrent network has none of the parts of a Transformer: there is nothing to remove.")
    else:
        _check_heads(experiment.switches, network.config)


def lens(experiment: Experiment, trace: Trace[Array], at: int | None = None) -> Array:
    """What each layer would already say: its stream through the final norm and the unembedding.

    Returns (L, T, V) logits, or (L, V) of the token `at`; the last layer's are the model's own output.
    nostalgebraist 2020, "logit lens".
    """
    transformer, _ = model(experiment.weights)
    parameter = next(transformer.parameters())
    streams = np.stack([layer.resid_post if at is None else layer.resid_post[at] for layer in trace.layers])
    with torch.inference_mode():
        stream = torch.as_tensor(streams, device=parameter.device).to(parameter.dtype)  # (L, T, C) or (L, C)
        _, logits = transformer.read_out(stream, experiment.switches)  # (L, T, V) or (L, V)
    return _array(logits)


@lru_cache(maxsize=8)
def model(weights: str) -> tuple[Transformer, Tokenizer]:
    """Weights by name, loaded once, on the best device, shared by everyone who runs them and changed by nobody."""
    keep_freed_memory()
    transformer, tokenizer = load(weights)
    return transformer.to(choose_device()).requires_grad_(False), tokenizer


def read_only(record: Any) -> Any:
    """A record of tensors (1, …) as the same record of read-only arrays (…)."""
    return _read_only(record, {})


def _read_only(record: Any, made: dict[int, Array]) -> Any:
    """made: id of a tensor → its array. One tensor is often two stages, such as the output of a layer and the input of
    the next: it is copied from the device once."""
    if isinstance(record, Tensor):
        if id(record) not in made:
            made[id(record)] = _array(record[0])
        return made[id(record)]
    if isinstance(record, tuple):
        return tuple(_read_only(item, made) for item in record)
    if is_dataclass(record) and not isinstance(record, type):
        return replace(record, **{f.name: _read_only(getattr(record, f.name), made) for f in fields(record)})
    return record


def _array(tensor: Tensor) -> Array:
    array = tensor.to("cpu", torch.float32 if tensor.is_floating_point() else tensor.dtype).numpy()
    array.setflags(write=False)
    return array
