"""A person in a browser: what they click, hover, type and save, and what then stands on the screen."""

import csv
import io
import re
from urllib.parse import parse_qs, urlencode, urlsplit
from xml.etree import ElementTree

import every
import numpy as np
import pytest
from equal import close
from PIL import Image
from playwright.sync_api import Page, expect
from served import PATIENCE, saved, wait_for_picture, wait_for_rest

from model import Experiment, run
from model.tasks import TASKS
from viz.pack import pack
from viz.theme import THEMES
from viz.ui.controls import EXAMPLE
from viz.ui.opening_choice import opening_head

expect.set_options(timeout=PATIENCE)
WORDS = EXAMPLE.split()
SHORT = ["the", "dogs", "near", "the", "tree", "chase", "the", "cat", "."]
FIRST = opening_head(Experiment(text=EXAMPLE)).place  # the head a page opens with; the address does not name it
LAYER, HEAD = ((index + 1) % 3 for index in FIRST)  # another one
OTHER = re.compile(f"^Layer {LAYER}, head {HEAD}")
HOSTILE = '<script>window.caught=1</script> <a href="https://example.org/">dog</a> <img src=x onerror=window.caught=1>'


class Lab:
    """One visitor's page, and everything it sent, asked for and complained about."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.frames: list[str] = []  # over the websocket, either way
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("websocket", self._listen)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)
        page.on("dialog", lambda dialog: (self.complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))

    def _listen(self, socket):
        self.requests.append(socket.url)
        socket.on("framesent", lambda _: self.frames.append("sent"))
        socket.on("framereceived", lambda _: self.frames.append("received"))

    def open(self, **parameters):
        self.page.goto(f"{self.address}/?{urlencode(parameters)}")
        wait_for_picture(self.page)
        return self

    def key(self, name):
        return self.page.locator(f".st-key-{name}")

    @property
    def words(self):
        return self.key("sentence").locator(".queries .word")

    @property
    def lit(self):
        return self.key("sentence").locator(".queries .word.lit")

    @property
    def heads(self):
        return self.key("grid").locator(".head")

    @property
    def spoken(self):
        return self.key("sentence").locator("[aria-live]")

    def link(self):
        """The parameters in the address bar."""
        return {name: value for name, (value,) in parse_qs(urlsplit(self.page.url).query).items()}

    def wait_for_link(self, pattern):
        self.page.wait_for_url(re.compile(pattern), timeout=PATIENCE)
        wait_for_rest(self.page)

    def leave(self):
        """Take the pointer off every figure."""
        self.page.mouse.move(2, 2)

    def focused(self):
        """The element that has the focus, inside shadow roots too: its class, its words, and whether that shows."""
        return self.page.evaluate(
            """() => {
                let at = document.activeElement;
                while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
                const style = getComputedStyle(at);
                const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
                const label = at.getAttribute("aria-label") ?? at.textContent.trim();
                return { kind: at.classList[0], label, tag: at.tagName, seen: seen || style.boxShadow !== "none" };
            }"""
        )

    def lit_rows(self, key="grid"):
        """What is drawn on the canvas above the maps, as one text to compare."""
        return self.key(key).locator("canvas.lit").evaluate("canvas => canvas.toDataURL()")

    def point_at_row(self, row):
        """Put the pointer on a row of the enlarged map."""
        x, y = (
            self.key("enlarged")
            .locator(".lab")
            .evaluate(
                """(root, row) => {
                const { place } = root.view;
                const box = root.getBoundingClientRect();
                return [box.left + place.left + place.wide / 3, box.top + place.above + (row + 0.5) * place.cell];
            }""",
                row,
            )
        )
        self.page.mouse.move(x, y)

    def save(self, key, kind):
        """The file that the menu under a figure saves: (name, bytes)."""
        download = saved(self.page, key, kind)
        return download.suggested_filename, download.path().read_bytes()


@pytest.fixture
def lab(context, address):
    """A new page. When it closes, it has met no traceback, no complaint and no stranger."""
    lab = Lab(context.new_page(), address)
    yield lab
    left_well(lab)
    lab.page.close()


@pytest.fixture(scope="module")
def opened(context, address):
    lab = Lab(context.new_page(), address).open()
    yield lab
    lab.page.close()


@pytest.fixture
def still(opened):
    """The page as it opens, for the tests that only look at it or point at it: they share one page."""
    if opened.link():  # a test has failed on the way
        opened.open()
    opened.page.bring_to_front()
    opened.leave()
    opened.page.evaluate("document.querySelector('[data-testid=stMain]').scrollTo(0, 0)")
    yield opened
    left_well(opened)
    assert not opened.link(), "the test has changed the page: it needs one of its own"


def left_well(lab):
    expect(lab.page.get_by_test_id("stException")).to_have_count(0)
    # Streamlit's own client first asks below a page's path whether its server is there, then at the root.
    asks_below = any(re.fullmatch(r"/[\w-]+/_stcore/(health|host-config)", urlsplit(url).path) for url in lab.requests)
    assert not [complaint for complaint in lab.complaints if not (asks_below and "404" in complaint)]
    strangers = {urlsplit(url).netloc for url in lab.requests if not url.startswith(("data:", "blob:"))}
    assert strangers <= {urlsplit(lab.address).netloc}


# The first look


def test_the_first_picture_shows_the_sentence_every_head_and_one_large(still):
    expect(still.page.get_by_role("heading", level=1)).to_be_visible()
    assert still.words.all_inner_texts() == ["⟨start⟩", *WORDS]
    trace = run(Experiment(text=EXAMPLE))
    expect(still.heads).to_have_count(len(trace.layers) * len(trace.layers[0].attention.weights))
    colours = (
        still.key("grid")
        .locator("canvas.maps")
        .evaluate(
            """canvas => {
                const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
                return new Set(new Uint32Array(data.buffer)).size;
            }"""
        )
    )
    assert colours > 20, "the maps are drawn"


def test_sentence_grid_and_enlarged_head_stand_above_the_fold(still):
    for figure in (still.key("sentence"), still.key("grid"), still.key("enlarged")):
        box = figure.bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 900 + 8


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_in_the_themes_own_colours(context, address, scheme):
    page = context.new_page()
    page.emulate_media(color_scheme=scheme)
    lab = Lab(page, address).open()
    theme = THEMES[scheme]
    paper = f"rgb({', '.join(str(int(theme.paper[start : start + 2], 16)) for start in (1, 3, 5))})"
    expect(lab.page.get_by_test_id("stApp")).to_have_css("background-color", paper)
    expect(lab.key("grid").locator(".lab")).to_have_css("--paper", theme.paper)
    shown = lab.key("enlarged").locator(".lab").evaluate("({ view }) => view.header.theme.weights.at(-1)")
    assert shown == theme.weights[-1]
    left_well(lab)
    page.close()


def test_at_390_pixels_nothing_scrolls_sideways(narrow, address):
    lab = Lab(narrow.new_page(), address).open()
    widths = lab.page.evaluate(
        """() => ["html", "[data-testid=stMain]"].map((part) => document.querySelector(part).scrollWidth)"""
    )
    assert max(widths) <= 390
    for figure in (lab.key("grid"), lab.key("enlarged")):
        box = figure.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    lab.words.nth(3).tap()
    lab.wait_for_link("query=3")
    left_well(lab)
    lab.page.close()


# Hovering and pinning


def test_hovering_a_word_lights_its_row_everywhere_and_sends_nothing(still):
    still.leave()
    resting, sent = {key: still.lit_rows(key) for key in ("grid", "enlarged")}, len(still.frames)
    for position in (5, 8, 2):
        still.words.nth(position).hover()
        expect(still.lit).to_have_text(WORDS[position - 1])
        assert all(still.lit_rows(key) != before for key, before in resting.items())
    still.leave()
    assert {key: still.lit_rows(key) for key in resting} == resting
    assert len(still.frames) == sent


def test_hovering_a_word_shows_the_models_own_weights_under_the_others(lab):
    lab.open(layer=1, head=2)
    weights = run(Experiment(text=EXAMPLE)).layers[1].attention.weights[2]
    for position in (4, 9):
        lab.words.nth(position).hover()
        expect(lab.lit).to_have_text(WORDS[position - 1])
        shown = lab.key("sentence").locator(".keys .value").all_inner_texts()
        assert shown == [f"{weight:.2f}" if weight >= 0.05 else "" for weight in weights[position]]


def test_hovering_the_enlarged_map_lights_the_word_tells_of_it_and_sends_nothing(still):
    sent, reading = len(still.frames), still.key("save_enlarged").locator(".reading")
    before, height = reading.inner_text(), reading.bounding_box()["height"]
    for row in (3, 10):
        still.point_at_row(row)
        expect(still.lit).to_have_text(WORDS[row - 1])
        expect(reading).to_contain_text(re.compile(f"^{re.escape(WORDS[row - 1])} "))
        assert reading.bounding_box()["height"] == height, "nothing moves below"
    still.leave()
    expect(reading).to_have_text(before)
    assert len(still.frames) == sent


def test_hovering_a_small_map_names_the_cell_and_its_weight(still):
    weights = run(Experiment(text=EXAMPLE)).layers[LAYER].attention.weights[HEAD]
    sent = len(still.frames)
    box = still.page.get_by_role("button", name=OTHER).bounding_box()
    tip = still.key("grid").locator(".tip")
    for part in (0.2, 0.4, 0.6):
        still.page.mouse.move(box["x"] + 4, box["y"] + part * box["height"])
        expect(tip).to_contain_text(f"Layer {LAYER}, head {HEAD}")
        row = still.words.evaluate_all("words => words.findIndex((word) => word.classList.contains('lit'))")
        what = tip.locator(".what")
        expect(what).to_have_text(re.compile(rf"^{still.lit.inner_text()} → ⟨start⟩\s+\d\.\d\d$"))
        shown = float(what.inner_text().split()[-1])
        assert shown == pytest.approx(weights[row, 0], abs=0.008), "a code of 250 steps, read to two places"
    assert len(still.frames) == sent


def test_a_click_pins_a_word_and_a_second_click_frees_it(lab):
    lab.open()
    lab.words.nth(5).click()
    lab.wait_for_link("query=5")
    expect(lab.words.nth(5)).to_have_attribute("aria-pressed", "true")
    lab.leave()
    expect(lab.lit).to_have_text(WORDS[4])
    lab.words.nth(5).click()
    lab.page.wait_for_url(lambda url: "token" not in url, timeout=PATIENCE)
    expect(lab.words.nth(5)).to_have_attribute("aria-pressed", "false")


def test_escape_frees_a_pinned_word(lab):
    lab.open(query=5)
    expect(lab.words.nth(5)).to_have_attribute("aria-pressed", "true")
    lab.words.nth(5).focus()
    lab.page.keyboard.press("Escape")
    lab.page.wait_for_url(lambda url: "token" not in url, timeout=PATIENCE)
    expect(lab.words.nth(5)).to_have_attribute("aria-pressed", "false")


def test_a_pinned_word_is_read_aloud_under_the_map(lab):
    lab.open(layer=1, head=2, query=6)
    weight = run(Experiment(text=EXAMPLE)).layers[1].attention.weights[2][6].max()
    expect(lab.key("save_enlarged").locator(".reading")).to_contain_text(WORDS[5])
    expect(lab.key("save_enlarged").locator(".reading")).to_contain_text(f"{weight:.2f}")


# Choosing a head


def test_a_click_on_a_head_enlarges_it_and_stands_in_the_address(lab):
    lab.open()
    lab.page.get_by_role("button", name=OTHER).click()
    lab.wait_for_link("layer=")
    assert lab.link() == {"layer": str(LAYER), "head": str(HEAD)}
    expect(lab.page.get_by_test_id("stMarkdown").get_by_text(f"Layer {LAYER}, head {HEAD}")).to_be_visible()
    expect(lab.page.get_by_role("button", name=OTHER)).to_have_attribute("aria-pressed", "true")
    drawn = lab.key("enlarged").locator(".lab").evaluate("({ view }) => [...view.values]")
    attention = run(Experiment(text=EXAMPLE)).layers[LAYER].attention
    seen = attention.mask[HEAD]
    assert close(np.array(drawn, dtype=np.float32).reshape(seen.shape)[seen], attention.weights[HEAD][seen])


def test_arrow_keys_move_between_heads_enter_enlarges_and_the_focus_is_seen(lab):
    lab.open()
    layer, head = FIRST
    lab.page.get_by_role("button", name=f"Layer {layer}, head {head}").focus()
    vertical, back = ("ArrowUp", "ArrowDown") if layer else ("ArrowDown", "ArrowUp")
    beside = layer - 1 if layer else 1
    aside, home = ("ArrowLeft", "ArrowRight") if head else ("ArrowRight", "ArrowLeft")
    next_to = head - 1 if head else 1
    for key, name in (
        (vertical, f"Layer {beside}, head {head}"),
        (aside, f"Layer {beside}, head {next_to}"),
        (home, f"Layer {beside}, head {head}"),
        (back, f"Layer {layer}, head {head}"),
        (vertical, f"Layer {beside}, head {head}"),
    ):
        lab.page.keyboard.press(key)
        focus = lab.focused()
        assert focus["label"].startswith(name)
        assert focus["seen"]
    lab.page.keyboard.press("Enter")
    lab.wait_for_link(f"layer={beside}")
    expect(lab.heads.and_(lab.page.locator("[aria-pressed=true]"))).to_have_attribute(
        "aria-label", re.compile(f"^Layer {beside}, head {head}")
    )


def test_arrow_keys_move_between_words_are_spoken_and_enter_pins(lab):
    lab.open()
    lab.words.nth(0).focus()
    sent = len(lab.frames)
    for key, position in (
        ("End", 12),
        ("ArrowLeft", 11),
        ("Home", 0),
        ("ArrowLeft", 0),
        ("ArrowRight", 1),
        ("ArrowRight", 2),
    ):
        lab.page.keyboard.press(key)
        word = ["⟨start⟩", *WORDS][position]
        assert lab.focused()["label"] == word
        assert lab.focused()["seen"]
        expect(lab.lit).to_have_text(word)
        expect(lab.spoken).to_contain_text(re.compile(rf"{re.escape(word)}”? attends to"))
    assert len(lab.frames) == sent
    lab.page.keyboard.press("Enter")
    lab.wait_for_link("query=2")


def test_tab_reaches_every_part_of_the_page_and_shows_where_it_is(lab):
    lab.open()
    lab.page.get_by_label("Sentence", exact=True).focus()
    reached, unseen = set(), []
    for _ in range(80):
        lab.page.keyboard.press("Tab")
        focus = lab.focused()
        if focus["tag"] == "BODY":
            break
        ours = focus["kind"] in ("word", "head", "save")
        reached.add(focus["kind"] if ours else re.sub(r"expand_\w+$", "", focus["label"]))
        if ours and not focus["seen"]:
            unseen.append(focus)
    assert {"word", "head", "save", "New sentence", "Causal mask"} <= reached, reached
    assert not unseen


def test_a_line_of_the_statistics_chooses_its_head(lab):
    lab.open(panel="Head statistics")
    table = lab.key("statistics").get_by_test_id("stDataFrame")
    expect(table.get_by_test_id("data-grid-canvas")).to_be_visible()
    n_heads = len(run(Experiment(text=EXAMPLE)).layers[0].attention.weights)
    tall = 34.5  # of the line of names, and of every other
    table.click(position={"x": 17, "y": tall * (1 + LAYER * n_heads + HEAD + 0.5)})  # the box at the left of its line
    lab.wait_for_link("layer=")
    assert lab.link() == {"panel": "Head statistics", "layer": str(LAYER), "head": str(HEAD)}


# Typing


def type_sentence(lab, text):
    box = lab.page.get_by_label("Sentence", exact=True)
    box.fill(text)
    box.press("Control+Enter")


def test_a_new_sentence_is_drawn_and_stands_in_the_address(lab):
    lab.open()
    type_sentence(lab, " ".join(SHORT))
    expect(lab.words).to_have_count(10)
    assert lab.words.all_inner_texts()[1:] == SHORT
    lab.wait_for_link("text=")
    assert lab.link()["text"] == " ".join(SHORT)


def test_an_unknown_word_is_marked_and_one_click_replaces_it(lab):
    lab.open(text="the doog was tired .")
    expect(lab.words.nth(2)).to_have_class(re.compile(r"\bunknown\b"))
    expect(lab.words.nth(1)).not_to_have_class(re.compile(r"\bunknown\b"))
    lab.page.get_by_role("button", name="doog → dog", exact=True).click()
    expect(lab.words.nth(2)).to_have_text("dog")
    expect(lab.words.nth(2)).not_to_have_class(re.compile(r"\bunknown\b"))
    assert lab.link()["text"] == "the dog was tired ."


def test_a_new_sentence_is_drawn_from_the_menu(lab):
    lab.open(query=3)
    kind = next(iter(TASKS["grammar"].kinds.values()))
    lab.key("draw").get_by_role("button").click()
    lab.page.get_by_role("menuitem", name=kind).or_(lab.page.get_by_role("option", name=kind)).click()
    lab.wait_for_link("text=")
    expect(lab.page.get_by_label("Sentence", exact=True)).to_have_value(lab.link()["text"])
    typed = lab.link()["text"].split()
    expect(lab.words).to_have_count(len(typed) + 1)
    assert "query" not in lab.link()


def test_an_empty_text_is_answered_with_a_sentence_and_mended_by_typing(lab):
    lab.open()
    type_sentence(lab, "")
    expect(lab.page.get_by_test_id("stAlert")).to_contain_text("There is no text yet")
    type_sentence(lab, "the dog was tired .")
    expect(lab.words).to_have_count(6)
    expect(lab.page.get_by_test_id("stAlert")).to_have_count(0)


def test_a_hundred_thousand_characters_are_answered_with_a_sentence(lab):
    lab.open()
    type_sentence(lab, "the dog was tired . " * 5000)
    expect(lab.page.get_by_test_id("stAlert")).to_contain_text("100,000")


def test_markup_stays_text_everywhere(lab):
    lab.open(text=HOSTILE, query=2)
    assert "<" in lab.words.all_inner_texts()
    assert lab.page.evaluate("window.caught") is None
    for more in ("Next word", "Rollout"):
        lab.key("panel").get_by_text(more).click()
        wait_for_rest(lab.page)
        expect(lab.page.locator('a[href*="example.org"]')).to_have_count(0)
        expect(lab.page.locator("img[src=x]")).to_have_count(0)
    lab.words.nth(4).hover()
    lab.point_at_row(4)
    assert lab.page.evaluate("window.caught") is None


def test_right_to_left_words_do_not_turn_the_others_round(lab):
    lab.open(text="the שלום dog مرحبا was")
    assert lab.words.all_inner_texts()[1:] == ["the", "שלום", "dog", "مرحبا", "was"]
    lefts = [word.bounding_box()["x"] for word in lab.words.all()]
    assert lefts == sorted(lefts)


# State


def test_a_switch_changes_every_figure_and_stands_in_the_address(lab):
    lab.open()
    before = lab.key("save_enlarged").locator(".reading").inner_text()
    drawn = lab.key("grid").locator(".lab").get_attribute("data-drawn")
    lab.key("scale").locator("label").first.click()
    lab.wait_for_link("scale=false")
    expect(lab.key("grid").locator(".lab")).not_to_have_attribute("data-drawn", drawn)
    expect(lab.key("save_enlarged").locator(".reading")).not_to_have_text(before)
    lab.key("scale").locator("label").first.click()
    lab.page.wait_for_url(lambda url: "scale" not in url, timeout=PATIENCE)
    wait_for_rest(lab.page)
    expect(lab.key("save_enlarged").locator(".reading")).to_have_text(before)


def test_the_figures_keep_their_elements_whatever_comes_and_goes_above_them(lab):
    lab.open()
    for key in ("grid", "sentence"):
        lab.key(key).locator(".lab").evaluate("lab => { lab.marked = true; }")
    lab.key("norm").locator("label").first.click()
    lab.wait_for_link("norm=false")
    type_sentence(lab, "the doog was tired .")  # now a line about the unknown word stands above
    expect(lab.page.get_by_role("button", name="doog → dog", exact=True)).to_be_visible()
    type_sentence(lab, "the dog was tired .")
    expect(lab.page.get_by_role("button", name="doog → dog", exact=True)).to_have_count(0)
    for key in ("grid", "sentence"):
        assert lab.key(key).locator(".lab").evaluate("lab => lab.marked === true")


def test_reloading_restores_the_whole_state(lab):
    lab.open(text=" ".join(SHORT))
    lab.page.get_by_role("button", name=OTHER).click()
    lab.wait_for_link(f"layer={LAYER}")
    lab.words.nth(4).click()
    lab.wait_for_link("query=4")
    lab.key("mask").locator("label").first.click()
    lab.wait_for_link("mask=false")
    expect(lab.key("mask").locator("input")).not_to_be_checked()
    wait_for_picture(lab.page)
    link, row = lab.link(), lab.lit.inner_text()
    lab.page.reload()
    wait_for_picture(lab.page)
    assert lab.link() == link
    expect(lab.lit).to_have_text(row)
    expect(lab.words.nth(4)).to_have_attribute("aria-pressed", "true")
    expect(lab.page.get_by_role("button", name=OTHER)).to_have_attribute("aria-pressed", "true")
    expect(lab.key("mask").locator("input")).not_to_be_checked()


def test_a_bad_value_in_the_link_is_said_and_taken_out_of_the_address(lab):
    lab.page.goto(f"{lab.address}/?layer=99&scale=xyz&head={HEAD}")
    wait_for_picture(lab.page, bad_link=True)
    notice = lab.page.get_by_test_id("stAlert")
    expect(notice).to_contain_text("layer")
    expect(notice).to_contain_text("scale")
    assert lab.link() == {"head": str(HEAD)}


def test_a_suggestion_below_the_page_sets_the_state(lab):
    lab.open()
    lab.page.get_by_role("button", name="Remove the scaling").click()
    lab.wait_for_link("scale=false")
    expect(lab.key("scale").locator("input")).not_to_be_checked()


# Files


def figures_of(lab):
    """The keys of all figures on the page that can be saved."""
    keys = lab.page.locator("[class*='st-key-save_']").evaluate_all(
        "all => all.map((one) => [...one.classList].find((name) => name.startsWith('st-key-save_')).slice(12))"
    )
    return sorted(set(keys))


@pytest.mark.parametrize("more", ["Next word", "Rollout"])
def test_every_figure_is_saved_as_svg_png_and_csv(lab, more):
    lab.open(panel=more)
    keys = figures_of(lab)
    assert keys == sorted(every.SHOWN["heads", () if more == "Next word" else (("panel", more),)])
    for key in keys:
        name, svg = lab.save(key, "SVG")
        assert name.startswith("grammar-"), name
        assert name.endswith(".svg")
        root = ElementTree.fromstring(svg)
        texts = [text for element in root.iter("{http://www.w3.org/2000/svg}text") for text in element.itertext()]
        assert texts
        if key in ("enlarged", "rollout", "sentence"):
            assert set(WORDS) <= {text.strip() for text in texts}
        width, height = float(root.get("width")), float(root.get("height"))

        name, png = lab.save(key, "PNG 2×")
        assert name.endswith(".png")
        image = Image.open(io.BytesIO(png))
        assert image.size == pytest.approx((2 * width, 2 * height), abs=2), "twice the size of the drawing"
        assert len(image.convert("RGB").getcolors(1 << 24)) > 20, f"{key} is not blank"

        name, table = lab.save(key, "CSV")
        assert name.endswith(".csv")
        lines = list(csv.reader(io.StringIO(table.decode("utf-8-sig"), newline="")))
        assert len(lines) > 1
        assert {len(line) for line in lines} == {len(lines[0])}


def test_the_csv_of_the_large_map_holds_the_models_own_numbers(lab):
    lab.open(layer=1, head=2)
    _, table = lab.save("enlarged", "CSV")
    lines = list(csv.reader(io.StringIO(table.decode("utf-8-sig"), newline="")))
    assert [line[0].split(" ", 1)[1] for line in lines[2:]] == WORDS
    numbers = np.array([line[1:] for line in lines[1:]], dtype=np.float32)
    assert close(numbers, run(Experiment(text=EXAMPLE)).layers[1].attention.weights[2])


def test_hostile_words_are_saved_as_text(lab):
    lab.open(text=HOSTILE)
    for key in ("grid", "enlarged"):
        root = ElementTree.fromstring(lab.save(key, "SVG")[1])
        tags = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert not tags & {"script", "a", "img", "foreignObject"}


def test_a_table_opens_behind_a_figure(lab):
    lab.open()
    lab.key("save_enlarged").get_by_role("button").filter(has_text="Table").click()
    expect(lab.page.get_by_test_id("stDataFrame")).to_be_visible()


# At the limit


def test_512_tokens_are_drawn_each_lights_up_before_its_event_ends_and_nothing_is_sent(lab):
    text = "the dogs near the trees chase the cat . " * 56 + "the dog was tired . the cat"
    lab.open(text=text)
    expect(lab.words).to_have_count(512)
    sent = len(lab.frames)
    lit = lab.page.evaluate(
        """() => {
            const host = [...document.querySelectorAll(".st-key-sentence *")].find((e) => e.shadowRoot);
            const words = [...host.shadowRoot.querySelectorAll(".queries .word")];
            return words.filter((_, index) => index % 25 === 0).map((word) => {
                word.dispatchEvent(new PointerEvent("pointerover", { bubbles: true, composed: true }));
                return word.classList.contains("lit");
            });
        }"""
    )
    assert lit == [True] * 21
    assert len(lab.frames) == sent


# What the browser computes, against Python


def test_the_browser_unpacks_what_python_packed(still):
    weights = np.random.default_rng(0).random((3, 5)).astype(np.float32)
    cells = np.arange(7, dtype=np.uint8)
    block = pack({"tokens": ["שלום", "👩🏽\u200d🚀", "<b>"]}, cells=cells, weights=weights)
    result = still.page.evaluate(
        """async (bytes) => {
            const { unpack } = await import("/_stcore/bidi-components/attention-lab.head_grid/lib/page_state.js");
            const { header, arrays } = unpack(new Uint8Array(bytes));
            return [header.tokens, [...arrays.cells.values], [...arrays.weights.values], arrays.weights.shape];
        }""",
        list(block),
    )
    assert result == [["שלום", "👩🏽\u200d🚀", "<b>"], cells.tolist(), weights.ravel().tolist(), [3, 5]]
