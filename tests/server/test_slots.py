"""Short work always finds a place; long work queues, gives way, keeps its time, and ends with its visitor."""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import Experiment
from model.analysis import attribution
from model.compute.cost import PER_SECOND, operations
from model.compute.progress import listening, steps
from model.run import get_model
from viz.ui import slots
from viz.ui.progress import Progress
from viz.ui.slots import MAX_OPERATIONS, WAITING, Places, TooMuch, Watch

PATIENCE = 10  # seconds that a thread may take before the test fails


def at_once(*jobs):
    threads = [threading.Thread(target=job, daemon=True) for job in jobs]
    for thread in threads:
        thread.start()
    return threads


def ended(threads):
    for thread in threads:
        thread.join(PATIENCE)
    return not any(thread.is_alive() for thread in threads)


@pytest.mark.parametrize("cores", [1, 2, 3, 8])
def test_short_work_never_waits_while_all_long_places_are_taken_and_many_queue(cores):
    places, go, holding = Places(cores), threading.Event(), threading.Semaphore(0)

    def long():
        with places.long():
            holding.release()
            go.wait(PATIENCE)

    visitors = at_once(*[long] * (places.most_long + 3))
    for _ in range(places.most_long):
        assert holding.acquire(timeout=PATIENCE)
    done = []

    def short():
        places.begin_short()
        done.append(places.busy)
        places.end_short()

    assert ended(at_once(short)), "a short place is free"
    assert done == [(1, places.most_long)]
    go.set()
    assert ended(visitors)
    assert places.busy == (0, 0)


def test_no_more_compute_at_once_than_there_are_places():
    places, most, lock = Places(2), [0, 0], threading.Lock()

    def note():
        with lock:
            most[:] = [max(pair) for pair in zip(most, places.busy, strict=True)]
            time.sleep(0.001)

    def short():
        places.begin_short()
        note()
        places.end_short()

    def long():
        with places.long():
            note()

    assert ended(at_once(*[short, long] * 12))
    assert most == [2, 1]


def test_long_work_comes_in_the_order_of_asking_and_hears_how_many_are_ahead():
    places, order, ahead, go = Places(2), [], [], threading.Event()

    def job(name):
        def run():
            with places.long(lambda n: ahead.append((name, n))):
                order.append(name)
                go.wait(PATIENCE)

        return run

    threads = []
    for name in range(4):
        threads += at_once(job(name))
        while len(places._long) <= name:
            time.sleep(0.001)
    time.sleep(2 * slots.LOOK)
    assert {(1, 1), (2, 2), (3, 3)} <= set(ahead)
    go.set()
    assert ended(threads)
    assert order == [0, 1, 2, 3]


def test_who_leaves_the_queue_leaves_no_hole_in_it():
    places, go = Places(2), threading.Event()

    class LeftError(Exception):
        pass

    def holds():
        with places.long():
            go.wait(PATIENCE)

    def leaves():
        def wait(ahead):
            raise LeftError

        with pytest.raises(LeftError), places.long(wait):
            pytest.fail("it had no place")

    holder = at_once(holds)
    while not places._long:
        time.sleep(0.001)
    assert ended(at_once(leaves))
    assert len(places._long) == 1
    go.set()
    assert ended(holder)
    with places.long():
        assert places.busy == (0, 1)


def test_a_queue_that_is_too_long_is_refused_in_a_sentence():
    places, go = Places(2), threading.Event()

    def long():
        with places.long():
            go.wait(PATIENCE)

    threads = at_once(*[long] * (places.most_long + WAITING))
    while len(places._long) < places.most_long + WAITING:
        time.sleep(0.001)
    with pytest.raises(TooMuch, match="Try again"), places.long():
        pytest.fail("it had no place")
    go.set()
    assert ended(threads)


def test_long_work_pauses_between_two_steps_while_short_work_needs_the_cores_and_goes_on_then():
    places = Places(2)
    places.begin_short()
    start = time.monotonic()
    places.give_way(PATIENCE)
    assert time.monotonic() - start < PATIENCE / 2, "one core is free"
    places.begin_short()
    paused, over = threading.Event(), threading.Event()

    def long():
        paused.set()
        places.give_way(PATIENCE)
        over.set()

    thread = at_once(long)
    paused.wait(PATIENCE)
    assert not over.wait(0.1)
    places.end_short()
    assert ended(thread)
    places.end_short()


def test_long_work_pauses_while_a_page_is_made_and_a_page_that_waits_for_long_work_does_not_count():
    with slots.page():
        start = time.monotonic()
        slots.PLACES.give_way(0.1)
        assert time.monotonic() - start >= 0.1
        with slots.long("Counting"):
            start = time.monotonic()
            slots.PLACES.give_way(PATIENCE)
            assert time.monotonic() - start < PATIENCE / 2
        assert slots.PLACES._pages == 1
    assert slots.PLACES._pages == 0
    with pytest.raises(ZeroDivisionError), slots.page(), slots.long("Counting"):
        _ = 1 / 0
    assert slots.PLACES._pages == 0


def test_a_full_room_slows_long_work_down_and_does_not_stop_it():
    places = Places(1)
    places.begin_short()
    start = time.monotonic()
    places.give_way(0.05)
    assert 0.04 < time.monotonic() - start < PATIENCE
    places.end_short()


def test_a_computation_that_is_abandoned_ends_within_a_step_and_gives_its_place_back():
    class GoneError(BaseException):
        pass

    class Left(Progress):
        def show(self, share, text):
            raise GoneError

    done = []
    with pytest.raises(GoneError), slots.PLACES.long(), listening(Watch("Counting", Left())):
        for item in steps(range(100)):
            done.append(item)
    assert done == [0]
    assert slots.PLACES.busy == (0, 0)


def test_a_computation_that_takes_too_long_is_ended_in_a_sentence_and_gives_its_place_back():
    watch = Watch("Counting", Progress(), seconds=0.05)
    with pytest.raises(TooMuch, match="Counting: this took too long"), slots.PLACES.long(), listening(watch):
        for _ in steps(range(10**9)):
            sum(range(1000))
    assert slots.PLACES.busy == (0, 0)


def test_what_would_cost_too_much_is_refused_before_it_starts():
    begun = []
    with pytest.raises(TooMuch, match="minutes of one core"), slots.long("Counting", MAX_OPERATIONS + 1):
        begun.append(1)
    assert not begun
    with slots.place("Counting", MAX_OPERATIONS):
        assert slots.PLACES.busy == (0, 1)
    with slots.place("Counting", slots.SHORT):
        assert slots.PLACES.busy == (1, 0)


@pytest.mark.parametrize("name", ["grammar", "stories"])
@pytest.mark.parametrize("T", [12, 128, 512])
def test_one_pass_of_the_labs_own_models_is_short_work_at_every_length(name, T):
    assert operations(get_model(name)[0].config, T) <= slots.SHORT


@given(T=st.integers(1, 511), more=st.integers(1, 100), texts=st.integers(1, 50))
def test_the_cost_grows_with_words_with_keys_and_with_texts(T, more, texts):
    config = get_model("stories")[0].config
    assert operations(config, T + more) > operations(config, T)
    assert operations(config, T, keys=T + more) > operations(config, T)
    assert operations(config, T, texts=texts + more) > operations(config, T, texts=texts)
    assert operations(config, T) >= 2 * T * config.d_model * config.vocab_size, "reading out alone"
    assert PER_SECOND > 0


def test_the_longest_text_of_stories_with_each_look_blocked_is_far_below_the_bound():
    assert attribution.cost_of_key_ablation(Experiment("stories", " ".join(["dog"] * 510))) < MAX_OPERATIONS / 20
