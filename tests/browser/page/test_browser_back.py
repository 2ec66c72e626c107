"""Back in the browser goes back in every figure that moves by itself, however slow the server answers."""

import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Locator, Page, WebSocketRoute, expect
from served import PATIENCE, wait_for_rest
from test_browser import Lab, left_well

from viz.ui.state import PER_PAGE

REST = 600  # milliseconds: longer than any figure waits before it tells Python

# An act of a person, as a function of the figure's root. It is run in one go with what must follow at once.
CLICK = "root => root.querySelector('{}').click()".format
SLIDE = """root => {{
  const range = root.querySelector("{}");
  range.value = {};
  for (const kind of ["input", "change"]) range.dispatchEvent(new Event(kind, {{ bubbles: true }}));
}}""".format
KEY = """root => {{
  const on = {} ?? document.body;
  on.dispatchEvent(new KeyboardEvent("keydown", {{ key: "{}", bubbles: true, composed: true }}));
}}""".format
CHIP = "root.querySelector('.chip[data-place=\"{}\"]')".format


@dataclass(frozen=True)
class Figure:
    """A figure that moves without the server: a first move, the move that undoes it, and a second one."""

    link: str
    key: str
    move: str
    undo: str
    further: str
    shown: str  # what it shows, from its root
    address: str  # once it was moved there


def sliding(
    link: str, key: str, shown: str, address: str, places: tuple[int, int, int], name: str = "type=range"
) -> Figure:
    """A slider that opens at the first of three values and is moved to the second and the third."""
    undo, move, further = (SLIDE(f"input[{name}]", value) for value in places)
    return Figure(link, key, move, undo, further, f"root => root.view.{shown}", address)


FIGURES = {
    "decoding": Figure(
        "/translate?target_step=13",
        "writing",
        CLICK(".next"),
        CLICK(".back"),
        CLICK(".next"),
        "root => root.view.step",
        "target_step=14",
    ),
    "walk": Figure(
        "/inside?step_number=5&key=2",
        "walk",
        KEY("root", "ArrowRight"),
        KEY("root", "ArrowLeft"),
        KEY("root", "ArrowRight"),
        "root => root.view.step",
        "step_number=6",
    ),
    "panels": sliding("/masks?mask_kind=window&mask_size=2", "stages", "step", "mask_size=5", (1, 4, 7)),
    "panels in a fragment": sliding("/positions?view=Shift+test&shift_by=2", "shift", "step", "shift_by=4", (2, 4, 6)),
    "sliders": sliding("/positions?view=Waves&pos=3", "waves_drawn", "position", "pos=9", (3, 9, 11), "name=pos"),
    "turns": sliding("/positions?view=Rotation&k=5", "turns_drawn", "step", r"[?&]k=9", (5, 9, 11), "name=k"),
    "saturation": sliding("/remove?view=Why+√d_k&d_k=16", "saturation", "stepIndex", "d_k=128", (4, 7, 8)),
    "costs": sliding(
        "/why?view=The+table&cost_d=128", "layer_costs", "state.cost_d", "cost_d=256", (3, 4, 5), "name=cost_d"
    ),
    "tiles": sliding(
        "/why?view=Escaping+the+square&tile_step=1",
        "tiles",
        "state.tile_step",
        "tile_step=3",
        (1, 3, 5),
        "name=tile_step",
    ),
    "shuffle": Figure(
        "/positions?view=Shuffle+test&word_order=1.2.3.4.5.6.7.8.9.10.12.11",
        "shuffled",
        KEY(CHIP(2), "ArrowRight"),
        KEY(CHIP(3), "ArrowLeft"),
        KEY(CHIP(3), "ArrowRight"),
        "root => root.view.order.join('.')",
        r"word_order=1\.3\.2\.",
    ),
    "stage": Figure(
        "/heads",
        "grid",
        KEY("null", "p"),
        KEY("null", "Escape"),
        KEY("null", "PageDown"),
        "() => document.documentElement.hasAttribute('data-stage')",
        "present=",
    ),
}


class Slow:
    """The connection of a page to the server; what either side sends can be kept back and let go at once."""

    def __init__(self, page: Page) -> None:
        self.page, self.keeps, self.kept, self.answers = page, False, [], 0
        self.keeps_answers, self.kept_answers = False, []
        page.route_web_socket(re.compile("/_stcore/stream"), self._route)

    def _route(self, page_side: WebSocketRoute) -> None:
        server_side = page_side.connect_to_server()

        def answered(message):
            self.answers += 1
            self.kept_answers.append(message) if self.keeps_answers else page_side.send(message)

        def sent(message):
            self.kept.append(message) if self.keeps else server_side.send(message)

        page_side.on_message(sent)
        server_side.on_message(answered)
        self.server, self.browser = server_side, page_side

    def let_go(self) -> None:
        self.keeps, self.keeps_answers, self.answers = False, False, 0
        for message in self.kept:
            self.server.send(message)
        for message in self.kept_answers:
            self.browser.send(message)

    def wait_for_posts(self, count: int) -> None:
        """Until the page has sent so many messages that are kept back."""
        self._wait_until(lambda: len(self.kept) >= count)

    def wait_for_answers(self, count: int) -> None:
        """Until the server has sent so many messages since it was let go."""
        self._wait_until(lambda: self.answers >= count)

    def _wait_until(self, condition: Callable[[], bool]) -> None:
        give_up = time.monotonic() + PATIENCE / 1000
        while not condition() and time.monotonic() < give_up:
            self.page.wait_for_timeout(50)
        assert condition()


class Visit:
    """One visitor at one figure, on a slow connection."""

    def __init__(self, page: Page, figure: Figure) -> None:
        self.page, self.figure, self.slow = page, figure, Slow(page)
        self.pauses: Callable[[], int] = lambda: REST  # milliseconds

    @property
    def root(self) -> Locator:
        return self.page.locator(f".st-key-{self.figure.key} .lab").first

    @property
    def shown(self) -> Any:
        return self.root.evaluate(self.figure.shown)

    def act(self, act: str, then: str = "") -> None:
        self.page.keyboard.press("Shift")  # a person's hand: what follows is an entry of its own in the history
        self.root.evaluate(f"root => {{ ({act})(root); {then} }}")

    def go_there(self) -> None:
        self.act(self.figure.move)
        self.page.wait_for_url(re.compile(self.figure.address), timeout=PATIENCE)
        self.pause()

    def pause(self) -> None:
        """What a person waits between two acts."""
        self.page.wait_for_timeout(self.pauses())
        wait_for_rest(self.page)

    def rest(self) -> None:
        self.page.wait_for_timeout(REST)
        wait_for_rest(self.page)

    def shows(self, value: Any) -> bool:
        """Whether it comes to show this within half a minute, however busy the cores are, and then stays so."""
        for _ in range(300):
            if self.shown == value:
                self.rest()
                return self.shown == value
            self.page.wait_for_timeout(100)
        return False


@pytest.fixture
def visited(context, address):
    """A function that opens a figure, at rest."""
    labs = []

    def visit(name: str) -> Visit:
        lab = Lab(context.new_page(), address)
        labs.append(lab)
        visit = Visit(lab.page, FIGURES[name])
        lab.page.goto(f"{address}{visit.figure.link}")
        visit.root.and_(lab.page.locator("[data-drawn]")).wait_for(timeout=PATIENCE)
        wait_for_rest(lab.page)
        return visit

    yield visit
    for lab in labs:
        left_well(lab)
        lab.page.close()


@pytest.mark.parametrize("longest", [0, 800])  # milliseconds
@pytest.mark.parametrize("name", FIGURES)
def test_back_is_shown_after_an_answer_that_never_came_and_no_late_move_undoes_it(visited, name, longest):
    """Two posts reach the server together. It answers the second only, with what the page has shown before."""
    visitor_page = visited(name)
    seeded = random.Random(f"{name} {longest}")
    visitor_page.pauses = lambda: seeded.randint(0, longest)
    before = visitor_page.shown
    visitor_page.slow.keeps = True
    visitor_page.act(visitor_page.figure.move)
    visitor_page.slow.wait_for_posts(1)
    assert visitor_page.shown != before, "the figure moves without the server"
    visitor_page.act(visitor_page.figure.undo)
    visitor_page.slow.wait_for_posts(2)
    assert len(visitor_page.slow.kept) == 2
    visitor_page.slow.let_go()
    visitor_page.slow.wait_for_answers(2)
    visitor_page.pause()
    assert visitor_page.shown == before
    visitor_page.go_there()
    visitor_page.page.go_back()
    assert visitor_page.shows(before), visitor_page.shown
    assert not re.search(visitor_page.figure.address, visitor_page.page.url)
    # Nor is it undone by a move that Python has not heard of.
    visitor_page.go_there()
    visitor_page.act(visitor_page.figure.further, then="history.back()")  # before the figure has come to rest
    assert visitor_page.shows(before), visitor_page.shown
    assert not re.search(visitor_page.figure.address, visitor_page.page.url)


@pytest.mark.parametrize("name", ["decoding", "sliders"])  # of the whole page and of a fragment
def test_picture_and_address_agree_after_a_back_that_overtakes_an_answer(visited, name):
    visitor_page = visited(name)
    before, opened = visitor_page.shown, visitor_page.page.url
    visitor_page.go_there()
    visitor_page.slow.keeps_answers, visitor_page.slow.answers = True, 0
    visitor_page.act(visitor_page.figure.further)
    visitor_page.slow.wait_for_answers(3)
    visitor_page.page.wait_for_timeout(REST)
    visitor_page.page.evaluate("history.back()")
    visitor_page.page.wait_for_url(opened, timeout=PATIENCE)
    visitor_page.slow.let_go()
    assert visitor_page.shows(before), visitor_page.shown
    assert visitor_page.page.url == opened


def test_each_page_finds_what_it_held_under_a_name_that_others_have_too_and_its_address_says_so(context, address):
    page = context.new_page()

    def shows(figure: str, view: str, state: dict[str, str]) -> None:
        page.locator(f".st-key-{figure}").first.wait_for(timeout=PATIENCE)
        wait_for_rest(page)
        expect(page.get_by_role("radio", name=view, exact=True).first).to_be_checked(timeout=PATIENCE)
        held = {name: values for name, (values,) in parse_qs(urlsplit(page.url).query).items() if name in PER_PAGE}
        assert held == state

    own = {"view": "QK spectrum"}
    page.goto(f"{address}/inside?{urlencode(own)}")
    shows("spectrum", own["view"], own)
    page.get_by_role("link", name="Masks", exact=True).first.click()
    shows("stages", "Leak test", {})
    page.get_by_role("link", name="Inside a head", exact=True).first.click()
    shows("spectrum", own["view"], own)
    page.go_back()
    shows("stages", "Leak test", {})
    page.go_back()
    shows("spectrum", own["view"], own)
    page.close()
