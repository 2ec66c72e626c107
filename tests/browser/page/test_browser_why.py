"""“Why attention” in a real browser: the ends of a signal are dragged, moved by keys and by touch."""

import re

import pytest
from playwright.sync_api import expect
from served import PATIENCE, wait_for_rest
from test_browser import Lab, left_well


@pytest.fixture
def why(context, address):
    """The page, opened; when it closes it has met no traceback, no complaint and no stranger."""
    lab = Lab(context.new_page(), address)

    def opened(link=""):
        lab.page.goto(f"{address}/why{link}")
        lab.page.locator(".st-key-paths .lab[data-drawn]").wait_for(timeout=PATIENCE)
        wait_for_rest(lab.page)
        return lab

    yield opened
    left_well(lab)
    lab.page.close()


def end(lab, place):
    return lab.key("paths").get_by_role("slider", name=f"{place} token, drag along the sentence")


def middle(handle):
    box = handle.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_an_end_is_dragged_at_once_and_the_address_follows_when_it_is_let_go(why):
    lab = why("?from_token=2&to_token=5")
    (start, _), (x, y) = middle(end(lab, "from")), middle(end(lab, "to"))
    token = (x - start) / 3
    lab.page.mouse.move(x, y)
    lab.page.mouse.down()
    sent = len(lab.frames)
    lab.page.mouse.move(x + 2 * token, y, steps=5)
    expect(end(lab, "to")).to_have_attribute("aria-valuenow", "7")
    expect(lab.key("paths").get_by_role("img")).to_have_accessible_name(re.compile("tanh RNN: 6 steps"))
    assert len(lab.frames) == sent, "dragging needs no server"
    lab.page.mouse.up()
    lab.wait_for_link("to_token=7")
    expect(end(lab, "from")).to_have_attribute("aria-valuenow", "2")


def test_arrow_keys_move_an_end_and_stop_at_the_end_of_the_sentence(why):
    lab = why("?from_token=1&to_token=11")
    end(lab, "from").focus()
    for key, token in (("ArrowLeft", 0), ("ArrowLeft", 0), ("ArrowRight", 1), ("End", 12), ("Home", 0)):
        lab.page.keyboard.press(key)
        expect(end(lab, "from")).to_have_attribute("aria-valuenow", str(token))
    lab.wait_for_link("from_token=0")
    end(lab, "to").focus()
    lab.page.keyboard.press("End")
    lab.wait_for_link("to_token=12")


def test_a_finger_drags_an_end_on_a_phone_without_scrolling_the_page(narrow, address):
    lab = Lab(narrow.new_page(), address)
    lab.page.goto(f"{address}/why?from_token=2&to_token=5")
    lab.page.locator(".st-key-paths .lab[data-drawn]").wait_for(timeout=PATIENCE)
    wait_for_rest(lab.page)
    end(lab, "to").scroll_into_view_if_needed()
    (start, _), (x, y) = middle(end(lab, "from")), middle(end(lab, "to"))
    token = (x - start) / 3
    touch = narrow.new_cdp_session(lab.page)
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in (1, 2, 3):
        points = [{"x": x + step * token, "y": y}]
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": points})
    expect(end(lab, "to")).to_have_attribute("aria-valuenow", "8")
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    lab.wait_for_link("to_token=8")
    left_well(lab)
    lab.page.close()
