"""Writing on without reading everything again: the keys and values of the words read so far are kept.

A new word asks with its own query; the keys and values of the words before it stay as they were, because under a
causal mask nothing that comes later can change them. The cache is therefore nothing new: the trace of the words
before holds their keys and values already. Transformers were decoded so from the beginning (Tensor2Tensor: Vaswani et
al. 2018); Shazeer 2019, "Fast Transformer Decoding", section 2.4, writes the step out and asks what it costs in memory.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from model.run import Array, Experiment, encode, model
from model.switches import Switches
from model.transformer import Trace, Transformer


def looks_back(transformer: Transformer, switches: Switches = Switches()) -> bool:
    """Whether what a word gave stays when words follow it: only then can its keys and values be kept."""
    return transformer.config.causal and (switches & transformer.config.trained).mask


def word_by_word(transformer: Transformer, ids: Tensor, switches: Switches = Switches()) -> Iterator[Trace[Tensor]]:
    """Read ids (B, T) one word at a time; each step asks with one query (B, H, 1, D) and sees all keys so far.

    Raises:
        ValueError: the model also looks ahead, so earlier words would have to be read again.
    """
    if not looks_back(transformer, switches):
        raise ValueError("A model that looks ahead has no cache: every new word changes what all the others are.")
    past: Trace[Tensor] | None = None
    for at in range(ids.size(1)):
        past = transformer(ids[:, at : at + 1], switches=switches, past=past)
        yield past


def again_and_again(transformer: Transformer, ids: Tensor, switches: Switches = Switches()) -> Iterator[Trace[Tensor]]:
    """The same without a cache: for every word, all words up to it are read from the start."""
    for at in range(ids.size(1)):
        yield transformer(ids[:, : at + 1], switches=switches)


@dataclass(frozen=True)
class ThreeWays:
    """One text through one model: in one pass, word by word with a cache, and word by word without."""

    logits: tuple[Array, Array, Array]  # each (T, V)
    weights: tuple[Array, Array, Array]  # each (L, H, T, T)
    seconds: tuple[float, float, float]  # median
    repetitions: int

    @property
    def apart(self) -> tuple[Array, Array]:
        """How far the logits of the second and the third way are from those of the first, at each word: (T,) each."""
        whole, cached, uncached = self.logits
        return np.abs(cached - whole).max(axis=-1), np.abs(uncached - whole).max(axis=-1)


def compare(experiment: Experiment, repetitions: int = 5) -> ThreeWays:
    """Run the text all three ways, in turn, so that a slow moment of the machine meets each of them.

    Raises:
        ValueError: the model looks ahead, or the text cannot be run (TextError).
    """
    transformer, _ = model(experiment.weights)
    ids = torch.tensor([encode(experiment).ids], device=next(transformer.parameters()).device)  # (1, T)
    switches = experiment.switches
    ways: tuple[Callable[[], list[Trace[Tensor]]], ...] = (
        lambda: [transformer(ids, switches=switches)],
        lambda: list(word_by_word(transformer, ids, switches)),
        lambda: list(again_and_again(transformer, ids, switches)),
    )
    with torch.inference_mode():
        taken = [[_timed(way, ids.device) for way in ways] for _ in range(repetitions + 1)][1:]  # the first warms up
        steps = [way() for way in ways]
    one, cached, uncached = (_stacked(traces, ids.size(1)) for traces in steps)
    whole, kept, again = (statistics.median(turn[way] for turn in taken) for way in range(3))
    return ThreeWays(
        logits=(one[0], cached[0], uncached[0]),
        weights=(one[1], cached[1], uncached[1]),
        seconds=(whole, kept, again),
        repetitions=repetitions,
    )


def _timed(go: Callable[[], object], device: torch.device) -> float:
    start = time.perf_counter()
    go()
    if device.type != "cpu":
        torch.accelerator.synchronize()
    return time.perf_counter() - start


def _stacked(steps: list[Trace[Tensor]], tokens: int) -> tuple[Array, Array]:
    """The logits (T, V) and the weights (L, H, T, T) of all steps; a step that read all words gives its last row."""
    new = tokens // len(steps)  # all words at once, or one a step
    logits = np.concatenate([step.logits[0, -new:].float().cpu().numpy() for step in steps])
    maps = [torch.stack([layer.attention.weights[0, :, -new:] for layer in step.layers]) for step in steps]
    weights = np.zeros((*maps[0].shape[:2], tokens, tokens), dtype=np.float32)
    for at, rows in enumerate(maps):
        weights[:, :, at : at + new, : rows.size(-1)] = rows.float().cpu().numpy()
    return logits, weights
