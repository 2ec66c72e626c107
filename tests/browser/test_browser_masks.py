"""“Masks” under a person's hand: draw, slide, click a word, guess; the link carries it all, and nothing goes out."""

import re
from urllib.parse import urlencode

import numpy as np
import pytest
from equal import differ, same_bits
from playwright.sync_api import expect
from served import PATIENCE, wait_for_rest
from test_browser import Lab, left_well

from model import Experiment, run
from model.mask import MaskSpec, mask_from_hex
from viz.ui.controls import EXAMPLE

expect.set_options(timeout=PATIENCE)
T = 13


class Board(Lab):
    """One visitor of this page."""

    def open(self, **parameters):
        self.page.goto(f"{self.address}/masks?{urlencode(parameters)}")
        self.page.get_by_role("heading", level=1).wait_for(timeout=PATIENCE)
        self.page.locator(".lab[data-drawn]").first.wait_for(timeout=PATIENCE)
        wait_for_rest(self.page)
        return self

    def lab(self, key="stages"):
        return self.key(key).locator(".lab")

    def values(self, panel, key="stages"):
        """The numbers (T, T) that a map on the screen is painted from; NaN where nothing is allowed."""
        sent = self.lab(key).evaluate("root => [...root.view.values].map(String)")
        return np.array([float(value.replace("Infinity", "inf")) for value in sent]).reshape(-1, T, T)[panel]

    def cell(self, row, column, panel=1, key="stages"):
        """The middle of a cell, in pixels of the page."""
        self.lab(key).scroll_into_view_if_needed()
        return self.lab(key).evaluate(
            """(root, [panel, row, column]) => {
                const { place } = root.view;
                const box = root.getBoundingClientRect();
                const x = place.left + (panel % place.columns) * place.across;
                const y = place.top + Math.floor(panel / place.columns) * place.block + place.above;
                return [box.left + x + (column + 0.5) * place.cell, box.top + y + (row + 0.5) * place.cell];
            }""",
            [panel, row, column],
        )

    def stroke(self, cells, **where):
        """Press on the first cell, move over the others, let go."""
        for number, (row, column) in enumerate(cells):
            self.page.mouse.move(*self.cell(row, column, **where))
            if number == 0:
                self.page.mouse.down()
        self.page.mouse.up()


@pytest.fixture
def board(context, address):
    board = Board(context.new_page(), address)
    yield board
    left_well(board)
    board.page.close()


def test_drawing_on_the_mask_runs_the_model_with_it_and_the_link_carries_it(board):
    board.open(layer=1, head=3)
    before = board.values(3)
    board.stroke([(10, 2), (10, 3), (10, 4)])
    board.wait_for_link("mask_kind=custom")
    board.page.wait_for_url(re.compile("mask_rows="), timeout=PATIENCE)
    expected = np.tri(T, dtype=bool)
    expected[10, 2:5] = False
    looks = mask_from_hex(board.link()["mask_rows"])
    assert same_bits(looks.build(T).numpy(), expected)
    expect(board.key("mask_means")).to_contain_text("You draw the mask")
    wait_for_rest(board.page)
    attention = run(Experiment(text=EXAMPLE, mask_spec=looks)).layers[1].attention
    after = board.values(3)
    assert same_bits(np.isnan(after), ~expected)
    np.testing.assert_allclose(after[expected], attention.weights[3][expected], atol=1e-6)
    assert differ(after[10], before[10])
    board.stroke([(10, 2)])  # a second stroke gives one of them back
    board.page.wait_for_url(lambda url: looks.hex_rows not in url, timeout=PATIENCE)
    expected[10, 2] = True
    board.open(**board.link())
    assert same_bits(board.values(1).astype(bool), expected)


def test_a_row_emptied_by_hand_is_explained(board):
    board.open(mask_kind="window", mask_size=2)
    board.stroke([(0, 0), (0, 1)])
    board.page.wait_for_url(re.compile("mask_kind=custom"), timeout=PATIENCE)
    expect(board.lab("save_stages")).to_contain_text("sets the row to zero")


def test_the_slider_shows_every_number_without_a_word_to_the_server_and_tells_it_when_let_go(board):
    board.open(mask_kind="window", layer=0, head=1)
    slider = board.lab().locator("input[type=range]")
    expect(slider).to_be_visible()
    board.frames.clear()
    for number in (7, 2, T):
        slider.evaluate("(range, at) => { range.value = at; range.dispatchEvent(new Event('input')); }", number - 1)
        assert same_bits(board.values(1).astype(bool), MaskSpec("window", number).build(T).numpy())
    board.page.wait_for_timeout(400)
    assert "sent" not in board.frames
    slider.evaluate("range => { range.value = 4; range.dispatchEvent(new Event('input')); }")
    slider.evaluate("range => range.dispatchEvent(new Event('change'))")
    board.wait_for_link("mask_size=5")
    expect(board.lab().locator(".number")).to_contain_text("5")
    allowed = MaskSpec("window", 5).build(T).numpy()
    weights = run(Experiment(text=EXAMPLE, mask_spec=MaskSpec("window", 5))).layers[0].attention.weights[1]
    np.testing.assert_allclose(board.values(3)[allowed], weights[allowed], atol=1e-5)


def test_a_click_on_a_word_edits_it_and_the_past_stays_dark_until_the_mask_goes(board):
    board.open()
    canvas = board.lab("leaks").locator("canvas")
    expect(canvas).to_have_attribute("aria-label", re.compile(r"^⟨start⟩ 0, the 0, person 0, who 0, the 0, dogs [1-9]"))
    box = canvas.bounding_box()
    board.page.mouse.click(box["x"] + 90, box["y"] + 30)  # "the", the first word
    board.page.wait_for_url(re.compile("edit_position=1"), timeout=PATIENCE)
    expect(board.lab("save_leaks")).to_contain_text("the one output before it is exactly unchanged")
    board.key("mask").locator("label").first.click()
    expect(board.lab("save_leaks")).to_contain_text("change earlier outputs")
    expect(canvas).not_to_have_attribute("aria-label", re.compile(r"⟨start⟩ 0,"))


def test_a_guess_is_painted_revealed_and_scored(board):
    board.open(guess="mask", mask_kind="cross", mask_size=1)
    board.stroke([(row, 0) for row in range(T)], panel=0, key="guessing")
    expect(board.lab("save_guessing")).to_contain_text(f"{T} cells painted")
    board.page.get_by_role("button", name="Reveal").click()
    expect(board.lab("save_guessing")).to_contain_text(f"{T * T} of {T * T} cells right (100 %)")
    assert same_bits(board.values(0, "guessing"), board.values(1, "guessing"), "copied")


def test_one_pass_and_many_are_measured_when_asked(board):
    board.open(view="KV cache")
    board.page.get_by_role("button", name="Measure on this machine").click()
    expect(board.page.get_by_test_id("stMetricValue")).to_have_count(4)
    expect(board.lab("save_ways")).to_contain_text("The logits are the same up to rounding")


def test_nothing_is_wider_than_a_narrow_screen_and_a_finger_can_still_scroll(narrow, address):
    page = narrow.new_page()
    page.emulate_media(color_scheme="dark")
    page.goto(f"{address}/masks?mask_kind=window")
    page.locator(".st-key-stages .lab[data-drawn]").wait_for(timeout=PATIENCE)
    wait_for_rest(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for kind in ("trained", "custom"):
        expect(page.locator(".st-key-mask_kind").get_by_role("radio", name=kind)).to_be_in_viewport()
    assert page.locator(".st-key-stages .lab").evaluate("root => getComputedStyle(root).touchAction") == "auto"
    assert page.locator(".st-key-stages .pad").evaluate("pad => getComputedStyle(pad).touchAction") == "none"
    page.close()
