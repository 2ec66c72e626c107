"""What one new token costs, with the key–value cache and without, and what the cache holds."""

import math
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import streamlit as st

from model.cost.decoding import MEASURED, NO_CACHE, VARIANTS, DecoderSizes, count_decoding
from model.cost.measure import SECONDS, Measurement
from viz import canvas
from viz.captions.cost import describe_cache, describe_token_times
from viz.export.tables import NamedArray, Table
from viz.pages.why import measuring, views
from viz.theme import Theme
from viz.types import Array
from viz.ui import copy_as_python, figure_panel
from viz.ui.state import Param

POWERS = tuple(2**power for power in range(18))
LENGTHS = POWERS[7:18]  # 128 to 131,072
SLIDERS = {  # field of DecoderSizes, the tokens or the width of a head → its slider and its first value
    "n": (canvas.Slider(Param.CACHE_N, "n, tokens so far", LENGTHS), 4096),
    "n_layers": (canvas.Slider(Param.CACHE_LAYERS, "L, layers", (1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 80, 96)), 32),
    "n_heads": (canvas.Slider(Param.CACHE_HEADS, "h, heads", POWERS[:8]), 32),
    "head_width": (canvas.Slider(Param.CACHE_HEAD_WIDTH, "d/h, width of a head", POWERS[4:9]), 128),
    "n_groups": (canvas.Slider(Param.CACHE_GROUPS, "g, heads of keys when grouped", POWERS[:7]), 8),
    "window": (canvas.Slider(Param.CACHE_WINDOW, "r, window", POWERS[5:15]), 1024),
    "bytes_per_number": (canvas.Slider(Param.CACHE_BYTES, "bytes per number", (1, 2, 4)), 2),
}
MEASURED_SECONDS = ("seconds of a token with the cache", "seconds of a token without")
PLAN = measuring.DecodingPlan()


@st.fragment
def show(theme: Theme) -> None:
    """The figure, and what stands below it."""
    sliders = tuple(slider for slider, _ in SLIDERS.values())
    figure = st.container()
    state = views.addressed(sliders, tuple(first for _, first in SLIDERS.values()))
    sizes, n = _sizes(state), state[Param.CACHE_N]
    measured, results, touch = measuring.seen(PLAN)
    with figure:
        drawn = canvas.decoding_costs(
            tuple(VARIANTS),
            {field: slider.name for field, (slider, _) in SLIDERS.items()},
            measured,
            sliders,
            state,
            key="decoding_costs",
            theme=theme,
            on={"state": partial(views.choose, sliders), "command": partial(_command, sliders), "rest": touch},
        )
    counts = count_decoding(sizes, (n,))
    figure_panel.below(
        drawn,
        sentence=" ".join(
            (
                describe_cache(
                    n,
                    {variant: float(counts.cache_bytes[place, 0]) for place, variant in enumerate(VARIANTS)},
                    float(counts.prefill_flops[0, 0]),
                    float(counts.decode_flops[0, 0]),
                ),
                describe_token_times(PLAN.lengths, _seconds(results), MEASURED.n_layers, MEASURED.d),
            )
        ),
        table=partial(_table, sizes, n, results),
        file=f"decoding-{sizes.n_layers}-layers-d{sizes.d}",
        of=figure_panel.Subject(title=", ".join(f"{slider.label}: {state[slider.name]}" for slider in sliders)),
        arrays=partial(_arrays, sizes, n, results),
        python=_python(sizes, n, bool(results)),
    )


def _command(sliders: Sequence[canvas.Slider], name: str, values: Mapping[str, int]) -> None:
    views.choose(sliders, **values)
    measuring.command(PLAN, name)


def _seconds(results: Sequence[Measurement]) -> dict[str, Array]:
    """Kind of a measurement → the seconds of a token (N,) at the lengths of the plan; NaN: not measured."""
    by_place = {(result.kind, result.n): result.seconds or math.nan for result in results}
    return {kind: np.array([by_place.get((kind, n), math.nan) for n in PLAN.lengths]) for kind in PLAN.kinds}


def _python(sizes: DecoderSizes, n: int, measured: bool) -> str:
    body = (
        f"counts = count_decoding({copy_as_python.code_of(sizes)}, {_lengths(n)})  # (V, N) each\n"
        "cache_bytes, bytes_read, prefill_flops, decode_flops, flops_without_cache = counts"
    )
    names = ["DecoderSizes", "count_decoding"]
    if measured:
        body += f"\nmeasurements = list(measure_decoding())  # takes up to {SECONDS:.0f} s"
        names.append("measure_decoding")
    return copy_as_python.python(body, f"from model.cost.decoding import {', '.join(names)}")


def _sizes(state: Mapping[str, int]) -> DecoderSizes:
    """The decoder that the sliders make. Groups are no more than heads."""
    chosen = {field: state[slider.name] for field, (slider, _) in SLIDERS.items()}
    heads, d = chosen["n_heads"], chosen["n_heads"] * chosen["head_width"]
    return DecoderSizes(
        n_layers=chosen["n_layers"],
        d=d,
        n_heads=heads,
        n_groups=min(heads, chosen["n_groups"]),
        window=chosen["window"],
        d_ff=4 * d,
        bytes_per_number=chosen["bytes_per_number"],
    )


def _lengths(n: int) -> tuple[int, ...]:
    return tuple(sorted({*LENGTHS, n}))


def _table(sizes: DecoderSizes, n: int, results: Sequence[Measurement]) -> Table:
    """One line for each variant and each length. What is timed is another decoder: MEASURED."""
    lengths = _lengths(n)
    counts = count_decoding(sizes, lengths)
    timed = {(result.kind, result.n): result.seconds or math.nan for result in results}
    seconds = [timed.get((variant, length), math.nan) for variant in VARIANTS for length in lengths]
    without = [timed.get((NO_CACHE, length), math.nan) for length in lengths]
    return {
        "variant": np.repeat(list(VARIANTS), len(lengths)).tolist(),
        "n": lengths * len(VARIANTS),
        "key heads": np.repeat([sizes.key_heads(variant) for variant in VARIANTS], len(lengths)),
        "cache bytes": counts.cache_bytes.ravel(),
        "bytes read for a token": counts.bytes_read.ravel(),
        "prefill FLOPs": counts.prefill_flops.ravel(),
        "FLOPs of a token with the cache": counts.decode_flops.ravel(),
        "FLOPs of a token without": counts.flops_without_cache.ravel(),
        MEASURED_SECONDS[0]: seconds,
        MEASURED_SECONDS[1]: without + [math.nan] * (len(seconds) - len(without)),
    }


def _arrays(sizes: DecoderSizes, n: int, results: Sequence[Measurement]) -> dict[str, NamedArray]:
    """(V, N) each: variants and lengths; what was measured (K, N)."""
    lengths = _lengths(n)
    axes = {"variant": list(VARIANTS), "n": lengths}
    named = {name: NamedArray(values, axes) for name, values in count_decoding(sizes, lengths)._asdict().items()}
    if results:
        timed = np.stack(list(_seconds(results).values()))
        named["seconds"] = NamedArray(timed, {"kind": list(PLAN.kinds), "length": PLAN.lengths})
    return named
