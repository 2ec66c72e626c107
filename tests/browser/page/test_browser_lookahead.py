"""A click on a switch is answered ahead: every figure and every word at once, and as the server answers it."""

import random
import re

import pytest
from served import wait_for_rest

COUNTS = "globalThis.attentionLab.lookahead.counts"
# Everything that the main area shows: its words, also those inside components, and the pixels of every drawing.
SNAPSHOT = """() => {
  const shown = [];
  const walk = (node) => {
    if (node.nodeType === Node.TEXT_NODE) shown.push(node.data);
    if (node.nodeName === "CANVAS") shown.push(node.toDataURL());
    if (["STYLE", "SCRIPT"].includes(node.nodeName)) return;
    for (const child of node.shadowRoot ? [node.shadowRoot, ...node.childNodes] : node.childNodes) walk(child);
  };
  walk(document.querySelector('[data-testid="stMain"]'));
  return shown.filter((part) => part.trim());
}"""
# Keeps what is shown when a click has been answered ahead, before the browser paints: it listens after the lab.
LISTEN = f"""() => addEventListener("click", () => {{
  const {{ ahead }} = {COUNTS};
  window.ahead = ahead > (window.known ?? 0) ? ({SNAPSHOT})() : null;
  window.known = ahead;
}}, true)"""
APART = f"""() => {{
  const now = ({SNAPSHOT})();
  const length = Math.max(now.length, window.ahead.length);
  const differs = [...Array(length).keys()].filter((index) => now[index] !== window.ahead[index]);
  return differs.map((index) => [window.ahead[index], now[index]]);
}}"""
PARTS = ("scale", "mask", "position", "norm", "residual", "mlp")
# How many of eight clicks are answered ahead, at least. The others change more of the page than its figures.
LINKS = {"/heads": 8, "/machine?mask=false": 5, "/masks": 5}


def flip(page, part, *, by_key=False):
    """Click the label of a switch as a person does, or press Space on it; whether that was answered ahead."""
    if by_key:
        page.locator(f".st-key-{part} input").press("Space")
    else:
        page.locator(f".st-key-{part} label").first.click()
    return page.evaluate("window.ahead !== null")


def wait_until_ahead(page, part):
    """Until the page knows what it will show after a click on this switch."""
    known = """(part) => {
      const on = document.querySelector(`.st-key-${part} input`)?.checked;
      const next = new URLSearchParams(location.search);
      if (on) next.set(part, "false"); else next.delete(part);
      next.sort();
      return globalThis.attentionLab?.lookahead?.kept.has(`${location.pathname.split("/").at(-1)}?${next}`);
    }"""
    for _ in range(600):
        if page.evaluate(known, part):
            return
        page.wait_for_timeout(30)
    raise AssertionError(f"nothing is known ahead of a click on {part}")


@pytest.mark.parametrize("link", LINKS)
def test_what_is_drawn_ahead_is_what_the_server_answers_in_every_word_and_every_pixel(context, address, link):
    page, order, ahead = context.new_page(), random.Random(7), 0
    page.goto(address + link)
    for turn, part in enumerate([*order.sample(PARTS, 6), *order.sample(PARTS, 2)]):
        wait_until_ahead(page, part)
        if turn == 0:
            page.evaluate(LISTEN)
        if flip(page, part, by_key=turn % 4 == 3):
            ahead += 1
            wait_for_answer(page)
            assert not page.evaluate(APART), part
        else:
            wait_for_answer(page)
    assert page.evaluate(f"{COUNTS}.apart") == []
    assert ahead >= LINKS[link] and page.evaluate(f"{COUNTS}.compared") >= ahead
    page.close()


def test_after_a_click_that_was_answered_ahead_the_sentence_still_follows_the_pointer(context, address):
    page = context.new_page()
    page.goto(f"{address}/heads?query=5")
    wait_until_ahead(page, "mask")
    page.evaluate(LISTEN)
    assert flip(page, "mask")
    wait_for_answer(page)
    sentence = page.locator(".st-key-save_enlarged .reading")
    before = sentence.inner_text()
    page.locator(".st-key-sentence .word").nth(3).hover()
    page.locator(".st-key-save_enlarged .reading", has_text=re.compile("^who ")).wait_for()
    page.mouse.move(2, 2)
    page.locator(".st-key-save_enlarged .reading", has_text=before[:20]).wait_for()
    page.close()


def test_two_hundred_clicks_faster_than_the_answers_end_in_the_picture_of_the_last_state(context, address):
    page, order = context.new_page(), random.Random(11)
    page.goto(f"{address}/heads?layer=1&head=2&query=5")
    wait_until_ahead(page, "scale")
    for _ in range(200):
        page.locator(f".st-key-{order.choice(PARTS)} label").first.click(no_wait_after=True)
        page.wait_for_timeout(order.choice((0, 0, 0, 10, 30, 150)))
    wait_for_answer(page)
    wait_until_ahead(page, "scale")
    assert page.evaluate(f"{COUNTS}.apart") == []
    assert page.evaluate(f"{COUNTS}.ahead") > 5
    other = context.new_page()
    other.goto(page.url)
    wait_until_ahead(other, "scale")
    for _ in range(50):  # a busy machine draws the last figure somewhat later
        if page.evaluate(SNAPSHOT) == other.evaluate(SNAPSHOT):
            break
        page.wait_for_timeout(100)
    assert page.evaluate(SNAPSHOT) == other.evaluate(SNAPSHOT)
    other.close()
    page.close()


def wait_for_answer(page):
    page.wait_for_timeout(60)
    wait_for_rest(page)
    page.locator('[data-testid="stApp"]:not([data-ahead])').wait_for()
