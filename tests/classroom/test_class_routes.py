"""The addresses of a class answer what they should, and refuse the rest in one sentence."""

import asyncio
import json

import pytest
from protocol import alone
from starlette.applications import Starlette
from starlette.testclient import TestClient

from viz.classroom.classes import Classes
from viz.classroom.rate_limit import RateLimit
from viz.classroom.store import MemoryStore, StoreError
from viz.server import class_routes

ANN = "a" * 32
HOSTILE = [
    "",
    "null",
    "[]",
    "{",
    '{"key": 3}',
    '{"key": "' + "x" * 300 + '"}',
    "[" * 5000,
    '{"member": "\\u0000"}',
    "x" * 20_000,
]


@pytest.fixture
def client(monkeypatch):
    monkeypatch.setattr(class_routes, "CLASSES", Classes(MemoryStore()))
    for name, limit in (
        ("wrong_codes", 30),
        ("all_wrong_codes", 2000),
        ("starts", 100),
        ("joins", 400),
        ("writes", 500),
    ):
        monkeypatch.setattr(class_routes, name, RateLimit(at_once=limit, each_second=0))
    with TestClient(Starlette(routes=class_routes.routes())) as client:
        yield client


@pytest.fixture
def room(client):
    answer = client.post("/_lab/class").json()
    class_routes.CLASSES.join(answer["code"].replace("-", ""), ANN)
    return answer["code"], answer["key"]


def act(client, room, action, **message):
    return client.post(f"/_lab/class/{room[0]}/{action}", json=message)


def test_a_class_runs_from_its_start_to_its_end(client, room):
    _, key = room
    assert act(client, room, "show", key=key, page="masks", query="text=a").status_code == 200
    assert (
        act(client, room, "ask", key=key, text="  Which\n one? ".replace("\n", " "), choices=["a", " b ", ""]).json()
        == {}
    )
    assert act(client, room, "answer", member=ANN, answer="b").json() == {}
    assert act(client, room, "follow", member=ANN, follows=False).json() == {}
    assert act(client, room, "reveal", key=key, right="b").json() == {}
    saved = act(client, room, "answers", key=key)
    assert saved.headers["content-type"].startswith("text/csv")
    assert saved.text == "number,question,answer,is_right\n1,Which one?,b,yes\n"
    assert act(client, room, "close", key=key).json() == {}
    assert act(client, room, "leave", member=ANN).json() == {}
    assert act(client, room, "end", key=key).json() == {}
    assert act(client, room, "show", key=key).status_code == 404


@pytest.mark.parametrize("body", HOSTILE)
def test_a_message_that_is_none_is_refused_in_one_sentence(client, room, body):
    for action in (*class_routes.ACTIONS, "watch", "nothing"):
        answer = client.post(f"/_lab/class/{room[0]}/{action}", content=body)
        assert 400 <= answer.status_code < 500 and set(answer.json()) == {"error"}
        assert answer.json()["error"].endswith(".")
    assert class_routes.CLASSES.version(room[0].replace("-", "")) is not None


@pytest.mark.parametrize(
    "message",
    [
        {"text": "q", "choices": "ab"},
        {"text": "q", "choices": [1, 2]},
        {"text": "q", "choices": ["a"] * 200},
        {"text": "q", "tolerance": "x"},
        {"text": 3},
        {"text": "\u202e"},
        {"text": "q" * 401},
        {},
    ],
)
def test_a_question_that_is_none_is_refused(client, room, message):
    answer = act(client, room, "ask", key=room[1], **message)
    assert answer.status_code == 400 and answer.json()["error"].endswith(".")


def test_a_student_cannot_speak_for_the_lecturer(client, room):
    for action in ("show", "ask", "reveal", "close", "answers", "end"):
        answer = act(client, room, action, member=ANN, text="q")
        assert answer.status_code == 403 and "lecturer" in answer.json()["error"], action


def test_codes_cannot_be_guessed_by_trying(client, room):
    answers = [client.post("/_lab/class/BBBB2222/watch", json={"member": ANN}).status_code for _ in range(40)]
    assert answers == [404] * 30 + [429] * 10
    assert act(client, room, "follow", member=ANN).status_code == 429, "the right code does not show either"


def test_a_flood_is_refused(client, room, monkeypatch):
    monkeypatch.setattr(class_routes, "writes", RateLimit(at_once=5, each_second=0))
    answers = [act(client, room, "follow", member=ANN, follows=True).status_code for _ in range(8)]
    assert answers == [200] * 5 + [429] * 3
    assert act(client, room, "show", key=room[1]).status_code == 200, "another person is not held up"
    monkeypatch.setattr(class_routes, "starts", RateLimit(at_once=1, each_second=0))
    assert [client.post("/_lab/class").status_code for _ in range(2)] == [200, 429]


def lines(count, *what):
    async def collected():
        kept = []
        async for line in class_routes.views(*what):
            if line.strip():
                kept.append(json.loads(line))
            if len(kept) == count:
                return kept
        return kept

    return alone(asyncio.wait_for(collected(), 20))


def test_a_stream_begins_with_what_is_there_and_ends_with_the_class(client, room):
    code, key = room[0].replace("-", ""), room[1]
    class_routes.CLASSES.show(code, key, "why", "")
    (view,) = lines(1, code, "", ANN)
    assert (view["page"], view["follows"]) == ("why", True)
    (view,) = lines(1, code, key, "")
    assert (view["present"], view["following"]) == (1, 1)

    async def until_the_end():
        kept = []
        async for line in class_routes.views(code, "", ANN):
            kept.append(line)
            if len(kept) == 1:
                class_routes.CLASSES.end(code, key)
        return [json.loads(line) for line in kept if line.strip()]

    assert alone(asyncio.wait_for(until_the_end(), 20))[-1] == {"ended": True}


def test_a_store_that_is_away_is_one_sentence_and_comes_back(client, room, monkeypatch):
    code = room[0].replace("-", "")
    away = iter([True, True])

    def version(name, real=class_routes.CLASSES.store.version):
        if next(away, False):
            raise StoreError("The class cannot be reached now. It comes back by itself.")
        return real(name)

    monkeypatch.setattr(class_routes.CLASSES.store, "version", version)
    kept = lines(3, code, "", ANN)
    assert [set(line) for line in kept[:2]] == [{"away"}] * 2 and kept[2]["code"] == room[0]


def test_nothing_answers_a_plain_visit(client, room):
    assert client.get("/_lab/class").status_code == 405
    assert client.get(f"/_lab/class/{room[0]}/answers").status_code == 405
