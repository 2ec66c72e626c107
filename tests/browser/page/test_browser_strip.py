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
        if opens.page in ("machine", "inside", "masks", "heads"):
            assert page.get_by_role("textbox", name="Sentence").input_value() == TEXT
            assert "scale=false" in page.url, "the part that was removed stays removed"
        for value in opens.state.values():
            expect(page.get_by_role("radio", name=value, exact=True)).to_be_checked()


@pytest.mark.parametrize(
    ("link", "opens", "kept"),
    [
        ("/inside?scale=false&text=the+dog+sleeps+.", "Masks", {"scale": "false", "text": "the dog sleeps ."}),
        ("/?weights=stories&units=words&query=3", "Remove a part", {"weights": "stories"}),
        ("/masks?weights=stories&mask_kind=window", "Heads", {"weights": "stories"}),
    ],
)
def test_what_a_link_has_set_is_there_on_the_next_page_and_in_its_link(lab, link, opens, kept):
    """Also when nothing was clicked between: Streamlit itself keeps a value from its second run on."""
    lab.page.goto(f"{lab.address}{link}")
    lab.key("link").get_by_role("navigation").wait_for(timeout=PATIENCE)
    wait_for_rest(lab.page)
    lab.page.get_by_role("link", name=opens, exact=True).click()
    expect(lab.page.get_by_role("link", name=opens, exact=True)).to_have_attribute("aria-current", "page")
    lab.page.wait_for_url(lambda url: all(f"{name}={value.replace(' ', '+')}" in url for name, value in kept.items()))
    wait_for_rest(lab.page)
    shown = {name: value for name, value in lab.link().items() if name in kept}
    assert shown == kept and "mask_kind" not in lab.link()


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_the_strip_is_one_line_of_at_most_five_per_cent_of_the_screen(lab, width, height):
    page = lab.page
    page.set_viewport_size({"width": width, "height": height})
    page.goto(f"{lab.address}/masks")
    strip = lab.key("link").get_by_role("navigation")
    expect(strip.locator("[aria-current]")).to_be_in_viewport(ratio=1)
    box, header = strip.bounding_box(), page.get_by_test_id("stHeader").bounding_box()
    assert box["height"] <= 0.05 * height
    assert box["y"] >= header["y"] + header["height"] - 6, "the bar above covers none of its letters"
    if width == 1440:
        assert strip.evaluate("e => e.scrollWidth <= e.clientWidth"), "every part is in sight"
    page.goto(f"{lab.address}/masks?present=stages")
    page.wait_for_function("document.documentElement.dataset.stage", timeout=PATIENCE)
    expect(strip).to_be_hidden()
