"""Measurements in the background: one at a time for everybody, shared, stopped on demand, bounded, and not stored."""

import csv
import io
import json
import threading
import time

import numpy as np
import pytest
import torch
from screen import component, visit, well

from model.cost import measure as measuring_module
from model.cost.complexity import Sizes
from model.cost.measure import LENGTHS, Measurement
from viz.pages.why import measuring
from viz.pages.why.measuring import Measuring, Measurings
from viz.ui.slots import Places

PATIENCE = 60  # seconds
SMALL = Sizes(d=16, window=8, n_heads=2, rank=8)
KINDS = ("convolution", "linear")


def until(condition, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


def watch(run, seconds=PATIENCE):
    """Wait as a browser does, until the measurement rests."""
    end = time.monotonic() + seconds
    while not run.rests and time.monotonic() < end:
        run.touch()
        time.sleep(0.05)
    return run.rests


@pytest.fixture
def runs():
    """Measurements that have ended when the test ends."""
    runs = Measurings()
    yield runs
    for run in runs:
        run.pause()
        assert run.wait(PATIENCE)
        runs.forget(run.name)


def test_a_measurement_sends_every_result_in_its_order(runs):
    run = runs.measure(KINDS, SMALL)
    assert watch(run) and run.complete and run.note == ""
    sent = [json.loads(text) for _, text in run.messages(-1)]
    assert [(result["n"], result["kind"]) for result in sent] == [(n, kind) for n in LENGTHS for kind in KINDS]
    assert all(result["seconds"] > 0 and result["peak_bytes"] > 0 and not result["refused"] for result in sent)
    assert [number for number, _ in run.messages(9)] == [10, 11]


def test_visitors_share_what_was_measured_with_the_same_sizes(runs):
    run = runs.measure(KINDS, SMALL)
    assert runs.measure(KINDS, Sizes(512, 16, 3, 8, 2, 8)) is run, "the n of the slider plays no part"
    assert watch(run)
    assert runs.of(KINDS, SMALL) is run and runs.of(KINDS, Sizes(d=32)) is None and runs.of(("gru",), SMALL) is None
    again = runs.measure(KINDS, SMALL)
    assert again is not run and runs.of(KINDS, SMALL) is again and runs.find(run.name) is None


def test_one_measures_at_a_time_and_the_next_is_told_its_place():
    places = Places(cores=1, most_long=1)
    first, second = Measuring(("gru", "rnn"), Sizes(d=256)), Measuring(KINDS, SMALL)
    first.start(places)
    assert until(lambda: first.results or first.rests)
    second.start(places)
    assert until(lambda: second.ahead == 1) and not second.results
    first.pause()
    assert watch(first) and first.note == measuring.STOPPED and 0 < len(first.results) < 12
    assert watch(second) and second.complete
    assert measuring.PLACES.most_long == 1


def test_a_measurement_computes_in_one_thread(monkeypatch, runs):
    seen = []

    def spied(kind, sizes, device=None):
        seen.append((torch.get_num_threads(), threading.current_thread() is threading.main_thread()))
        return real(kind, sizes, device)

    real = measuring_module.build_layer
    monkeypatch.setattr(measuring_module, "build_layer", spied)
    run = runs.measure(("convolution",), SMALL)
    assert watch(run) and run.complete and set(seen) == {(1, False)}


def test_what_does_not_fit_is_refused_before_it_starts(monkeypatch, runs):
    monkeypatch.setattr(measuring_module, "free_bytes", lambda device: 1 << 20)
    run = runs.measure(("attention",), SMALL)
    assert watch(run) and run.complete
    refused = [result for result in run.results if result.refused]
    assert refused and refused[-1].n == LENGTHS[-1] and refused[-1].seconds is None and "free" in refused[-1].refused


def test_the_page_measures_when_it_is_asked_and_only_then(monkeypatch):
    runs = Measurings()
    monkeypatch.setattr(measuring, "MEASURINGS", runs)
    monkeypatch.setattr("viz.pages.why.costs.MEASURINGS", runs)
    results = [Measurement("attention", n, False, n**2 * 1e-9, 3, 16 * n**2) for n in LENGTHS]
    results += [Measurement("rnn", n, False, n * 2e-7, 3, 64 * n) for n in LENGTHS]
    monkeypatch.setattr(measuring, "measure", lambda *of, seconds: iter(results))
    screen = well(visit("viz/pages/why/page.py", view="The table"))
    header, _ = component(screen, "layer_costs")
    assert header["run"] == "" and header["results"] == [] and header["rests"] and not list(runs)
    sizes = Sizes()
    run = runs.measure(tuple(row["kind"] for row in header["rows"]), sizes)
    assert run.wait(PATIENCE)
    well(screen.run())
    header, _ = component(screen, "layer_costs")
    assert len(header["results"]) == 12 and header["run"] == run.name and not header["mine"]
    sentence = "".join(text for text, *_ in component(screen, "save_layer_costs")[0]["reading"])
    assert "self-attention 2.00 ± 0.00" in sentence and "faster from n ≈ 200 on" in sentence
    for kind in ("csv", "npz"):
        screen.session_state["ask_layer_costs"] = {"kind": kind, "link": "/why"}
        well(screen.run())
        header, saved = component(screen, "save_layer_costs")
        assert header["ready"] == kind
        file = io.BytesIO(saved["bytes"].tobytes())
        if kind == "npz":
            arrays = np.load(file)
            assert arrays["seconds"].shape == (5, 6)
            np.testing.assert_allclose(arrays["seconds"][0], [n**2 * 1e-9 for n in LENGTHS])
            assert np.isnan(arrays["peak_bytes"][2:]).all()
        else:
            lines = list(csv.DictReader(io.TextIOWrapper(file, "utf-8-sig", newline="")))
            assert [float(line["seconds"]) for line in lines[6:12]] == pytest.approx([n * 2e-7 for n in LENGTHS])
            assert float(lines[0]["time exponent"]) == pytest.approx(2) and lines[12]["time exponent"] == "nan"
    assert "measurements = list(measure(kinds" in header["python"]
    runs.forget(run.name)
