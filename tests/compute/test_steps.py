"""A long computation tells how far it is, and ends where its listener says so."""

import threading
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import Experiment
from model.analysis import ablation, attribution
from model.compute.progress import listening, steps, undisturbed
from model.generation.cache_comparison import compare


@given(shape=st.lists(st.integers(1, 5), min_size=1, max_size=3))
def test_the_share_never_falls_and_ends_at_one_however_deep_the_loops(shape):
    shares = []

    def walk(sizes):
        for _ in steps(range(sizes[0])):
            if sizes[1:]:
                walk(sizes[1:])

    with listening(shares.append):
        walk(shape)
    assert all(later >= earlier - 1e-9 for earlier, later in pairwise(shares))
    assert shares[-1] == pytest.approx(1)
    assert all(0 < share <= 1 + 1e-9 for share in shares)


def test_without_a_listener_the_items_come_unchanged():
    assert list(steps(iter("abc"))) == ["a", "b", "c"]


def test_what_a_listener_raises_ends_the_loop_at_that_step():
    done = []

    def stop(share):
        if share >= 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), listening(stop):
        for item in steps(range(10)):
            done.append(item)
    assert done == [0, 1, 2, 3, 4]


def test_a_listener_hears_its_own_thread_only():
    shares = []
    with listening(shares.append):
        other = threading.Thread(target=lambda: list(steps(range(5))))
        other.start()
        other.join()
    assert shares == []


def test_what_is_timed_is_not_disturbed_by_the_steps_inside_it():
    shares = []
    with listening(shares.append), undisturbed() as tell:
        list(steps(range(5)))
        assert shares == []
        tell(0.5)
    assert shares == [0.5]


def test_knockouts_and_the_comparison_can_be_stopped_at_a_step():
    class GoneError(Exception):
        pass

    for compute in (
        lambda: ablation.ablate_each_head("grammar"),
        lambda: compare(Experiment(text="the dogs sleep ."), repetitions=1),
        lambda: attribution.key_ablation_effect(Experiment(text="the dogs sleep ."), 0, 0, 3),
    ):
        shares = []

        def leave(share, shares=shares):
            shares.append(share)
            if len(shares) == 2:
                raise GoneError

        with pytest.raises(GoneError), listening(leave):
            compute()
        assert len(shares) == 2


def test_the_share_of_the_comparison_grows_over_all_turns_and_ways_and_ends_at_one():
    shares = []
    with listening(shares.append):
        compare(Experiment(text="the dogs sleep ."), repetitions=2)
    assert all(later >= earlier - 1e-9 for earlier, later in pairwise(shares))
    assert shares[-1] == pytest.approx(1)
    assert len(shares) > 2 * 3 * 2
