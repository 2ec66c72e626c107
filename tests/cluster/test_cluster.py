"""Forward passes and trainings on a real Ray cluster of two workers: the same results, also when workers die."""

import contextlib
import importlib.util
import os
import shutil
import signal
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest
import torch
from equal import close, same_bits
from ray_cluster import cluster_of
from screen import notices, visit, well

from model.attention import AttentionOverride
from model.checkpoint import load, load_card
from model.cluster import driver, ray_place
from model.cluster.place import ClusterFull, ClusterUnavailable, Seed, ThisProcess
from model.cluster.ray_place import RayPlace
from model.mask import MaskSpec
from model.registry import LoadedModel, registry
from model.run import Experiment, InputTextError, run_text
from model.switches import Switches
from viz.ui import model_calls, server_cache

MISSING = "Ray is not installed: pip install -e '.[cluster]' to run the tests of a cluster."


@pytest.fixture(scope="module", autouse=True)
def need_ray():
    if importlib.util.find_spec("ray") is None:
        pytest.fail(MISSING) if os.environ.get("ATTENTION_LAB_BROWSER") == "required" else pytest.skip(MISSING)


NAME, TEXT, LONGER = "own-cluster", "the dogs chase the cat .", "the dogs near the tree chase the cat ."


@pytest.fixture(scope="module")
def cluster():
    folder = Path(tempfile.mkdtemp(prefix="ray", dir="/tmp"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "disabled")
        with cluster_of(2, folder) as running:
            yield running
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def place(cluster):
    place = RayPlace(cluster.address)
    yield place
    place.close()


@pytest.fixture(scope="module")
def model():
    """A model as one from elsewhere: the weights of the lab's own under another name."""
    network, tokenizer = load("grammar")
    card = replace(load_card("grammar"), name=NAME)
    yield registry().add(NAME, "cluster", LoadedModel(network.requires_grad_(False), tokenizer, card))
    registry().let_go(NAME)


def assert_same_trace(actual, expected):
    assert actual.tokens == expected.tokens
    assert close(actual.logits, expected.logits)
    for layer, other in zip(actual.layers, expected.layers, strict=True):
        for stage in ("q", "masked", "weights", "z"):
            assert close(getattr(layer.attention, stage), getattr(other.attention, stage))
        assert same_bits(layer.attention.mask, other.attention.mask)
        assert layer.norm1.present == other.norm1.present


def both_processes(place, model):
    """The processes of both workers. Two texts of two lengths, again and again, until each has had one."""
    connection = place.connect()
    with ThreadPoolExecutor(2) as pool:
        while len(set(connection.processes)) < 2:
            list(pool.map(place.run, (Experiment(model, TEXT), Experiment(model, LONGER))))
    return tuple(set(connection.processes))


@pytest.fixture
def stopped(place, model):
    """Both workers, which make no step until the test ends or `go` is set."""
    place.connect().processes.clear()
    processes = both_processes(place, model)
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    yield processes
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGCONT)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"switches": Switches(norm=False, heads_off=frozenset({(0, 1), (2, 3)}))},
        {"mask_spec": MaskSpec("window", 2)},
        {"override": AttentionOverride(1, 2, 3, (0.5, 0.25, 0.0, 0.25, 0.0, 0.0, 0.0))},
    ],
)
def test_a_worker_gives_the_trace_that_this_process_gives(place, model, changes):
    text = Experiment(model, TEXT)
    if "override" in changes:
        tokens = len(run_text(text).tokens)
        weights = (*changes["override"].weights, *[0.0] * tokens)[:tokens]
        changes = {"override": replace(changes["override"], weights=weights)}
    experiment = replace(text, **changes)
    trace = place.run(experiment)
    assert_same_trace(trace, run_text(experiment))
    assert not trace.logits.flags.writeable


def test_what_the_model_refuses_is_refused_with_the_same_sentence(place, model):
    for experiment in (Experiment(model, " "), Experiment(model, TEXT, Switches(heads_off=frozenset({(9, 0)})))):
        with pytest.raises(ValueError) as expected:
            run_text(experiment)
        with pytest.raises(type(expected.value)) as refusal:
            place.run(experiment)
        assert str(refusal.value) == str(expected.value)
    assert isinstance(expected.value, ValueError) and not isinstance(expected.value, InputTextError)


def test_a_killed_worker_costs_a_wait_and_no_result(place, model, stopped):
    waits = []
    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(place.run, Experiment(model, TEXT), waits.append)
        while not waits:
            time.sleep(0.01)
        for process in stopped:
            os.kill(process, signal.SIGKILL)
        assert_same_trace(result.result(60), run_text(Experiment(model, TEXT)))


def test_passes_that_wait_know_their_place_become_one_batch_and_are_refused_when_there_are_too_many(
    place, model, stopped
):
    words = ("cat", "dog", "person", "bird")
    texts = [f"the {words[k % 4]} chases the {words[k // 4 % 4]} ." for k in range(driver.MOST_WAITING)]
    places: dict[int, int] = {}
    with ThreadPoolExecutor(len(texts) + 2) as pool:
        held = [pool.submit(place.run, Experiment(model, text)) for text in (TEXT, LONGER)]
        time.sleep(0.5)  # both workers have one now
        queue = [
            pool.submit(place.run, Experiment(model, text), lambda ahead, k=k: places.__setitem__(k, ahead))
            for k, text in enumerate(texts)
        ]
        while sorted(places.values()) != list(range(driver.MOST_WAITING)):
            time.sleep(0.05)
        with pytest.raises(ClusterFull, match=f"{driver.MOST_WAITING} forward passes wait"):
            place.run(Experiment(model, TEXT))
        for process in stopped:
            os.kill(process, signal.SIGCONT)
        for text, result in zip((TEXT, LONGER, *texts), (*held, *queue), strict=True):
            assert close(result.result(60).logits, run_text(Experiment(model, text)).logits)
    assert place.connect().largest_batch > 1


def test_who_leaves_gives_up_the_place(place, model, stopped):
    left = Event()

    def leave(ahead):
        left.set()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        place.run(Experiment(model, TEXT), leave)
    assert left.is_set() and place.connect().open_requests == 0


def weights_of(run):
    return {name: tensor.numpy() for name, tensor in run.network.state_dict().items()}


def test_trainings_there_equal_trainings_here_and_a_killed_one_is_made_again(place):
    torch.set_num_threads(1)
    seeds = [Seed("resolver", seed, 25) for seed in range(3)]
    connection = place.connect()
    killed = []

    def kill_the_first(seed, step):
        if not killed:
            os.kill(connection.processes[-1], signal.SIGKILL)
            killed.append(seed)

    remote = dict(place.train(seeds, kill_the_first))
    assert killed and set(remote) == set(seeds)
    for seed, local in ThisProcess().train(seeds, lambda seed, step: None):
        for name, numbers in weights_of(local).items():
            assert close(weights_of(remote[seed])[name], numbers, 1e-6, 1e-7)
        assert remote[seed].losses == pytest.approx(local.losses)
        assert remote[seed].scores.accuracy == pytest.approx(local.scores.accuracy)


@pytest.fixture
def page(place, model, monkeypatch):
    """Opens the page Heads with the model from elsewhere, computed anew, and returns what its notices say."""
    monkeypatch.setattr(model_calls, "place", lambda: place)

    def opened(text):
        server_cache.clear()
        screen = well(visit(weights=model, text=text))
        return notices(screen)

    yield opened
    model_calls.forget()


def test_a_page_gets_the_trace_of_a_model_from_elsewhere_from_the_cluster(place, page):
    connection = place.connect()
    connection.processes.clear()
    assert page(TEXT) == ""
    assert len(connection.processes) == 1, "one text is one pass"


def test_the_models_of_the_lab_stay_in_this_process(place):
    assert not any(place.takes(name) for name in ("grammar", "grammar@000100", "translate", "mine-model"))
    assert place.takes("own-gpt2") and not ThisProcess().takes("own-gpt2")


def test_a_cluster_that_is_gone_is_said_in_a_sentence_and_the_lab_goes_on(cluster, place, model, page):
    """The last test: it ends the cluster."""
    place.run(Experiment(model, TEXT))
    began = time.monotonic()
    cluster.kill()
    with pytest.raises(ClusterUnavailable, match="does not answer"):
        while time.monotonic() < began + 20:
            place.run(Experiment(model, TEXT))
    assert time.monotonic() < began + 20
    with pytest.raises(ClusterUnavailable):
        place.run(Experiment(model, TEXT))
    with pytest.raises(ClusterUnavailable):
        list(place.train([Seed("resolver", 0, 2)], lambda seed, step: None))
    assert page(TEXT) == ray_place.GONE
