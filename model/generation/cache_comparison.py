"""One parallel pass, one pass per token, and one pass per token with the KV cache: equal results, different cost."""

import math
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from model.compute.cost import operations
from model.compute.progress import listening, steps, undisturbed
from model.generation.kv_cache import _Rows, decode_with_cache, decode_without_cache
from model.run import Array, Experiment, encode, get_transformer
from model.transformer import Trace

WARM = 3  # tokens that every method reads before it is timed


@dataclass(frozen=True)
class CacheComparison:
    """The results of one text: in one pass, token by token with a cache, and token by token without."""

    logits: tuple[Array, Array, Array]  # each (T, V)
    weights: tuple[Array, Array, Array]  # each (L, H, T, T)
    seconds: tuple[float, float, float]  # median
    repetitions: int

    @property
    def max_difference(self) -> tuple[Array, Array]:
        """The largest difference of the logits from the first method, at each token: (T,) for each other method."""
        whole, cached, uncached = self.logits
        return np.abs(cached - whole).max(axis=-1), np.abs(uncached - whole).max(axis=-1)


def compare(experiment: Experiment, repetitions: int = 5, patience: float = math.inf) -> CacheComparison:
    """Run the text with all three methods in turn, so that a slow moment of the machine affects all of them.

    repetitions: how often each method is timed; patience: no further turn starts after this many seconds of computing,
    but there is always one turn. Each step keeps only the rows of its new tokens, so the memory is that of one pass.
    Only the computation of steps is timed, not what a listener of compute/progress.py does between them.

    Raises:
        ValueError: the model is not causal, or the text cannot be run (InputTextError).
    """
    transformer, _ = get_transformer(experiment.weights)
    ids = torch.tensor([encode(experiment).ids], device=next(transformer.parameters()).device)  # (1, T)
    switches = experiment.switches
    ways: tuple[Callable[[Tensor], Iterator[Trace[Tensor]]], ...] = (
        lambda read: iter([transformer(read, switches=switches)]),
        lambda read: decode_with_cache(transformer, read, switches),
        lambda read: decode_without_cache(transformer, read, switches),
    )
    taken: list[list[float]] = []
    kept: list[_Rows] = []
    with torch.inference_mode():
        with listening(None):
            for way in ways:  # the first calls of a method take longer
                _timed(way, ids[:, :WARM], _Rows())
        for turn in steps(range(repetitions)):
            rows = [_Rows() if turn == 0 else None for _ in ways]
            taken.append([_timed(way, ids, of) for way, of in steps(list(zip(ways, rows, strict=True)))])
            kept += [of for of in rows if of is not None]
            if sum(map(sum, taken)) * (turn + 2) / (turn + 1) > patience:
                break
    one_pass, cached, uncached = (of.stacked(ids.size(1)) for of in kept)
    whole, with_cache, without = (statistics.median(turn[way] for turn in taken) for way in range(3))
    return CacheComparison(
        logits=(one_pass[0], cached[0], uncached[0]),
        weights=(one_pass[1], cached[1], uncached[1]),
        seconds=(whole, with_cache, without),
        repetitions=len(taken),
    )


def cost_of_comparison(experiment: Experiment) -> int:
    """The operations of one turn of `compare`, as compute/cost.py counts them. Most are without the cache."""
    config = get_transformer(experiment.weights)[0].config
    T = len(encode(experiment).ids)
    cached = sum(operations(config, 1, keys=length) for length in range(1, T + 1))
    return operations(config, T) + cached + sum(operations(config, length) for length in range(1, T + 1))


def _timed(way: Callable[[Tensor], Iterator[Trace[Tensor]]], ids: Tensor, rows: "_Rows | None") -> float:
    """The seconds of one method for ids (1, T). rows: collects the results of each step for its new tokens."""
    spent, before = 0.0, 0
    with undisturbed() as tell:
        start = time.perf_counter()
        for number, trace in enumerate(way(ids), start=1):
            if ids.device.type != "cpu":
                torch.accelerator.synchronize()
            spent += time.perf_counter() - start
            if rows is not None:
                read = trace.layers[0].attention.weights.size(-1)  # all tokens so far
                rows.add(trace, read - before)
                before = read
            tell(number / ids.size(1))
            start = time.perf_counter()
    return spent
