"""The one door: an Experiment goes in, a Trace of read-only arrays comes out."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from model.checkpoint import load
from model.device import choose_device, keep_freed_memory
from model.mask import Looks
from model.overwrite import Overwrite
from model.switches import Switches
from model.tokenizer import Encoding, Tokenizer, clean
from model.transformer import Trace, Transformer

Array = np.ndarray[Any, Any]

MOST_CHARACTERS = 20_000
MOST_TOKENS = 512


@dataclass(frozen=True)
class Experiment:
    """One question to one model. Small and hashable: it is the cache key, the link and the file name."""

    weights: str = "grammar"
    text: str = ""
    switches: Switches = Switches()
    overwrite: Overwrite | None = None
    looks: Looks | None = None  # a mask instead of the model's own

    @property
    def name(self) -> str:
        """For file names: "grammar", "grammar-without-scale-norm", "grammar-window-3-mask"."""
        removed = [*self.switches.removed, *(f"L{layer}H{head}" for layer, head in sorted(self.switches.heads_off))]
        changed = [f"L{self.overwrite.layer}H{self.overwrite.head}-overwritten"] if self.overwrite else []
        masked = [self.looks.name] if self.looks else []
        return "-".join([self.weights, *(["without", *removed] if removed else []), *changed, *masked])


class TextError(ValueError):
    """The text cannot be run as it is. The message is one sentence for the person who typed it."""


def encode(experiment: Experiment) -> Encoding:
    """The text as the model will read it.

    Raises:
        TextError: there is no word in it, or there is more of it than the lab can draw.
    """
    size = len(experiment.text)
    if size > MOST_CHARACTERS:
        raise TextError(f"This text has {size:,} characters; the lab reads up to {MOST_CHARACTERS:,}. Shorten it.")
    _, tokenizer = model(experiment.weights)
    encoding = tokenizer.encode(experiment.text)
    if not clean(experiment.text).strip():
        raise TextError("There is no word to look at yet. Type a sentence, or draw a new one.")
    if len(encoding.ids) > MOST_TOKENS:
        raise TextError(f"This text has {len(encoding.ids):,} tokens; the lab draws up to {MOST_TOKENS}. Shorten it.")
    return encoding


def run(experiment: Experiment) -> Trace[Array]:
    """Run the experiment and keep every stage, as read-only float32 arrays without the batch axis.

    Raises:
        ValueError: unknown weights, a head that the model does not have, or a text it cannot take (TextError).
    """
    encoding = encode(experiment)
    return run_ids(experiment, encoding.ids, encoding.tokens)


def run_ids(experiment: Experiment, read: Sequence[int], tokens: tuple[str, ...]) -> Trace[Array]:
    """The same for a text that is ids already: what a model wrote need not be cut as a text of its letters would be."""
    transformer, _ = model(experiment.weights)
    config = transformer.config
    for layer, head in experiment.switches.heads_off:
        if not (0 <= layer < config.n_layers and 0 <= head < config.n_heads):
            raise ValueError(f"There is no head {head} in layer {layer}: {config.n_layers} layers × {config.n_heads}.")
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
    if isinstance(record, Tensor):
        return _array(record[0])
    if isinstance(record, tuple):
        return tuple(read_only(item) for item in record)
    if is_dataclass(record) and not isinstance(record, type):
        return replace(record, **{f.name: read_only(getattr(record, f.name)) for f in fields(record)})
    return record


def _array(tensor: Tensor) -> Array:
    array = tensor.to("cpu", torch.float32 if tensor.is_floating_point() else tensor.dtype).numpy()
    array.setflags(write=False)
    return array
