"""The sections on scaling and on norms under a person's hand: sliding, keys, the address, files, a narrow screen."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from equal import same_bits
from playwright.sync_api import expect
from served import PATIENCE, saved, serve, wait_for_rest
from tabs import SharedPages

from model.analysis.score_scaling import WIDTHS, sweep_widths
from viz.theme import LIGHT

expect.set_options(timeout=PATIENCE)
# The sections by themselves: what is tried here does not depend on the page that holds them.
SCRIPT = """
import streamlit as st
from viz.app import shell
from viz.pages.remove import batch_norm, score_scaling
shell.open_frame()
if st.query_params.get("view") == "norms":
    batch_norm.show("grammar")
else:
    score_scaling.show("grammar", 1, 2)
"""


@pytest.fixture(scope="module")
def sections(chrome, tmp_path_factory):
    script = tmp_path_factory.mktemp("sections") / "app.py"
    script.write_text(SCRIPT, encoding="utf-8")
    with serve(script) as address:
        yield address


class Slide:
    """One visitor at the slider."""

    def __init__(self, page, address):
        self.page, self.address = page, address
        self.sent, self.complaints = [], []
        page.on("websocket", lambda socket: socket.on("framesent", lambda frame: self.sent.append(frame)))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)

    def open(self, query=""):
        self.page.goto(f"{self.address}/?{query}")
        self.page.locator(".st-key-saturation .lab[data-drawn]").wait_for(timeout=PATIENCE)
        wait_for_rest(self.page)
        return self

    @property
    def lab(self):
        return self.page.locator(".st-key-saturation .lab")

    @property
    def range(self):
        return self.lab.locator("input[type=range]")

    @property
    def d_k(self):
        return int(re.sub(r"\D", "", self.lab.locator(".width").inner_text()))

    def drag(self, step):
        """Move the thumb without letting go."""
        self.range.evaluate(
            "(range, at) => { range.value = at; range.dispatchEvent(new Event('input', { bubbles: true })); }",
            WIDTHS.index(step),
        )

    def release(self):
        self.range.evaluate("range => range.dispatchEvent(new Event('change', { bubbles: true }))")

    def cells(self, side):
        """The colours of the rows of weights: 0 without the division, 1 with it."""
        cells = self.lab.locator("svg g").nth(side).locator("rect:not([fill=none])")
        return cells.evaluate_all("cells => cells.map(cell => cell.getAttribute('fill'))")


def well(slide):
    expect(slide.page.get_by_test_id("stException")).to_have_count(0)
    assert not slide.complaints


@pytest.fixture
def slide(context, sections):
    slide = Slide(context.new_page(), sections)
    yield slide
    well(slide)
    slide.page.close()


@pytest.fixture(scope="module")
def shared(context, sections):
    pages = SharedPages(lambda: Slide(context.new_page(), sections))
    yield pages
    pages.close()


@pytest.fixture
def held(shared):
    """The slider of the page as it opens, for the tests that never let go of it."""
    yield shared.open()
    for slide in shared.take_back():
        well(slide)


def test_every_step_is_drawn_without_a_word_to_the_server(held):
    held.sent.clear()
    for step in reversed(WIDTHS):
        held.drag(step)
        assert held.d_k == step
    held.page.wait_for_timeout(600)
    assert not held.sent


def test_the_darkest_cell_of_a_row_is_its_largest_weight(held):
    for index in (0, 6, 10):
        held.drag(WIDTHS[index])
        step = sweep_widths()[index]
        for side, rows in enumerate((step.undivided.rows, step.divided.rows)):
            light = [sum(int(fill[i : i + 2], 16) for i in (1, 3, 5)) for fill in held.cells(side)]
            light = np.array(light).reshape(rows.shape)
            assert same_bits(np.take_along_axis(light, rows.argmax(-1)[:, None], 1)[:, 0], light.min(-1))
            assert set(light[rows < 0.002].tolist()) <= {light.max()}, "no weight, no ink"


def test_without_the_division_each_row_ends_as_a_single_dark_cell(held):
    held.drag(1024)
    dark = [fill == LIGHT.weights[-1] for fill in held.cells(0)]
    assert sum(dark) >= 9
    assert not any(fill == LIGHT.weights[-1] for fill in held.cells(1))


def test_the_curve_beside_the_bars_is_the_normal_one(held):
    for step in (16, 256, 1024):
        held.drag(step)
        path = held.lab.locator("svg > path").first.get_attribute("d")
        points = np.array([[float(part) for part in point.split()] for point in path[1:].split("L")])
        middle, base = points[:, 0].mean(), held.lab.locator("svg > line").first.get_attribute("y1")
        width = float(held.lab.locator("svg > line").first.get_attribute("x2"))
        scores = (points[:, 0] - middle) / (width / 2) * 96
        height = float(base) - points[:, 1]
        expected = np.exp(-(scores**2) / (2 * step)) * height.max()
        np.testing.assert_allclose(height, expected, atol=1.5 + 0.02 * height.max())


def test_a_step_is_drawn_before_the_event_of_the_slider_ends(held):
    """How long that takes is measured in tests/bench/browser.py."""
    drawn = held.range.evaluate(
        """range => {
            const lab = range.closest(".lab");
            const drawn = [];
            for (let step = 0; step <= 10; step++) {
                range.value = step;
                range.dispatchEvent(new Event("input", { bubbles: true }));
                drawn.push(lab.textContent);
            }
            return drawn;
        }"""
    )
    assert len(set(drawn)) == 11


def test_letting_go_writes_the_step_into_the_address_once_and_leaves_the_slider_there(slide):
    slide.open()
    slide.drag(512)
    slide.release()
    slide.page.wait_for_url(re.compile("d_k=512"), timeout=PATIENCE)
    wait_for_rest(slide.page)
    assert slide.d_k == 512
    slide.open("d_k=512")
    assert slide.d_k == 512


def test_the_answer_of_the_server_does_not_pull_a_hand_that_moved_on(slide):
    slide.open()
    slide.drag(16)
    slide.release()
    slide.page.wait_for_timeout(230)  # sent, not yet answered
    slide.drag(1024)
    slide.page.wait_for_url(re.compile("d_k=16"), timeout=PATIENCE)
    wait_for_rest(slide.page)
    slide.page.wait_for_timeout(300)
    assert slide.d_k == 1024


def test_the_arrow_keys_move_the_slider_and_what_is_read_aloud(slide):
    slide.open("d_k=4")
    slide.range.focus()
    slide.page.keyboard.press("ArrowRight")
    assert slide.d_k == 8
    expect(slide.lab.locator("[aria-live]")).to_contain_text("= 8 without the division")
    slide.page.keyboard.press("End")
    assert slide.d_k == 1024
    slide.page.wait_for_url(re.compile("d_k=1024"), timeout=PATIENCE)
    assert slide.range.get_attribute("aria-valuetext") == "1024"


def test_the_figure_is_saved_as_it_stands(held):
    held.drag(256)
    drawing = ElementTree.fromstring(saved(held.page, "saturation", "SVG").path().read_bytes())
    text = "".join(drawing.itertext()).replace("\u200b", "")
    assert "N(0, dk = 256)" in text
    assert "Without the division" in text
    assert len(list(drawing.iter("{http://www.w3.org/2000/svg}rect"))) > 2 * 12 * 16


def test_a_click_replaces_another_sentence(context, sections):
    page = context.new_page()
    page.goto(f"{sections}/?view=norms")
    page.locator(".st-key-moved_batch .js-plotly-plot").wait_for(timeout=PATIENCE)
    page.get_by_role("radio", name="5").or_(page.get_by_role("button", name="5", exact=True)).first.click()
    page.wait_for_url(re.compile("replaced=5"), timeout=PATIENCE)
    wait_for_rest(page)
    expect(page.locator(".st-key-save_moved_layer .reading")).to_contain_text("exactly 0")
    expect(page.get_by_text("Sentence 5 was")).to_be_visible()
    page.close()
