"""Two replicas behind a real HAProxy, which share their classes in a real Redis: killed, restarted, and attacked."""

import asyncio
import json
import time

import pytest
from class_member import Member, post, watching
from protocol import Link, Visitor, alone, arrive
from replica_set import replica_set

STUDENTS = 30
SECONDS = 10.0  # in which everybody is back


@pytest.fixture(scope="module")
def lab():
    with replica_set(2) as replicas:
        yield replicas


def text_of(student: int) -> str:
    """A sentence of this student's own."""
    nouns = ("dog", "cat", "child", "bird", "horse")
    return f"the {nouns[student % 5]} near the {nouns[student // 5 % 5]} sleeps ."


async def until(holds, seconds: float = SECONDS) -> None:
    """Return when it holds; fail after so many seconds."""
    give_up = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < give_up, "not in time"
        await asyncio.sleep(0.05)


def drawings(visitor: Visitor) -> list[bytes]:
    return [
        element.bidi_component.bytes for element in visitor.elements() if element.WhichOneof("type") == "bidi_component"
    ]


async def students(address: str) -> list[Visitor]:
    """Thirty visitors with a text of their own, each of whom has flipped a switch."""
    visitors = []
    for i in range(STUDENTS):
        visitors.append(await arrive(address, Link(state={"text": text_of(i), "layer": "1"})))
        await visitors[-1].flip()
    return visitors


async def come_back(visitors: list[Visitor], address: str) -> int:
    """What browsers do whose connection is gone. Returns how many came back."""
    lost = [visitor for visitor in visitors if not visitor.is_connected]
    await asyncio.gather(*(visitor.come_back(address) for visitor in lost))
    return len(lost)


def check_pages(visitors: list[Visitor], seen: list[list[bytes]]) -> None:
    """Each visitor has the page, the text and the switches of before."""
    for i, visitor in enumerate(visitors):
        assert visitor.address == {"text": text_of(i), "layer": "1", "scale": "false"}
        assert visitor.holds(json.dumps(text_of(i).split())[1:-1])
        assert drawings(visitor) == seen[i]


def test_a_replica_is_killed_and_thirty_students_are_back_in_page_text_switches_and_class(lab):
    address = lab.address

    async def lesson():
        lecturer = post(address, "", {})
        code, key = lecturer["code"], lecturer["key"]
        post(address, f"/{code}/show", {"key": key, "page": "masks", "query": "mask_kind=window"})
        post(address, f"/{code}/ask", {"key": key, "text": "How many?", "choices": []})
        visitors = await students(address)
        seen = list(map(drawings, visitors))
        members, teacher = [Member(address, code) for _ in range(STUDENTS)], Member(address, code, key)
        async with watching([*members, teacher]):
            await until(lambda: all(member.view for member in members))
            await asyncio.gather(*(member.act("answer", answer=str(i)) for i, member in enumerate(members)))
            before = sum(member.opened for member in members)

            lab.kill("1")
            start = time.monotonic()
            await until(lambda: any(not visitor.is_connected for visitor in visitors))
            await asyncio.sleep(0.2)
            lost = await come_back(visitors, address)
            await teacher.show("why")
            await until(lambda: all(member.view["moves"] == 2 for member in members))
            seconds = time.monotonic() - start
            assert seconds < SECONDS
            assert 5 <= lost <= 25, "the visitors were spread over both replicas"
            assert sum(member.opened for member in members) > before, "streams of the killed replica were opened again"
            check_pages(visitors, seen)
            assert [member.view["given"] for member in members] == list(map(str, range(STUDENTS)))
            await until(lambda: (teacher.view["answered"], teacher.view["present"]) == (STUDENTS, STUDENTS))
        for visitor in visitors:
            await visitor.leave()
        post(address, f"/{code}/end", {"key": key})

    alone(lesson())
