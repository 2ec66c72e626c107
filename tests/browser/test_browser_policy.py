"""Every page under the lab's own content security policy: nothing of it is refused, nothing foreign is fetched.

And nothing that is seen moves while the page opens.
"""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect
from served import PATIENCE

LINKS = {
    "heads": "/",
    "rollout": "/?panel=Rollout",
    "machine": "/machine",
    "inside": "/inside",
    "masks": "/masks",
    "positions": "/positions",
    "remove": "/remove?panel=Residual+stream",
    "scaling": "/remove?view=Why+√d_k",
    "translate": "/translate?method=beam",
    "your model": "/your-model",
    "lessons": "/lessons",
    "a figure alone": "/masks?figure=stages",
    "a link from a stranger": "/lessons?lesson=![x](https://evil.example/x.png)+www.evil.example",
}

PHONE = {"width": 390, "height": 844}
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


@pytest.fixture(scope="module")
def strict(chrome, address):
    """A browser profile that obeys the policy, unlike the one of the other tests."""
    context = chrome.new_context(viewport={"width": 1440, "height": 900})
    yield context
    context.close()


@pytest.mark.parametrize("name", LINKS)
def test_a_page_does_nothing_that_its_policy_forbids_and_asks_no_other_machine(strict, address, name):
    page = strict.new_page()
    complaints, hosts = [], set()
    page.on("console", lambda message: complaints.append(message.text) if "Content Security" in message.text else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.add_init_script(WATCH)
    page.goto(address + LINKS[name])
    page.locator('[data-test-script-state="notRunning"]').wait_for(timeout=PATIENCE, state="attached")
    page.locator(".stBidiComponent, .stPlotlyChart").first.wait_for(timeout=PATIENCE, state="attached")
    page.wait_for_load_state("networkidle")  # what mounts last
    assert not complaints
    assert hosts <= {urlsplit(address).netloc, ""}
    assert page.locator('a[href*="evil"], img[src*="evil"]').count() == 0
    stood_still(page)
    page.close()


def stood_still(page):
    """The page has opened by its own script, and nothing that was seen has moved."""
    page.locator("html[data-open]").wait_for(timeout=PATIENCE, state="attached")
    moved = page.evaluate("window.moved")
    assert sum(value for value, _ in moved) <= SHIFT, moved


@pytest.mark.parametrize("name", ["heads", "machine", "inside", "masks", "positions", "remove", "translate", "lessons"])
def test_nothing_moves_while_a_page_opens_on_a_phone(narrow, address, name):
    page = narrow.new_page()
    page.add_init_script(WATCH)
    page.goto(address + LINKS[name])
    stood_still(page)
    page.close()


def test_a_figure_that_never_comes_hides_the_page_for_some_seconds_only(context, address):
    page = context.new_page()
    page.route("**/figures/sentence.js*", lambda route: None)  # which never gets an answer
    page.goto(address)
    prose = page.get_by_test_id("stMarkdown").last
    prose.wait_for(timeout=PATIENCE, state="attached")
    hidden = page.evaluate("document.documentElement.dataset.open === undefined")
    assert hidden
    expect(prose).to_be_visible(timeout=PATIENCE)
    page.close()


def test_a_page_that_may_not_be_framed_is_not_and_a_single_figure_is(strict, address, tmp_path):
    """The page around it is a file, as slides are, so it has no origin that a policy could name."""
    page = strict.new_page()
    for path, shown in (("/masks", False), ("/your-model?figure=grid", False), ("/masks?figure=stages", True)):
        slide = tmp_path / "slide.html"
        slide.write_text(f'<iframe src="{address}{path}" width="800" height="600"></iframe>', encoding="utf-8")
        with page.expect_response(lambda answer, path=path: answer.url == f"{address}{path}"):
            page.goto(slide.as_uri())
        frame = page.frame_locator("iframe").locator("#root")
        if shown:
            frame.wait_for(timeout=PATIENCE, state="attached")
        else:
            page.wait_for_timeout(1500)
            assert frame.count() == 0, path
    page.close()
