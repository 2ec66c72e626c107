"""The sentences of the three views of costs hold the numbers that they are made from."""

import numpy as np

from viz.captions.cost import (
    Crossing,
    Fitted,
    MethodError,
    describe_approximation,
    describe_cache,
    describe_costs,
    describe_tiles,
    describe_token_times,
)

NOT_MEASURED = Crossing("the tanh RNN", "self-attention", 65, 65536, None, 0)


def test_a_crossover_is_given_as_counted_and_as_measured():
    assert describe_costs([], NOT_MEASURED, 0, 256) == (
        "Counted: the tanh RNN takes fewer operations than self-attention from n = **65** on. "
        "Nothing was measured with these sizes yet."
    )
    measured = Crossing("the tanh RNN", "self-attention", 65, 65536, 430.6, 2048)
    assert "Measured here: it is faster from n ≈ **431** on." in describe_costs([], measured, 0, 256)
    always = Crossing("linear attention", "self-attention", 17, 65536, 64.0, 2048, 64)
    assert "Measured here: it is faster at every n from 64 on." in describe_costs([], always, 0, 256)
    never = Crossing("the GRU", "self-attention", None, 65536, None, 2048)
    assert describe_costs([], never, 1, 256).startswith(
        "Counted: the GRU takes fewer operations than self-attention at no n up to 65,536. "
        "Measured here: it is not faster at any n up to 2,048."
    )


def test_an_exponent_is_given_with_its_uncertainty_and_held_against_the_operations():
    layers = [
        Fitted("attention", 2, (1.957, 0.052), (1.99, 0.01)),
        Fitted("slow", 2, (2.81, 0.1), None),
        Fitted("quick", 1, (0.7, 0.05), None),
        Fitted("two points", 1, (3.0, float("inf")), None),
        Fitted("missing", 1, None, None),
    ]
    sentence = describe_costs(layers, NOT_MEASURED, 2, 256)
    assert (
        "Fitted exponents of time from n = 256 on: attention 1.96 ± 0.05; slow 2.81 ± 0.10; quick 0.70 ± 0.05; "
        "two points 3.00. Time grows faster than the operations: slow (operations: 2). "
        "Time grows more slowly than the operations: quick (operations: 1). "
        "2 measurements would not fit into the memory or the time, and were left out."
    ) in sentence
    shrinks = describe_costs([Fitted("odd", 1, (-0.5, 0.25), None)], NOT_MEASURED, 0, 64, fused=True)
    assert "odd −0.50 ± 0.25" in shrinks and shrinks.endswith("Of memory: odd not measured.")
    wide = describe_costs([Fitted("noisy", 2, (3.0, 0.6), None)], NOT_MEASURED, 0, 64)
    assert "faster than the operations" not in wide, "within two standard errors"


def test_fused_attention_is_square_in_time_and_not_in_memory():
    layers = [Fitted("fused", 2, (2.0, 0.01), (1.0, 0.02))]
    sentence = describe_costs(layers, NOT_MEASURED, 0, 256, fused=True)
    assert "Fused self-attention is n² in time and not in memory" in sentence
    assert sentence.endswith("Of memory: fused 1.00 ± 0.02.")


def test_an_approximation_error_is_given_at_half_of_the_keys():
    errors = {"window": MethodError(7, 0.31, 0.2, 0.5), "linear": MethodError(0, 0.674, 0.47, 0.91)}
    assert describe_approximation("L0H1", errors, 13, True) == (
        "**L0H1**, 13 tokens. Relative error of the output, and its range over the heads of the layer: "
        "window with k = 7 0.31 (0.2 to 0.5); linear 0.67 (0.47 to 0.91)."
    )
    assert "no causal form" in describe_approximation("L0H1", errors, 13, False)


def test_tiles_are_counted_and_end_where_attend_ends():
    assert describe_tiles("L0H0", (4, 2), (10, 1), 4.4e-16) == (
        "**L0H0** in 10 tiles of 4 × 2; the mask forbids 1 further tile. The running output, divided by the running "
        "sum, ends as the output of attend(): the largest difference is **4\\.4·10⁻¹⁶**."
    )
    assert "forbids" not in describe_tiles("L0H0", (16, 16), (1, 0), 0.0)
    assert describe_tiles("L0H0", (4, 4), (1, 0), 2e-6).endswith("**2\\.0·10⁻⁶**.")


def test_a_cache_is_given_in_bytes_and_a_token_without_it_as_a_ratio():
    cache = {"multi-head": 2.0**31, "grouped-query": 2.0**29, "window": 2.0**31}
    assert describe_cache(4096, cache, 6e13, 1.5e10) == (
        "Counted: after 4,096 tokens the cache of multi-head attention holds **2 GiB**; grouped-query 512 MiB (1/4); "
        "window 2 GiB (as much). The prefill takes 60 T operations, and a new token with the cache 15 G. "
        "Without the cache, a new token costs as much as the prefill: 4,000 times as many operations as with it."
    )
    sizes = {"a": 2.0**38, "b": 12.0, "c": 2048.0, "d": 1.5 * 2**20, "e": 200 * 2.0**30}
    assert "**256 GiB**; b 12 B" in describe_cache(8, sizes, 8.0, 1.0)
    assert "c 2 KiB" in describe_cache(8, sizes, 8.0, 1.0) and "d 1.5 MiB" in describe_cache(8, sizes, 8.0, 1.0)
    assert "e 200 GiB (0.78)" in describe_cache(8, sizes, 8.0, 1.0)


def test_a_token_is_timed_at_the_longest_text_that_was_measured_both_ways():
    seconds = {
        "multi-head": np.array([2e-4, 7e-4, 9e-4]),
        "window": np.array([2e-5, 2.5e-4, 3e-4]),
        "no cache": np.array([3e-3, 1.4, np.nan]),
    }
    assert describe_token_times((128, 2048, 4096), seconds, 4, 128) == (
        "Measured here, in a decoder with 4 layers of width 128: token 2,048 takes **1\\.4 s** without a cache, and "
        "with a cache multi-head 700 µs; window 250 µs. Without it, multi-head attention takes 2,000 times "
        "as long as with it."
    )
    short = describe_token_times((128,), {name: values[:1] for name, values in seconds.items()}, 1, 16)
    assert "with 1 layer of width 16: token 128 takes **3 ms**" in short
    assert short.endswith("takes 15 times as long as with it.")
    assert describe_token_times((128,), {"a": np.array([np.nan]), "b": np.array([1.0])}, 1, 2) == (
        "No time was measured yet."
    )
