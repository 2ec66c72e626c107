"""Writing on under a person's hand: play, watch the heads follow, stop, and nothing is lost."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import expect
from served import PATIENCE, wait_for_picture, wait_for_rest

OPENING = "Once upon a time there was a"


@pytest.fixture
def page(context, address):
    page = context.new_page()
    page.goto(
        f"{address}/?{urlencode({'weights': 'stories', 'text': OPENING, 'panel': 'Generate', 'seed': 4})}",
        timeout=PATIENCE,
    )
    wait_for_picture(page)
    yield page
    page.close()


def heads(page):
    """How many pieces the sentence above the heads has."""
    return page.locator(".st-key-sentence .queries .word").count()


def test_playing_writes_word_after_word_until_it_is_stopped(page):
    before, box = heads(page), page.get_by_role("textbox", name="Sentence")
    page.get_by_role("button", name="Play", exact=True).click()
    page.locator(".st-key-sentence .queries .word").nth(before + 2).wait_for(timeout=PATIENCE)
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible(timeout=PATIENCE)
    wait_for_rest(page)
    written, pieces = box.input_value(), heads(page)
    assert written.startswith(OPENING) and len(written) > len(OPENING)
    page.wait_for_timeout(1500)  # three ticks in which nothing may be written any more
    assert (box.input_value(), heads(page)) == (written, pieces)
    assert parse_qs(urlsplit(page.url).query)["text"] == [written]

    page.get_by_role("button", name="Step", exact=True).click()
    expect(page.locator(".st-key-sentence .queries .word")).to_have_count(pieces + 1, timeout=PATIENCE)
    assert box.input_value().startswith(written)
