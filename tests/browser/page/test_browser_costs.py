"""The views of costs under a person's hand: sliders answer within a frame, and measuring goes on in the background."""

import re

import pytest
from playwright.sync_api import expect
from served import PATIENCE, wait_for_rest
from test_browser import Lab, left_well

expect.set_options(timeout=PATIENCE)
FRAME = 17  # milliseconds of one frame of the screen
SLIDE = """([root, name]) => {
  const range = root.querySelector(`input[name=${name}]`);
  const took = [];
  for (let place = 0; place <= Number(range.max); place++) {
    range.value = place;
    const start = performance.now();
    range.dispatchEvent(new Event("input", { bubbles: true }));
    took.push(performance.now() - start);
  }
  return took.sort((a, b) => a - b)[Math.floor(took.length / 2)];
}"""


class Costs(Lab):
    """One visitor of these views."""

    def open(self, query, key):
        self.page.goto(f"{self.address}/why?{query}")
        lab = self.key(key).locator(".lab[data-drawn]")
        lab.wait_for(timeout=PATIENCE)
        wait_for_rest(self.page)
        return lab

    def sentence(self, key):
        return self.key(f"save_{key}").locator(".reading")

    def wait_until(self, lab, condition):
        self.page.wait_for_function(
            f"root => (view => {condition})(root.view)", arg=lab.element_handle(), timeout=PATIENCE
        )


@pytest.fixture
def costs(context, address):
    costs = Costs(context.new_page(), address)
    yield costs
    left_well(costs)
    costs.page.close()


@pytest.mark.parametrize(
    ("view", "key", "names"),
    [
        ("The+table", "layer_costs", ("cost_n", "cost_d", "cost_kernel", "cost_window", "cost_heads", "fit_from")),
        ("Escaping+the+square", "escape_costs", ("cost_rank",)),
        ("Escaping+the+square", "tiles", ("tile_step",)),
        ("Decoding+and+the+cache", "decoding_costs", ("cache_n", "cache_groups", "cache_bytes")),
        ("One+after+another", "schedules", ("clock",)),
    ],
)
def test_a_slider_is_answered_within_a_frame_and_the_server_is_asked_when_it_rests(costs, view, key, names):
    lab = costs.open(f"view={view}", key)
    for name in names:
        took = costs.page.evaluate(SLIDE, [lab.element_handle(), name])
        assert took < FRAME, f"{name}: {took:.1f} ms"


def test_a_link_restores_the_sizes_and_what_is_counted_follows_them(costs):
    lab = costs.open("view=The+table&cost_d=256&cost_n=1024&cost_heads=8", "layer_costs")
    assert lab.evaluate("root => root.view.state.cost_d") == 256
    expect(costs.sentence("layer_costs")).to_contain_text("from n = 257 on")
    slider = lab.get_by_role("slider", name="d, width")
    slider.focus()
    slider.press("ArrowLeft")
    expect(costs.sentence("layer_costs")).to_contain_text("from n = 129 on")
    expect(costs.page.page).to_have_url(re.compile("cost_d=128"))


def test_measuring_goes_on_without_a_run_of_the_page_is_stopped_and_shared(costs, context, address):
    sent = []
    costs.page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    lab = costs.open("view=The+table&cost_d=16&cost_window=4", "layer_costs")
    expect(costs.sentence("layer_costs")).to_contain_text("Nothing was measured with these sizes yet.")
    button = lab.locator("button.play")
    button.click()
    costs.wait_until(lab, "view.results.length > 2 && !view.rests")
    n_requests = len(sent)
    costs.wait_until(lab, "view.results.length > 5 || view.rests")
    assert len(sent) == n_requests or lab.evaluate("root => root.view.rests"), "the page asks for nothing"
    other = Costs(context.new_page(), address)
    seen = other.open("view=The+table&cost_d=16&cost_window=4", "layer_costs")
    assert seen.evaluate("root => root.view.header.run") == lab.evaluate("root => root.view.header.run")
    costs.wait_until(lab, "view.rests && view.results.length === 30")
    expect(costs.sentence("layer_costs")).to_contain_text(re.compile(r"self-attention \d\.\d\d ± \d\.\d\d"))
    expect(button).to_have_text("Measure again")
    left_well(other)
    other.page.close()


def test_a_measurement_is_stopped_by_who_started_it(costs):
    lab = costs.open("view=Escaping+the+square&cost_d=1024&cost_heads=16", "escape_costs")
    button = lab.locator("button.play")
    button.click()
    costs.wait_until(lab, "view.results.length > 0 && !view.rests")
    button.click()
    costs.wait_until(lab, "view.rests && view.results.length < 30 && view.header.note")
    expect(lab.locator(".status")).to_contain_text("It was stopped.")
    expect(button).to_have_text("Measure again")


def test_a_size_that_is_no_stop_is_named_in_a_sentence(costs):
    costs.page.goto(f"{costs.address}/why?view=The+table&cost_d=63")
    expect(costs.page.get_by_text(re.compile("Part of this link could not be used: cost_d"))).to_be_visible()


def test_present_goes_from_tile_to_tile(costs):
    lab = costs.open("view=Escaping+the+square&tile_step=1", "tiles")
    costs.page.goto(f"{costs.address}/why?view=Escaping+the+square&tile_step=1&present=tiles")
    costs.page.wait_for_function("document.documentElement.dataset.stage", timeout=PATIENCE)
    lab = costs.key("tiles").locator(".lab[data-drawn]")
    lab.wait_for(timeout=PATIENCE)
    wait_for_rest(costs.page)
    costs.page.keyboard.press("PageDown")
    costs.wait_until(lab, "view.state.tile_step === 2")
