"""“Remove a part” under a person's hand: flip, click, pin, overwrite, slide, follow, save; wide and narrow."""

import io
import re
from urllib.parse import urlencode
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from served import PATIENCE, wait_for_rest
from test_browser import FIRST, WORDS, Lab, figures_of, left_well

from model import Experiment, Switches, run
from model.analysis.ablation import evaluate_held_out
from model.analysis.prediction_change import prediction_change, text_loss
from model.analysis.score_scaling import WIDTHS
from model.run import encode
from model.switches import PARTS
from viz.pages.remove.summary import format_metric
from viz.ui.controls import EXAMPLE

expect.set_options(timeout=PATIENCE)
SVG = "{http://www.w3.org/2000/svg}"
SIDES = (Switches(), Switches(scale=False))  # A and B


class Bench(Lab):
    """One visitor of this page."""

    def open(self, **parameters):
        self.page.goto(f"{self.address}/remove?{urlencode(parameters)}")
        self.page.get_by_role("heading", level=1).wait_for(timeout=PATIENCE)
        self.page.locator(".lab[data-drawn], .js-plotly-plot").first.wait_for(timeout=PATIENCE)
        wait_for_rest(self.page)
        return self

    @property
    def drawing(self):
        return self.key("compare").locator(".lab")

    @property
    def drawn(self):
        """How often the comparison has been painted."""
        return int(self.drawing.get_attribute("data-drawn"))

    @property
    def small(self):
        return self.drawing.locator("button.head")

    @property
    def losses(self):
        """What the strip says of B: on new sentences, and on this text."""
        return self.page.locator(".strip .value").all_inner_texts()[:2]

    def flip(self, part):
        self.key(part).locator("label").first.click()

    def pixels(self, canvas="maps"):
        return self.drawing.locator(f"canvas.{canvas}").evaluate("canvas => canvas.toDataURL()")

    def point(self, row, column=0, side=0):
        """The middle of a cell of a large map, from the SVG that the figure saves: (x, y) in its own pixels."""
        maps = ElementTree.fromstring(self.save("compare", "SVG")[1]).findall(f"{SVG}g[@class='cells']")
        x, y, cell = map(float, re.findall(r"[-\d.]+", maps[13 * side].get("transform"))[:3])
        return x + (column + 0.5) * cell, y + (row + 0.5) * cell


@pytest.fixture
def bench(context, address):
    bench = Bench(context.new_page(), address)
    yield bench
    left_well(bench)
    bench.page.close()


def spelt(switches):
    """The two losses as the strip writes them."""
    experiment = Experiment(text=EXAMPLE, switches=switches)
    return [
        f"{loss:.2f}"
        for loss in (evaluate_held_out("grammar", switches).loss, text_loss(run(experiment), encode(experiment).ids))
    ]


def test_each_switch_changes_the_numbers_repaints_b_and_comes_back(bench):
    bench.open(scale="true")  # the page opens without the scaling; its link says so where every part is there
    expect(bench.page.locator(".strip .value").first).to_have_text(spelt(Switches())[0])
    bench.drawing.evaluate("lab => { lab.marked = true; }")
    whole = bench.pixels()
    for part in PARTS:
        drawn = bench.drawn
        bench.flip(part.name)
        expect(bench.page.locator(".strip .value").first).to_have_text(spelt(Switches().without(part.name))[0])
        if part.name == "scale":
            bench.page.wait_for_url(lambda url: "scale" not in url, timeout=PATIENCE)
        else:
            bench.wait_for_link(f"{part.name}=false")
        assert bench.losses == spelt(Switches().without(part.name))
        assert bench.drawn > drawn
        assert bench.pixels() != whole
        expect(bench.key("offers")).to_contain_text(part.hint)
        expect(bench.key("save_compare").locator(".reading")).to_contain_text(
            "the prediction of the next word changes most after"
        )
        bench.flip(part.name)
        expect(bench.key("save_compare").locator(".reading")).to_contain_text("no prediction changes")
        wait_for_rest(bench.page)
    assert bench.pixels() == whole
    assert bench.drawing.evaluate("lab => lab.marked === true"), "painted anew, never built anew"


def test_everything_away_at_once_still_gives_a_picture_and_a_sentence(bench):
    bench.open(**{part.name: "false" for part in PARTS})
    assert bench.losses == spelt(Switches().without(*(part.name for part in PARTS)))
    for part in PARTS[:3]:  # faster than the server answers
        bench.flip(part.name)
    expect(bench.page.locator(".strip .value").first).to_have_text(
        spelt(Switches().without("norm", "residual", "mlp"))[0]
    )


def test_a_click_on_a_small_head_enlarges_it(bench):
    bench.open(scale="false")
    layer, head = (index + 1 if index < 2 else 0 for index in FIRST)
    before = bench.pixels()
    bench.small.nth(4 * layer + head).click()
    bench.wait_for_link(f"layer={layer}")
    expect(bench.small.nth(4 * layer + head)).to_have_attribute("aria-pressed", "true")
    assert bench.pixels() != before


def test_a_row_is_pinned_by_a_click_and_freed_by_another(bench):
    bench.open(scale="false")
    x, y = bench.point(row=4)
    bench.drawing.click(position={"x": x, "y": y})
    bench.wait_for_link("query=4")
    expect(bench.key("save_pairs").locator(".reading")).to_contain_text(f"After “{WORDS[3]}”")
    x, other = bench.point(row=8)
    sent, lit = len(bench.frames), bench.pixels("lit")
    bench.drawing.hover(position={"x": x, "y": other})
    assert bench.pixels("lit") != lit, "hovering lights another row"
    expect(bench.drawing.locator(".tip")).to_contain_text(f"{WORDS[7]} → ⟨start⟩")
    assert len(bench.frames) == sent, "and asks the server nothing"
    bench.drawing.click(position={"x": x, "y": y})
    bench.page.wait_for_url(lambda url: "token" not in url, timeout=PATIENCE)


def test_a_head_is_taken_out_and_put_back(bench):
    bench.open(panel="Head ablation")
    map_of_costs = bench.key("knockouts").locator(".lab")
    map_of_costs.wait_for(timeout=PATIENCE)
    left, above, cell = map_of_costs.evaluate("({ view }) => [view.place.left, view.place.above, view.place.cell]")
    head = {"x": left + 2.5 * cell, "y": above + 0.5 * cell}
    map_of_costs.click(position=head)
    bench.wait_for_link("heads_off=L0H2")
    expect(bench.key("save_compare").locator(".reading")).to_contain_text("Without head L0H2")
    assert bench.losses == spelt(Switches(heads_off=frozenset({(0, 2)})))
    assert map_of_costs.evaluate("({ view }) => view.header.panels[0].marks") == [[0, 2]], "a frame says that it is out"
    map_of_costs.click(position=head)
    expect(bench.key("save_compare").locator(".reading")).to_contain_text("no prediction changes")


def test_a_row_is_overwritten(bench):
    bench.open(panel="Override one row", query=10)
    caption = bench.key("save_overwritten").locator(".reading")
    expect(caption).to_contain_text("changes by KL")
    uniform = caption.inner_text()
    ways = bench.key("override")
    ways.get_by_text("as it is", exact=True).click()
    expect(caption).to_contain_text("The row is unchanged, so B is the same as A")
    ways.get_by_text("one word", exact=True).click()
    expect(caption).to_contain_text(re.compile(r"changes by KL \d+\.\d{3} nats"))
    assert caption.inner_text() != uniform
    ways.get_by_text("by hand", exact=True).click()
    expect(bench.page.get_by_test_id("stDataFrame")).to_be_visible()
    expect(caption).to_contain_text(re.compile("·10⁻|does not change"))  # the weights as they are, in three digits


def test_sliding_asks_nothing_and_letting_go_writes_the_address(bench):
    bench.open(view="Why √d_k", d_k=4)
    slider = bench.key("saturation").locator("input[type=range]")
    slider.wait_for(timeout=PATIENCE)
    wait_for_rest(bench.page)
    sent = len(bench.frames)
    for index in range(len(WIDTHS)):
        slider.evaluate("(range, at) => { range.value = at; range.dispatchEvent(new Event('input')); }", index)
        expect(bench.key("saturation").locator(".width")).to_contain_text(str(WIDTHS[index]))
    assert len(bench.frames) == sent
    slider.evaluate("range => range.dispatchEvent(new Event('change'))")
    bench.wait_for_link("d_k=1024")


@pytest.mark.parametrize(
    ("label", "link", "shown"),
    [
        ("Why divide by √d_k?", "view=Why", ".st-key-saturation .lab[data-drawn]"),
        ("What grows without layer norm?", "norm=false", ".st-key-stream_length .js-plotly-plot"),
        ("What does a model without the mask learn?", "mask=false", ".st-key-loss_curves .js-plotly-plot"),
    ],
)
def test_a_suggestion_opens_what_it_promises(bench, label, link, shown):
    bench.open()
    bench.page.get_by_role("button", name=label).click()
    bench.wait_for_link(link)
    expect(bench.page.locator(shown)).to_be_visible()


def test_the_comparison_is_saved_as_svg_and_png(bench):
    bench.open(scale="false")
    assert set(figures_of(bench)) == {"compare", "pairs"}
    name, svg = bench.save("compare", "SVG")
    assert re.fullmatch(r"grammar-.*compare\.svg", name)
    root = ElementTree.fromstring(svg)
    texts = {"".join(text.itertext()).strip() for text in root.iter(f"{SVG}text")}
    assert {*WORDS, "A  full model, layer 2 head 2", "B  without scaling by √d_k", "A − B", "KL in nats"} <= texts
    assert len(root.findall(f"{SVG}g[@class='cells']")) == 3 * (1 + 12)
    a, b = (run(Experiment(text=EXAMPLE, switches=switches)).layers[2].attention.weights[2] for switches in SIDES)
    minus = [rect for rect in root.iter(f"{SVG}rect") if rect.get("height") == "1.2"]
    assert len(minus) == np.count_nonzero(a - b < -0.15) > 0, "where B looks more is not told by colour alone"
    size = float(root.get("width")), float(root.get("height"))
    name, png = bench.save("compare", "PNG 2×")
    image = Image.open(io.BytesIO(png))
    assert image.size == pytest.approx((2 * size[0], 2 * size[1]), abs=2)
    assert len(image.convert("RGB").getcolors(1 << 24)) > 20


def test_on_every_screen_no_number_is_cut_and_how_far_each_next_word_moved_is_seen(bench):
    bench.open(scale="false")
    for width in (1440, 1280, 1100, 390):
        bench.page.set_viewport_size({"width": width, "height": 844})
        cut = "() => { const strip = document.querySelector('.strip'); return strip.scrollWidth - strip.clientWidth; }"
        assert bench.page.evaluate(cut) <= 1, width
    bench.page.wait_for_function("lab => lab.view.place.narrow", arg=bench.drawing.element_handle(), timeout=PATIENCE)
    drawing = ElementTree.fromstring(bench.page.evaluate("attentionLab.drawings.get('compare')()"))
    texts = ["".join(text.itertext()) for text in drawing.iter(f"{SVG}text")]
    start = texts.index("next word changed, KL in nats") + 1
    kl = prediction_change(*(run(Experiment(text=EXAMPLE, switches=switches)) for switches in SIDES))
    assert texts[start : start + 26 : 2] == ["⟨start⟩", *WORDS]
    assert texts[start + 1 : start + 27 : 2] == [format_metric(value) for value in kl], (
        "a small change is not written as none"
    )
