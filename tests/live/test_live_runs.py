"""Trainings in the background: a queue with two places, an end when nobody watches, and nothing left behind."""

import gc
import json
import subprocess
import sys
import threading
import time
from base64 import b64decode

import numpy as np
import pytest
from protocol import alone
from starlette.applications import Starlette
from starlette.testclient import TestClient

from model.training.live.settings import LiveSettings
from viz.pack import ABSENT, FULL
from viz.pages.training import runs as live_runs
from viz.pages.training.runs import Run, Runs
from viz.server import streams
from viz.ui import background
from viz.ui.background import LEFT
from viz.ui.slots import Places

SMALL = LiveSettings(layers=1, heads=1, width=16, steps=20)
LONG = LiveSettings(layers=2, heads=2, width=32, steps=1000)
PATIENCE = 30  # seconds


def until(condition, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


@pytest.fixture
def places():
    return Places(cores=2, most_long=2)


@pytest.fixture
def started(places):
    """Starts trainings that end with the test."""
    runs = []

    def start(settings=LONG):
        run = Run(settings, settings.changed("residual", False))
        runs.append(run)
        run.play(places=places)
        return run

    yield start
    for run in runs:
        run.pause()
        assert run.wait(PATIENCE)


def test_a_training_goes_to_its_end_and_rests():
    run = Run(SMALL, SMALL)
    assert run.rests and [frame.step for frame in run.frames] == [0]
    run.play()
    assert run.wait(PATIENCE) and run.pair.ended and run.frames[-1].step == SMALL.steps
    steps = [step for step, _ in run.messages(-1)]
    assert steps == [frame.step for frame in run.frames] and [step for step, _ in run.messages(18)] == [19, 20]
    run.play()
    assert run.rests, "there is nothing left to do"


def test_some_steps_are_made_and_the_training_can_go_on_or_back():
    run = Run(SMALL, SMALL)
    run.play(3)
    assert run.wait(PATIENCE) and run.pair.step == 3 and run.frames[-1].step == 3
    before = run.messages(-1)
    run.play(10)
    assert run.wait(PATIENCE) and run.pair.step == 13
    run.rewind(3)
    assert run.pair.step == 3 and run.messages(-1) == before
    with pytest.raises(ValueError, match="not kept"):
        run.rewind(9999)


def test_what_a_browser_gets_is_what_was_measured():
    settings = LiveSettings("markov", layers=1, heads=2, width=16, steps=20)
    run = Run(settings, settings.changed("mask", False))
    run.play(2)
    assert run.wait(PATIENCE)
    frame = json.loads(run.messages(1)[0][1])
    measured = run.frames[-1]
    assert frame["step"] == 2
    for name, side in (("a", measured.a), ("b", measured.b)):
        codes = np.frombuffer(b64decode(frame[name]["weights"]), np.uint8).reshape(side.weights.shape)
        allowed = codes != ABSENT
        assert np.abs(codes[allowed] / FULL - side.weights[allowed]).max() < 0.5 / FULL + 1e-6
        assert allowed.all() == (name == "b"), "only A has a mask"
        assert frame[name]["accuracy"] == side.accuracy and frame[name]["prediction"] == side.prediction.tolist()
    assert (b64decode(frame["a"]["weights"])[1], frame["a"]["rate"]) == (ABSENT, measured.a.rate)


def test_a_number_that_is_not_finite_is_sent_as_none():
    run = Run(SMALL, SMALL)
    run.pair.b.network.unembedding.weight.data[0] = float("nan")
    run.pair.advance()
    run.pair.measure()
    assert run.pair.b.diverged and json.loads(run._text(run.pair.frames[0]))["b"] is not None
    run.pair.b.step = 1
    run.pair.b.measure()
    assert json.loads(run._text(run.pair.frames[1]))["b"]["loss"] is None


def test_two_train_at_a_time_and_the_third_is_told_its_place(started, places, monkeypatch):
    monkeypatch.setattr(background, "WATCHED", PATIENCE)  # no browser watches; a busy machine takes its time
    first, second = started(), started()
    assert until(lambda: first.pair.step > 0 and second.pair.step > 0)
    third = started(SMALL)
    fourth = started(SMALL)
    assert until(lambda: third.ahead == 1 and fourth.ahead == 2)
    assert json.loads(third.status()) == {"ahead": 1, "rests": False, "note": ""} and third.pair.step == 0
    first.pause()
    assert until(lambda: third.pair.ended) and until(lambda: fourth.pair.ended)


def test_a_training_that_nobody_watches_pauses_within_five_seconds(started, monkeypatch):
    assert background.WATCHED < 5
    monkeypatch.setattr(background, "WATCHED", 0.5)
    run = started()
    for _ in range(10):
        time.sleep(0.1)
        run.touch()
    assert not run.rests, "somebody watches"
    assert run.wait(PATIENCE) and run.note == LEFT and 0 < run.pair.step < LONG.steps
    run.play(1)
    assert run.wait(PATIENCE) and run.note == "", "it can go on"


def test_one_that_waits_leaves_the_queue_when_nobody_watches(started, monkeypatch):
    monkeypatch.setattr(background, "WATCHED", 0.6)
    busy = [started(), started()]
    waiting = started()
    for _ in range(15):
        time.sleep(0.1)
        for run in busy:
            run.touch()
    assert waiting.rests and waiting.note == LEFT and waiting.pair.step == 0


def test_a_training_has_a_limit_of_time_and_can_go_on_after_it(monkeypatch, started):
    monkeypatch.setattr(live_runs, "SECONDS", 0.05)
    run = started()
    assert run.wait(PATIENCE) and run.note == live_runs.TOO_LONG and 0 < run.pair.step < LONG.steps


def resident_megabytes():
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1000


def start_and_stop_two_hundred_times():
    """Prints how many threads, objects and megabytes are more afterwards, and what is still remembered."""
    runs = Runs()

    def repeat(times):
        for number in range(times):
            run = runs.start(SMALL, SMALL)
            run.play(2)
            runs.forget(run.name)
            assert run.wait(PATIENCE)
            if number % 10 == 9:
                gc.collect()  # what waits for Python's garbage collector is not kept

    def used():
        return threading.active_count(), len(gc.get_objects()), resident_megabytes()

    repeat(100)
    before = used()
    repeat(200)
    print(*(now - then for now, then in zip(used(), before, strict=True)), len(runs._runs), len(streams._channels))


@pytest.mark.slow
def test_two_hundred_starts_and_stops_leave_no_thread_and_no_memory_behind():
    """In a process of its own: what other tests have left in this one would count too."""
    code = f"import sys; sys.path[:0] = {sys.path!r}; import {__name__} as tests; tests.{MEASURED}()"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    threads, objects, megabytes, remembered, channels = map(float, printed.split())
    assert threads <= 0 and objects < 200 and megabytes < 20 and remembered == channels == 0


MEASURED = start_and_stop_two_hundred_times.__name__


def test_the_oldest_training_is_forgotten_when_there_are_too_many_or_they_are_too_large(monkeypatch):
    runs = Runs()
    monkeypatch.setattr(live_runs, "MOST_RUNS", 3)
    kept = [runs.start(SMALL, SMALL) for _ in range(3)]
    time.sleep(0.02)
    kept[0].touch()
    newest = runs.start(SMALL, SMALL)
    assert runs.find(kept[1].name) is None and runs.find(kept[0].name) is kept[0]
    monkeypatch.setattr(live_runs, "MOST_BYTES", 1)
    last = runs.start(SMALL, SMALL)
    assert [runs.find(run.name) for run in (*kept, newest)] == [None] * 4 and runs.find(last.name) is last
    runs.forget(last.name)


class Counting:
    """A channel of five messages."""

    def __init__(self):
        self.sent, self.touched, self.rests = 0, 0, False

    def touch(self):
        self.touched += 1
        self.sent = min(self.sent + 2, 5)
        self.rests = self.sent == 5

    def messages(self, after):
        return [(number, json.dumps({"step": number})) for number in range(self.sent) if number > after]

    def status(self):
        return json.dumps({"ahead": 5 - self.sent})


def test_a_stream_sends_every_message_once_and_ends_with_the_work():
    async def collected(after):
        return [event async for event in streams.events(Counting(), after)]

    sent = alone(collected(-1))
    assert [event for event in sent if event.startswith("id")] == [
        f'id: {number}\ndata: {{"step": {number}}}\n\n' for number in range(5)
    ]
    assert sent[-1] == 'event: rest\ndata: {"ahead": 0}\n\n'
    assert next(event for event in sent if event.startswith("event: status")) == 'event: status\ndata: {"ahead": 3}\n\n'
    assert [event[:5] for event in alone(collected(3)) if event.startswith("id")] == ["id: 4"]


def test_a_stream_is_heard_under_its_name_only_while_it_is_open():
    channel = Counting()
    streams.open_channel("a-name", channel)
    with TestClient(Starlette(routes=streams.routes())) as client:
        answer = client.get(f"/{streams.PATH}/a-name?after=2")
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert (
            answer.headers["cache-control"] == "no-store"
            and '"step": 4' in answer.text
            and '"step": 2' not in answer.text
        )
        assert client.get(f"/{streams.PATH}/a-name?after=nonsense").status_code == 200
        assert client.get(f"/{streams.PATH}/another").status_code == 404
        assert client.post(f"/{streams.PATH}/a-name").status_code == 405
        streams.close_channel("a-name")
        assert client.get(f"/{streams.PATH}/a-name").status_code == 404
    assert channel.touched
