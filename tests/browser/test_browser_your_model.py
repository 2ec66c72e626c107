"""A person brings a model of their own: from its folder to every page, in a browser."""

import json
import struct
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from foreign import edit, publish, random_model
from playwright.sync_api import expect
from served import PATIENCE, wait_for_picture, wait_for_rest

expect.set_options(timeout=PATIENCE)
TEXT = "the dogs saw two very tired birds ."


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return publish(random_model("gpt2"), tmp_path_factory.mktemp("browser") / "little")


@pytest.fixture
def page(context):
    page = context.new_page()
    yield page
    page.close()


@pytest.fixture
def slow_to_look_into(tmp_path):
    """A folder whose look takes half a minute of a processor: many parts, each with a header that is long to read."""
    folder = publish(random_model("gpt2"), tmp_path / "slow")
    (folder / "model.safetensors").rename(folder / "whole.safetensors")
    number = "2.2250738585072011360574097967091e-308,"  # of the numbers that take longest to read
    header = ('{"__metadata__":[' + number * (30 * 10**6 // len(number)) + "1]}").encode()
    (folder / "header.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)
    parts = [f"part-{number}.safetensors" for number in range(16)]
    for name in parts:
        (folder / name).symlink_to(folder / "header.safetensors")
    index = {str(number): name for number, name in enumerate(["whole.safetensors", *parts])}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}), encoding="utf-8")
    return folder


@pytest.fixture
def slow_to_load(tmp_path):
    """A folder whose tokenizer takes a minute to try: the time of its pattern grows with the third power of a text."""
    folder = publish(random_model("gpt2"), tmp_path / "slow")
    split = {"type": "Split", "pattern": {"Regex": "a*a*b"}, "behavior": "Isolated", "invert": False}
    edit(folder / "tokenizer.json", pre_tokenizer=split)
    return folder


def inspected(page, folder):
    """Name a folder and have it looked into."""
    field = page.get_by_label("A folder on this machine")
    field.fill(str(folder))
    field.press("Enter")
    page.get_by_role("button", name="Read the folder").click()


def opened_and_let_go(page, folder):
    """Another model is looked into, loaded and let go."""
    inspected(page, folder)
    page.locator("td", has_text="own-little").wait_for()  # until then the button loads what was looked into before
    page.get_by_role("button", name="Load it").click()
    expect(page.get_by_text("Nothing was kept")).to_have_count(0)
    page.locator(".st-key-into_own-little_heads button").wait_for()
    page.get_by_role("button", name="Unload").click()
    expect(page.get_by_role("button", name="Unload")).to_have_count(0)


def look(page, address, folder):
    page.set_default_timeout(PATIENCE)
    page.goto(f"{address}/your-model")
    inspected(page, folder)
    expect(page.get_by_role("button", name="Load it")).to_be_visible()
    wait_for_rest(page)


def test_from_a_folder_to_the_heads_of_the_model_without_a_request_to_another_host(page, address, folder):
    hosts = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    look(page, address, folder)
    expect(page.get_by_text("own-little")).to_be_visible()
    serious = [
        (violation["id"], [node["target"] for node in violation["nodes"]])
        for violation in Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        if violation["impact"] in ("serious", "critical")
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
    other.get_by_role("button", name="Unload").click()
    expect(other.get_by_role("button", name="Unload")).to_have_count(0)
    other.goto(f"{address}/?weights=own-little")
    expect(other.get_by_text("is not loaded on this server")).to_be_visible()
    other.close()
    assert hosts == {address.removeprefix("http://")}


def test_on_a_phone_nothing_hangs_over_the_edge(narrow, address, folder):
    page = narrow.new_page()
    look(page, address, folder)
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
    page.close()


def test_a_look_that_is_stopped_says_so_and_the_next_folder_is_opened(page, address, folder, slow_to_look_into):
    page.set_default_timeout(PATIENCE)
    page.goto(f"{address}/your-model")
    inspected(page, slow_to_look_into)
    page.get_by_text("Reading the folder, 1 s").wait_for()
    page.locator(".st-key-stop_look button").click()
    expect(page.get_by_text("Stopped. Nothing was kept.")).to_be_visible()
    expect(page.locator(".st-key-stop_look")).to_have_count(0)
    expect(page.get_by_role("button", name="Load it")).to_have_count(0)
    opened_and_let_go(page, folder)


def test_a_look_that_another_click_ends_says_so_too(page, address, folder, slow_to_look_into):
    page.set_default_timeout(PATIENCE)
    page.goto(f"{address}/your-model")
    inspected(page, slow_to_look_into)
    page.locator(".st-key-stop_look button").wait_for()
    field = page.get_by_label("A folder on this machine")
    field.fill(str(folder))
    field.press("Enter")
    expect(page.get_by_text("Stopped. Nothing was kept.")).to_be_visible()
    page.get_by_role("button", name="Read the folder").click()
    expect(page.get_by_role("button", name="Load it")).to_be_visible()
    expect(page.get_by_text("Stopped. Nothing was kept.")).to_have_count(0)


def test_a_loading_that_is_stopped_says_so_and_the_next_folder_is_opened(page, address, folder, slow_to_load):
    look(page, address, slow_to_load)
    page.get_by_role("button", name="Load it").click()
    page.locator(".st-key-stop button").click()
    expect(page.get_by_text("Stopped. Nothing was kept.")).to_be_visible()
    opened_and_let_go(page, folder)
