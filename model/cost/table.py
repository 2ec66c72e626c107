"""The table of layer types, counted and measured, as rows for the terminal and for a CSV file."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from model.cost.complexity import LAYER_TYPES, Count, LayerType, Sizes
from model.cost.exponent import Exponent
from model.cost.measure import Measurement, memory_exponent, time_exponent
from model.run import Array

COLUMNS = {
    "layer": "type of layer",
    "n": "n",
    "operations": "operations per layer, Table 1",
    "sequential": "sequential operations",
    "path_length": "longest path",
    "flops": "FLOPs of one forward pass",
    "milliseconds": "the shortest of several passes",
    "peak_kib": "peak memory",
    "tokens_per_second": "n / time",
    "time_exponent": "p of time ∝ n^p",
    "time_exponent_se": "its standard error",
    "memory_exponent": "p of memory ∝ n^p",
    "refused": "why it was not measured",
}


class Counts(NamedTuple):
    """What each of K types of layers costs at each of N lengths, (K, N) each."""

    operations: Array  # the term of Table 1
    sequential: Array
    path_length: Array
    flops: Array  # of one forward pass, exact


def count_layers(kinds: Sequence[str], lengths: Sequence[int], sizes: Sizes) -> Counts:
    """The counts of these types at these lengths; the n of `sizes` plays no part. As float64, because n²·d is large."""
    layers = [LAYER_TYPES[kind] for kind in kinds]
    of_lengths = [replace(sizes, n=n) for n in lengths]
    counts = [
        [
            [count(current) for current in of_lengths]
            for count in (layer.operations, layer.sequential, layer.path_length, layer.flops)
        ]
        for layer in layers
    ]
    return Counts(*np.array(counts, dtype=float).reshape(len(layers), 4, len(of_lengths)).transpose(1, 0, 2))


def _counted(layer: LayerType) -> tuple[Count, ...]:
    return layer.operations, layer.sequential, layer.path_length, layer.flops


@dataclass(frozen=True)
class Summary:
    """The exponents of one kind; None if fewer than two lengths were measured."""

    time: Exponent | None
    memory: Exponent | None


def summarise(results: Sequence[Measurement], kind: str, from_n: int = 0) -> Summary:
    """The exponents of one kind over the lengths from `from_n` on."""
    return Summary(time_exponent(results, kind, from_n), memory_exponent(results, kind, from_n))


def table_rows(results: Sequence[Measurement], sizes: Sizes, from_n: int = 0) -> list[dict[str, str]]:
    """One row for each result, with the keys of COLUMNS. A number that was not measured is empty."""
    rows = []
    for result in results:
        layer, current = LAYER_TYPES[result.kind], replace(sizes, n=result.n)
        summary = summarise(results, result.kind, from_n)
        rows.append(
            {
                "layer": layer.label,
                "n": str(result.n),
                "operations": f"{layer.operations_formula} = {layer.operations(current)}",
                "sequential": str(layer.sequential(current)),
                "path_length": str(layer.path_length(current)),
                "flops": str(layer.flops(current)),
                "milliseconds": "" if result.seconds is None else f"{1000 * result.seconds:.4g}",
                "peak_kib": "" if result.peak_bytes is None else f"{result.peak_bytes / 1024:.0f}",
                "tokens_per_second": f"{result.tokens_per_second:.0f}" if result.tokens_per_second else "",
                "time_exponent": "" if summary.time is None else f"{summary.time.exponent:.2f}",
                "time_exponent_se": "" if summary.time is None else f"{summary.time.standard_error:.2f}",
                "memory_exponent": "" if summary.memory is None else f"{summary.memory.exponent:.2f}",
                "refused": result.refused,
            }
        )
    return rows


def as_text(rows: Sequence[dict[str, str]]) -> str:
    """The rows in columns of equal width. Columns that are empty in every row are left out."""
    names = [name for name in COLUMNS if any(row[name] for row in rows)]
    lines = [names, *([row[name] for name in names] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(names))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
