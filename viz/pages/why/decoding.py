"""What one new token costs, with the key–value cache and without, and what the cache holds."""

from collections.abc import Mapping
from functools import partial

import numpy as np
import streamlit as st

from model.cost.decoding import VARIANTS, DecoderSizes, count_decoding
from viz import canvas
from viz.captions.cost import describe_cache
from viz.export.tables import NamedArray, Table
from viz.pages.why import views
from viz.theme import Theme
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


@st.fragment
def show(theme: Theme) -> None:
    """The figure, and what stands below it."""
    sliders = tuple(slider for slider, _ in SLIDERS.values())
    figure = st.container()
    state = views.addressed(sliders, tuple(first for _, first in SLIDERS.values()))
    sizes, n = _sizes(state), state[Param.CACHE_N]
    with figure:
        drawn = canvas.decoding_costs(
            tuple(VARIANTS),
            {field: slider.name for field, (slider, _) in SLIDERS.items()},
            (LENGTHS[0], LENGTHS[-1]),
            sliders,
            state,
            key="decoding_costs",
            theme=theme,
            on_state=partial(views.choose, sliders),
        )
    counts = count_decoding(sizes, (n,))
    figure_panel.below(
        drawn,
        sentence=describe_cache(
            n,
            {variant: float(counts.cache_bytes[place, 0]) for place, variant in enumerate(VARIANTS)},
            float(counts.prefill_flops[0, 0]),
            float(counts.decode_flops[0, 0]),
        ),
        table=partial(_table, sizes, n),
        file=f"decoding-{sizes.n_layers}-layers-d{sizes.d}",
        of=figure_panel.Subject(title=", ".join(f"{slider.label}: {state[slider.name]}" for slider in sliders)),
        arrays=partial(_arrays, sizes, n),
        python=copy_as_python.python(
            f"counts = count_decoding({copy_as_python.code_of(sizes)}, {_lengths(n)})  # (V, N) each\n"
            "cache_bytes, bytes_read, prefill_flops, decode_flops, flops_without_cache = counts",
            "from model.cost.decoding import DecoderSizes, count_decoding",
        ),
    )


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


def _table(sizes: DecoderSizes, n: int) -> Table:
    """One line for each variant and each length."""
    lengths = _lengths(n)
    counts = count_decoding(sizes, lengths)
    return {
        "variant": np.repeat(list(VARIANTS), len(lengths)).tolist(),
        "n": lengths * len(VARIANTS),
        "key heads": np.repeat([sizes.key_heads(variant) for variant in VARIANTS], len(lengths)),
        "cache bytes": counts.cache_bytes.ravel(),
        "bytes read for a token": counts.bytes_read.ravel(),
        "prefill FLOPs": counts.prefill_flops.ravel(),
        "FLOPs of a token with the cache": counts.decode_flops.ravel(),
        "FLOPs of a token without": counts.flops_without_cache.ravel(),
    }


def _arrays(sizes: DecoderSizes, n: int) -> dict[str, NamedArray]:
    """(V, N) each: variants and lengths."""
    lengths = _lengths(n)
    axes = {"variant": list(VARIANTS), "n": lengths}
    return {name: NamedArray(values, axes) for name, values in count_decoding(sizes, lengths)._asdict().items()}
