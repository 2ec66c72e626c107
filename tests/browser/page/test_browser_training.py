"""“Training” under a person's hand: it plays, pauses, goes back and on, and a page that is left stops its training."""

import json
import re
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect
from served import PATIENCE, wait_for_rest
from test_browser import Lab, left_well

expect.set_options(timeout=PATIENCE)


class Training(Lab):
    """One visitor of this page."""

    def open(self, query=""):
        self.page.goto(f"{self.address}/training?{query}")
        self.lab.wait_for(timeout=PATIENCE)
        wait_for_rest(self.page)
        return self

    @property
    def lab(self):
        return self.key("learning").locator(".lab[data-drawn]")

    @property
    def play(self):
        return self.lab.locator("button.play")

    def view(self, expression):
        """Something of what the figure holds."""
        return self.lab.evaluate(f"root => root.view.{expression}")

    def wait_until(self, condition):
        self.page.wait_for_function(
            f"root => (view => {condition})(root.view)", arg=self.lab.element_handle(), timeout=PATIENCE
        )

    def sentence(self):
        return self.key("save_learning").locator(".reading")


@pytest.fixture
def training(context, address):
    training = Training(context.new_page(), address)
    yield training
    left_well(training)
    training.page.close()


def test_a_training_plays_to_its_end_without_a_run_of_the_page_and_tells_what_happened(training):
    sent = []
    training.page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    training.open("train_steps=100")
    training.play.click()
    training.wait_until("view.frames.length > 5 && !view.rests")
    n_requests, shown = len(sent), training.view("frames.length")
    training.wait_until(f"view.frames.length > {shown + 10} && !view.rests")
    assert len(sent) == n_requests, "the page asks for nothing while frames arrive"
    training.wait_until("view.rests && view.header.ended")
    assert training.view("frames.at(-1).step") == 100 and training.view("shown") == training.view("frames.length - 1")
    expect(training.sentence()).to_contain_text("After 100 steps, A (positions: sinusoidal) is right for")
    expect(training.play).to_be_disabled()
    steps = training.view("frames.map(({ step }) => step)")
    assert steps == sorted(set(steps)) and len(steps) > shown > 5


def test_steps_are_made_one_by_one_and_time_is_wound_back(training):
    training.open("train_steps=50")
    training.lab.get_by_role("button", name="1 step", exact=True).click()
    expect(training.lab.locator(".count")).to_have_text("step 1 of 50")
    training.wait_until("view.rests && view.header.frames.length == 2")
    training.lab.get_by_role("button", name="10 steps").click()
    expect(training.lab.locator(".count")).to_have_text("step 11 of 50")
    training.wait_until("view.rests && view.header.kept.includes(11)")
    after = training.view("frames.at(-1)")
    training.lab.locator(".range").focus()
    training.page.keyboard.press("Home")
    training.page.keyboard.press("ArrowRight")
    expect(training.lab.locator(".count")).to_have_text("step 1 of 50")
    training.lab.get_by_role("button", name="Go back to step 1").click()
    training.wait_until("view.frames.length == 2")
    training.lab.get_by_role("button", name="10 steps").click()
    training.wait_until("view.rests && view.frames.at(-1).step == 11")
    assert training.view("frames.at(-1)") == after, "the same steps give the same numbers"


def test_a_training_can_be_paused_and_goes_on(training):
    training.open("train_steps=400&train_layers=6")
    training.play.click()
    training.wait_until("view.frames.length > 3")
    expect(training.play).to_have_text("Pause")
    training.play.click()
    training.wait_until("view.rests")
    expect(training.play).to_have_text("Play")
    paused = training.view("frames.at(-1).step")
    assert 0 < paused < 400
    expect(training.sentence()).to_contain_text(f"After {paused} of 400 steps")
    training.play.click()
    training.wait_until(f"view.frames.at(-1).step > {paused}")
    training.play.click()
    training.wait_until("view.rests")


def test_a_page_that_is_left_stops_its_training_within_five_seconds(training):
    training.open("train_steps=400&train_layers=12")
    training.play.click()
    training.wait_until("view.frames.length > 2")
    run = training.view("run")
    training.page.goto(f"{training.address}/lessons")
    training.page.get_by_role("heading", level=1).wait_for(timeout=PATIENCE)
    training.page.wait_for_timeout(5000)
    with urlopen(f"{training.address}/_lab/streams/{run}?after=-1", timeout=30) as stream:
        text = stream.read().decode()  # it ends at once, since the training rests
    status = json.loads(re.findall(r"event: rest\ndata: (.*)", text)[-1])
    assert status["rests"] and "its page was closed" in status["note"]


def test_a_comparison_is_a_click_and_a_link(training):
    training.open()
    training.page.get_by_role("button", name="No mask").click()
    training.wait_for_link("train_task=Markov")
    training.wait_until("view.header.b.what == 'without causal mask'")
    assert training.link()["train_change"] == "causal mask"
    training.play.click()
    training.wait_until("view.rests && view.header.ended")
    expect(training.sentence()).to_contain_text("This run shows it.")


def test_the_schedule_follows_its_slider_at_once_and_the_run_uses_it(training):
    training.page.goto(f"{training.address}/training?view=Learning+rate&train_decay=Vaswani+2017")
    lab = training.key("rate_schedules").locator(".lab[data-drawn]")
    lab.wait_for(timeout=PATIENCE)
    expect(lab.locator(".reading")).to_contain_text("until step 10,")
    slider = lab.locator("input[name=train_warmup]")
    slider.focus()
    slider.press("ArrowRight")
    expect(lab.locator(".reading")).to_contain_text("until step 20,")
    training.page.wait_for_url(re.compile("train_warmup=20"), timeout=PATIENCE)
    wait_for_rest(training.page)
    training.page.get_by_role("button", name="Learn live", exact=True).or_(
        training.page.get_by_role("radio", name="Learn live", exact=True)
    ).first.click()
    training.lab.wait_for(timeout=PATIENCE)
    training.lab.locator("button.single").click()
    training.wait_until("view.rests && view.frames.length > 1")
    assert abs(training.view("frames.at(-1).a.rate") - 32**-0.5 * 20**-1.5) < 1e-6
