"""Long texts, small windows and wide models: nothing is cut, hidden, overprinted or left without a name."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from playwright.sync_api import expect
from served import PATIENCE, wait_for_picture, wait_for_rest

expect.set_options(timeout=PATIENCE)
SVG = "{http://www.w3.org/2000/svg}"
LONG = (
    "The old farmer who lived by the river told his children that the winter would be long and cold and that they "
    "should bring the wood into the house before the snow came"
)


@pytest.fixture
def page(context):
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    yield page
    page.close()


def drawn(page, key):
    """The texts of a figure's file, each with its place: (text, x, y, size)."""
    root = ElementTree.fromstring(page.evaluate("key => attentionLab.drawings.get(key)()", key))
    return [
        ("".join(text.itertext()), *(float(text.get(name)) for name in ("x", "y", "font-size")))
        for text in root.iter(f"{SVG}text")
    ]


def test_the_strip_of_a_long_text_fades_where_it_goes_on_and_begins_at_a_word(page, address):
    page.goto(f"{address}/?weights=stories&text={LONG}")
    wait_for_picture(page)
    strip = page.locator(".st-key-sentence .scroll")
    assert strip.evaluate("node => node.scrollWidth > node.clientWidth")
    starts = strip.evaluate("node => [...node.querySelectorAll('.queries .word')].map((word) => word.offsetLeft)")
    assert strip.evaluate("node => node.scrollLeft") in starts
    strip.evaluate("node => node.scrollTo(0, 0)")
    expect(strip).to_have_attribute("data-after", "")
    expect(strip).not_to_have_attribute("data-before", "")
    strip.evaluate("node => node.scrollTo(1e6, 0)")
    expect(strip).to_have_attribute("data-before", "")
    expect(strip).not_to_have_attribute("data-after", "")


def test_at_390_pixels_the_strip_opens_at_its_start_or_where_the_pinned_word_is_seen(narrow, address):
    page = narrow.new_page()
    strip = page.locator(".st-key-sentence .scroll")
    for link, pinned in (("", None), ("&query=2", 2), ("&query=20", 20)):
        page.goto(f"{address}/?weights=stories&text={LONG}{link}")
        wait_for_picture(page)
        begins = strip.evaluate("node => node.scrollLeft")
        if pinned is None:
            assert begins == 0
            continue
        word, window = strip.locator(".queries .word").nth(pinned).bounding_box(), strip.bounding_box()
        assert window["x"] <= word["x"] and word["x"] + word["width"] <= window["x"] + window["width"]
        assert (begins > 0) == (pinned == 20), "as little as possible from its start"
    page.close()


def test_twelve_heads_are_numbered_on_the_page_and_in_the_file(page, address, tmp_path):
    weights = np.tril(np.ones((12, 12, 6, 6)))
    np.savez(tmp_path / "maps.npz", attention=weights / weights.sum(-1, keepdims=True), tokens=list("abcdef"))
    page.goto(f"{address}/your-model")
    page.locator(".st-key-npz input[type=file]").set_input_files(tmp_path / "maps.npz")
    page.locator(".st-key-grid .lab[data-drawn]").wait_for()
    wait_for_rest(page)
    numbers = [text for text in drawn(page, "grid") if re.fullmatch(r"\d+", text[0])]
    row = [text for text in numbers if text[2]]  # those of the layers stand at the origin of their own group
    assert [text for text, *_ in row] == [str(head) for head in range(12)]
    name, x, *_ = row[5]
    page.locator(".st-key-grid .lab").click(position={"x": x, "y": 30})  # the map below a number is of that head
    expect(page.locator(f".st-key-grid [aria-label='Layer 0, head {name}']")).to_have_attribute("aria-pressed", "true")


def test_the_names_in_the_file_of_a_grid_do_not_run_into_each_other(narrow, address):
    page = narrow.new_page()
    page.goto(address)
    wait_for_picture(page)
    named = [text for text in drawn(page, "grid")[1:] if not text[0].startswith("layer")]
    assert len(named) > 12, "some names have several lines"
    for text, x, y, size in named:
        assert not [
            other for other, left, below, _ in named if left == x and 0 < abs(below - y) < 1.1 * size and other != text
        ]
    columns = sorted({x for _, x, *_ in named})
    for text, x, _, size in named:
        following = [other for other in columns if other > x]
        width = page.evaluate(
            "([text, size]) => { const pen = new OffscreenCanvas(1, 1).getContext('2d');"
            "pen.font = `650 ${size}px system-ui, 'DejaVu Sans', sans-serif`; return pen.measureText(text).width; }",
            [text, size],
        )
        assert not following or width <= following[0] - x + 1, f"{text} reaches the next column"
    page.close()


def test_at_200_percent_every_choice_is_seen_without_scrolling_sideways(page, address):
    page.set_viewport_size({"width": 720, "height": 450})
    for path, key in (("", "stage"), ("masks", "mask_kind")):
        page.goto(f"{address}/{path}")
        choices = page.locator(f".st-key-{key} [role=radiogroup]")
        choices.wait_for()
        wait_for_rest(page)
        assert choices.evaluate("node => node.scrollWidth <= node.clientWidth + 1"), key


def test_a_text_area_shows_whole_lines(page, address):
    page.goto(address)
    wait_for_picture(page)
    lines = page.locator("textarea").first.evaluate(
        "node => { const style = getComputedStyle(node);"
        "return (node.clientHeight - parseFloat(style.paddingTop)) / parseFloat(style.lineHeight); }"
    )
    assert lines == pytest.approx(round(lines), abs=0.1)


def test_a_figure_alone_that_does_not_exist_is_announced_at_once_and_refused_soon(page, address):
    page.goto(f"{address}/?figure=nothing", wait_until="commit")
    page.wait_for_function("getComputedStyle(document.body, '::before').content.includes('is being drawn')")
    page.get_by_text("There is no figure “nothing” on this page").wait_for()
    assert page.evaluate("getComputedStyle(document.body, '::before').content") == "none"


def test_the_poster_keeps_the_emphasis_of_a_caption(page, address):
    page.goto(address)
    wait_for_picture(page)
    strong = page.locator(".st-key-save_enlarged .reading strong").all_inner_texts()
    assert strong
    page.evaluate("() => { window.print = () => {}; dispatchEvent(new Event('beforeprint')); }")
    emphasised = page.locator("#attention-lab-paper tspan[font-weight='600']").all_text_contents()
    assert set(strong) <= set(emphasised)
