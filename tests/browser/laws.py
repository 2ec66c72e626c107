"""What must hold on every page of the lab, as functions of an open page: each returns what is against it."""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from served import PATIENCE, wait_for_rest

SHIFT = 0.05  # of all layout shifts together: 1 is the whole window, moved by its size
# How far what is seen moves while the page opens; the browser's own measure.
WATCH = """
window.moved = [];
new PerformanceObserver((list) => {
  for (const { value, sources } of list.getEntries()) {
    moved.push([value, sources.map(({ node }) => (node?.closest ? node : node?.parentElement)?.className ?? "")]);
  }
}).observe({ type: "layout-shift", buffered: true });
"""
axe = Axe()


class Witness:
    """Records what a page complains of and which machines it asks. Create it before the page is opened."""

    def __init__(self, page: Page) -> None:
        self.errors: list[str] = []
        self.hosts: set[str] = set()
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))

    def _said(self, message: Any) -> None:
        # Streamlit first asks below a page's path whether its server is there, then at the root: a 404.
        if "Content Security" in message.text or (message.type == "error" and "404" not in message.text):
            self.errors.append(message.text)

    def foreign(self, address: str) -> set[str]:
        """The hosts that were asked beside the lab."""
        return self.hosts - {urlsplit(address).netloc, ""}


def wait_until(page: Page, condition: str) -> None:
    """Until this JavaScript expression is true. Unlike wait_for_function it works under the lab's content policy."""
    give_up = time.monotonic() + PATIENCE / 1000
    while not page.evaluate(condition):
        assert time.monotonic() < give_up, f"never true: {condition}"
        page.wait_for_timeout(50)


def movements(page: Page) -> list[Any]:
    """What was seen and moved while the page opened, if it moved far enough to be noticed. Needs WATCH."""
    page.locator("html[data-open]").wait_for(timeout=PATIENCE, state="attached")
    moved: list[Any] = page.evaluate("window.moved")
    return moved if sum(value for value, _ in moved) > SHIFT else []


def serious_barriers(page: Page, **options: Any) -> list[Any]:
    """What axe finds serious or worse on the page at rest."""
    page.wait_for_timeout(200)  # the address changes before the run begins
    wait_for_rest(page)
    expect(page.locator("[data-stale=true]")).to_have_count(0, timeout=PATIENCE)  # figures on their way out are pale
    wait_until(page, "document.getAnimations().every((one) => one.playState === 'finished')")
    if not page.evaluate("'axe' in window"):  # once for each document: half a megabyte of script
        page.evaluate(axe.axe_script)
    violations = page.evaluate(
        "async (options) => (await axe.run(options)).violations", {"resultTypes": ["violations"], **options}
    )
    return [
        (violation["id"], [node["target"] for node in violation["nodes"]])
        for violation in violations
        if violation["impact"] in ("serious", "critical")
    ]


def wider_than_screen(page: Page) -> list[Any]:
    """The parts of the page that scroll sideways: (selector, width of the content)."""
    widths: list[Any] = page.evaluate(
        """() => ["html", "[data-testid=stMain]"].map((part) => [part, document.querySelector(part).scrollWidth])"""
    )
    return [(part, width) for part, width in widths if width > page.viewport_size["width"]]


def exceptions(page: Page) -> list[str]:
    """The tracebacks on the page."""
    return page.get_by_test_id("stException").all_inner_texts()


class Findings:
    """Collects what is against each law in each place, so that a test reports all of it at once."""

    def __init__(self) -> None:
        self.against: dict[str, Any] = {}

    def look(self, where: str, law: Callable[[], Any]) -> None:
        """Keep what this law finds there, if it finds anything."""
        if against := law():
            self.against[where] = against
