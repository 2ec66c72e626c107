"""All that is remembered stays under one bound in bytes, and the result that was used longest ago goes first."""

import subprocess
import sys
import threading
import time
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from model import Experiment, run
from viz.cache_limit import VARIABLE, limit
from viz.ui.server_cache import ENTRY, Budget, Cached, size_of

MEGABYTE = 10**6


@given(
    uses=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4000)), max_size=60),
    most=st.integers(2000, 20_000),
)
def test_the_bound_always_holds_and_the_oldest_go_first(uses, most):
    """Against a plain list of (key, size), the one used last at its end."""
    budget, expected = Budget(most), []
    for name, size in uses:
        key, value = ("f", name), np.zeros(size, np.uint8)
        if size % 3 == 0:  # a look
            held = budget.find(key)
            entries = [entry for entry in expected if entry[0] == key]
            assert isinstance(held, np.ndarray) == bool(entries)
            expected = [entry for entry in expected if entry[0] != key] + entries
        else:
            budget.keep(key, value)
            expected = [entry for entry in expected if entry[0] != key]
            cost = ENTRY + size_of((key, value))
            if cost <= most:
                expected.append((key, cost))
                while sum(n_bytes for _, n_bytes in expected) > most:
                    expected.pop(0)
        assert budget.held == sum(n_bytes for _, n_bytes in expected) <= most
        assert len(budget) == len(expected)
    assert {key for key, _ in expected} == {key for key in ((("f", name)) for name in range(10)) if key in budget._kept}


def test_the_bound_holds_over_many_functions_and_threads_at_once():
    budget, over, stop = Budget(100_000), [], threading.Event()
    functions = [Cached(lambda index, of=of: np.zeros(index % 30_000 + of, np.uint8), budget) for of in range(4)]
    for number, function in enumerate(functions):
        function._name = f"f{number}"

    def watch():
        while not stop.is_set():
            if budget.held > budget.most:
                over.append(budget.held)

    def ask(seed):
        rng = np.random.default_rng(seed)
        for _ in range(300):
            size = int(rng.integers(0, 60_000))
            assert len(functions[seed % 4](size, seed % 4)) == size % 30_000 + seed % 4

    watcher = threading.Thread(target=watch)
    visitors = [threading.Thread(target=ask, args=(seed,)) for seed in range(8)]
    watcher.start()
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    stop.set()
    watcher.join()
    assert not over
    assert 0 < budget.held == sum(size for _, size in budget._kept.values())


def test_two_who_ask_the_same_at_once_are_computed_for_once():
    computed, begun = [], threading.Event()

    def slow(argument):
        begun.set()
        time.sleep(0.2)
        computed.append(argument)
        return argument + 1

    function, results = Cached(slow, Budget(MEGABYTE)), []
    first = threading.Thread(target=lambda: results.append(function(1)))
    first.start()
    begun.wait(10)
    results.append(function(1))
    first.join()
    assert results == [2, 2] and computed == [1]


def test_a_computation_that_is_broken_off_leaves_nothing_and_the_next_visitor_takes_over():
    begun, tries = threading.Event(), []

    def slow(argument):
        tries.append(argument)
        if len(tries) == 1:
            begun.set()
            time.sleep(0.2)
            raise KeyboardInterrupt  # as a visitor who leaves: no Exception, but a BaseException
        return argument + 1

    function = Cached(slow, Budget(MEGABYTE))

    def leaves():
        with pytest.raises(KeyboardInterrupt):
            function(1)

    first = threading.Thread(target=leaves)
    first.start()
    begun.wait(10)
    assert not function.has(1)
    assert function(1) == 2
    first.join()
    assert tries == [1, 1] and function.has(1)


def test_a_result_larger_than_the_bound_is_given_and_not_kept():
    function = Cached(lambda size: np.zeros(size, np.uint8), Budget(10_000))
    assert len(function(100)) == 100 and function.has(100)
    assert len(function(20_000)) == 20_000
    assert not function.has(20_000) and function.has(100), "nor does it push out what is there"


def test_the_same_arguments_by_place_by_name_and_by_default_are_one_key():
    calls = []

    def function(a, b=2, _unhashed=None):
        calls.append((a, b))
        return a + b

    cached = Cached(function, Budget(MEGABYTE))
    assert [cached(1), cached(1, 2), cached(1, b=2), cached(a=1, _unhashed=[]), cached(1, 2, {})] == [3] * 5
    assert calls == [(1, 2)]
    cached.clear()
    assert not cached.has(1)


def test_the_size_of_a_record_is_that_of_its_numbers_and_a_long_text_counts():
    trace = run(Experiment(text="the dogs near the tree sleep ."))
    numbers = sum(
        array.nbytes
        for layer in trace.layers
        for array in (layer.resid_pre, layer.mlp_hidden, layer.attention.weights, layer.attention.scores)
    )
    assert numbers < size_of(trace) < 20 * numbers
    assert size_of(Experiment(text="a" * 20_000)) > 20_000


def test_a_view_counts_as_what_it_keeps_alive_and_shared_numbers_count_once():
    whole = np.zeros((100, 1000))
    assert size_of(whole[0]) >= whole.nbytes
    assert size_of((whole, whole[3], whole.T)) < whole.nbytes + 1000
    tensor = torch.zeros(100, 1000)
    assert size_of(tensor[0].numpy()) >= 400_000
    assert 400_000 <= size_of((tensor, tensor[1], tensor.T)) < 401_000

    @dataclass(frozen=True)
    class Held:
        name: str
        numbers: np.ndarray

    assert size_of({"a": [Held("b", whole)]}) >= whole.nbytes


def test_the_bound_comes_from_the_setting_or_from_the_memory_of_the_machine():
    assert limit("250") == 250 * MEGABYTE
    assert limit("1.5") == 1_500_000
    assert 64 * MEGABYTE <= limit("") <= 2000 * MEGABYTE


@pytest.mark.parametrize("setting", ["much", "0", "-3", "nan", "inf", "1e99", "400 MB"])
def test_a_setting_that_is_no_number_of_megabytes_is_named_in_one_sentence(setting):
    with pytest.raises(ValueError, match=f"{VARIABLE} is “.*number of megabytes"):
        limit(setting)


@pytest.mark.parametrize("setting", ["plenty"])
def test_the_server_does_not_start_on_a_bad_setting_and_says_so(setting):
    done = subprocess.run(
        [sys.executable, "-c", "import app"],
        env={"PATH": "", VARIABLE: setting},
        cwd=__file__.rsplit("/", 3)[0],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert done.stderr.strip().splitlines()[-1].count("number of megabytes") == 1
    assert "Traceback" not in done.stderr


def test_a_hit_costs_microseconds():
    """No clock: the function is not called, and nothing is walked or hashed but the key."""
    calls = []
    function = Cached(lambda experiment: calls.append(1) or np.zeros(10), Budget(MEGABYTE))
    first = function(Experiment(text="the dogs sleep ."))
    assert all(function(Experiment(text="the dogs sleep .")) is first for _ in range(100))
    assert calls == [1]
