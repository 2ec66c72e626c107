"""Every page under the lab's own content security policy: nothing of it is refused, and nothing foreign is fetched."""

from urllib.parse import urlsplit

import pytest
from served import PATIENCE

LINKS = {
    "heads": "/",
    "rollout": "/?panel=Rollout",
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
    page.goto(address + LINKS[name])
    page.locator('[data-test-script-state="notRunning"]').wait_for(timeout=PATIENCE, state="attached")
    page.locator(".stBidiComponent, .stPlotlyChart").first.wait_for(timeout=PATIENCE, state="attached")
    page.wait_for_load_state("networkidle")  # what mounts last
    assert not complaints
    assert hosts <= {urlsplit(address).netloc, ""}
    assert page.locator('a[href*="evil"], img[src*="evil"]').count() == 0
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
