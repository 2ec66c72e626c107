"""Every store of classes keeps the same promises: texts, versions, bounds, an end."""

import time

import pytest
import redis
from redis_server import redis_server

from viz.classroom import store as stores
from viz.classroom.classes import Classes
from viz.classroom.question import Question
from viz.classroom.redis_store import AWAY, RedisStore
from viz.classroom.store import MemoryStore, StoreError


class Clock:
    """A clock that a test moves."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture(scope="module")
def shared_redis():
    with redis_server() as address:
        yield address


@pytest.fixture(params=["memory", "redis"])
def store(request):
    if request.param == "memory":
        return MemoryStore()
    address = request.getfixturevalue("shared_redis")
    with redis.Redis.from_url(address) as client:
        client.flushall()
    store = RedisStore(address)
    request.addfinalizer(store.close)
    return store


def test_a_class_that_does_not_exist_is_empty_and_writing_to_it_does_nothing(store):
    store.write("AAAA2222", "text")
    assert not store.write_member("AAAA2222", "someone", "{}")
    store.touch("AAAA2222", "someone")
    store.remove_member("AAAA2222", "someone")
    store.delete("AAAA2222")
    assert store.version("AAAA2222") is None and store.read("AAAA2222") is None
    assert store.member("AAAA2222", "someone") is None
    assert store.members("AAAA2222") == {} and store.last_seen("AAAA2222") == {}


def test_what_is_written_is_read_and_every_change_has_a_new_version(store):
    assert store.create("AAAA2222", "first", 60)
    versions = [store.version("AAAA2222")]
    store.write("AAAA2222", "second")
    versions.append(store.version("AAAA2222"))
    assert store.write_member("AAAA2222", "one", "a") and store.write_member("AAAA2222", "two", "b")
    versions.append(store.version("AAAA2222"))
    assert store.write_member("AAAA2222", "one", "c")
    versions.append(store.version("AAAA2222"))
    store.remove_member("AAAA2222", "two")
    versions.append(store.version("AAAA2222"))
    assert versions == sorted(set(versions))
    assert store.read("AAAA2222") == "second"
    assert store.members("AAAA2222") == {"one": "c"} and store.member("AAAA2222", "one") == "c"


def test_being_here_is_no_change(store):
    store.create("AAAA2222", "text", 60)
    store.write_member("AAAA2222", "one", "a")
    before = store.version("AAAA2222")
    store.touch("AAAA2222", "one")
    store.touch("AAAA2222", "a stranger")
    assert store.version("AAAA2222") == before
    (seconds,) = store.last_seen("AAAA2222").values()
    assert 0 <= seconds < 5 and set(store.last_seen("AAAA2222")) == {"one"}


def test_a_code_is_given_once_and_two_classes_are_apart(store):
    assert store.create("AAAA2222", "one", 60) and not store.create("AAAA2222", "two", 60)
    assert store.create("BBBB3333", "two", 60)
    store.write_member("AAAA2222", "one", "a")
    assert store.read("AAAA2222") == "one" and store.members("BBBB3333") == {}
    store.delete("AAAA2222")
    assert store.read("AAAA2222") is None and store.read("BBBB3333") == "two"


def test_a_class_a_member_and_a_server_have_bounds(store, monkeypatch):
    monkeypatch.setattr(stores, "MAX_CLASSES", 2)
    monkeypatch.setattr(stores, "MAX_MEMBERS", 2)
    assert store.create("AAAA2222", "", 60) and store.create("BBBB3333", "", 60)
    assert not store.create("CCCC4444", "", 60)
    assert store.write_member("AAAA2222", "one", "a") and store.write_member("AAAA2222", "two", "a")
    assert not store.write_member("AAAA2222", "three", "a")
    assert store.write_member("AAAA2222", "one", "x" * stores.MAX_TEXT), "a member may change"
    assert not store.write_member("AAAA2222", "one", "x" * (stores.MAX_TEXT + 1))
    store.remove_member("AAAA2222", "one")
    assert store.write_member("AAAA2222", "three", "a")


def test_in_memory_a_class_ends_after_its_time_and_makes_room(monkeypatch):
    monkeypatch.setattr(stores, "MAX_CLASSES", 1)
    clock = Clock()
    store = MemoryStore(clock)
    assert store.create("AAAA2222", "text", 60)
    store.write_member("AAAA2222", "one", "a")
    clock.now = 59.9
    store.write("AAAA2222", "still")
    assert store.read("AAAA2222") == "still" and not store.create("BBBB3333", "", 60)
    clock.now = 60.0
    assert store.read("AAAA2222") is None and store.members("AAAA2222") == {}
    assert store.create("BBBB3333", "", 60)
    assert "AAAA2222" not in store._classes, "nothing is left"


def test_in_redis_a_class_and_its_members_end_together_and_leave_nothing(shared_redis):
    with redis.Redis.from_url(shared_redis, decode_responses=True) as client:
        client.flushall()
        store = RedisStore(shared_redis)
        assert store.create("AAAA2222", "text", 0.4)
        assert store.write_member("AAAA2222", "one", "a")
        store.touch("AAAA2222", "one")
        assert len(client.keys("*")) == 4
        lives = [client.pttl(key) for key in client.keys("attention-lab:class:*")]
        assert len(lives) == 3 and all(0 < life <= 400 for life in lives)
        give_up = time.monotonic() + 10
        while store.version("AAAA2222") is not None:
            assert time.monotonic() < give_up
            time.sleep(0.05)
        assert store.members("AAAA2222") == {} and store.last_seen("AAAA2222") == {}
        assert store.create("BBBB3333", "text", 60)
        assert client.zrange("attention-lab:classes", 0, -1) == ["BBBB3333"]
        store.delete("BBBB3333")
        assert client.keys("*") == []
        store.close()


def test_two_replicas_have_the_same_class(shared_redis):
    first, second = Classes(RedisStore(shared_redis)), Classes(RedisStore(shared_redis))
    code, key = first.start()
    second.join(code, "a" * 32)
    first.ask(code, key, Question("Which?", ("a", "b")))
    second.answer(code, "a" * 32, "b")
    second.show(code, key, "masks", "")
    assert first.student_view(code, "a" * 32)["page"] == "masks"
    assert first.lecturer_view(code, key)["results"]["answers"] == 1
    second.end(code, key)
    assert first.version(code) is None
    first.store.close()
    second.store.close()


def test_without_redis_it_is_one_sentence_at_once_and_the_class_comes_back_by_itself():
    clock = Clock()
    with redis_server() as address:
        store = RedisStore(address, clock)
        assert store.version("AAAA2222") is None
    began = time.monotonic()
    for _ in range(50):
        with pytest.raises(StoreError, match="comes back by itself"):
            store.version("AAAA2222")
    assert time.monotonic() - began < 5, "nobody waits for a store that is away"
    with redis_server(int(address.rpartition(":")[2])):
        with pytest.raises(StoreError):
            store.version("AAAA2222")
        clock.now += AWAY
        assert store.create("AAAA2222", "text", 60) and store.read("AAAA2222") == "text"
        store.close()
