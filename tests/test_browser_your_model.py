"""A person brings a model of their own: from its folder to every page, in a browser."""

from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from foreign import made, publish
from playwright.sync_api import expect
from served import PATIENCE, wait_for_picture, wait_for_rest

expect.set_options(timeout=PATIENCE)
TEXT = "the dogs saw two very tired birds ."


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return publish(made("gpt2"), tmp_path_factory.mktemp("browser") / "little")


@pytest.fixture
def page(context):
    page = context.new_page()
    yield page
    page.close()


def look(page, address, folder):
    page.set_default_timeout(PATIENCE)
    page.goto(f"{address}/your-model")
    field = page.get_by_label("A folder on this machine")
    field.fill(str(folder))
    field.press("Enter")
    page.get_by_role("button", name="Look into the folder").click()
    expect(page.get_by_role("button", name="Load it")).to_be_visible()
    wait_for_rest(page)


def test_from_a_folder_to_the_heads_of_the_model_without_a_request_to_another_host(page, address, folder):
    hosts = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    look(page, address, folder)
    expect(page.get_by_text("own-little")).to_be_visible()
    serious = [
        (one["id"], [node["target"] for node in one["nodes"]])
        for one in Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    assert not serious
    page.get_by_role("button", name="Load it").click()
    page.locator(".st-key-into_own-little_heads button").click()
    wait_for_picture(page)
    assert "weights=own-little" in page.url
    expect(page.locator(".st-key-grid .lab")).to_be_visible()

    other = page.context.new_page()  # another visitor of the same server, by the link
    other.set_default_timeout(PATIENCE)
    other.goto(f"{address}/remove?weights=own-little&norm=false&text={quote(TEXT)}")
    expect(other.locator(".st-key-compare .lab[data-drawn]")).to_be_visible()
    expect(other.get_by_text("is not loaded on this server")).to_have_count(0)
    other.goto(f"{address}/your-model")
    other.get_by_role("button", name="Let go").click()
    expect(other.get_by_role("button", name="Let go")).to_have_count(0)
    other.goto(f"{address}/?weights=own-little")
    expect(other.get_by_text("is not loaded on this server")).to_be_visible()
    other.close()
    assert hosts == {address.removeprefix("http://")}


def test_on_a_phone_nothing_hangs_over_the_edge(narrow, address, folder):
    page = narrow.new_page()
    look(page, address, folder)
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
    page.close()
