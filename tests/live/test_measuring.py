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

from model.cost import decoding
from model.cost import measure as measuring_module
from model.cost.complexity import Sizes
from model.cost.measure import LENGTHS, Measurement
from viz.pages.why import costs, measuring
from viz.pages.why.measuring import DecodingPlan, LayerPlan, Measuring, Measurings
from viz.pages.why.schedule import SPEED
from viz.ui.slots import Places
from viz.ui.state import Key

PATIENCE = 60  # seconds
SMALL = Sizes(d=16, window=8, n_heads=2, rank=8)
KINDS = ("convolution", "linear")
PLAN = LayerPlan(KINDS, SMALL)
SPEED_PLAN = LayerPlan(SPEED.kinds, Sizes(), SPEED.lengths, backward=True)


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
    run = runs.measure(PLAN)
    assert watch(run) and run.complete and run.note == ""
    sent = [json.loads(text) for _, text in run.messages(-1)]
    assert [(result["n"], result["kind"]) for result in sent] == [(n, kind) for n in LENGTHS for kind in KINDS]
    assert all(result["seconds"] > 0 and result["peak_bytes"] > 0 and not result["refused"] for result in sent)
    assert [number for number, _ in run.messages(9)] == [10, 11]


def test_visitors_share_what_was_measured_with_the_same_sizes(runs):
    run = runs.measure(PLAN)
    assert runs.measure(LayerPlan(KINDS, Sizes(512, 16, 3, 8, 2, 8))) is run, "the n of the slider plays no part"
    assert watch(run)
    assert (
        runs.of(PLAN) is run
        and runs.of(LayerPlan(KINDS, Sizes(d=32))) is None
        and runs.of(LayerPlan(("gru",), SMALL)) is None
    )
    again = runs.measure(PLAN)
    assert again is not run and runs.of(PLAN) is again and runs.find(run.name) is None


def test_one_measures_at_a_time_and_the_next_is_told_its_place():
    places = Places(cores=1, most_long=1)
    first, second = Measuring(LayerPlan(("gru", "rnn"), Sizes(d=256))), Measuring(PLAN)
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
    run = runs.measure(LayerPlan(("convolution",), SMALL))
    assert watch(run) and run.complete and set(seen) == {(1, False)}


def test_what_does_not_fit_is_refused_before_it_starts(monkeypatch, runs):
    monkeypatch.setattr(measuring_module, "free_bytes", lambda device: 1 << 20)
    run = runs.measure(LayerPlan(("attention",), SMALL))
    assert watch(run) and run.complete
    refused = [result for result in run.results if result.refused]
    assert refused and refused[-1].n == LENGTHS[-1] and refused[-1].seconds is None and "free" in refused[-1].refused


def test_the_page_measures_when_it_is_asked_and_only_then(monkeypatch):
    runs = Measurings()
    monkeypatch.setattr(measuring, "MEASURINGS", runs)
    results = [Measurement("attention", n, False, n**2 * 1e-9, 3, 16 * n**2) for n in LENGTHS]
    results += [Measurement("rnn", n, False, n * 2e-7, 3, 64 * n) for n in LENGTHS]
    monkeypatch.setattr(measuring, "measure", lambda *of: iter(results))
    screen = well(visit("viz/pages/why/page.py", view="The table"))
    header, _ = component(screen, "layer_costs")
    assert header["run"] == "" and header["results"] == [] and header["rests"] and not list(runs)
    sizes = Sizes()
    run = runs.measure(LayerPlan(tuple(row["kind"] for row in header["rows"]), sizes))
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


def saved(screen, key, kind):
    """A file of a figure: its header, and its arrays or its lines."""
    screen.session_state[f"ask_{key}"] = {"kind": kind, "link": "/why"}
    well(screen.run())
    header, saved = component(screen, f"save_{key}")
    assert header["ready"] == kind
    file = io.BytesIO(saved["bytes"].tobytes())
    return header, np.load(file) if kind == "npz" else list(
        csv.DictReader(io.TextIOWrapper(file, "utf-8-sig", newline=""))
    )


def sentence_of(screen, key):
    return "".join(text for text, *_ in component(screen, f"save_{key}")[0]["reading"])


def test_the_speed_of_training_is_measured_in_the_background_and_stays_when_it_is_stopped(monkeypatch, runs):
    monkeypatch.setattr(measuring, "MEASURINGS", runs)
    calls = []

    def measured(kinds, lengths, sizes, backward, seconds):
        calls.append((backward, seconds))
        for n in lengths[:3]:
            for kind in kinds:
                yield Measurement(kind, n, backward, n * 1e-5 if "attention" in kind else n * 4e-5, 3, 16 * n)

    monkeypatch.setattr(measuring, "measure", measured)
    screen = well(visit("viz/pages/why/page.py", view="One after another", measure_speed="true"))
    assert sentence_of(screen, "training_speed") == "Nothing was measured with these sizes yet."
    run = runs.measure(SPEED_PLAN)
    assert run.wait(PATIENCE) and run.note == measuring.STOPPED, "two lengths are missing"
    well(screen.run())
    header, _ = component(screen, "training_speed")
    assert header["total"] == 20 and len(header["results"]) == 12 and header["note"] == measuring.STOPPED
    assert "At 64 tokens, tokens per second of training: tanh RNN 25,000" in sentence_of(screen, "training_speed")
    assert calls == [(True, measuring.SECONDS)]
    _, arrays = saved(screen, "training_speed", "npz")
    assert arrays["seconds"].shape == (4, 5) and np.isnan(arrays["seconds"][:, 3:]).all()
    _, lines = saved(screen, "training_speed", "csv")
    assert float(lines[0]["tokens per second: tanh RNN"]) == pytest.approx(25000)


def test_a_new_token_is_timed_with_a_cache_and_without(monkeypatch, runs):
    monkeypatch.setattr(measuring, "MEASURINGS", runs)
    results = [
        Measurement(kind, n, False, n * (1e-3 if kind == decoding.NO_CACHE else 1e-6), 3, 4 * n)
        for n in decoding.MEASURED_LENGTHS
        for kind in decoding.KINDS
    ]
    monkeypatch.setattr(measuring.decoding, "measure_decoding", lambda lengths, seconds: iter(results))
    screen = well(visit("viz/pages/why/page.py", view="Decoding and the cache"))
    assert "No time was measured yet." in sentence_of(screen, "decoding_costs")
    run = runs.measure(DecodingPlan())
    assert run.wait(PATIENCE) and run.complete
    well(screen.run())
    assert "token 2,048 takes 2.05 s without a cache" in sentence_of(screen, "decoding_costs")
    header, arrays = saved(screen, "decoding_costs", "npz")
    assert arrays["seconds"].shape == (5, 5) and arrays["seconds"][4, 0] == pytest.approx(0.128)
    assert "measurements = list(measure_decoding())" in header["python"]
    _, lines = saved(screen, "decoding_costs", "csv")
    by_place = {(line["variant"], line["n"]): line for line in lines}
    assert float(by_place["window", "256"]["seconds of a token with the cache"]) == pytest.approx(256e-6)
    assert float(by_place["multi-head", "256"]["seconds of a token without"]) == pytest.approx(0.256)
    assert by_place["window", "256"]["seconds of a token without"] == "nan"
    assert by_place["multi-head", "131072"]["seconds of a token with the cache"] == "nan"


def test_only_who_started_a_measurement_stops_it(monkeypatch, runs):
    monkeypatch.setattr(measuring, "MEASURINGS", runs)

    def measured(kinds, lengths, *of):
        for n in range(10**6):
            time.sleep(0.01)
            yield Measurement("gru", n, False, 1.0, 1, 4)

    monkeypatch.setattr(measuring, "measure", measured)
    plan = LayerPlan(("gru", "rnn"), Sizes())
    monkeypatch.setattr(measuring.st, "session_state", mine := {})
    measuring.command(plan, "measure")
    run = runs.of(plan)
    assert mine == {Key.MEASUREMENT: run.name}
    monkeypatch.setattr(measuring.st, "session_state", other := {})
    measuring.command(plan, "measure")
    measuring.command(plan, "stop")
    time.sleep(0.3)
    assert other == {} and runs.of(plan) is run and not run.rests, "it goes on"
    monkeypatch.setattr(measuring.st, "session_state", mine)
    measuring.command(plan, "stop")
    assert run.rests and run.note == measuring.STOPPED


def test_the_table_has_a_line_for_the_length_of_the_slider_too():
    sizes = Sizes(n=16384)
    assert costs.lengths_of(sizes) == (*LENGTHS, 16384)
    lines = costs.table(SPEED, sizes, [], 256)
    place = next(place for place, n in enumerate(lines["n"]) if n == 16384)
    assert lines["operations, Table 1"][place] == 16384 * sizes.d**2
