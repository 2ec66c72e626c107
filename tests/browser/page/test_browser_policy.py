"""A page whose figure never comes is shown after some seconds, and only a single figure may be framed.

That every page obeys the content security policy and stands still is in test_browser_every_page.py.
"""

import pytest
from playwright.sync_api import expect
from served import PATIENCE

HURRY = 5  # how many times as fast as for a person the clock of the page runs where it waits some seconds


@pytest.fixture(scope="module")
def strict(chrome, address):
    """A browser profile that obeys the policy, unlike the one of the other tests."""
    context = chrome.new_context(viewport={"width": 1440, "height": 900})
    context.new_page().goto(f"{address}/_stcore/health")  # stays open: window and process are not made for each test
    yield context
    context.close()


def test_a_figure_that_never_comes_hides_the_page_for_some_seconds_only(context, address):
    page = context.new_page()
    page.add_init_script(f"const now = performance.now.bind(performance); performance.now = () => {HURRY} * now()")
    page.route("**/figures/sentence.js*", lambda route: None)  # which never gets an answer
    page.goto(address)
    page.locator('[data-test-script-state="notRunning"]').wait_for(timeout=PATIENCE, state="attached")
    prose = page.get_by_test_id("stMarkdown").last
    prose.wait_for(timeout=PATIENCE, state="attached")
    assert prose.is_hidden()
    expect(prose).to_be_visible(timeout=PATIENCE / HURRY)
    page.close()


def test_a_part_waits_for_those_above_it_for_as_long_as_python_computes(context, address):
    page = context.new_page()
    page.add_init_script("const now = performance.now.bind(performance); performance.now = () => 1000 * now()")
    page.goto(f"{address}/translate?panel=Accuracy+by+length")
    page.locator("html[data-open]").wait_for(timeout=PATIENCE, state="attached")
    assert page.locator(".stBidiComponent").count() and not page.get_by_test_id("stSkeleton").count()
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
