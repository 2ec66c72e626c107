"""What the browser must count as Python does: layers, decoding, fits and crossovers at some sizes."""

from dataclasses import asdict, replace

from model.cost.complexity import LAYER_TYPES, Sizes, counted_crossover
from model.cost.decoding import (
    VARIANTS,
    DecoderSizes,
    cache_bytes,
    decode_bytes_read,
    decode_flops,
    decode_flops_without_cache,
    prefill_flops,
)
from model.cost.exponent import fit_exponent, measured_crossover

SIZES = (Sizes(), Sizes(1, 16, 2, 4, 16, 4), Sizes(1000, 48, 5, 7, 3, 9), Sizes(65536, 1024, 31, 512, 16, 512))
DECODERS = (DecoderSizes(), DecoderSizes(3, 96, 6, 3, 16, 100, 57, 4))
COUNTS = {
    "cache": cache_bytes,
    "prefill": prefill_flops,
    "decode": decode_flops,
    "without": decode_flops_without_cache,
    "read": decode_bytes_read,
}
POINTS = (
    [(64, 1e-4), (128, 3e-4), (256, 1.4e-3), (512, 5e-3)],
    [(16, 2.0), (32, 1.0), (128, 3.0)],
)
TIMES = (
    ([64, 128, 256], [3.0, 4.0, 5.0], [1.0, 3.5, 9.0]),
    ([64, 128], [3.0, 4.0], [1.0, 2.0]),
    ([64, 128], [1.0, 2.0], [3.0, 4.0]),
    ([], [], []),
)


def _layer(kind, sizes):
    layer = LAYER_TYPES[kind]
    counts = {
        "operations": layer.operations,
        "sequential": layer.sequential,
        "path": layer.path_length,
        "flops": layer.flops,
        "elements": layer.peak_elements,
    }
    return {"kind": kind, "sizes": asdict(sizes), "counts": {name: count(sizes) for name, count in counts.items()}}


def _fit(points):
    fit = fit_exponent(*zip(*points, strict=True))
    return {"points": points, "exponent": fit.exponent, "error": fit.standard_error, "factor": fit.factor}


def reference():
    """Everything, as it is written for node."""
    return {
        "layers": [_layer(kind, sizes) for kind in LAYER_TYPES for sizes in SIZES],
        "decoding": [
            {
                "variant": variant,
                "sizes": asdict(sizes),
                "n": n,
                "counts": {name: count(sizes, variant, n) for name, count in COUNTS.items()},
            }
            for variant in VARIANTS
            for sizes in DECODERS
            for n in (1, 17, 4096)
        ],
        "crossovers": [
            {"pair": pair, "sizes": asdict(sizes), "longest": longest, "n": counted_crossover(*pair, sizes, longest)}
            for pair in (("rnn", "attention"), ("gru", "attention"), ("window", "attention"), ("linear", "attention"))
            for sizes in (replace(size, n=1) for size in SIZES)
            for longest in (1 << 13, 64)
        ],
        "fits": [_fit(points) for points in POINTS],
        "measured": [
            {
                "lengths": lengths,
                "cheaper": cheaper,
                "dearer": dearer,
                "n": measured_crossover(lengths, cheaper, dearer),
            }
            for lengths, cheaper, dearer in TIMES
        ],
    }
