"""“Positions” under a person's hand: sliding, pointing, dragging, keys, files, a narrow screen."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from playwright.sync_api import expect
from served import PATIENCE, saved, wait_for_rest
from tabs import SharedPages

from model.analysis.sinusoid import rotation_error, wavelengths
from model.position import POSITIONS, sinusoid
from viz.pages.positions.shift_test import MOVES
from viz.pages.positions.views import VIEWS
from viz.pages.positions.waves import BASES, ROTATION, WAVES
from viz.theme import LIGHT

expect.set_options(timeout=PATIENCE)
KEYS = dict(zip(VIEWS, ("waves_drawn", "turns_drawn", "distance", "shift", "shuffled", "lengths"), strict=True))
NOT_OURS = "404 (Not Found)"  # Streamlit asks for its own health below the page's path before it asks at the root


class Visitor:
    """One visitor of the page."""

    def __init__(self, page, address):
        self.page, self.address = page, address
        self.sent, self.complaints = [], []
        page.on("websocket", lambda socket: socket.on("framesent", lambda frame: self.sent.append(frame)))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)

    def open(self, view="Waves", query=""):
        self.page.goto(f"{self.address}/positions?view={view}&{query}")
        self.key = KEYS[view]
        self.page.locator(f".st-key-{self.key} .lab[data-drawn]").wait_for(timeout=PATIENCE)
        wait_for_rest(self.page)
        return self

    @property
    def lab(self):
        return self.page.locator(f".st-key-{self.key} .lab")

    @property
    def reading(self):
        return self.lab.locator(".reading").inner_text()

    def slide(self, name, value):
        """Move a thumb without letting go."""
        self.lab.locator(f"input[name={name}]").evaluate(
            "(range, at) => { range.value = at; range.dispatchEvent(new Event('input', { bubbles: true })); }", value
        )

    def release(self, name):
        self.lab.locator(f"input[name={name}]").evaluate(
            "range => range.dispatchEvent(new Event('change', { bubbles: true }))"
        )

    def view(self, expression):
        """Something the component keeps."""
        return self.lab.evaluate(f"root => {expression.replace('view.', 'root.view.')}")

    def words(self):
        return self.lab.locator(".chip").all_inner_texts()


def well(visitor):
    expect(visitor.page.get_by_test_id("stException")).to_have_count(0)
    assert not [complaint for complaint in visitor.complaints if NOT_OURS not in complaint]


@pytest.fixture
def visitor(context, address):
    visitor = Visitor(context.new_page(), address)
    yield visitor
    well(visitor)
    visitor.page.close()


@pytest.fixture(scope="module")
def shared(context, address):
    pages = SharedPages(lambda: Visitor(context.new_page(), address))
    yield pages
    pages.close()


@pytest.fixture
def still(shared):
    """Pages for the tests that only look or slide without letting go: those of the same link share one."""
    yield shared
    for visitor in shared.take_back():
        well(visitor)


# ---------------------------------------------------------------------------- waves


def test_the_browsers_waves_are_the_models(still):
    visitor = still.open("Waves")
    length_at, width_at = (slider.values.index for slider in WAVES[:2])
    for length, width, base in [(128, 32, 10_000), (256, 128, 100_000), (8, 2, 10), (100, 30, 500)]:
        visitor.slide("length", length_at(length))
        visitor.slide("width", width_at(width))
        visitor.slide("base", BASES.index(base))
        drawn = np.array(visitor.view("Array.from(view.table)")).reshape(length, width)
        expected = sinusoid(torch.arange(length, dtype=torch.float64), width, base).numpy()
        np.testing.assert_allclose(drawn, expected, atol=1e-12)


def test_each_move_of_a_slider_is_drawn_at_once_and_sends_nothing(still):
    visitor = still.open("Waves")
    visitor.sent.clear()
    drawn = visitor.lab.evaluate(
        """root => {
            const drawn = [Number(root.dataset.drawn)];
            for (const name of ["length", "width", "base"]) {
                const range = root.querySelector(`input[name=${name}]`);
                for (let turn = 1; turn <= 8; turn++) {
                    range.value = Math.round((turn / 8) * range.max);
                    range.dispatchEvent(new Event("input", { bubbles: true }));
                    drawn.push(Number(root.dataset.drawn));
                }
            }
            return drawn;
        }"""
    )
    readings = visitor.lab.evaluate(
        """root => {
            const range = root.querySelector("input[name=pos]");
            return Array.from({ length: 8 }, (_, turn) => {
                range.value = Math.round((turn / 8) * range.max);
                range.dispatchEvent(new Event("input", { bubbles: true }));
                return root.querySelector(".reading").textContent;
            });
        }"""
    )
    visitor.page.wait_for_timeout(500)
    assert not visitor.sent
    assert (np.diff(drawn) >= 1).all(), "before the event has ended, so in the same frame"
    assert len(set(readings)) == 8, "another position is lit, and read, at once"
    assert visitor.view("view.table.length") == 256 * 128


def test_letting_go_writes_all_sliders_into_the_address(visitor):
    visitor.open()
    visitor.slide("base", BASES.index(100))
    visitor.slide("length", WAVES[0].values.index(50))
    visitor.release("length")
    visitor.page.wait_for_url(re.compile("length=50"), timeout=PATIENCE)
    visitor.page.wait_for_url(re.compile("base=100(&|$)"), timeout=PATIENCE)
    wait_for_rest(visitor.page)
    assert visitor.view("[view.length, view.base]") == [50, 100]
    assert "2π = 628" in visitor.reading


def test_the_printed_wavelengths_are_the_models(visitor):
    visitor.open(query="width=16&base=1000")
    lengths = wavelengths(16, 1000)
    reading = visitor.reading
    assert f"from 2π = {lengths[0]:.2f} to {lengths[-1]:,.0f}" in reading
    assert "base·2π = 6,283" in reading


def test_a_point_on_the_map_ties_waves_map_and_clocks(visitor):
    visitor.open(query="length=64&width=32&pos=3")
    place = visitor.view("view.place")
    box = visitor.lab.locator(".figure").bounding_box()
    spot = place["map"]
    visitor.page.mouse.move(
        box["x"] + spot["x"] + spot["wide"] * 40.5 / 64, box["y"] + spot["y"] + spot["tall"] * 7.5 / 16
    )
    expect(visitor.lab.locator(".reading")).to_contain_text("At position 40 pair 7 (dimensions 14 and 15)")
    assert 7 in visitor.view("view.shown"), "its waves are drawn, too"
    sine, cosine = sinusoid(torch.tensor([40.0], dtype=torch.float64), 32)[0, 14:16].tolist()
    assert f"sine {sine:.2f}, cosine {cosine:.2f}".replace("-", "−") in visitor.reading
    clocks, side = place["clocks"], place["side"]
    visitor.page.mouse.move(box["x"] + clocks["x"] + side * 1.5, box["y"] + clocks["y"] + side * 0.4)
    expect(visitor.lab.locator(".reading")).to_contain_text("At position 3 pair 1 ")
    visitor.page.mouse.move(box["x"] + 5, box["y"] - 60)
    expect(visitor.lab.locator(".reading")).to_contain_text("At position 3 pair 3 ")


def test_the_keys_move_a_slider_and_what_is_read_aloud(visitor):
    visitor.open(query="pos=10")
    visitor.lab.locator("input[name=pos]").focus()
    visitor.page.keyboard.press("ArrowRight")
    expect(visitor.lab.locator("[aria-live]")).to_contain_text("At position 11")
    assert visitor.lab.locator("input[name=pos]").get_attribute("aria-valuetext") == "position 11"


# ---------------------------------------------------------------------------- turns


def test_the_browsers_residual_is_rounding_like_the_models(still):
    visitor = still.open("Rotation", "k=5&pos=4")
    k_at, width_at = (slider.values.index for slider in ROTATION[1:3])
    for k, width, base in [(3, 16, 10_000), (64, 32, 10), (0, 2, 100_000)]:
        visitor.slide("k", k_at(k))
        visitor.slide("rotation_width", width_at(width))
        visitor.slide("base", BASES.index(base))
        drawn = visitor.view("view.residual")
        assert drawn < 1e-12
        assert drawn == pytest.approx(rotation_error(k, 256, width, base), abs=1e-12)


def test_sliding_pos_leaves_the_turn_as_it_is(still):
    visitor = still.open("Rotation", "k=5&pos=4")
    visitor.slide("k", 5)
    visitor.slide("pos", 4)
    visitor.sent.clear()
    before = re.search(r"rotates by (\S+)", visitor.reading)[1]
    assert before == f"{np.degrees(5):.0f}°"
    for pos in (0, 17, 200):
        visitor.slide("pos", pos)
        assert f"From position {pos} to {pos + 5}" in visitor.reading
        assert re.search(r"rotates by (\S+)", visitor.reading)[1] == before
    assert not visitor.sent


# ---------------------------------------------------------------------------- shift test


def test_sliding_k_changes_every_title_without_a_word_to_the_server(visitor):
    visitor.open("Shift test", "shift_by=0")
    visitor.sent.clear()
    titles = "view.header.panels.map(panel => panel.title)"
    assert all(title.endswith("  0") for title in visitor.view(titles))
    steps = visitor.lab.locator("input[type=range]")
    slide = "(range, at) => { range.value = at; range.dispatchEvent(new Event('input', { bubbles: true })); }"
    steps.evaluate(slide, MOVES.index(16))
    assert "Learned  ends" in visitor.view(titles) and "ALiBi  0" in visitor.view(titles)
    assert not visitor.sent
    steps.evaluate("range => range.dispatchEvent(new Event('change', { bubbles: true }))")
    visitor.page.wait_for_url(re.compile("shift_by=16"), timeout=PATIENCE)
    wait_for_rest(visitor.page)
    expect(visitor.page.locator(".st-key-save_shift")).to_contain_text("its table has only 18 positions")


def test_no_change_is_paper_and_a_change_has_the_colour_of_the_scale_below_it(still):
    visitor = still.open("Shift test", "shift_by=16")
    drawing = ElementTree.fromstring(saved(visitor.page, "shift", "SVG").path().read_bytes())
    maps = drawing.findall(".//{*}g[@class='cells']")
    assert len(maps) == len(POSITIONS)
    fills = [{path.get("fill") for path in paths} for paths in maps]
    zero, most = LIGHT.signed[3], LIGHT.signed[6]
    red = {colour: int(colour[1:3], 16) for colour in set().union(*fills) | {zero, most}}
    titles = visitor.view("view.header.panels.map(panel => panel.title)")
    for title, colours in zip(titles, fills, strict=True):
        if title.endswith("  0"):
            assert colours == {zero}, title
    changed = fills[titles.index(next(title for title in titles if title.startswith("Sinusoidal")))]
    assert len(changed) > 5
    assert all(red[most] <= red[colour] <= red[zero] and colour[5:7] > colour[1:3] for colour in changed - {zero})


# ---------------------------------------------------------------------------- shuffle test


def test_a_word_dragged_onto_another_changes_places_with_it(visitor):
    visitor.open("Shuffle test", "word_order=" + ".".join(map(str, range(1, 13))))
    before = visitor.words()
    assert before[2] == "person" and before[5] == "dogs"
    visitor.lab.locator(".chip").nth(2).drag_to(visitor.lab.locator(".chip").nth(5))
    visitor.page.wait_for_url(re.compile(r"word_order=1\.5\.3\.4\.2\."), timeout=PATIENCE)
    wait_for_rest(visitor.page)
    assert (visitor.words()[2], visitor.words()[5]) == ("dogs", "person")
    expect(visitor.lab.locator(".cell.still")).to_have_count(13 + 2 + 2)  # no mask, no positions; before the change


def test_arrows_move_a_word_and_it_keeps_the_focus(visitor):
    visitor.open("Shuffle test", "word_order=" + ".".join(map(str, range(1, 13))))
    visitor.lab.locator(".chip").nth(2).focus()
    visitor.page.keyboard.press("ArrowRight")
    visitor.page.keyboard.press("ArrowRight")
    visitor.page.wait_for_url(re.compile(r"word_order=1\.3\.4\.2\.5\."), timeout=PATIENCE)
    wait_for_rest(visitor.page)
    assert visitor.words()[2:5] == ["who", "the", "person"]
    visitor.page.keyboard.press("ArrowLeft")
    visitor.page.wait_for_url(re.compile(r"word_order=1\.3\.2\.4\.5\."), timeout=PATIENCE)
    wait_for_rest(visitor.page)


def test_shuffle_and_put_back(visitor):
    visitor.open("Shuffle test")
    visitor.lab.get_by_role("button", name="Shuffle").click()
    visitor.page.wait_for_url(re.compile("word_order="), timeout=PATIENCE)
    wait_for_rest(visitor.page)
    mixed = visitor.words()
    visitor.lab.get_by_role("button", name="Put back").click()
    visitor.page.wait_for_url(re.compile(r"word_order=1\.2\.3\.4\.5\.6\.7\.8\.9\.10\.11\.12"), timeout=PATIENCE)
    wait_for_rest(visitor.page)
    assert sorted(mixed) == sorted(visitor.words()) and mixed[0] == visitor.words()[0]
    expect(visitor.lab.locator(".cell.still")).to_have_count(4 * 13)


# ---------------------------------------------------------------------------- files and screens

SAVED = {
    "Waves": "one clock a pair",
    "Rotation": "R for k = 3",
    "Position and distance": "Bias per distance",
    "Shift test": "Sinusoidal",
    "Shuffle test": "No positions, no mask",
    "Length generalisation": "the table ends",
}


@pytest.mark.parametrize("view", VIEWS)
def test_every_figure_stands_above_the_fold_and_is_saved(still, view):
    visitor = still.open(view, *(["shift_by=16"] if view == "Shift test" else []))  # which another test reads, too
    box = visitor.lab.bounding_box()
    assert box["y"] < 300 and box["y"] + min(box["height"], 500) < 900
    drawing = ElementTree.fromstring(saved(visitor.page, visitor.key, "SVG").path().read_bytes())
    assert SAVED[view] in "".join(drawing.itertext())
