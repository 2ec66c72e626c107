"""Two replicas behind a real HAProxy, which share their classes in a real Redis: killed, restarted, and attacked."""

import asyncio
import json
import re
import socket
import time
import urllib.error
import urllib.request
from contextlib import suppress
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from class_member import Member, post, watching
from playwright.sync_api import expect
from protocol import Link, Visitor, alone, arrive
from replica_set import replica_set
from served import PATIENCE, wait_for_rest

from viz.server.deploy.replicas import free_ports
from viz.server.hosts import room_address

STUDENTS = 30
SECONDS = 10.0  # in which everybody is back


@pytest.fixture(scope="module")
def metrics():
    """Two neighbouring ports on which nothing listens."""
    while True:
        port = free_ports(1)[0]
        with suppress(OSError), socket.create_server(("127.0.0.1", port + 1)):
            return port, port + 1


@pytest.fixture(scope="module")
def lab(metrics):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ATTENTION_LAB_METRICS", str(metrics[0]))
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


def test_prometheus_reads_counts_and_times_of_each_replica_on_this_machine_only(lab, metrics):
    async def visit():
        for _ in range(4):
            visitor = await arrive(lab.address, Link("masks", state={"text": text_of(0)}))
            await visitor.flip()
            await visitor.leave()

    alone(visit())
    runs = []
    for port in metrics:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
            text = answer.read().decode()
        runs += re.findall(r'request_seconds_count\{kind="run",name="masks",status="ok"\} (\S+)', text)
        assert not re.search(r"dog|127\.0\.0\.1", text)
        with pytest.raises(OSError):
            socket.create_connection((room_address(), port), timeout=5).close()
    assert len(runs) == 2 and sum(map(float, runs)) == 8, "both replicas had visitors, and each run is counted once"


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


@pytest.fixture(autouse=True)
def all_replicas_are_ready(lab):
    """Before each test, whatever the one before has killed."""
    lab.wait_until_ready()


def test_a_rolling_restart_loses_nobody_and_refuses_nobody(lab):
    address = lab.address

    async def ask_for_pages(statuses: list[int]):
        while True:
            statuses.append(await asyncio.to_thread(status_of, f"{address}/masks"))
            await asyncio.sleep(0.1)

    async def lesson():
        visitors = await students(address)
        seen, before, statuses = list(map(drawings, visitors)), lab.pids(), []
        asking = asyncio.create_task(ask_for_pages(statuses))
        returns = 0
        lab.restart_in_turn()
        give_up = time.monotonic() + 90
        while lab.pids().keys() != before.keys() or set(lab.pids().values()) & set(before.values()):
            assert time.monotonic() < give_up, "the replicas were not restarted"
            returns += await come_back(visitors, address)
            await asyncio.sleep(0.3)
        await asyncio.sleep(0.5)
        returns += await come_back(visitors, address)
        asking.cancel()
        assert returns >= STUDENTS, "each replica had visitors who came back"
        assert set(statuses) == {200}
        check_pages(visitors, seen)
        for visitor in visitors:
            await visitor.leave()

    alone(lesson())


def status_of(url: str) -> int:
    try:
        request = urllib.request.Request(url, headers={"accept": "text/html"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


REPLICA_COOKIE = "attention-lab-replica"
BAR = ".st-key-heading .class"
TEXT = "the cat near the dogs sleeps ."


class Person:
    """Somebody with a browser profile of their own, on the replica that the proxy chooses."""

    def __init__(self, browser, address, path):
        self.context = browser.new_context(bypass_csp=True, viewport={"width": 1440, "height": 900})
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.sockets = []
        self.page.on("websocket", lambda socket: self.sockets.append(socket))
        self.page.goto(address + path)
        wait_for_rest(self.page)

    @property
    def replica(self):
        """The cookie by which the proxy sends this browser to its replica."""
        return next(cookie["value"] for cookie in self.context.cookies() if cookie["name"] == REPLICA_COOKIE)

    @property
    def is_connected(self):
        return not self.sockets[-1].is_closed()

    def flip(self):
        """Flip the switch of the scale by a click."""
        self.page.locator(".st-key-scale label").first.click()

    def expect_in_class(self, code):
        """The page is this one, drawn and connected, and the browser is in the class."""
        wait_for_rest(self.page)
        expect(self.page.locator(f"{BAR} .class-code")).to_have_text(f"Class {code}")
        expect(self.page.locator(f"{BAR}")).not_to_contain_text("is lost")
        assert TEXT in parse_qs(urlsplit(self.page.url).query)["text"]


@pytest.fixture
def person(chrome, lab):
    """Opens a path of the lab as somebody else."""
    people = []

    def opened(path):
        people.append(Person(chrome, lab.address, path))
        return people[-1]

    yield opened
    for somebody in people:
        somebody.context.close()


def test_browsers_on_two_replicas_share_a_class_and_keep_it_when_either_is_killed(lab, person):
    lecturer = person(f"/?{urlencode({'text': TEXT})}")
    lecturer.page.get_by_role("button", name="Start a class, or join one").click()
    lecturer.page.get_by_role("button", name="Start a class", exact=True).click()
    line = lecturer.page.locator(f"{BAR} .class-code")
    expect(line).to_have_text(re.compile("Class ....-...."))
    code = line.inner_text().removeprefix("Class ")
    student = person(f"/masks?class={code}")
    people = (lecturer, student)
    assert lecturer.replica != student.replica
    lecturer.flip()
    expect(student.page).to_have_url(re.compile(r"/\?.*scale=false"), timeout=25_000)
    expect(lecturer.page.locator(f"{BAR} .count").first).to_have_text("1 student here, 1 following")

    for name, link in (("1", re.compile(r"/\?((?!scale).)*$")), ("2", re.compile(r"/\?.*scale=false"))):
        for somebody in people:
            wait_for_rest(somebody.page)
        states = [somebody.page.url for somebody in people]
        opened = [len(somebody.sockets) for somebody in people]
        lab.kill(name)
        start = time.monotonic()
        while [len(somebody.sockets) for somebody in people] == opened or not all(
            somebody.is_connected for somebody in people
        ):
            assert time.monotonic() - start < SECONDS, "a browser has not come back"
            lecturer.page.wait_for_timeout(50)
        for somebody in people:
            somebody.expect_in_class(code)
        assert time.monotonic() - start < SECONDS
        assert sum(len(somebody.sockets) for somebody in people) - sum(opened) >= 1
        assert [somebody.page.url for somebody in people] == states
        # The pages are answered, and the class goes on.
        lecturer.flip()
        expect(lecturer.page).to_have_url(link, timeout=25_000)
        expect(student.page).to_have_url(link, timeout=25_000)
        lab.wait_until_ready()
