"""“Inside a head” in a real browser: stepping, opening a sum, and values that stay inside their hull."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect
from served import PATIENCE, wait_for_rest
from test_browser import Lab, left_well

from model import Experiment, run
from viz.pages.inside.steps import OPENS_AT, STEPS
from viz.ui.controls import EXAMPLE


@pytest.fixture
def walk(context, address):
    """The page, opened; when it closes it has met no traceback, no complaint and no stranger."""
    lab = Lab(context.new_page(), address)

    def opened(link=""):
        lab.page.goto(f"{address}/inside{link}")
        lab.page.locator(".lab[data-drawn]").first.wait_for(timeout=PATIENCE)
        wait_for_rest(lab.page)  # what the first run still sends is no answer to a step
        return lab

    yield opened
    left_well(lab)
    lab.page.close()


def at_step(lab, step):
    expect(lab.key("walk").locator(".lab")).to_have_attribute("data-step", str(step))


def test_arrow_keys_step_and_the_address_follows_when_they_rest(walk):
    lab = walk()
    at_step(lab, OPENS_AT - 1)
    lab.key("walk").locator(".lab").focus()
    sent = len(lab.frames)
    for step in range(OPENS_AT, STEPS):
        lab.page.keyboard.press("ArrowRight")
        at_step(lab, step)
    assert len(lab.frames) == sent, "a step needs no server"
    lab.wait_for_link(f"step_number={STEPS}")
    at_step(lab, STEPS - 1)
    lab.page.keyboard.press("ArrowLeft")
    at_step(lab, STEPS - 2)


def test_arrow_keys_step_also_before_anything_was_clicked(walk):
    lab = walk("?step_number=5")
    lab.page.keyboard.press("ArrowRight")
    at_step(lab, 5)
    lab.page.keyboard.press("ArrowLeft")
    at_step(lab, 4)


def test_play_walks_on_by_itself_and_stops(walk):
    lab = walk("?step_number=5")
    lab.key("walk").get_by_label("Play").click()
    at_step(lab, 5)
    lab.key("walk").get_by_label("Pause").click()
    at_step(lab, 5)


def test_every_step_ends_in_the_models_own_number(walk):
    lab = walk("?layer=1&head=2&query=6")
    attention = run(Experiment(text=EXAMPLE)).layers[1].attention
    best = int(attention.weights[2, 6].argmax())
    model = lab.key("walk").locator(".model")
    total = lab.key("walk").locator(".total")
    for name, values in (
        ("q · k", attention.scores),
        ("÷ √d", attention.scaled),
        ("+ bias", attention.biased),
        ("softmax", attention.weights),
    ):
        lab.key("walk").get_by_role("button", name=name, exact=True).click()
        shown = float(total.inner_text().rpartition("= ")[2].replace("−", "-"))
        assert shown == pytest.approx(values[2, 6, best], abs=2e-3 * max(1, abs(float(values[2, 6, best]))))
        expect(model).to_contain_text(re.compile("The model has"))
    for name in ("x", "q, k, v", "Σ weight · v", "+ stream"):
        lab.key("walk").get_by_role("button", name=name, exact=True).click()
        text = model.inner_text()
        difference = re.search(r"difference of (\S+)", text)
        assert "same number" in text or float(difference[1]) < 1e-4, text


def test_a_click_on_a_cell_opens_its_sum(walk):
    lab = walk("?step_number=9")
    total = lab.key("walk").locator(".total")
    for kind, name in (("q", r"^q\[3\] = "), ("k", r"^k\[3\] = "), ("v", r"^v\[3\] = "), ("z", r"^z\[3\] = ")):
        x, y = lab.key("walk").locator(".lab").evaluate(
            """(root, kind) => {
                const hit = root.view.hits.find((one) => one.kind === kind && (one.s ?? 2) === 2);
                const box = root.view.canvas.getBoundingClientRect();
                return [box.left + hit.x + (3.5 / hit.count) * hit.wide, box.top + hit.y + hit.tall / 2];
            }""",
            kind,
        )  # fmt: skip
        lab.page.mouse.click(x, y)
        expect(total).to_have_text(re.compile(name))
    lab.page.wait_for_timeout(1500)  # the address has followed, and the page has run again
    expect(total).to_have_text(re.compile(r"^z\[3\] = "))


def test_the_address_follows_when_play_is_stopped(walk):
    lab = walk("?step_number=9")
    lab.key("walk").get_by_label("Play").click()
    at_step(lab, STEPS - 1)
    lab.wait_for_link(f"step_number={STEPS}")


def test_no_output_leaves_the_outline_that_the_browser_draws(walk):
    lab = walk("?view=Average+of+values")
    corners = lab.page.evaluate(
        """async () => {
            const { hull } = await import("/_stcore/bidi-components/attention-lab.value_hull/figures/value_hull.js");
            const root = [...document.querySelectorAll(".st-key-averaging *")].find((e) => e.shadowRoot).shadowRoot;
            const { view } = root.querySelector(".lab");
            const n = view.header.words.length;
            const seen = (t) => view.points.filter((_, s) => view.mask[t * n + s]);
            return view.outputs.map((output, t) => ({ output, corners: hull(seen(t)) }));
        }"""
    )
    assert len(corners) == len(EXAMPLE.split()) + 1
    for row in corners:
        edge = np.array(row["corners"])
        if len(edge) < 3:
            continue
        following = np.roll(edge, -1, axis=0) - edge
        toward = np.array(row["output"]) - edge
        turns = following[:, 0] * toward[:, 1] - following[:, 1] * toward[:, 0]
        assert (turns > -1e-4).all(), "left of every edge"


def test_hovering_a_word_moves_the_output_and_sends_nothing(walk):
    lab = walk("?view=Average+of+values")
    picture = lab.key("averaging").locator("canvas")
    sent, seen = len(lab.frames), set()
    for position in (3, 6, 9):
        lab.key("averaging").locator(".word").nth(position).hover()
        expect(lab.key("averaging").locator(".word.lit")).to_have_count(1)
        seen.add(picture.evaluate("canvas => canvas.toDataURL()"))
    assert len(seen) == 3
    assert len(lab.frames) == sent
