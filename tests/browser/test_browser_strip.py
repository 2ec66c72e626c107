"""The strip of parts at the head of every page: in one line, lit where the page is, and the way to every part."""

import re

import pytest
from playwright.sync_api import expect
from served import PATIENCE, wait_for_rest
from test_browser import Lab, left_well

from viz.ui.links.part_pages import STRIP

expect.set_options(timeout=PATIENCE)
TEXT = "the cat near the dogs sleeps ."


@pytest.fixture
def lab(context, address):
    lab = Lab(context.new_page(), address)
    yield lab
    left_well(lab)


def test_a_click_on_each_part_opens_its_page_with_the_same_text_and_lights_the_part(lab):
    page = lab.page
    page.goto(f"{lab.address}/inside?text={TEXT.replace(' ', '+')}&scale=false&view=QK+spectrum")
    strip = lab.key("link").get_by_role("navigation", name="Parts of a Transformer")
    lit = strip.locator("[aria-current]")
    expect(lit).to_have_text(["q·k"])
    for name, (label, opens) in STRIP.items():
        strip.get_by_role("button", name=label, exact=True).click()
        expect(page.locator(f".st-key-link [data-part={name}][aria-current]")).to_be_visible()
        page.wait_for_url(re.compile("/[?]" if opens.page == "heads" else f"/{opens.page}[?]"))
        wait_for_rest(page)
        if opens.page != "translate":
            assert page.get_by_role("textbox", name="Sentence").input_value() == TEXT
            assert "scale=false" in page.url, "the part that was removed stays removed"
        for value in opens.state.values():
            expect(page.get_by_role("radio", name=value, exact=True)).to_be_checked()


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_the_strip_is_one_line_of_at_most_five_per_cent_of_the_screen(lab, width, height):
    page = lab.page
    page.set_viewport_size({"width": width, "height": height})
    page.goto(f"{lab.address}/masks")
    strip = lab.key("link").get_by_role("navigation")
    expect(strip.locator("[aria-current]")).to_be_in_viewport(ratio=1)
    assert strip.bounding_box()["height"] <= 0.05 * height
    if width == 1440:
        assert strip.evaluate("e => e.scrollWidth <= e.clientWidth"), "every part is in sight"
    page.goto(f"{lab.address}/masks?present=stages")
    page.wait_for_function("document.documentElement.dataset.stage", timeout=PATIENCE)
    expect(strip).to_be_hidden()
