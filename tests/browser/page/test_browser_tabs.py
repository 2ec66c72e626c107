"""A tab that a test has left is, for the next test, as a new one."""

import pytest
from tabs import Profile

EMPTY = {"url": "about:blank", "history": 1, "width": 640, "dark": False, "print": False}
STATE = """() => ({ url: location.href, history: history.length, width: innerWidth,
  dark: matchMedia("(prefers-color-scheme: dark)").matches, print: matchMedia("print").matches })"""


@pytest.fixture
def profile(chrome):
    context = chrome.new_context(viewport={"width": 640, "height": 480}, color_scheme="light")
    yield Profile(context)
    context.close()


def test_a_tab_is_used_again_and_nothing_of_the_test_before_is_left_in_it(profile, address):
    requests, page = [], profile.new_page()
    page.on("request", lambda request: requests.append(request.url))
    page.route("**/never", lambda route: route.abort())
    page.set_viewport_size({"width": 1000, "height": 480})
    page.emulate_media(media="print", color_scheme="dark")
    page.set_default_timeout(1)
    for path in ("health", "host-config"):
        page.goto(f"{address}/_stcore/{path}", timeout=60_000)
    page.evaluate("sessionStorage.setItem('left', 'behind')")
    assert len(requests) == 2
    page.close()

    again = profile.new_page()
    assert again.page is page.page
    assert again.evaluate(STATE) == EMPTY
    assert again.go_back() is None and again.url == "about:blank"
    again.goto(f"{address}/_stcore/health")  # would take longer than the timeout of the test before
    assert again.evaluate("sessionStorage.length") == 0
    assert again.evaluate("fetch('/never').then(({ status }) => status)") == 200, "no route of the test before"
    assert len(requests) == 2, "nor does it listen any more"
    again.close()
    again.close()
    assert profile.new_page().page is not profile.new_page().page, "closed twice, given back once"


def test_a_tab_with_a_script_of_its_own_is_not_used_again(profile):
    page = profile.new_page()
    page.add_init_script("window.mine = 1")
    page.close()
    assert page.page.is_closed()
    assert profile.new_page().evaluate("window.mine") is None
