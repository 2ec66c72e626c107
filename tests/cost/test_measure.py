"""Measuring time and memory: what is counted, what is refused, and how it stops."""

import csv
import math
import time

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from model.compute.memory import PeakMemory, free_bytes
from model.compute.progress import listening
from model.cost import measure as measuring
from model.cost.__main__ import main
from model.cost.complexity import LAYER_TYPES, Sizes
from model.cost.exponent import fit_exponent, measured_crossover
from model.cost.layers import build_layer
from model.cost.measure import (
    LENGTHS,
    SECONDS,
    estimated_bytes,
    expected_seconds,
    measure,
    memory_exponent,
    single_thread,
    time_exponent,
)
from viz.pages.why.escape import WAYS
from viz.pages.why.table import TABLE


def test_the_peak_is_the_sum_of_what_exists_at_once():
    x = torch.zeros(1000)
    with PeakMemory() as memory:
        first = x + 1
        view = first[:10]
        del first
        second = x + 2
        del view
        third = x + 3
        assert memory.current == 8000 and memory.peak == 8000
        del second, third
    assert memory.current == 0
    with PeakMemory() as memory:
        kept = [x.view(10, 100), x + 1, x.t(), x.add_(1)]
    assert memory.peak == 4000 and len(kept) == 4, "a view has no memory of its own, and neither has a change in place"


@pytest.mark.parametrize("kind", LAYER_TYPES)
@pytest.mark.parametrize("backward", [False, True])
def test_the_estimate_before_a_pass_is_as_large_as_what_it_takes(kind, backward):
    sizes = Sizes(n=512)
    forward, inputs = build_layer(kind, sizes)
    for tensor in inputs:
        tensor.requires_grad_(backward)
    with PeakMemory() as memory, torch.set_grad_enabled(backward):
        out = forward()
        if backward:
            torch.autograd.grad(out.sum(), inputs)
    assert 0.5 * memory.peak <= estimated_bytes(kind, sizes, backward) <= 4 * memory.peak


@given(st.floats(0.2, 3), st.floats(1e-6, 1e3))
def test_a_power_law_is_fitted_exactly(exponent, factor):
    lengths = [10, 30, 100, 500]
    fit = fit_exponent(lengths, [factor * n**exponent for n in lengths])
    assert fit.exponent == pytest.approx(exponent, abs=1e-9) and fit.standard_error < 1e-6
    assert fit.predict(77) == pytest.approx(factor * 77**exponent, rel=1e-6)


def test_the_standard_error_is_that_of_least_squares():
    lengths, values = (
        [1, math.e, math.e**2],
        [1.0, math.e**2, math.e**2],
    )  # y = 0, 2, 2
    fit = fit_exponent(lengths, values)
    assert fit.exponent == pytest.approx(1) and fit.standard_error == pytest.approx(math.sqrt(6 / 9 / 2))
    assert fit_exponent([1, 2], [1, 4]).standard_error == math.inf
    for wrong in (([1, 1], [1, 2]), ([1, 2], [0, 1]), ([1], [1]), ([1, 2], [1])):
        with pytest.raises(ValueError):
            fit_exponent(*wrong)


def test_the_crossover_lies_where_two_lines_meet():
    lengths = [10, 100, 1000]
    assert measured_crossover(lengths, [100, 100, 100], [10, 100 / math.sqrt(10), 1000]) == pytest.approx(
        10 ** (2 + 0.5 / 1.5)
    )
    assert measured_crossover(lengths, [5, 5, 5], [4, 6, 4]) is None
    assert measured_crossover(lengths, [1, 1, 1], [2, 2, 2]) == 10


def test_every_kind_is_measured_at_every_length_and_progress_is_reported():
    shares = []
    with listening(shares.append):
        results = list(measure(lengths=(32, 16), seconds=10))
    assert [(r.n, r.kind) for r in results] == [(n, kind) for n in (16, 32) for kind in LAYER_TYPES]
    assert all(r.seconds > 0 and r.repeats >= 1 and not r.refused for r in results)
    assert all(r.tokens_per_second == pytest.approx(r.n / r.seconds) for r in results)
    assert shares == sorted(shares) and len(shares) == len(results) and shares[-1] == 1


def test_attention_needs_memory_with_the_square_and_the_others_do_not():
    results = list(measure(["attention", "fused", "window", "linear"], (256, 512, 1024), Sizes(), seconds=10))
    exponents = {kind: memory_exponent(results, kind).exponent for kind in ("attention", "fused", "window", "linear")}
    assert exponents["attention"] == pytest.approx(2, abs=0.05)
    assert all(exponents[kind] == pytest.approx(1, abs=0.05) for kind in ("fused", "window", "linear"))
    assert time_exponent(results, "attention").exponent > time_exponent(results, "linear").exponent
    assert time_exponent(results[:1], "attention") is None


def test_a_backward_pass_keeps_what_the_forward_pass_made():
    plain, trained = (
        {r.kind: r.peak_bytes for r in measure(lengths=[64], backward=backward)} for backward in (False, True)
    )
    assert all(trained[kind] >= plain[kind] for kind in LAYER_TYPES)
    assert all(trained[kind] > 1.5 * plain[kind] for kind in ("rnn", "gru", "convolution", "fused", "linear"))


def test_what_would_not_fit_is_refused_before_it_starts(monkeypatch):
    monkeypatch.setattr(measuring, "free_bytes", lambda device: 4 << 20)
    results = {r.kind: r for r in measure(["attention", "linear"], [512])}
    assert "MiB are free" in results["attention"].refused and results["attention"].seconds is None
    assert results["linear"].refused == "" and free_bytes() > 0


def test_what_would_not_end_in_time_is_refused_before_it_starts():
    begin = time.perf_counter()
    results = list(measure(["gru", "attention"], [32, 1 << 14], seconds=0.5))
    assert time.perf_counter() - begin < 3
    assert [bool(r.refused) for r in results] == [False, False, True, True]
    assert all("are left" in r.refused or "MiB" in r.refused for r in results[2:])


class Clock:
    """A clock that passes of layers move, on a machine that is so many times slower at each moment."""

    def __init__(self, monkeypatch, slowness):
        self.now, self.slowness = 100.0, slowness
        monkeypatch.setattr(measuring.time, "perf_counter", lambda: self.now)
        monkeypatch.setattr(measuring, "build_layer", self.build)

    def build(self, kind, sizes, device=None):
        def forward():
            layer = LAYER_TYPES[kind]
            self.now += (layer.flops(sizes) / 2e10 + 2e-5 * layer.sequential(sizes)) * self.slowness(self.now - 100)
            return torch.zeros(1)

        return forward, ()


SLOW = {
    "as planned": lambda seconds: 1,
    "ten times slower": lambda seconds: 10,
    "a hundred times slower": lambda seconds: 100,
    "four times slower after a moment": lambda seconds: 10 if seconds < 5 else 40,
    "slower and slower": lambda seconds: 10 * 1.2**seconds,
    "busy every other second": lambda seconds: 30 if int(seconds) % 2 else 5,
}


@pytest.mark.parametrize("slowness", SLOW.values(), ids=SLOW)
@pytest.mark.parametrize("kinds", [TABLE.kinds, WAYS.kinds], ids=["table", "ways"])
def test_the_default_range_ends_in_time_on_a_slow_machine_too(monkeypatch, kinds, slowness):
    clock = Clock(monkeypatch, slowness)
    results = list(measure(kinds))
    assert clock.now - 100 <= SECONDS, "the bound holds"
    assert [(result.n, result.kind) for result in results] == [(n, kind) for n in LENGTHS for kind in kinds]
    assert all((result.seconds is None) == bool(result.refused) for result in results)
    assert not results[0].refused, "short lengths are measured"
    if slowness(0) == 1:
        assert not any(result.refused for result in results)
    refused = [result.refused for result in results if result.refused]
    assert all(text.endswith(("s are left", "no time is left")) for text in refused)


def test_a_pass_that_becomes_slow_under_way_is_not_repeated(monkeypatch):
    clock = Clock(monkeypatch, lambda seconds: 1)
    results = measure(["attention"], (64, 512))
    assert next(results).seconds
    clock.slowness = lambda seconds: 1e4
    begin = clock.now
    assert next(results).refused == measuring.NO_TIME
    assert clock.now - begin == pytest.approx(4 * 512**2 * 64 / 2e10 * 1e4 + 0.2), "one pass"


class Stopped(Exception):
    pass


def test_a_listener_stops_it_and_so_does_the_caller():
    def stop(share):
        raise Stopped

    results = []
    with pytest.raises(Stopped), listening(stop):
        results.extend(measure(["linear"], [8, 16, 32]))
    running = measure(["linear"], [8, 16, 32])
    assert next(running).n == 8
    running.close()
    assert torch.get_num_threads() >= 1


def test_it_uses_one_thread_and_gives_the_others_back():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    with pytest.raises(Stopped), single_thread():
        assert torch.get_num_threads() == 1
        raise Stopped
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)


def test_the_command_prints_the_table_and_writes_it(capsys, tmp_path):
    file = tmp_path / "cost.csv"
    main(["--kinds", "attention", "rnn", "--lengths", "16", "32", "--d", "8", "--csv", str(file)])
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 5 and printed[0].startswith("layer") and "n²·d = 2048" in printed[1]
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    assert [(row["layer"], row["n"]) for row in rows] == [
        *(("self-attention", "16"), ("tanh RNN", "16"), ("self-attention", "32"), ("tanh RNN", "32"))
    ]
    assert rows[1]["sequential"] == "16" and rows[1]["flops"] == str(4 * 16 * 64) and float(rows[0]["milliseconds"]) > 0
    with pytest.raises(SystemExit):
        main(["--d", "7"])
    assert "cannot share" in capsys.readouterr().err


def test_a_kind_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match='not "elman"'):
        next(measure(["elman"], [8]))


def test_the_time_of_a_pass_is_expected_to_grow_as_it_grew_before():
    sized = {n: Sizes(n=n) for n in (128, 256, 512)}
    operations = LAYER_TYPES["attention"].flops
    first = [(sized[128], 1.0)]
    assert expected_seconds("attention", sized[256], first) == pytest.approx(
        operations(sized[256]) / operations(sized[128])
    )
    slow = [(sized[128], 1.0), (sized[256], 8.0)]  # n³ by hand: the next is 64
    assert expected_seconds("attention", sized[512], slow) == pytest.approx(64)
    fast = [(sized[128], 1.0), (sized[256], 1.1)]  # the clock's noise: never less than the operations
    assert expected_seconds("attention", sized[512], fast) == pytest.approx(
        1.1 * operations(sized[512]) / operations(sized[256])
    )
