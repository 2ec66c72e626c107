"""“Wind back” under a person's hand: the slider answers in the browser, and a kept step is a model elsewhere."""

import re

import pytest
from playwright.sync_api import expect
from served import PATIENCE, wait_for_rest
from test_browser import Lab, left_well

expect.set_options(timeout=PATIENCE)


class History(Lab):
    """One visitor of this view."""

    def open(self, query=""):
        self.page.goto(f"{self.address}/training?view=Wind+back&{query}")
        self.lab.wait_for(timeout=PATIENCE)
        wait_for_rest(self.page)
        return self

    @property
    def lab(self):
        return self.key("history").locator(".lab[data-drawn]")

    @property
    def range(self):
        return self.lab.locator("input[type=range]")

    def pixels(self):
        """The drawing, as it is now."""
        return self.lab.locator("canvas").evaluate("canvas => canvas.toDataURL()")


@pytest.fixture
def history(context, address):
    history = History(context.new_page(), address)
    yield history
    left_well(history)
    history.page.close()


def test_every_step_is_drawn_in_one_frame_without_the_server(history):
    sent = []
    history.page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    history.open()
    sent.clear()
    drawn = {history.pixels()}
    for place in range(12):
        frames = history.range.evaluate(
            """async (range, place) => {
              range.value = place;
              range.dispatchEvent(new Event("input", { bubbles: true }));
              const canvas = range.getRootNode().querySelector("canvas");
              const before = canvas.toDataURL();
              await new Promise(requestAnimationFrame);
              return before === canvas.toDataURL();
            }""",
            place,
        )
        assert frames, "what is drawn at once does not change later"
        drawn.add(history.pixels())
    assert len(drawn) == 13 and not sent


def test_the_step_is_in_the_address_and_in_words(history):
    history.open("history_step=400")
    expect(history.lab.locator(".slider .number")).to_have_text("400")
    history.range.focus()
    history.page.keyboard.press("ArrowRight")
    expect(history.lab.locator(".slider .number")).to_have_text("500")
    history.page.wait_for_url("**history_step=500**")
    expect(history.lab.locator(".figure")).to_have_attribute("aria-label", re.compile("L1H2 induction"))


def test_a_kept_step_opens_on_heads_and_is_saved_and_opened_again(history):
    page = history.page
    page.goto(f"{history.address}/training?train_steps=50&train_width=16")
    learning = history.key("learning").locator(".lab[data-drawn]")
    learning.get_by_role("button", name="10 steps").click()
    expect(learning.locator(".count")).to_have_text("step 10 of 50")
    page.wait_for_function(
        "root => root.view.rests && root.view.header.kept.includes(10)", arg=learning.element_handle(), timeout=PATIENCE
    )
    page.get_by_role("radio", name="Wind back").click()
    page.get_by_role("radio", name="A of this page").click()
    page.get_by_label("Name of the model").fill("after <i>ten</i>")
    page.get_by_label("Name of the model").press("Enter")
    page.get_by_role("button", name="Keep step 10 as a model").click()
    row = page.locator("[class*='st-key-kept_mine-after-i-ten-i-']").first
    expect(row).to_contain_text("after <i>ten</i>")
    with page.expect_download() as download:
        row.get_by_role("button", name="Save").click()
    path = download.value.path()
    assert download.value.suggested_filename.startswith("mine-after-i-ten-i-")
    row.get_by_role("button", name="Open on Heads").click()
    history.key("grid").locator(".lab[data-drawn]").wait_for(timeout=PATIENCE)
    assert "weights=mine-after-i-ten-i-" in page.url
    page.goto(f"{history.address}/your-model")
    page.locator(".st-key-saved_step input[type=file]").set_input_files(
        {"name": "a.safetensors", "mimeType": "application/octet-stream", "buffer": path.read_bytes()}
    )
    expect(page.locator("[class*='st-key-kept_mine-after-i-ten-i-']").first).to_contain_text("after <i>ten</i>")


def test_the_slider_grows_with_the_training_and_stays_where_a_person_put_it(history):
    page = history.page
    history.open("history_of=A+of+this+page&train_steps=400&train_layers=3")
    lab, play = history.lab, history.lab.locator("button.play")
    number = lab.locator(".slider .number")

    def view(expression):
        return lab.evaluate(f"root => root.view.{expression}")

    def wait_until(condition):
        page.wait_for_function(f"root => (view => {condition})(root.view)", arg=lab.element_handle(), timeout=PATIENCE)

    expect(number).to_have_text("0")
    play.click()
    wait_until("!view.rests && view.header.steps.length > 6")
    assert view("state.history_step") > 0, "at the newest step it moves along"
    history.range.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(number).to_have_text("1")
    had = view("header.steps.length")
    wait_until(f"view.header.steps.length > {had} + 3")
    expect(number).to_have_text("1")
    expect(play).to_have_text("Pause")
    play.click()
    wait_until("view.rests && view.header.live.rests")
    expect(number).to_have_text("1")
    assert "history_step=1" in page.url and 0 < view("header.steps.at(-1)") < 400
    history.range.press("End")
    play.click()
    wait_until("view.rests && !view.header.live.rests")
    followed = view("header.roles")
    wait_until("view.header.live.ended")
    assert view("header.roles") == followed, "the browser and Python name the same heads"
    assert view("state.history_step") == 400
    expect(play).to_be_disabled()
    expect(history.key("save_history").locator(".reading")).to_contain_text("In 400 steps the held-out loss goes from")
