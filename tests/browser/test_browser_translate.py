"""“Translate” in a real browser: steps by keys and by play, looks under the pointer, and a phone."""

import re

import pytest
from playwright.sync_api import expect
from served import PATIENCE, wait_for_rest
from test_browser import Lab, left_well

from model import Experiment
from model.generation.translate import translate
from viz.pages.translate.compute import ALONE, TRANSLATE_TASKS

SOURCE = TRANSLATE_TASKS["Translation"].example
WORDS = 16  # that the example's translation has, its end mark among them


@pytest.fixture
def page(context, address):
    """The page, opened; when it closes it has met no traceback, no complaint and no stranger."""
    lab = Lab(context.new_page(), address)

    def opened(link=""):
        lab.page.goto(f"{address}/translate{link}")
        lab.key("writing").locator(".lab[data-drawn]").wait_for(timeout=PATIENCE)
        wait_for_rest(lab.page)  # what the first run still sends is no answer to a step
        return lab

    yield opened
    left_well(lab)
    lab.page.close()


def at_step(lab, step):
    expect(lab.key("writing").locator(".lab")).to_have_attribute("data-step", str(step))


def caption(lab):
    return lab.key("writing").locator(".sentence")


def test_keys_step_back_and_on_without_the_server_and_the_address_follows_at_rest(page):
    lab = page()
    lab.page.keyboard.press("ArrowLeft")  # before anything was clicked
    at_step(lab, WORDS - 1)
    lab.key("writing").locator(".lab").focus()
    lab.page.keyboard.press("Home")
    at_step(lab, 1)
    sent = len(lab.frames)
    for step in range(2, 7):
        lab.page.keyboard.press("ArrowRight")
        at_step(lab, step)
    lab.page.keyboard.press("ArrowLeft")
    at_step(lab, 5)
    assert len(lab.frames) == sent, "a step needs no server"
    lab.wait_for_link("target_step=5")
    at_step(lab, 5)
    lab.page.keyboard.press("End")
    at_step(lab, WORDS)


def test_going_back_in_the_browser_goes_back_in_the_picture(page):
    lab = page("?target_step=13")
    writing = lab.key("writing")
    writing.get_by_label("Next").click()
    writing.get_by_label("Back").click()  # at rest where it was: the server answers what it knew
    lab.page.wait_for_timeout(1500)
    at_step(lab, 13)
    writing.get_by_label("Next").click()
    lab.wait_for_link("target_step=14")
    lab.page.go_back()
    at_step(lab, 13)


def test_buttons_and_the_slider_step_as_keys_do(page):
    lab = page("?target_step=4")
    writing = lab.key("writing")
    writing.get_by_label("Next").click()
    at_step(lab, 5)
    writing.get_by_label("Back").click()
    at_step(lab, 4)
    writing.get_by_label("Words generated").fill("9")
    at_step(lab, 9)


def test_play_writes_on_by_itself_and_stops(page):
    lab = page("?target_step=3")
    lab.key("writing").get_by_label("Play").click()
    at_step(lab, 4)
    at_step(lab, 5)
    lab.key("writing").get_by_label("Pause").click()
    lab.wait_for_link(r"target_step=\d+")
    step = lab.key("writing").locator(".lab").get_attribute("data-step")
    lab.page.wait_for_timeout(1500)
    at_step(lab, step)


def test_every_step_says_the_models_word_and_where_it_looked(page):
    translation = translate(Experiment("translate", SOURCE))
    lab = page("?target_step=1")
    lab.key("writing").locator(".lab").focus()
    for word in translation.tokens[:4]:
        expect(caption(lab)).to_contain_text(word)
        lab.page.keyboard.press("ArrowRight")


def test_pointing_at_either_side_follows_its_looks_and_sends_nothing(page):
    lab = page("?target_step=16")
    canvas = lab.key("writing").locator("canvas.drawing")
    before = canvas.evaluate("canvas => canvas.toDataURL()")
    sent, pictures = len(lab.frames), {before}
    for side, position in (("source", 6), ("output", 7), ("output", 1)):
        x, y = lab.key("writing").locator(".lab").evaluate(
            """(root, [side, at]) => {
                const hit = root.view.hits.find((one) => one.side === side && one.index === at);
                const box = root.view.canvas.getBoundingClientRect();
                return [box.left + hit.x + hit.wide / 2, box.top + hit.y + hit.tall / 2];
            }""",
            [side, position],
        )  # fmt: skip
        lab.page.mouse.move(x, y)
        lab.page.wait_for_timeout(100)
        pictures.add(canvas.evaluate("canvas => canvas.toDataURL()"))
    assert len(pictures) == 4
    lab.leave()
    lab.page.wait_for_timeout(100)
    assert canvas.evaluate("canvas => canvas.toDataURL()") == before
    assert len(lab.frames) == sent


def test_pointing_at_a_row_of_the_map_lights_the_word_it_says(page):
    lab = page("?target_step=16")
    alignment = lab.key("alignment").locator(".lab[data-drawn]")
    row = "({ view: { place } }) => ({ x: place.left + place.wide / 2, y: place.above + 7.5 * place.cell })"
    alignment.hover(position=alignment.evaluate(row))
    expect(caption(lab)).to_contain_text(translate(Experiment("translate", SOURCE)).tokens[7])


def test_a_gru_without_attention_shows_its_vector_the_same_at_every_step(page):
    lab = page(f"?network={ALONE.replace(' ', '+')}&target_step=2")
    expect(caption(lab)).to_contain_text(re.compile("only one vector of 128 numbers from the source"))
    vector = "(root) => Array.from(root.view.n.vector).join()"
    first = lab.key("writing").locator(".lab").evaluate(vector)
    lab.key("writing").get_by_label("Next").click()
    at_step(lab, 3)
    assert lab.key("writing").locator(".lab").evaluate(vector) == first


def test_the_tree_follows_the_steps(page):
    lab = page("?method=beam&target_step=2")
    canvas = lab.key("tree").locator("canvas.drawing")
    lab.key("tree").locator(".lab[data-drawn]").wait_for(timeout=PATIENCE)
    before = canvas.evaluate("canvas => canvas.toDataURL()")
    lab.key("writing").get_by_label("Next").click()
    at_step(lab, 3)
    assert canvas.evaluate("canvas => canvas.toDataURL()") != before
